//! A user's own pages, and the ways to come by them.

mod apps;
mod card;
mod data;
mod form;
mod list;

pub use apps::{Account, ConnectedApp};
pub use card::Card;
pub use data::AccountData;
pub use form::AccountForm;
pub use list::AccountList;

use super::kit::{Notice, Tab};
use super::messages::Lang;

/// What each page of the account begins with: who is signed in, and what is beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountHead {
    pub csrf: String,
    pub user_name: String,
    pub user_email: String,
    pub account_name: String,
    /// Where the sign-out form posts to (with `csrf`).
    pub logout_action: String,
    pub tabs: Vec<Tab>,
    pub notice: Option<Notice>,
}

impl AccountHead {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let text = &lang.messages().account;
        Self {
            csrf: "b3n1q7".to_owned(),
            user_name: "Ada Buyer".to_owned(),
            user_email: "ada@acme.test".to_owned(),
            account_name: "Acme Mortgage".to_owned(),
            logout_action: "/logout".to_owned(),
            tabs: vec![Tab::new(text.title, "/account", true), Tab::new(text.profile.title, "/account/profile", false)],
            notice: None,
        }
    }
}
