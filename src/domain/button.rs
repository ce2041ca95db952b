//! One sign-in button of an application.

use super::ids::{AppId, ButtonId};
use super::origin::Origin;
use super::return_url::ReturnUrl;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    pub id: ButtonId,
    pub app: AppId,
    /// The only origins that it works on, and that a result is posted to.
    pub origins: Vec<Origin>,
    /// Where a full-page flow may return to, compared byte for byte.
    pub return_urls: Vec<ReturnUrl>,
    /// What it asks for; `None`: each API scope of its application.
    pub scopes: Option<ScopeSet>,
    pub created_at: Timestamp,
}

impl Button {
    /// What a click asks the user for, within what the application may have.
    pub fn requested_scopes(&self, app_scopes: &ScopeSet) -> ScopeSet {
        match &self.scopes {
            Some(scopes) => scopes.iter().filter(|scope| app_scopes.contains(*scope)).collect(),
            None => app_scopes.api_only(),
        }
    }

    pub fn allows_origin(&self, origin: &Origin) -> bool {
        self.origins.contains(origin)
    }

    /// The registered return address that equals `url` byte for byte.
    pub fn return_url(&self, url: &str) -> Option<&ReturnUrl> {
        self.return_urls.iter().find(|registered| registered.as_str() == url)
    }
}
