//! A page of the account that lists something: sessions, what was allowed.

use askama::Template;

use super::AccountHead;
use crate::views::form::Form;
use crate::views::kit::{Cell, Pager, Table, Tone};
use crate::views::messages::Lang;
use crate::views::page::Page;

#[derive(Debug, Clone, Template)]
#[template(path = "account/list.html")]
pub struct AccountList {
    pub page: Page,
    pub head: AccountHead,
    pub title: &'static str,
    pub intro: &'static str,
    pub table: Table,
    pub pager: Pager,
    /// What is said where the list is empty: a title and a sentence.
    pub empty: Option<(&'static str, &'static str)>,
    /// What can be done with the whole.
    pub form: Option<Form>,
}

impl AccountList {
    /// Two sessions, one of them this one.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let head = AccountHead::sample(lang);
        let text = &lang.messages().account.sessions;
        let row = |browser: &str, last: Cell| {
            vec![Cell::text(browser), Cell::code("192.0.2.7"), Cell::time(Some("2026-11-22T10:15:30Z".into())), last]
        };
        let end = Cell::Button {
            label: text.end.to_owned(),
            about: "Safari (iOS)".to_owned(),
            action: "/account/sessions/2/end".to_owned(),
            csrf: head.csrf.clone(),
            is_dangerous: true,
        };
        Self {
            page: Page::sample(lang),
            title: text.title,
            intro: text.intro,
            table: Table {
                caption: text.title.to_owned(),
                columns: [text.browser, text.address, text.opened, ""].map(str::to_owned).to_vec(),
                rows: vec![row("Firefox (Linux)", Cell::badge(text.this_one, Tone::Good)), row("Safari (iOS)", end)],
            },
            pager: Pager { newest: None, older: Some("/account/sessions?after=1".to_owned()) },
            empty: None,
            form: Some(Form::new("/account/sessions/end", head.csrf.clone(), text.end_others)),
            head,
        }
    }
}
