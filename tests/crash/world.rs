//! What is in the database at first, and how a client asks for it.

use std::net::TcpListener;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use leadgate::crypto::token::sha256;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::asked::{self, text};
use crate::program::{Directory, Reply, Server};

pub const SANDBOX_TOKEN: &str = "lgx_the-sandbox-token-of-the-crash-tests";
pub const API_KEY: &str = "3f0f1c1e-0000-4000-8000-00000000c4a5";
pub const FORM: &str = "application/x-www-form-urlencoded";
const VERIFIER: &str = "verifier-of-the-crash-tests-abcdefghijklmnopqrstuvwxyz";
const CALLBACK: &str = "https://pocket.test/callback";
/// Users, of whom each client has one for itself.
pub const USERS: usize = 5;

static CHEAP_HASH: LazyLock<String> = LazyLock::new(|| {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash: phc::PasswordHash = argon2.hash_password_with_salt(b"correct horse", b"salt-of-the-tests").unwrap();
    hash.to_string()
});

fn seed() -> String {
    let mut seed = format!("[[accounts]]\nid = \"acme\"\nname = \"Acme\"\napi_keys = [\"{API_KEY}\"]\n");
    for user in 0..USERS {
        seed.push_str(&format!(
            "\n[[users]]\nemail = \"{}\"\npassword_hash = \"{}\"\nname = \"User {user}\"\naccount = \"acme\"\n",
            email(user),
            *CHEAP_HASH
        ));
    }
    seed + r#"
[[apps]]
id = "rates"
name = "Rates"
scopes = ["account_api", "data_api"]

[[apps.buttons]]
id = "btn-rates"
origins = ["https://rates.test"]
scopes = ["account_api", "data_api"]

[[apps]]
id = "pocket"
name = "Pocket"
redirect_uris = ["https://pocket.test/callback"]

[[apps]]
id = "robot"
name = "Robot"
client_secret = "robot-secret"
grant_types = ["client_credentials"]
"#
}

pub fn email(user: usize) -> String {
    format!("user{user}@acme.test")
}

/// Where servers are started, one after the other, under one address: their tokens name it.
pub struct Site {
    directory: Directory,
    database: String,
    environment: Vec<(String, String)>,
    listen: String,
}

impl Site {
    pub fn on(database: &str) -> Self {
        Self::with(Vec::new(), Directory::new(), database)
    }

    /// With more in the environment of the servers.
    pub fn with(environment: Vec<(String, String)>, directory: Directory, database: &str) -> Self {
        directory.write("seed.toml", &seed());
        let listen = format!("127.0.0.1:{}", lasting_port());
        Self { directory, database: database.to_owned(), environment, listen }
    }

    pub fn serve(&self) -> Server {
        let at = ["serve", "--listen", &self.listen, "--database-url", &self.database];
        let with = ["--seed", "seed.toml", "--sandbox-token", SANDBOX_TOKEN];
        self.directory.spawn_with(&self.environment, &[&at[..], &with].concat()).ready()
    }
}

