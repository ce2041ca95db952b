//! Every address of the server, so that routes, pages, redirects and tests cannot disagree.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::mask;

use crate::domain::app::App;
use crate::domain::ids::{AppId, ConnectionId, FlowId, MAX_TEXT_ID, SessionId};
use crate::domain::journal::{NO_ROUTE, endpoint_name};

/// Routes as the router writes them. `{…}` stands for one segment, `{*…}` for the rest.
pub mod route {
    macro_rules! routes {
        ($($(#[$doc:meta])* $name:ident = $path:literal;)+) => {
            $($(#[$doc])* pub const $name: &str = $path;)+

            /// Each of them.
            pub const ALL: &[&str] = &[$($name),+];
        };
    }

    routes! {
        HOME = "/";
        BUTTON_SCRIPT = "/js/le-app-button.js";
        BUTTON_STYLE = "/css/le-app-button.css";
        STATIC = "/static/{file}";
        BUTTON_AUTHORIZE = "/button/authorize";
        BUTTON_TOKEN = "/button/token";
        BUTTON_RESUME = "/button/resume";
        BUTTON_REPORT = "/button/report";
        DOCTOR = "/doctor";
        DOCS = "/docs";
        DOCS_SLASH = "/docs/";
        DOCS_SEARCH = "/docs/search";
        DOCS_PAGE = "/docs/{*page}";
        DIALOG = "/dialog/{flow}";
        DIALOG_LOGIN = "/dialog/{flow}/login";
        DIALOG_DECISION = "/dialog/{flow}/decision";
        DIALOG_SWITCH = "/dialog/{flow}/switch";
        REFRESH = "/authorize/refreshaccesstoken";
        /// With an empty token: `{*token}` stands for at least one character.
        REFRESH_EMPTY = "/authorize/refreshaccesstoken/";
        REFRESH_TOKEN = "/authorize/refreshaccesstoken/{*token}";
        DISCONNECT = "/authorize/disconnectapplicationtoken";
        DISCONNECT_EMPTY = "/authorize/disconnectapplicationtoken/";
        DISCONNECT_TOKEN = "/authorize/disconnectapplicationtoken/{*token}";
        DISCONNECT_FORM = "/authorize/disconnect";
        ACCOUNT = "/account";
        ACCOUNT_LOGIN = "/account/login";
        ACCOUNT_PROFILE = "/account/profile";
        ACCOUNT_PASSWORD = "/account/password";
        ACCOUNT_SESSIONS = "/account/sessions";
        ACCOUNT_SESSIONS_END = "/account/sessions/end";
        ACCOUNT_SESSION_END = "/account/sessions/{session}/end";
        ACCOUNT_HISTORY = "/account/history";
        ACCOUNT_DATA = "/account/data";
        ACCOUNT_EXPORT = "/account/export";
        ACCOUNT_DISCONNECT = "/account/connections/{connection}/disconnect";
        ADMIN = "/admin";
        ADMIN_ACCOUNTS = "/admin/accounts";
        ADMIN_ACCOUNT = "/admin/accounts/{account}";
        ADMIN_ACCOUNT_EDIT = "/admin/accounts/{account}/edit";
        ADMIN_ACCOUNT_DELETE = "/admin/accounts/{account}/delete";
        ADMIN_ACCOUNT_ADD_KEY = "/admin/accounts/{account}/add-key";
        ADMIN_ACCOUNT_REPLACE_KEYS = "/admin/accounts/{account}/replace-keys";
        ADMIN_ACCOUNT_REMOVE_KEY = "/admin/accounts/{account}/keys/{key}/remove";
        ADMIN_APPS = "/admin/apps";
        ADMIN_APP = "/admin/apps/{app}";
        ADMIN_APP_OWNER = "/admin/apps/{app}/owner";
        ADMIN_APP_DISABLE = "/admin/apps/{app}/disable";
        ADMIN_APP_ENABLE = "/admin/apps/{app}/enable";
        ADMIN_APP_DELETE = "/admin/apps/{app}/delete";
        ADMIN_CONNECTIONS = "/admin/connections";
        ADMIN_CONNECTION_END = "/admin/connections/{connection}/end";
        ADMIN_LEADS = "/admin/leads";
        ADMIN_LEAD = "/admin/leads/{lead}";
        ADMIN_EVENTS = "/admin/events";
        ADMIN_INVITATIONS = "/admin/invitations";
        ADMIN_INVITATION_REVOKE = "/admin/invitations/{invitation}/revoke";
        ADMIN_KEYS = "/admin/keys";
        ADMIN_KEYS_ROTATE = "/admin/keys/rotate";
        /// Not below what they make, whose ids people may choose.
        ADMIN_NEW_ACCOUNT = "/admin/new/account";
        ADMIN_NEW_INVITATION = "/admin/new/invitation";
        ADMIN_NEW_USER = "/admin/new/user";
        ADMIN_USERS = "/admin/users";
        ADMIN_USER = "/admin/users/{user}";
        ADMIN_USER_EDIT = "/admin/users/{user}/edit";
        ADMIN_USER_DISABLE = "/admin/users/{user}/disable";
        ADMIN_USER_ENABLE = "/admin/users/{user}/enable";
        ADMIN_USER_RESET = "/admin/users/{user}/reset-password";
        ADMIN_USER_SIGN_OUT = "/admin/users/{user}/end-sessions";
        ADMIN_USER_DELETE = "/admin/users/{user}/delete";
        CONSOLE = "/console";
        CONSOLE_APPS = "/console/apps";
        CONSOLE_APP_NEW = "/console/apps/new";
        CONSOLE_APP = "/console/apps/{app}";
        CONSOLE_APP_EDIT = "/console/apps/{app}/edit";
        CONSOLE_APP_LOGO = "/console/apps/{app}/logo";
        CONSOLE_APP_LOGO_REMOVE = "/console/apps/{app}/logo/remove";
        CONSOLE_APP_SECRET = "/console/apps/{app}/secret";
        CONSOLE_APP_SECRET_PREVIOUS = "/console/apps/{app}/secret/previous";
        CONSOLE_APP_USAGE = "/console/apps/{app}/usage";
        CONSOLE_APP_CALLBACK = "/console/apps/{app}/callback";
        CONSOLE_APP_CALLBACK_TEST = "/console/apps/{app}/callback/test";
        CONSOLE_APP_CALLBACK_ROTATE = "/console/apps/{app}/callback/rotate-secret";
        CONSOLE_APP_CALLBACK_REMOVE = "/console/apps/{app}/callback/remove";
        CONSOLE_APP_DELETE = "/console/apps/{app}/delete";
        CONSOLE_BUTTON_NEW = "/console/apps/{app}/buttons/new";
        CONSOLE_BUTTON = "/console/buttons/{button}";
        CONSOLE_BUTTON_EDIT = "/console/buttons/{button}/edit";
        CONSOLE_BUTTON_DELETE = "/console/buttons/{button}/delete";
        CONSOLE_DELIVERIES = "/console/deliveries";
        CONSOLE_DELIVERY_NEW = "/console/deliveries/new";
        CONSOLE_DELIVERY = "/console/deliveries/{delivery}";
        CONSOLE_DELIVERY_EDIT = "/console/deliveries/{delivery}/authentication";
        CONSOLE_DELIVERY_TEST = "/console/deliveries/{delivery}/test";
        CONSOLE_DELIVERY_DELETE = "/console/deliveries/{delivery}/delete";
        CONSOLE_EXCHANGE = "/console/deliveries/{delivery}/exchanges/{exchange}";
        CONSOLE_WEBHOOKS = "/console/apps/{app}/webhooks";
        CONSOLE_WEBHOOK_NEW = "/console/apps/{app}/webhooks/new";
        CONSOLE_WEBHOOK = "/console/webhooks/{webhook}";
        CONSOLE_WEBHOOK_EDIT = "/console/webhooks/{webhook}/edit";
        CONSOLE_WEBHOOK_SECRET = "/console/webhooks/{webhook}/secret";
        CONSOLE_WEBHOOK_TEST = "/console/webhooks/{webhook}/test";
        CONSOLE_WEBHOOK_REPLAY = "/console/webhooks/{webhook}/replay";
        CONSOLE_WEBHOOK_DELETE = "/console/webhooks/{webhook}/delete";
        CONSOLE_WEBHOOK_MESSAGE = "/console/webhooks/{webhook}/messages/{message}";
        CONSOLE_WEBHOOK_MESSAGE_REPLAY = "/console/webhooks/{webhook}/messages/{message}/replay";
        SETTINGS_API = "/settings/api";
        LOGOUT = "/logout";
        INVITATION = "/invitation";
        SIGN_UP = "/sign-up";
        SIGN_UP_PARTNER = "/sign-up/partner";
        LOGO = "/logos/{app}/{logo}";
        ME = "/v1/me";
        API_TOKEN = "/v1/authorization/token";
        LEAD_INSERT = "/v2/insert/general";
        LEAD_QUERY = "/v1/leads/query/{lead_type}";
        RECEIVE = "/deliveries/{delivery}/receive";
        API_DELIVERIES = "/api/deliveries";
        API_DELIVERY = "/api/deliveries/{id}";
        API_DELIVERY_EXCHANGES = "/api/deliveries/{id}/exchanges";
        API_DELIVERY_TEST = "/api/deliveries/{id}/test";
        JWKS = "/.well-known/jwks.json";
        SERVER_METADATA = "/.well-known/oauth-authorization-server";
        OPENID_METADATA = "/.well-known/openid-configuration";
        OAUTH_AUTHORIZE = "/oauth/authorize";
        TOKEN = "/oauth/token";
        REVOKE = "/oauth/revoke";
        INTROSPECT = "/oauth/introspect";
        USERINFO = "/oauth/userinfo";
        PAR = "/oauth/par";
        DEVICE_AUTHORIZATION = "/oauth/device_authorization";
        DEVICE = "/device";
        REGISTER = "/oauth/register";
        REGISTER_CLIENT = "/oauth/register/{client_id}";
        END_SESSION = "/oauth/logout";
        SANDBOX_AUTHORIZE = "/_sandbox/authorize";
        SANDBOX_FAULTS = "/_sandbox/faults";
        SANDBOX_CHECKS = "/_sandbox/checks/{app}";
        SANDBOX_REGISTRATION_TOKENS = "/_sandbox/registration-tokens";
        SANDBOX_CLOCK = "/_sandbox/clock";
        SANDBOX_APPS = "/_sandbox/apps";
        SANDBOX_APP = "/_sandbox/apps/{id}";
        SANDBOX_APP_USAGE = "/_sandbox/apps/{id}/usage";
        SANDBOX_APP_CALLBACK = "/_sandbox/apps/{id}/callback";
        SANDBOX_APP_CALLBACK_TEST = "/_sandbox/apps/{id}/callback/test";
        SANDBOX_APP_CALLBACK_ROTATE = "/_sandbox/apps/{id}/callback/rotate-secret";
        SANDBOX_BUTTONS = "/_sandbox/buttons";
        SANDBOX_BUTTON = "/_sandbox/buttons/{id}";
        SANDBOX_USERS = "/_sandbox/users";
        SANDBOX_USER = "/_sandbox/users/{id}";
        SANDBOX_ACCOUNTS = "/_sandbox/accounts";
        SANDBOX_ACCOUNT = "/_sandbox/accounts/{id}";
        SANDBOX_EVENTS = "/_sandbox/events";
        SANDBOX_INVITATIONS = "/_sandbox/invitations";
        SANDBOX_CONNECTIONS = "/_sandbox/connections";
        SANDBOX_CONNECTION = "/_sandbox/connections/{id}";
        SANDBOX_LEADS = "/_sandbox/leads";
        SANDBOX_LEAD = "/_sandbox/leads/{id}";
        SANDBOX_WEBHOOKS = "/_sandbox/webhooks";
        SANDBOX_WEBHOOK = "/_sandbox/webhooks/{id}";
        SANDBOX_WEBHOOK_ROTATE = "/_sandbox/webhooks/{id}/rotate-secret";
        SANDBOX_WEBHOOK_TEST = "/_sandbox/webhooks/{id}/test";
        SANDBOX_WEBHOOK_REPLAY = "/_sandbox/webhooks/{id}/replay";
        SANDBOX_WEBHOOK_DELIVERIES = "/_sandbox/webhooks/{id}/deliveries";
        SANDBOX_WEBHOOK_DELIVERY = "/_sandbox/webhooks/{id}/deliveries/{message}";
        SANDBOX_WEBHOOK_DELIVERY_REPLAY = "/_sandbox/webhooks/{id}/deliveries/{message}/replay";
        SANDBOX_LISTENERS = "/_sandbox/listeners";
        SANDBOX_LISTENER = "/_sandbox/listeners/{id}";
        SANDBOX_LISTENER_MESSAGES = "/_sandbox/listeners/{id}/messages";
        SANDBOX_LISTENER_OUTCOME = "/_sandbox/listeners/{id}/messages/{message}/outcome";
        SANDBOX_TOKENS = "/_sandbox/tokens";
        SANDBOX_TOKENS_EXPIRE = "/_sandbox/tokens/expire";
        SANDBOX_TOKENS_REVOKE = "/_sandbox/tokens/revoke";
        SANDBOX_RESET = "/_sandbox/reset";
        SANDBOX_SNAPSHOTS = "/_sandbox/snapshots";
        SANDBOX_SNAPSHOT = "/_sandbox/snapshots/{name}";
        SANDBOX_SNAPSHOT_RESTORE = "/_sandbox/snapshots/{name}/restore";
        SANDBOX_NAMESPACES = "/_sandbox/namespaces";
        SANDBOX_NAMESPACE = "/_sandbox/namespaces/{id}";
        SANDBOX = "/_sandbox";
        SANDBOX_SLASH = "/_sandbox/";
        SANDBOX_DOCS = "/_sandbox/docs";
        SANDBOX_FIDELITY = "/_sandbox/fidelity";
        SANDBOX_OPENAPI = "/_sandbox/openapi.json";
        SANDBOX_REQUESTS = "/_sandbox/requests";
        SANDBOX_REQUEST = "/_sandbox/requests/{id}";
        SANDBOX_TIMELINE = "/_sandbox/requests/{id}/timeline";
        SANDBOX_VERIFY = "/_sandbox/requests/verify";
        SANDBOX_HAR = "/_sandbox/requests.har";
        INSPECTOR = "/inspector";
        INSPECTOR_SESSION = "/inspector/session";
        INSPECTOR_EVENTS = "/inspector/events";
        INSPECTOR_CHECKS = "/inspector/checks/{app}";
        LIVEZ = "/livez";
        METRICS = "/metrics";
        READYZ = "/readyz";
    }
}

/// Whether addresses that begin with this word are what a partner integrates with. Our own pages about the sandbox, its
/// control plane and probes are not: they are in no journal, and nothing goes wrong there on purpose.
pub fn is_emulated(first_word: &str) -> bool {
    !matches!(
        first_word,
        "" | "_sandbox"
            | "admin"
            | "api"
            | "console"
            | "docs"
            | "doctor"
            | "favicon.ico"
            | "inspector"
            | "invitation"
            | "livez"
            | "logos"
            | "metrics"
            | "readyz"
            | "settings"
            | "sign-up"
            | "static"
    )
}

/// Whether this names an endpoint, by its last fixed word or by its whole route, or what has none.
pub fn is_endpoint(name: &str) -> bool {
    name == NO_ROUTE || route::ALL.iter().any(|route| *route == name || endpoint_name(route) == name)
}

/// Whether a path is one of our routes, letter by letter: nothing in it is encoded, empty or a step up.
pub fn is_plainly_ours(path: &str) -> bool {
    let is_plain = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let fits = |own: &str, segment: &str| own == segment || own.starts_with('{') && !own.starts_with("{*");
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain))
        && route::ALL.iter().any(|route| {
            let (own, given) = (route.split('/'), path.split('/'));
            own.clone().count() == given.clone().count() && own.zip(given).all(|(own, segment)| fits(own, segment))
        })
}

/// A route or an address below the issuer's path, which is `base`. Documents of an issuer with a path have that path
/// behind theirs (RFC 8414 section 3.1).
pub fn below<'p>(base: &str, path: &'p str) -> &'p str {
    path.strip_prefix(base).or_else(|| path.strip_suffix(base)).unwrap_or(path)
}

