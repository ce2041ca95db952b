//! A page for somebody who is not signed in yet: signing up, an invitation, a link that is over.

use askama::Template;

use crate::views::form::{Form, FormField};
use crate::views::messages::Lang;
use crate::views::page::Page;

#[derive(Debug, Clone, Template)]
#[template(path = "account/card.html")]
pub struct Card {
    pub page: Page,
    pub title: &'static str,
    pub intro: String,
    pub form: Option<Form>,
    /// Where to go instead: a label and an address.
    pub link: Option<(&'static str, String)>,
}

impl Card {
    /// Signing up with an e-mail address that is taken.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let text = &lang.messages().account.sign_up;
        let mut form = Form::new("/sign-up", "b3n1q7", text.submit)
            .with(FormField::text("name", text.name).autocomplete("name").required())
            .with(FormField::email("email", lang.messages().login.email).value("ada@acme.test").required())
            .with(FormField::password("password", text.password, "new-password").required());
        form.refuse("email", text.taken);
        Self {
            page: Page::sample(lang),
            title: text.title,
            intro: text.intro.to_owned(),
            form: Some(form),
            link: Some((text.have_account, "/account".to_owned())),
        }
    }
}
