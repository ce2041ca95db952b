//! The rows. They are sorted by surface, and the surfaces are the parts of wire.md.

use crate::views::Fidelity::{self, Documented, Inferred, Ours};
use crate::web::urls::route;

/// One behaviour of the emulation.
pub struct Behaviour {
    /// The surface, and a word.
    pub id: &'static str,
    pub surface: &'static str,
    /// One sentence.
    pub text: &'static str,
    pub fidelity: Fidelity,
    pub source: &'static str,
    pub routes: &'static [&'static str],
}

/// The parts of the contract.
pub const SURFACES: [(&str, &str); 11] = [
    ("0", "Common to all"),
    ("A1", "The sign-in button"),
    ("A2", "Refreshing an access token"),
    ("A3", "Disconnecting"),
    ("A4", "Common to refreshing and disconnecting"),
    ("A5", "The account page"),
    ("B", "Standard OAuth 2.0 and OpenID Connect"),
    ("C", "An API that a token opens"),
    ("E", "The control plane"),
    ("F", "Webhooks"),
    ("G", "Operations"),
];

const SIGN_IN: &str = "LeadExec's documentation of its sign-in button";
const FOLLOWS: &str = "follows from LeadExec's documentation of its sign-in button";
const NOBODY: &str = "LeadExec does not say";
const OWN: &str = "LeadExec has nothing like it";

const fn row(
    id: &'static str,
    surface: &'static str,
    fidelity: Fidelity,
    text: &'static str,
    source: &'static str,
    routes: &'static [&'static str],
) -> Behaviour {
    Behaviour { id, surface, text, fidelity, source, routes }
}

const REFRESH: &[&str] = &[route::REFRESH, route::REFRESH_EMPTY, route::REFRESH_TOKEN];
const DISCONNECT: &[&str] = &[route::DISCONNECT, route::DISCONNECT_EMPTY, route::DISCONNECT_TOKEN];

