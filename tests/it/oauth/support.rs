//! Clients, what they ask for, and what they get.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use leadgate::clock::Clock as _;
use serde_json::{Value, json};
use url::form_urlencoded;

pub use super::request::{Ask, Landing, Mode, challenge};
use crate::support::http::{form, request};
use crate::support::signer::Signer;
use crate::support::{Answer, ISSUER, SANDBOX_TOKEN, World};

pub const FORM: &str = "application/x-www-form-urlencoded";
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// A registered resource of the client `studio`.
pub const STUDIO_API: &str = "https://api.studio.test";

type Fields = Vec<(&'static str, String)>;

/// How a client says who it is.
#[derive(Debug, Clone, Copy)]
pub enum Auth {
    /// A public client: `client_id` only.
    None,
    Basic(&'static str),
    Post(&'static str),
    /// `private_key_jwt`, with the key of the client `keyed`.
    Key(&'static Signer),
}

/// A client of the seed.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    pub id: &'static str,
    pub auth: Auth,
    pub redirect_uri: &'static str,
}

pub const STUDIO: Client =
    Client { id: "studio", auth: Auth::Basic("studio-client-secret"), redirect_uri: "https://studio.test/callback" };
pub const RIVAL: Client =
    Client { id: "rival", auth: Auth::Basic("r%76l:s+cr&t=v/ al"), redirect_uri: "https://rival.test/callback" };
pub const POCKET: Client = Client { id: "pocket", auth: Auth::None, redirect_uri: "https://pocket.test/callback" };
pub const MACHINE: Client =
    Client { id: "machine", auth: Auth::Basic("machine-client-secret"), redirect_uri: "https://machine.test/callback" };
pub const BOUND: Client =
    Client { id: "bound", auth: Auth::Basic("bound-client-secret"), redirect_uri: "https://bound.test/callback" };
pub const PUSHING: Client =
    Client { id: "pushing", auth: Auth::Basic("pushing-client-secret"), redirect_uri: "https://pushing.test/callback" };
/// The application that also has buttons; it registered one redirect URI only.
pub const RATE_FINDER: Client = Client {
    id: crate::support::APP_ONE,
    auth: Auth::Basic("rate-finder-client-secret"),
    redirect_uri: "http://127.0.0.1:9100/callback",
};

/// The client `keyed`, whose key is made when it is first used.
pub fn keyed() -> Client {
    Client { id: "keyed", auth: Auth::Key(&crate::support::signer::KEYED), redirect_uri: "https://keyed.test/callback" }
}

/// `Authorization: Basic`, both parts form-url-encoded first (RFC 6749 section 2.3.1).
pub fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

/// Seconds of the world's clock since 1970, as JWTs count.
pub fn seconds(world: &World) -> i64 {
    world.clock.now().as_micros() / 1_000_000
}

/// The claims of a client assertion that is good now (RFC 7523 section 3). Each has a `jti` of its own.
pub fn assertion_claims(world: &World, client: &str) -> Value {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let now = seconds(world);
    let jti = format!("assertion-{}", MADE.fetch_add(1, Ordering::Relaxed));
    json!({"iss": client, "sub": client, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": jti})
}

impl Client {
    pub const fn by(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    pub const fn at(self, redirect_uri: &'static str) -> Self {
        Self { redirect_uri, ..self }
    }

    /// The headers and the fields that say who the client is.
    pub fn credentials(&self, world: &World) -> (Fields, Fields) {
        match self.auth {
            Auth::None => (vec![], vec![("client_id", self.id.into())]),
            Auth::Basic(secret) => (vec![("authorization", basic(self.id, secret))], vec![]),
            Auth::Post(secret) => (vec![], vec![("client_id", self.id.into()), ("client_secret", secret.into())]),
            Auth::Key(key) => {
                let assertion = key.jws(&json!({"alg": "ES256", "typ": "JWT"}), &assertion_claims(world, self.id));
                let fields = vec![
                    ("client_id", self.id.into()),
                    ("client_assertion_type", ASSERTION_TYPE.into()),
                    ("client_assertion", assertion),
                ];
                (vec![], fields)
            }
        }
    }

    /// Posts a form as this client.
    pub async fn post(&self, world: &World, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(world, path, &[], fields).await
    }

    /// The same with more headers.
    pub async fn post_with(
        &self,
        world: &World,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Answer {
        let (own_headers, own_fields) = self.credentials(world);
        let mut all = headers.to_vec();
        all.push(("content-type", FORM));
        all.extend(own_headers.iter().map(|(name, value)| (*name, value.as_str())));
        let mut body = own_fields.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        body.extend(fields);
        world.send(request("POST", path, &all, form(&body))).await
    }

    pub async fn token(&self, world: &World, fields: &[(&str, &str)]) -> Answer {
        self.post(world, "/oauth/token", fields).await
    }

    /// Swaps the code that an authorization request brought.
    pub async fn redeem(&self, world: &World, ask: &Ask, code: &str) -> Answer {
        let mut fields = vec![("grant_type", "authorization_code"), ("code", code)];
        fields.extend(ask.value("redirect_uri").map(|uri| ("redirect_uri", uri)));
        if ask.value("code_challenge").is_some() {
            fields.push(("code_verifier", &ask.verifier));
        }
        self.token(world, &fields).await
    }

    pub async fn refresh(&self, world: &World, token: &str) -> Answer {
        self.token(world, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub async fn introspect(&self, world: &World, token: &str) -> Value {
        self.post(world, "/oauth/introspect", &[("token", token)]).await.expect(200).json()
    }

    pub async fn is_active(&self, world: &World, token: &str) -> bool {
        let answer = self.introspect(world, token).await;
        answer["active"].as_bool().unwrap_or_else(|| panic!("{answer}"))
    }

    pub async fn revoke(&self, world: &World, token: &str) -> Answer {
        self.post(world, "/oauth/revoke", &[("token", token)]).await
    }

    /// A user's consent and the tokens that come of it, the short way.
    pub async fn connect(&self, world: &World, email: &str) -> Issued {
        self.connect_for(world, email, "account_api").await
    }

    pub async fn connect_for(&self, world: &World, email: &str, scope: &str) -> Issued {
        let ask = Ask::of(self).with("scope", scope);
        let code = ask.allowed(world, email).await.code();
        Issued::of(&self.redeem(world, &ask, &code).await)
    }
}

/// D16: what an error description may be made of (RFC 6749 section 5.2).
#[track_caller]
pub fn assert_plain(description: &str) {
    let is_plain = description.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\');
    assert!(is_plain && !description.is_empty(), "{description}");
}

/// D2, K6: no answer of these endpoints is kept.
#[track_caller]
pub fn assert_not_stored(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{answer:?}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    assert!(answer.header("content-type").unwrap().starts_with("application/json"), "{answer:?}");
}

/// D2, D16: an error in JSON, with nothing else in it.
#[track_caller]
pub fn assert_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{answer:?}");
    assert_not_stored(answer);
    for (name, value) in answer.json().as_object().unwrap() {
        assert!(matches!(name.as_str(), "error" | "error_description" | "error_uri"), "{answer:?}");
        assert_plain(value.as_str().unwrap());
    }
    if status == 401
        && let Some(challenge) = answer.header("www-authenticate")
    {
        assert_eq!(challenge, "Basic realm=\"leadgate\", charset=\"UTF-8\"");
    }
}

/// The challenge of one scheme; a door that takes tokens of two kinds has two (RFC 9449 section 7.1).
#[track_caller]
pub fn challenge_of<'a>(answer: &'a Answer, scheme: &str) -> &'a str {
    let mut challenges = answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap());
    let begin = format!("{scheme} realm=\"");
    challenges.find(|challenge| challenge.starts_with(&begin)).unwrap_or_else(|| panic!("{answer:?}"))
}

/// A page of our own that tells of an error, and leads nowhere (B1, B2).
#[track_caller]
pub fn assert_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.header("location").is_none(), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert!(!answer.is_login_page() && !answer.is_consent_page(), "{}", answer.text());
}

/// What a token endpoint gave.
#[derive(Debug, Clone)]
pub struct Issued {
    pub body: Value,
    pub access: String,
    pub refresh: Option<String>,
}

impl Issued {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_not_stored(answer);
        let body = answer.json();
        assert!(body["expires_in"].is_u64() && body["token_type"].is_string() && body["scope"].is_string(), "{body}");
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let access = text("access_token").unwrap_or_else(|| panic!("no access token: {body}"));
        let refresh = text("refresh_token");
        Self { access, refresh, body }
    }

    #[track_caller]
    pub fn refresh(&self) -> &str {
        self.refresh.as_deref().unwrap_or_else(|| panic!("no refresh token: {}", self.body))
    }

    #[track_caller]
    pub fn id_token(&self) -> &str {
        self.body["id_token"].as_str().unwrap_or_else(|| panic!("no ID token: {}", self.body))
    }

    pub fn scope(&self) -> Vec<&str> {
        self.body["scope"].as_str().unwrap().split(' ').collect()
    }
}

/// The header and the claims of a JWT, whoever signed it.
pub fn parts(jwt: &str) -> (Value, Value) {
    let parts: Vec<&str> = jwt.split('.').collect();
    assert_eq!(parts.len(), 3, "{jwt}");
    let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    (part(parts[0]), part(parts[1]))
}

pub fn claims(jwt: &str) -> Value {
    parts(jwt).1
}

/// The published keys, by their ids.
pub async fn published_keys(world: &World) -> BTreeMap<String, Jwk> {
    let set: JwkSet = serde_json::from_slice(&world.get("/.well-known/jwks.json").await.expect(200).body).unwrap();
    set.keys.into_iter().map(|key| (key.common.key_id.clone().unwrap(), key)).collect()
}

/// The claims of a JWT that the published keys verify, as any resource server would do it.
pub async fn verified(world: &World, jwt: &str) -> Value {
    let header = jsonwebtoken::decode_header(jwt).unwrap();
    let keys = published_keys(world).await;
    let key = keys.get(header.kid.as_deref().unwrap()).unwrap_or_else(|| panic!("{header:?} is not published"));
    let mut validation = jsonwebtoken::Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    jsonwebtoken::decode(jwt, &key, &validation).unwrap().claims
}

/// What may be registered by dynamic registration.
pub async fn register(world: &World, metadata: &Value) -> Answer {
    let bearer = format!("Bearer {}", registration_token(world).await);
    world.post_json("/oauth/register", &[("authorization", &bearer)], metadata).await
}

/// An initial access token (RFC 7591 section 3).
pub async fn registration_token(world: &World) -> String {
    let bearer = format!("Bearer {SANDBOX_TOKEN}");
    let answer = world.post_json("/_sandbox/registration-tokens", &[("authorization", &bearer)], &json!({})).await;
    answer.expect(201).json()["token"].as_str().unwrap().to_owned()
}

/// What is sent to an endpoint at once, from both nodes in turn; what came back.
pub async fn at_once<F, T>(times: usize, nodes: &[World], send: impl Fn(World) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..times).map(|i| tokio::spawn(send(nodes[i % nodes.len()].clone()))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}
