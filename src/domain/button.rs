//! One sign-in button of an application.

use super::ids::{AppId, ButtonId};
use super::origin::Origin;
use super::return_url::ReturnUrl;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// How a button's snippet has it look (`data-theme`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the user's system.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text)
    }
}

/// How large it is there (`data-size`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Size {
    Small,
    #[default]
    Medium,
    Large,
}

impl Size {
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.as_str() == text)
    }
}

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
    pub theme: Theme,
    pub size: Size,
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