/// Each behaviour. A test sees to it that every route has one.
pub const LEDGER: &[Behaviour] = &[
    row(
        "0-html",
        "0",
        Ours,
        "Pages speak English and Spanish, after `Accept-Language`.",
        NOBODY,
        &[route::HOME, route::STATIC],
    ),
    row(
        "0-limits",
        "0",
        Ours,
        "Bodies are at most 64 KiB, answers come within 30 seconds, and errors have the form of their address.",
        NOBODY,
        &[],
    ),
    row("0-times", "0", Ours, "Times are RFC 3339 in UTC, to the second.", NOBODY, &[]),
    row(
        "A1-snippet",
        "A1",
        Documented,
        "A page carries the published snippet: a script, a style sheet, and an element with `data-btnId`.",
        SIGN_IN,
        &[route::BUTTON_SCRIPT, route::BUTTON_STYLE],
    ),
    row(
        "A1-callback",
        "A1",
        Documented,
        "The page's global function `AuthorizeResult(result)` is called with the outcome.",
        SIGN_IN,
        &[route::BUTTON_SCRIPT],
    ),
    row(
        "A1-valid",
        "A1",
        Documented,
        "The result has `valid`, and `error` where it is false.",
        SIGN_IN,
        &[route::BUTTON_SCRIPT, route::BUTTON_TOKEN],
    ),
    row(
        "A1-keys",
        "A1",
        Ours,
        "The result has always the same eight keys, `errorMessage`, `refreshToken`, `authToken`, `expireDate`, `buttonId` and `auto` among them.",
        NOBODY,
        &[route::BUTTON_TOKEN, route::BUTTON_RESUME],
    ),
    row(
        "A1-codes",
        "A1",
        Ours,
        "`error` is one of twelve codes, such as `access_denied` and `popup_blocked`.",
        NOBODY,
        &[route::BUTTON_TOKEN, route::BUTTON_SCRIPT],
    ),
    row(
        "A1-events",
        "A1",
        Ours,
        "The button sends the events `leappbutton:ready`, `:idle`, `:redirect`, `:severed` and `:result`.",
        NOBODY,
        &[route::BUTTON_SCRIPT],
    ),
    row(
        "A1-popup",
        "A1",
        Inferred,
        "A click opens a pop-up, in which the user signs in and allows or denies access.",
        FOLLOWS,
        &[route::BUTTON_AUTHORIZE, route::DIALOG],
    ),
    row(
        "A1-dialog",
        "A1",
        Inferred,
        "The dialog has the fields Email and Password, one line for each permission, and the buttons Allow and Cancel.",
        FOLLOWS,
        &[route::DIALOG, route::DIALOG_LOGIN, route::DIALOG_DECISION],
    ),
    row(
        "A1-switch",
        "A1",
        Ours,
        "On the consent page a user may say that it is somebody else.",
        NOBODY,
        &[route::DIALOG_SWITCH],
    ),
    row(
        "A1-code",
        "A1",
        Ours,
        "The pop-up hands an authorization code to the page, bound to button, origin and a code verifier (PKCE), which the script redeems with one request.",
        NOBODY,
        &[route::BUTTON_AUTHORIZE, route::BUTTON_TOKEN],
    ),
    row(
        "A1-origins",
        "A1",
        Ours,
        "A button works on its listed origins only, compared exactly, and returns to registered addresses only.",
        NOBODY,
        &[route::BUTTON_AUTHORIZE, route::BUTTON_TOKEN, route::BUTTON_RESUME],
    ),
    row(
        "A1-automatic",
        "A1",
        Documented,
        "A user who has signed in before is signed in without a click.",
        SIGN_IN,
        &[route::BUTTON_RESUME],
    ),
    row(
        "A1-resume",
        "A1",
        Ours,
        "Automatic sign-in goes by a partitioned cookie on the partner's page, or by the session where the browser sends it; a failure is an event only.",
        NOBODY,
        &[route::BUTTON_RESUME],
    ),
    row(
        "A1-doctor",
        "A1",
        Ours,
        "In a sandbox the script tells what keeps the button from working on a page, and reports it to the journal.",
        OWN,
        &[route::BUTTON_REPORT, route::DOCTOR],
    ),
    row(
        "A2-address",
        "A2",
        Documented,
        "A GET with the refresh token in the path and the App ID as `appid` gives an access token.",
        SIGN_IN,
        REFRESH,
    ),
    row(
        "A2-keys",
        "A2",
        Documented,
        "The answer has the keys `valid`, `refreshToken`, `authToken`, `expireDate` and `errorMessage`.",
        SIGN_IN,
        REFRESH,
    ),
    row(
        "A2-same",
        "A2",
        Documented,
        "The refresh token is not rotated: it comes back as it was sent.",
        SIGN_IN,
        REFRESH,
    ),
    row("A2-lifetime", "A2", Documented, "An access token lives 3600 seconds.", SIGN_IN, REFRESH),
    row(
        "A2-earlier",
        "A2",
        Inferred,
        "Access tokens that were given before stay valid until they expire.",
        FOLLOWS,
        REFRESH,
    ),
    row(
        "A2-form",
        "A2",
        Ours,
        "An access token is 68 opaque characters that begin with `lga_`; LeadExec shows a GUID.",
        NOBODY,
        REFRESH,
    ),
    row(
        "A2-refusals",
        "A2",
        Ours,
        "Every refusal is 200 with `valid: false` and one sentence, which never tells a token that is unknown from one of another application.",
        NOBODY,
        REFRESH,
    ),
    row(
        "A2-no-page",
        "A2",
        Ours,
        "There is no JSONP and no CORS here, since an App ID does not belong in a page.",
        NOBODY,
        REFRESH,
    ),
    row(
        "A3-address",
        "A3",
        Documented,
        "A GET with the refresh token in the path ends the connection.",
        SIGN_IN,
        DISCONNECT,
    ),
    row(
        "A3-whole",
        "A3",
        Documented,
        "The connection ends for good: the user has to allow the application again.",
        SIGN_IN,
        DISCONNECT,
    ),
    row(
        "A3-tokens",
        "A3",
        Inferred,
        "Its access tokens and automatic sign-in end with it at once; the user's other applications stay.",
        FOLLOWS,
        DISCONNECT,
    ),
    row(
        "A3-jsonp",
        "A3",
        Documented,
        "With a callback the answer is a script, as jQuery's `jsonp` asks for it.",
        SIGN_IN,
        DISCONNECT,
    ),
    row(
        "A3-answer",
        "A3",
        Ours,
        "The answer is 200 with `valid` and `errorMessage`, for every outcome.",
        NOBODY,
        DISCONNECT,
    ),
    row(
        "A3-object",
        "A3",
        Ours,
        "`[object Object]` in place of the token, which the published sample sends when it is wired to a click, is told by name.",
        NOBODY,
        DISCONNECT,
    ),
    row(
        "A3-post",
        "A3",
        Ours,
        "POST does the same, also as a form, for who would keep the token out of addresses.",
        NOBODY,
        &[route::DISCONNECT_TOKEN, route::DISCONNECT_FORM],
    ),
    row(
        "A4-headers",
        "A4",
        Ours,
        "Answers are kept by no cache and by no search engine, and name no referrer.",
        NOBODY,
        &[route::REFRESH_TOKEN, route::DISCONNECT_TOKEN],
    ),
    row(
        "A4-ahead",
        "A4",
        Ours,
        "HEAD and prefetches have no effect.",
        NOBODY,
        &[route::REFRESH_TOKEN, route::DISCONNECT_TOKEN],
    ),
    row(
        "A4-decoded",
        "A4",
        Ours,
        "The path is percent-decoded once, and nothing is ever redirected.",
        NOBODY,
        &[route::REFRESH_TOKEN, route::DISCONNECT_TOKEN],
    ),
    row(
        "A5-revoke",
        "A5",
        Documented,
        "A user can revoke access at any time.",
        SIGN_IN,
        &[route::ACCOUNT, route::ACCOUNT_DISCONNECT],
    ),
    row(
        "A5-page",
        "A5",
        Ours,
        "The account page lists each connected application with its permissions, since when and its last use.",
        NOBODY,
        &[
            route::ACCOUNT,
            route::ACCOUNT_LOGIN,
            route::ACCOUNT_PROFILE,
            route::ACCOUNT_PASSWORD,
            route::ACCOUNT_SESSIONS,
            route::ACCOUNT_SESSIONS_END,
            route::ACCOUNT_SESSION_END,
            route::ACCOUNT_HISTORY,
            route::ACCOUNT_DATA,
            route::ACCOUNT_EXPORT,
            route::LOGOUT,
        ],
    ),
    row(
        "B-none",
        "B",
        Ours,
        "LeadExec publishes no standard endpoints for partners; those here share its users, applications and consents.",
        OWN,
        &[route::OAUTH_AUTHORIZE, route::TOKEN],
    ),
    row(
        "B-authorize",
        "B",
        Documented,
        "The authorization endpoint gives codes, with PKCE, `iss`, and the response modes `query`, `fragment` and `form_post`.",
        "RFC 6749, RFC 7636, RFC 9207, OAuth 2.0 Form Post Response Mode",
        &[route::OAUTH_AUTHORIZE],
    ),
    row(
        "B-openid",
        "B",
        Documented,
        "`prompt`, `max_age`, `login_hint`, `nonce` and ID tokens are as OpenID Connect has them.",
        "OpenID Connect Core 1.0",
        &[route::OAUTH_AUTHORIZE, route::TOKEN],
    ),
    row(
        "B-pkce",
        "B",
        Documented,
        "PKCE takes S256 only, and a public client cannot do without.",
        "RFC 9700 section 2.1.1",
        &[route::OAUTH_AUTHORIZE, route::PAR],
    ),
    row(
        "B-token",
        "B",
        Documented,
        "The token endpoint has the grants authorization code, refresh token, client credentials, password and device code.",
        "RFC 6749, RFC 8628",
        &[route::TOKEN],
    ),
    row(
        "B-clients",
        "B",
        Documented,
        "Clients authenticate by `client_secret_basic`, `client_secret_post`, `private_key_jwt` or not at all.",
        "RFC 6749 section 2.3, RFC 7523",
        &[route::TOKEN, route::REVOKE, route::INTROSPECT, route::PAR],
    ),
    row("B-jwt", "B", Documented, "Access tokens are signed JWTs.", "RFC 9068", &[route::TOKEN]),
    row(
        "B-recorded",
        "B",
        Ours,
        "They are recorded too, so that this server's APIs refuse a revoked one at once.",
        OWN,
        &[route::TOKEN, route::REVOKE],
    ),
    row(
        "B-rotation",
        "B",
        Documented,
        "Refresh tokens rotate, and a spent one that is presented again ends the grant.",
        "RFC 9700 section 4.14",
        &[route::TOKEN],
    ),
    row(
        "B-lost",
        "B",
        Ours,
        "A spent refresh token is honoured once more while its successor was never used: the answer may have been lost.",
        "RFC 9700 leaves it open",
        &[route::TOKEN],
    ),
    row("B-dpop", "B", Documented, "Tokens can be bound to a key.", "RFC 9449", &[route::TOKEN, route::USERINFO]),
    row(
        "B-resource",
        "B",
        Documented,
        "A client may ask for a token for another API.",
        "RFC 8707",
        &[route::TOKEN, route::OAUTH_AUTHORIZE],
    ),
    row(
        "B-revoke",
        "B",
        Documented,
        "A client may revoke its tokens; the answer is 200 for every token.",
        "RFC 7009",
        &[route::REVOKE],
    ),
    row(
        "B-introspect",
        "B",
        Documented,
        "An authenticated client may ask about a token.",
        "RFC 7662",
        &[route::INTROSPECT],
    ),
    row(
        "B-userinfo",
        "B",
        Documented,
        "UserInfo tells about the user what was allowed.",
        "OpenID Connect Core 1.0 section 5.3",
        &[route::USERINFO],
    ),
    row(
        "B-par",
        "B",
        Documented,
        "A client may push its authorization request, or have to.",
        "RFC 9126",
        &[route::PAR],
    ),
    row(
        "B-device",
        "B",
        Documented,
        "A device without a browser gets a code that the user types elsewhere.",
        "RFC 8628",
        &[route::DEVICE_AUTHORIZATION, route::DEVICE],
    ),
    row(
        "B-register",
        "B",
        Documented,
        "A client may register, read, change and delete itself.",
        "RFC 7591, RFC 7592",
        &[route::REGISTER, route::REGISTER_CLIENT],
    ),
    row(
        "B-initial",
        "B",
        Ours,
        "Registration takes an initial access token.",
        "RFC 7591 section 3 leaves it open",
        &[route::REGISTER],
    ),
    row(
        "B-logout",
        "B",
        Documented,
        "A client may end the user's session here.",
        "OpenID Connect RP-Initiated Logout 1.0",
        &[route::END_SESSION],
    ),
    row(
        "B-metadata",
        "B",
        Documented,
        "The server's metadata and keys are published.",
        "RFC 8414, OpenID Connect Discovery 1.0, RFC 7517",
        &[route::SERVER_METADATA, route::OPENID_METADATA, route::JWKS],
    ),
    row(
        "C-scopes",
        "C",
        Documented,
        "API credentials carry `account_api`, `data_api` and `lead_receiver`.",
        "LeadExec's documentation of its API credentials",
        &[route::ME],
    ),
    row("C-me", "C", Ours, "`/v1/me` tells whom a token acts for.", OWN, &[route::ME]),
    row(
        "C-challenge",
        "C",
        Documented,
        "A refused token is 401 with `invalid_token`, a narrow one 403 with `insufficient_scope`.",
        "RFC 6750 section 3.1",
        &[route::ME],
    ),
    row(
        "E-plane",
        "E",
        Ours,
        "The control plane sets a sandbox up, moves its clocks, breaks its answers and shows what happened; production has none of it.",
        OWN,
        &[],
    ),
    row(
        "E-inspector",
        "E",
        Ours,
        "The inspector shows each request with the reason for its refusal, and works the control plane by hand.",
        OWN,
        &[route::INSPECTOR, route::INSPECTOR_SESSION, route::INSPECTOR_EVENTS, route::INSPECTOR_CHECKS],
    ),
    row(
        "E-doctor",
        "E",
        Ours,
        "The button doctor reports what keeps a page's button from working, and explains it.",
        OWN,
        &[route::BUTTON_REPORT, route::DOCTOR],
    ),
    row(
        "E-magic",
        "E",
        Ours,
        "Users of the demonstration deny, take their time or expire on purpose.",
        OWN,
        &[route::DIALOG_LOGIN],
    ),
    row(
        "F-webhooks",
        "F",
        Ours,
        "Webhooks tell of connections, refreshes and changed applications; partners make and test them in the console, and read the log of each attempt.",
        OWN,
        &[
            route::CONSOLE_WEBHOOKS,
            route::CONSOLE_WEBHOOK_NEW,
            route::CONSOLE_WEBHOOK,
            route::CONSOLE_WEBHOOK_EDIT,
            route::CONSOLE_WEBHOOK_SECRET,
            route::CONSOLE_WEBHOOK_TEST,
            route::CONSOLE_WEBHOOK_REPLAY,
            route::CONSOLE_WEBHOOK_DELETE,
            route::CONSOLE_WEBHOOK_MESSAGE,
            route::CONSOLE_WEBHOOK_MESSAGE_REPLAY,
        ],
    ),
    row(
        "F-signature",
        "F",
        Documented,
        "Messages are signed with HMAC-SHA-256 over id, time and body.",
        "Standard Webhooks 1.0.0",
        &[],
    ),
    row(
        "F-delivery",
        "F",
        Ours,
        "Messages come at least once, in order for each connection, and are tried eleven times within about a day.",
        OWN,
        &[],
    ),
    row(
        "G-console",
        "G",
        Inferred,
        "Partners register applications and buttons in a console, connectors and credentials at Settings > API.",
        "LeadExec's integration guides name \"General Settings > API > Create\"",
        &[route::CONSOLE, route::SETTINGS_API, route::LOGO],
    ),
    row(
        "G-invitation",
        "G",
        Ours,
        "In a sandbox anybody signs up as a partner; a link that an administrator makes lets somebody choose a password, once.",
        OWN,
        &[route::INVITATION, route::SIGN_UP, route::SIGN_UP_PARTNER],
    ),
    row(
        "G-administration",
        "G",
        Ours,
        "Administrators see all that is on the server, and what was done to it.",
        OWN,
        &[route::ADMIN],
    ),
    row(
        "G-probes",
        "G",
        Ours,
        "`/livez` and `/readyz` tell whether the process serves and its database answers.",
        OWN,
        &[route::LIVEZ, route::READYZ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_e_every_route_is_in_the_ledger() {
        let outside = |route: &&&str| !route.starts_with(route::SANDBOX);
        // Of our own pages a row tells as a whole, at the first of their addresses.
        let whole = |route: &str| ["/admin/", "/console/"].into_iter().find(|place| route.starts_with(place));
        for route in route::ALL.iter().filter(outside) {
            let place = whole(route).map_or(*route, |place| place.trim_end_matches('/'));
            assert!(LEDGER.iter().any(|row| row.routes.contains(&place)), "{route} has no row");
        }
    }

    #[test]
    fn wire_e_rows_are_whole_and_sorted() {
        let order = |row: &Behaviour| SURFACES.iter().position(|(id, _)| *id == row.surface).expect("a known surface");
        assert!(LEDGER.is_sorted_by_key(order));
        for (nth, row) in LEDGER.iter().enumerate() {
            assert!(row.id.starts_with(&format!("{}-", row.surface)), "{}", row.id);
            assert!(row.text.ends_with('.') && !row.source.is_empty(), "{}", row.id);
            assert!(!LEDGER[..nth].iter().any(|other| other.id == row.id), "{} is there twice", row.id);
            assert!(row.routes.iter().all(|route| route::ALL.contains(route)), "{}", row.id);
        }
        for (surface, _) in SURFACES {
            assert!(LEDGER.iter().any(|row| row.surface == surface), "{surface} has no row");
        }
    }
}
