//! A partner application: OAuth's client (RFC 6749 section 2).

use super::grant_type::GrantType;
use super::ids::{AppId, UserId};
use super::redirect_uri::RedirectUri;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// Longest name or publisher, in characters.
pub const MAX_NAME: usize = 120;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub id: AppId,
    pub name: String,
    pub publisher: String,
    /// The user who may edit it; an application of the operator's has none.
    pub owner: Option<UserId>,
    pub client_type: ClientType,
    pub grant_types: Vec<GrantType>,
    pub redirect_uris: Vec<RedirectUri>,
    /// What a user may be asked for.
    pub scopes: ScopeSet,
    pub created_at: Timestamp,
}

impl App {
    /// The address that an answer asked for at `requested` is sent to; `None` where that is not registered. Only for a
    /// public client may the port of a loopback address vary (wire.md B): a confidential one runs where it is known.
    pub fn redirect_uri(&self, requested: &str) -> Option<RedirectUri> {
        let is_registered = |registered: &RedirectUri| match self.client_type {
            ClientType::Confidential => registered.as_str() == requested,
            ClientType::Public => registered.matches(requested),
        };
        let found = self.redirect_uris.iter().any(is_registered);
        found.then(|| RedirectUri::parse(requested).ok()).flatten()
    }
}

/// RFC 6749 section 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientType {
    /// Has a client secret.
    Confidential,
    /// Has none.
    Public,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b5_a_port_varies_for_public_clients_only() {
        let mut app = App {
            id: AppId::parse("app").unwrap(),
            name: "App".into(),
            publisher: "Publisher".into(),
            owner: None,
            client_type: ClientType::Public,
            grant_types: Vec::new(),
            redirect_uris: vec![RedirectUri::parse("http://127.0.0.1:9100/cb").unwrap()],
            scopes: ScopeSet::default(),
            created_at: Timestamp::from_micros(0),
        };
        let answer_goes_to = |app: &App, requested: &str| app.redirect_uri(requested).map(String::from);
        let other_port = "http://127.0.0.1:51004/cb";
        assert_eq!(answer_goes_to(&app, other_port).as_deref(), Some(other_port));
        assert_eq!(answer_goes_to(&app, "http://127.0.0.1:9100/other"), None);
        app.client_type = ClientType::Confidential;
        assert_eq!(answer_goes_to(&app, other_port), None);
        assert_eq!(answer_goes_to(&app, "http://127.0.0.1:9100/cb").as_deref(), Some("http://127.0.0.1:9100/cb"));
    }
}
