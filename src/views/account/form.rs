//! A page of the account that changes something: profile, password.

use askama::Template;

use super::AccountHead;
use crate::views::form::{Form, FormField};
use crate::views::kit::Fact;
use crate::views::messages::Lang;
use crate::views::page::Page;

#[derive(Debug, Clone, Template)]
#[template(path = "account/form.html")]
pub struct AccountForm {
    pub page: Page,
    pub head: AccountHead,
    pub title: &'static str,
    pub intro: &'static str,
    /// What happens besides, one line for each.
    pub ends: Vec<&'static str>,
    /// Said after that.
    pub note: Option<&'static str>,
    pub facts: Vec<Fact>,
    pub form: Form,
}

impl AccountForm {
    /// A password that was typed wrong.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let head = AccountHead::sample(lang);
        let text = &lang.messages().account.password;
        let mut form = Form::new("/account/password", head.csrf.clone(), text.submit)
            .with(FormField::password("present_password", text.present, "current-password").required());
        form.refuse("present_password", text.present_wrong);
        Self {
            page: Page::sample(lang),
            head,
            title: text.title,
            intro: text.intro,
            ends: text.ends.to_vec(),
            note: Some(text.stays),
            facts: vec![Fact::new(lang.messages().account.profile.email, "ada@acme.test")],
            form,
        }
    }
}
