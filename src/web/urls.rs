//! Every address of the server, so that routes, pages, redirects and tests cannot disagree.

use crate::domain::ids::{AppId, ConnectionId, FlowId};

/// Routes as the router writes them. `{…}` stands for one segment, `{*…}` for the rest.
pub mod route {
    pub const HOME: &str = "/";
    pub const BUTTON_SCRIPT: &str = "/js/le-app-button.js";
    pub const BUTTON_STYLE: &str = "/css/le-app-button.css";
    pub const STATIC: &str = "/static/{file}";
    pub const BUTTON_AUTHORIZE: &str = "/button/authorize";
    pub const BUTTON_TOKEN: &str = "/button/token";
    pub const BUTTON_RESUME: &str = "/button/resume";
    pub const BUTTON_REPORT: &str = "/button/report";
    pub const DOCTOR: &str = "/doctor";
    pub const DIALOG: &str = "/dialog/{flow}";
    pub const DIALOG_LOGIN: &str = "/dialog/{flow}/login";
    pub const DIALOG_DECISION: &str = "/dialog/{flow}/decision";
    pub const DIALOG_SWITCH: &str = "/dialog/{flow}/switch";
    pub const REFRESH: &str = "/authorize/refreshaccesstoken";
    /// With an empty token: `{*token}` stands for at least one character.
    pub const REFRESH_EMPTY: &str = "/authorize/refreshaccesstoken/";
    pub const REFRESH_TOKEN: &str = "/authorize/refreshaccesstoken/{*token}";
    pub const DISCONNECT: &str = "/authorize/disconnectapplicationtoken";
    pub const DISCONNECT_EMPTY: &str = "/authorize/disconnectapplicationtoken/";
    pub const DISCONNECT_TOKEN: &str = "/authorize/disconnectapplicationtoken/{*token}";
    pub const DISCONNECT_FORM: &str = "/authorize/disconnect";
    pub const ACCOUNT: &str = "/account";
    pub const ACCOUNT_LOGIN: &str = "/account/login";
    pub const ACCOUNT_DISCONNECT: &str = "/account/connections/{connection}/disconnect";
    pub const LOGOUT: &str = "/logout";
    pub const ME: &str = "/v1/me";
    pub const JWKS: &str = "/.well-known/jwks.json";
    pub const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
    pub const OPENID_METADATA: &str = "/.well-known/openid-configuration";
    pub const OAUTH_AUTHORIZE: &str = "/oauth/authorize";
    pub const TOKEN: &str = "/oauth/token";
    pub const REVOKE: &str = "/oauth/revoke";
    pub const INTROSPECT: &str = "/oauth/introspect";
    pub const USERINFO: &str = "/oauth/userinfo";
    pub const PAR: &str = "/oauth/par";
    pub const DEVICE_AUTHORIZATION: &str = "/oauth/device_authorization";
    pub const DEVICE: &str = "/device";
    pub const REGISTER: &str = "/oauth/register";
    pub const REGISTER_CLIENT: &str = "/oauth/register/{client_id}";
    pub const END_SESSION: &str = "/oauth/logout";
    pub const SANDBOX_AUTHORIZE: &str = "/_sandbox/authorize";
    pub const SANDBOX_REGISTRATION_TOKENS: &str = "/_sandbox/registration-tokens";
    pub const LIVEZ: &str = "/livez";
    pub const READYZ: &str = "/readyz";
}

/// Addresses below the issuer's path.
#[derive(Debug, Clone)]
pub struct Urls {
    issuer: String,
    base: String,
    https: bool,
}

impl Urls {
    /// `issuer` without a slash at its end; `base` is its path, empty or starting with a slash.
    pub fn new(issuer: &str, base: &str) -> Self {
        Self { issuer: issuer.to_owned(), base: base.to_owned(), https: issuer.starts_with("https://") }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether the public address is https, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// A fixed route as clients outside know it: the whole public address.
    pub fn public(&self, route: &str) -> String {
        format!("{}{route}", self.issuer)
    }

    /// A fixed route as a path from the root of the origin.
    pub fn path(&self, route: &str) -> String {
        format!("{}{route}", self.base)
    }

    /// Where a client looks after its registration: the whole public address.
    pub fn registration(&self, client: &AppId) -> String {
        self.public(&route::REGISTER_CLIENT.replace("{client_id}", client.as_str()))
    }

    pub fn dialog(&self, flow: FlowId) -> String {
        self.path(&format!("/dialog/{flow}"))
    }

    pub fn dialog_login(&self, flow: FlowId) -> String {
        self.path(&format!("/dialog/{flow}/login"))
    }

    pub fn dialog_decision(&self, flow: FlowId) -> String {
        self.path(&format!("/dialog/{flow}/decision"))
    }

    pub fn dialog_switch(&self, flow: FlowId) -> String {
        self.path(&format!("/dialog/{flow}/switch"))
    }

    pub fn account_disconnect(&self, connection: ConnectionId) -> String {
        self.path(&format!("/account/connections/{connection}/disconnect"))
    }

    /// The account page with word of what was just ended.
    pub fn account_after(&self, ended: ConnectionId) -> String {
        self.path(&format!("/account?ended={ended}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_addresses_match_their_routes() {
        let urls = Urls::new("https://a.test/t1", "/t1");
        let flow = FlowId(uuid::Uuid::nil());
        for (built, route) in [
            (urls.dialog(flow), route::DIALOG),
            (urls.dialog_login(flow), route::DIALOG_LOGIN),
            (urls.dialog_decision(flow), route::DIALOG_DECISION),
            (urls.dialog_switch(flow), route::DIALOG_SWITCH),
            (urls.account_disconnect(ConnectionId(uuid::Uuid::nil())), route::ACCOUNT_DISCONNECT),
        ] {
            let id = uuid::Uuid::nil().to_string();
            let expected = format!("/t1{}", route.replace("{flow}", &id).replace("{connection}", &id));
            assert_eq!(built, expected);
        }
    }
}