/// A path for people: what it consists of besides our own words and ids is put through `mask`.
pub fn masked(route: &str, path: &str, mask: impl Fn(&str) -> String) -> String {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    if let Some((before, rest)) = route.split_once("/{*") {
        let given = path.strip_prefix(before).unwrap_or_default().trim_start_matches('/');
        debug_assert!(rest.ends_with('}'), "{route}");
        return format!("{before}/{}", mask(&decoded(given)));
    }
    // Of what is never shown here, words such as `secret` are no reason to show them.
    let emulated = |route: &&&str| is_emulated(route.trim_start_matches('/').split('/').next().unwrap_or_default());
    let is_own = |route: &&str, word: &str| route.split('/').any(|own| own.eq_ignore_ascii_case(word));
    let is_word = |word: &str| route::ALL.iter().filter(emulated).any(|route| is_own(route, word));
    let mut pattern = route.split('/');
    let shown = path.split('/').map(|segment| match pattern.next() {
        // An id that is a parameter of a known route opens nothing.
        Some("{flow}" | "{connection}" | "{delivery}") if Uuid::try_parse(segment).is_ok() => segment.to_owned(),
        Some("{client_id}" | "{lead_type}") if is_id(segment) => mask::scrub(segment),
        _ if is_word(segment) => segment.to_owned(),
        _ => mask(&decoded(segment)),
    });
    shown.collect::<Vec<_>>().join("/")
}