/// A port that stays free while nobody listens on it: outside those that connections are made from.
fn lasting_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 1_000).unwrap() * 8;
    (0..8_000)
        .map(|_| 12_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// LeadExec's tokens: what a partner gets when a user consents.
pub fn connect(server: &Server, user: usize) -> Option<Value> {
    let body = json!({"user": email(user), "button": "btn-rates", "decision": "allow"}).to_string();
    let (status, body) = control(server, &body)?;
    assert_eq!((status, &body["valid"]), (200, &json!(true)), "{body}");
    Some(body)
}

fn control(server: &Server, body: &str) -> Option<(u16, Value)> {
    let bearer = bearer(SANDBOX_TOKEN);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    asked::json(server, "POST", "/_sandbox/authorize", &headers, body)
}

/// wire.md A2: the new access token, or `Some(None)` where it is refused.
pub fn refresh(server: &Server, token: &str) -> Option<Option<String>> {
    let path = format!("/authorize/refreshaccesstoken/{token}?appid=rates");
    let (_, body) = asked::json(server, "GET", &path, &[], "")?;
    Some((body["valid"] == true).then(|| text(&body, "authToken")))
}

/// wire.md A3.
pub fn disconnect(server: &Server, token: &str) -> Option<()> {
    let (_, body) = asked::json(server, "GET", &format!("/authorize/disconnectapplicationtoken/{token}"), &[], "")?;
    assert_eq!(body["valid"], true, "{body}");
    Some(())
}

/// Whether an access token opens the door.
pub fn opens(server: &Server, token: &str) -> Option<bool> {
    let reply = asked::answer(server, "GET", "/v1/me", &[("Authorization", &bearer(token))], "")?;
    assert!([200, 401].contains(&reply.status), "{reply:?}");
    Some(reply.status == 200)
}

/// A code of the standard flow.
pub fn code(server: &Server, user: usize) -> Option<String> {
    let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
    let asked = form(&[
        ("response_type", "code"),
        ("client_id", "pocket"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let address = format!("/oauth/authorize?{asked}");
    let body = json!({"user": email(user), "decision": "allow", "authorize_url": address}).to_string();
    let (_, body) = control(server, &body)?;
    let sent_to: url::Url = text(&body, "redirect_to").parse().unwrap();
    let code = sent_to.query_pairs().find(|(name, _)| name == "code");
    Some(code.unwrap_or_else(|| panic!("{body}")).1.into_owned())
}

fn token(server: &Server, fields: &[(&str, &str)], authorization: Option<&str>) -> Option<(u16, Value)> {
    let mut headers = vec![("Content-Type", FORM)];
    headers.extend(authorization.map(|value| ("Authorization", value)));
    asked::json(server, "POST", "/oauth/token", &headers, &form(fields))
}

/// What a standard client has: a refresh token and an access token. `Some(None)`: refused.
pub fn redeem(server: &Server, code: &str) -> Option<Option<(String, String)>> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "pocket"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    Some(pair(&token(server, &fields, None)?))
}

pub fn rotate(server: &Server, refresh: &str) -> Option<Option<(String, String)>> {
    let fields = [("grant_type", "refresh_token"), ("client_id", "pocket"), ("refresh_token", refresh)];
    Some(pair(&token(server, &fields, None)?))
}

fn pair((status, body): &(u16, Value)) -> Option<(String, String)> {
    if *status == 200 {
        return Some((text(body, "refresh_token"), text(body, "access_token")));
    }
    assert_eq!((*status, &body["error"]), (400, &json!("invalid_grant")), "{body}");
    None
}

/// RFC 7009.
pub fn revoke(server: &Server, token: &str, is_robots: bool) -> Option<()> {
    let basic = robot();
    let mut headers = vec![("Content-Type", FORM)];
    let mut fields = vec![("token", token)];
    if is_robots {
        headers.push(("Authorization", &basic));
    } else {
        fields.push(("client_id", "pocket"));
    }
    let reply: Reply = asked::answer(server, "POST", "/oauth/revoke", &headers, &form(&fields))?;
    assert_eq!(reply.status, 200, "{reply:?}");
    Some(())
}

fn robot() -> String {
    format!("Basic {}", STANDARD.encode("robot:robot-secret"))
}

/// A token of a client's own.
pub fn own_token(server: &Server) -> Option<String> {
    let (status, body) = token(server, &[("grant_type", "client_credentials")], Some(&robot()))?;
    assert_eq!(status, 200, "{body}");
    Some(text(&body, "access_token"))
}

/// RFC 7662.
pub fn is_active(server: &Server, token: &str) -> Option<bool> {
    let headers = [("Content-Type", FORM), ("Authorization", &robot())];
    let (status, body) = asked::json(server, "POST", "/oauth/introspect", &headers, &form(&[("token", token)]))?;
    assert_eq!(status, 200, "{body}");
    Some(body["active"] == true)
}

/// Posts a lead; its id.
pub fn post_lead(server: &Server, lead_type: usize) -> Option<String> {
    let body = json!({
        "source": {"vid": 5, "lid": lead_type},
        "leads": [{"properties": {}, "fields": {"Name": "A lead"}}],
    });
    let headers = [("api-key", API_KEY), ("Content-Type", "application/json")];
    let (status, body) = asked::json(server, "POST", "/v2/insert/general", &headers, &body.to_string())?;
    assert_eq!((status, &body[0]["ResponseType"]), (200, &json!(0)), "{body}");
    Some(text(&body[0], "PostID"))
}

/// The ids of all leads of a type, of which there are at most a thousand.
pub fn leads(server: &Server, access: &str, lead_type: usize) -> Vec<String> {
    let body = json!({"StartDate": "2000-01-01", "EndDate": "2099-12-31", "Take": 1000}).to_string();
    let bearer = bearer(access);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let found = asked::json(server, "POST", &format!("/v1/leads/query/{lead_type}"), &headers, &body);
    let (status, found) = found.expect("leads are found");
    assert_eq!(status, 200, "{found}");
    found["Leads"].as_array().unwrap().iter().map(|lead| text(lead, "UID")).collect()
}