fn is_id(text: &str) -> bool {
    text.len() <= MAX_TEXT_ID && AppId::parse(text).is_ok()
}

/// The route that an address was probably meant to be.
pub fn nearest(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    // A token behind the words would make every address unlike its route.
    let before_last = path.rsplit_once('/').map_or("", |(before, _)| before);
    let likeness = |route: &str| match route.split_once("/{*") {
        Some((words, _)) => strsim::normalized_levenshtein(before_last, words),
        None => strsim::normalized_levenshtein(&path, route),
    };
    let likest = route::ALL.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    likest.filter(|route| likeness(route) > 0.6).copied()
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

    /// What an address names a namespace with, and what follows below it: the address lies below the namespace's own, or
    /// is that of its metadata at the root of the origin (RFC 8414 section 3.1).
    pub fn namespace_in<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        let below = |path: &'p str| {
            let rest = path.strip_prefix(self.base.as_str())?.strip_prefix("/ns/")?;
            Some(rest.split_at(rest.find('/').unwrap_or(rest.len())))
        };
        let at_the_root = || {
            let document =
                [route::SERVER_METADATA, route::OPENID_METADATA].into_iter().find(|d| path.starts_with(d))?;
            below(&path[document.len()..]).map(|(id, _)| (id, document))
        };
        below(path).or_else(at_the_root)
    }

    /// A fixed route as clients outside know it: the whole public address.
    pub fn public(&self, route: &str) -> String {
        format!("{}{route}", self.issuer)
    }

    /// A fixed route as a path from the root of the origin.
    pub fn path(&self, route: &str) -> String {
        format!("{}{route}", self.base)
    }

    /// The same of a route with gaps, the first of which is filled. Ids are plain (`domain/ids.rs`).
    pub fn filled(&self, route: &str, id: impl std::fmt::Display) -> String {
        match route.split_once('{').map(|(before, rest)| (before, rest.split_once('}'))) {
            Some((before, Some((_, after)))) => self.path(&format!("{before}{id}{after}")),
            _ => self.path(route),
        }
    }

    /// Where an application's logo is.
    pub fn logo(&self, app: &App) -> Option<String> {
        let logo = app.logo.as_ref()?;
        Some(self.path(&route::LOGO.replace("{app}", app.id.as_str()).replace("{logo}", logo.as_str())))
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

    pub fn account_session_end(&self, session: SessionId) -> String {
        self.path(&format!("/account/sessions/{session}/end"))
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
    fn e_an_endpoint_is_the_last_fixed_word() {
        for (route, word) in [
            (route::REFRESH_TOKEN, "refreshaccesstoken"),
            (route::REFRESH_EMPTY, "refreshaccesstoken"),
            (route::TOKEN, "token"),
            (route::DIALOG, "dialog"),
            (route::DIALOG_LOGIN, "login"),
            (route::REGISTER_CLIENT, "register"),
            (route::JWKS, "jwks.json"),
            (route::HOME, ""),
        ] {
            assert_eq!(endpoint_name(route), word, "{route}");
        }
    }

    #[test]
    fn wire_e_an_address_names_its_namespace() {
        let root = Urls::new("https://a.test", "");
        let below = Urls::new("https://a.test/t1", "/t1");
        for (urls, path, named) in [
            (&root, "/ns/abc/oauth/token", Some(("abc", "/oauth/token"))),
            (&root, "/ns/abc", Some(("abc", ""))),
            (&root, "/ns/", Some(("", ""))),
            (&root, "/ns", None),
            (&root, "/nsabc/", None),
            (&root, "/oauth/ns/abc", None),
            (&root, "/.well-known/oauth-authorization-server/ns/abc", Some(("abc", route::SERVER_METADATA))),
            (&root, "/.well-known/openid-configuration/ns/abc", Some(("abc", route::OPENID_METADATA))),
            (&root, "/.well-known/oauth-authorization-server", None),
            (&root, "/.well-known/jwks.json/ns/abc", None),
            (&below, "/t1/ns/abc/x", Some(("abc", "/x"))),
            (&below, "/ns/abc/x", None),
            (&below, "/.well-known/openid-configuration/t1/ns/abc", Some(("abc", route::OPENID_METADATA))),
            (&below, "/.well-known/openid-configuration/ns/abc", None),
        ] {
            assert_eq!(urls.namespace_in(path), named, "{path}");
        }
    }

    #[test]
    fn e_a_path_shows_our_words_and_ids_only() {
        let masked = |route, path| masked(route, path, |_| "***".into());
        assert_eq!(
            masked(route::REFRESH_TOKEN, "/authorize/refreshaccesstoken/a/b"),
            "/authorize/refreshaccesstoken/***"
        );
        assert_eq!(masked(route::REFRESH, "/authorize/refreshaccesstoken"), route::REFRESH);
        let id = "/dialog/00000000-0000-0000-0000-000000000000/login";
        assert_eq!(masked(route::DIALOG_LOGIN, id), id);
        assert_eq!(masked(route::DIALOG, "/dialog/a%20b"), "/dialog/***");
        assert_eq!(masked("", "/Authorize/RefreshAccessToken/secret"), "/Authorize/RefreshAccessToken/***");
        assert_eq!(masked("", "/secret/token"), "/***/token");
    }

    #[test]
    fn e_a_mistyped_address_has_a_nearest_one() {
        assert_eq!(nearest("/authorize/refreshaccestoken"), Some(route::REFRESH));
        assert_eq!(nearest("/Authorize/RefreshAccessToken/lgr_abc"), Some(route::REFRESH_TOKEN));
        assert_eq!(nearest("/oauth2/token"), Some(route::TOKEN));
        assert_eq!(nearest("/wp-login.php"), None);
    }

    #[test]
    fn built_addresses_match_their_routes() {
        let urls = Urls::new("https://a.test/t1", "/t1");
        let flow = FlowId(Uuid::nil());
        for (built, route) in [
            (urls.dialog(flow), route::DIALOG),
            (urls.dialog_login(flow), route::DIALOG_LOGIN),
            (urls.dialog_decision(flow), route::DIALOG_DECISION),
            (urls.dialog_switch(flow), route::DIALOG_SWITCH),
            (urls.account_disconnect(ConnectionId(Uuid::nil())), route::ACCOUNT_DISCONNECT),
            (urls.account_session_end(SessionId(Uuid::nil())), route::ACCOUNT_SESSION_END),
        ] {
            let id = Uuid::nil().to_string();
            let expected =
                format!("/t1{}", route.replace("{flow}", &id).replace("{connection}", &id).replace("{session}", &id));
            assert_eq!(built, expected);
        }
    }
}
