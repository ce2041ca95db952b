//! Clients that register themselves (RFC 7591, RFC 7592), and secrets that are rotated.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadgate::domain::ids::AppId;
use leadgate::services::oauth::registration;
use leadgate::services::partner;
use leadgate::services::throttle::Limits;
use serde_json::{Value, json};

use crate::support::http::{form, from_address, request};
use crate::support::{ADA, APP_ONE, APP_TWO, Answer, PARTNER, SANDBOX_TOKEN, Setup, World, both, connect_by_api};

const PATH: &str = "/oauth/register";
const TOKENS: &str = "/_sandbox/registration-tokens";
const CB: &str = "https://client.test/cb";

impl World {
    async fn initial_token(&self) -> String {
        registration::make_token(&self.operator(), Duration::from_secs(600)).await.unwrap().token
    }

    async fn try_register(&self, token: &str, metadata: &Value) -> Answer {
        self.post_json(PATH, &[("authorization", &format!("Bearer {token}"))], metadata).await
    }

    async fn register(&self, metadata: &Value) -> Client {
        let token = self.initial_token().await;
        let information = self.try_register(&token, metadata).await.expect(201).json();
        let text =
            |name: &str| information[name].as_str().unwrap_or_else(|| panic!("{name}: {information}")).to_owned();
        Client {
            path: text("registration_client_uri").strip_prefix(self.setup.issuer).unwrap().to_owned(),
            id: text("client_id"),
            token: text("registration_access_token"),
            information,
        }
    }

    async fn manage(&self, method: &str, path: &str, token: &str, metadata: Option<&Value>) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = metadata.map(Value::to_string).unwrap_or_default();
        self.send(request(method, path, &headers, body)).await
    }

    /// Whether these are a client's credentials: asks for a token of the client's own.
    async fn takes_secret(&self, id: &str, secret: &str) -> bool {
        let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let headers = [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let body = form(&[("grant_type", "client_credentials")]);
        let answer = self.send(request("POST", "/oauth/token", &headers, body)).await;
        match answer.status {
            200 => true,
            401 => false,
            _ => panic!("{answer:?}"),
        }
    }
}

struct Client {
    id: String,
    token: String,
    path: String,
    information: Value,
}

impl Client {
    fn secret(&self) -> &str {
        self.information["client_secret"].as_str().unwrap()
    }
}

#[track_caller]
fn assert_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{answer:?}");
    let description = answer.json()["error_description"].as_str().unwrap().to_owned();
    assert!(description.bytes().all(|b| (0x20..0x7f).contains(&b) && !b"\"\\".contains(&b)), "{description}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
}

fn service() -> Value {
    json!({"grant_types": ["client_credentials"]})
}

/// RFC 7591 section 3.2.1: the answer has all that was registered, defaults included, and credentials that work.
async fn rfc7591_a_client_registers_itself(world: World) {
    let token = world.initial_token().await;
    let answer = world.try_register(&token, &json!({"redirect_uris": [CB]})).await.expect(201);
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    let mut information = answer.json();
    let id = information["client_id"].as_str().unwrap().to_owned();
    for (name, prefix) in [("client_secret", "lgk_"), ("registration_access_token", "lgm_")] {
        let value = information.as_object_mut().unwrap().remove(name).unwrap();
        assert!(value.as_str().unwrap().starts_with(prefix), "{name}: {value}");
    }
    let expected = json!({
        "client_id": id,
        "client_id_issued_at": 1_795_338_930,
        "client_secret_expires_at": 0,
        "registration_client_uri": format!("https://auth.test/oauth/register/{id}"),
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": [CB],
        "post_logout_redirect_uris": [],
        "client_name": id,
        "scope": "account_api data_api lead_receiver",
        "id_token_signed_response_alg": "RS256",
        "access_token_signing_alg": "ES256",
        "dpop_bound_access_tokens": false,
        "require_pushed_authorization_requests": false,
    });
    assert_eq!(information, expected);

    let everything = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials", "password",
                        "urn:ietf:params:oauth:grant-type:device_code"],
        "response_types": ["code"],
        "redirect_uris": [CB, "http://127.0.0.1/cb", "com.example.app:/cb"],
        "post_logout_redirect_uris": ["https://client.test/bye"],
        "client_name": "Ünïted <b>",
        "client_uri": "https://client.test/about",
        "scope": "data_api openid",
        "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one",
                           "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]},
        "id_token_signed_response_alg": "EdDSA",
        "access_token_signing_alg": "RS256",
        "dpop_bound_access_tokens": true,
        "require_pushed_authorization_requests": true,
    });
    let mut asked = everything.clone();
    asked["contacts"] = json!(["ada@client.test"]);
    asked["logo_uri"] = json!("javascript:alert(1)");
    asked["software_statement"] = json!(7);
    let second = world.try_register(&token, &asked).await.expect(201).json();
    for (name, value) in everything.as_object().unwrap() {
        assert_eq!(second[name], *value, "{name}");
    }
    for absent in ["client_secret", "client_secret_expires_at", "contacts", "logo_uri", "software_statement"] {
        assert!(second.get(absent).is_none(), "{absent}: {second}");
    }
    assert_ne!(second["client_id"], id);

    let client = world.register(&service()).await;
    assert_eq!(client.information["response_types"], json!([]));
    assert!(world.takes_secret(&client.id, client.secret()).await);
    assert!(!world.takes_secret(&client.id, "lgk_another").await);
}

async fn db_apps(world: &World) -> i64 {
    world.database.db_count("SELECT COUNT(*) FROM apps").await
}

/// RFC 7591 section 3: an initial access token is needed, and ends; it is looked at before the body is.
async fn rfc7591_registration_needs_an_initial_access_token(world: World) {
    let token = world.initial_token().await;
    let none = world.post_json(PATH, &[], &json!({"redirect_uris": [CB]})).await;
    assert_error(&none, 401, "invalid_token");
    assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"leadgate\""));
    let client = world.register(&service()).await;
    let apps = db_apps(&world).await;
    let access = connect_by_api(&world, ADA, "btn-one").await.access;
    let altered = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { "Q" } else { "A" });
    for wrong in [&altered, &token.replace("lgi_", "lgm_"), &client.token, &access, SANDBOX_TOKEN, "lgi_", "x"] {
        let answer = world.try_register(wrong, &json!("no metadata")).await;
        assert_error(&answer, 401, "invalid_token");
        let challenge = answer.header("www-authenticate").unwrap();
        assert_eq!(challenge, "Bearer realm=\"leadgate\", error=\"invalid_token\"");
    }
    let basic = [("authorization", "Basic eDp5")];
    assert_error(&world.post_json(PATH, &basic, &service()).await, 401, "invalid_token");
    let bearer = format!("Bearer {token}");
    let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    assert_error(&world.post_json(PATH, &twice, &service()).await, 400, "invalid_request");
    assert_eq!(db_apps(&world).await, apps, "none of them is registered");

    world.advance(599);
    world.try_register(&token, &service()).await.expect(201);
    world.advance(1);
    assert_error(&world.try_register(&token, &service()).await, 401, "invalid_token");
}

/// Errors are those of RFC 7591 section 3.2.2, in JSON, and nothing is registered.
async fn rfc7591_what_cannot_be_registered(world: World) {
    let token = world.initial_token().await;
    let apps = db_apps(&world).await;
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["http://client.test/cb"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["https://client.test/cb#x"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [CB], "scope": "admin"}), "invalid_client_metadata"),
        (json!({"redirect_uris": [CB], "jwks_uri": "https://client.test/jwks"}), "invalid_client_metadata"),
        (json!({"redirect_uris": [CB], "client_name": "\u{0}"}), "invalid_client_metadata"),
        (json!({"redirect_uris": [CB], "token_endpoint_auth_method": "private_key_jwt"}), "invalid_client_metadata"),
        (json!({"grant_types": ["implicit"]}), "invalid_client_metadata"),
        (
            json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}),
            "invalid_client_metadata",
        ),
        (json!([]), "invalid_request"),
        (json!("x"), "invalid_request"),
    ] {
        assert_error(&world.try_register(&token, &metadata).await, 400, error);
    }
    let bearer = format!("Bearer {token}");
    for (kind, body, status) in [
        ("application/json", "{".to_owned(), 400),
        ("application/json", String::new(), 400),
        ("application/x-www-form-urlencoded", "redirect_uris=x".to_owned(), 400),
        ("text/plain", "{}".to_owned(), 400),
        ("application/json", format!("{{\"client_name\":\"{}\"}}", "x".repeat(70_000)), 413),
        ("application/json", "[".repeat(60_000), 400),
    ] {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        assert_error(&world.send(request("POST", PATH, &headers, body)).await, status, "invalid_request");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = world.send(request(method, PATH, &[("authorization", &bearer), ("origin", PARTNER)], "")).await;
        assert_error(&answer, 405, "invalid_request");
        assert_eq!(answer.header("allow"), Some("POST"));
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    }
    assert_eq!(db_apps(&world).await, apps, "none of them is registered");
}

/// G5: where the server does not have the password grant, nobody gets it by registering.
async fn g5_the_password_grant_is_not_registered_in_production(world: World) {
    let token = world.initial_token().await;
    let metadata = json!({"grant_types": ["password"]});
    assert_error(&world.try_register(&token, &metadata).await, 400, "invalid_client_metadata");
    world.try_register(&token, &service()).await.expect(201);
    world.send(request("POST", TOKENS, &[("authorization", &format!("Bearer {SANDBOX_TOKEN}"))], "")).await.expect(404);
}

/// RFC 7592 section 2.1: the client sees what is registered, but its secret, of which only a hash is kept.
async fn rfc7592_a_client_reads_its_registration(world: World) {
    let client = world.register(&json!({"redirect_uris": [CB], "client_name": "Reader"})).await;
    let answer = world.manage("GET", &client.path, &client.token, None).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut expected = client.information.clone();
    expected.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(answer.json(), expected);
    assert!(world.manage("HEAD", &client.path, &client.token, None).await.expect(200).body.is_empty());
    // A rotation by the operator is no affair of the registration's token.
    let id = AppId::parse(&client.id).unwrap();
    partner::rotate_secret(&world.operator(), &id, Duration::ZERO).await.unwrap();
    world.manage("GET", &client.path, &client.token, None).await.expect(200);
}

/// RFC 7592 section 2.2: all of the metadata is replaced, and a secret comes and goes with the method.
async fn rfc7592_a_client_replaces_its_registration(world: World) {
    let client = world
        .register(&json!({"grant_types": ["client_credentials"], "client_name": "Before",
                                         "scope": "data_api", "client_uri": "https://client.test"}))
        .await;
    let put = async |metadata: Value| world.manage("PUT", &client.path, &client.token, Some(&metadata)).await;
    let id = client.id.as_str();

    let replaced =
        put(json!({"client_id": id, "client_secret": client.secret(), "grant_types": ["client_credentials"],
                              "registration_access_token": "ignored"}))
        .await
        .expect(200)
        .json();
    assert!(replaced.get("client_secret").is_none() && replaced.get("client_uri").is_none(), "{replaced}");
    assert_eq!(replaced["client_name"], id);
    assert_eq!(replaced["scope"], "account_api data_api lead_receiver");
    assert_eq!(replaced["registration_access_token"], client.token.as_str());
    assert_eq!(replaced["client_id_issued_at"], client.information["client_id_issued_at"]);
    assert!(world.takes_secret(id, client.secret()).await, "the same secret");
    assert_eq!(world.manage("GET", &client.path, &client.token, None).await.json(), replaced);

    for (metadata, error) in [
        (json!({"grant_types": ["client_credentials"]}), "invalid_client_metadata"),
        (json!({"client_id": APP_ONE, "grant_types": ["client_credentials"]}), "invalid_client_metadata"),
        (json!({"client_id": id, "client_secret": "lgk_", "redirect_uris": [CB]}), "invalid_client_metadata"),
        (json!({"client_id": id, "client_secret": 7, "redirect_uris": [CB]}), "invalid_client_metadata"),
        (json!({"client_id": id}), "invalid_redirect_uri"),
        (json!({"client_id": id, "redirect_uris": [CB], "scope": "admin"}), "invalid_client_metadata"),
    ] {
        assert_error(&put(metadata).await, 400, error);
    }
    assert_eq!(world.manage("GET", &client.path, &client.token, None).await.json(), replaced, "refused is untouched");

    let public = put(json!({"client_id": id, "redirect_uris": [CB], "token_endpoint_auth_method": "none"})).await;
    let public = public.expect(200).json();
    assert!(public.get("client_secret").is_none() && public.get("client_secret_expires_at").is_none(), "{public}");
    assert!(!world.takes_secret(id, client.secret()).await);
    let wrong = json!({"client_id": id, "client_secret": client.secret(), "redirect_uris": [CB]});
    assert_error(&put(wrong).await, 400, "invalid_client_metadata");
    let again = put(json!({"client_id": id, "grant_types": ["client_credentials"]})).await.expect(200).json();
    let secret = again["client_secret"].as_str().unwrap();
    assert_ne!(secret, client.secret(), "a secret that was dropped does not come back");
    assert!(world.takes_secret(id, secret).await && !world.takes_secret(id, client.secret()).await);
}

/// RFC 7592 section 2.3: a deleted client and all its tokens are dead, and so is its registration.
async fn rfc7592_a_client_deletes_its_registration(world: World) {
    let client = world.register(&service()).await;
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let body = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", &client.id),
        ("client_secret", client.secret()),
        ("scope", "account_api"),
    ]);
    let token = world.send(request("POST", "/oauth/token", &headers, body)).await.expect(200).json();
    let access = token["access_token"].as_str().unwrap();
    world.me(access).await.expect(200);
    let gone = world.manage("DELETE", &client.path, &client.token, None).await.expect(204);
    assert!(gone.body.is_empty() && gone.header("cache-control") == Some("no-store"));
    world.me(access).await.expect(401);
    assert!(!world.takes_secret(&client.id, client.secret()).await);
    for method in ["GET", "PUT", "DELETE"] {
        let answer = world.manage(method, &client.path, &client.token, Some(&service())).await;
        assert_error(&answer, 401, "invalid_token");
    }
}

/// RFC 7592 section 2: a wrong token and a client that there is not look the same, whatever is asked.
async fn rfc7592_nothing_is_told_without_the_right_token(world: World) {
    let (one, two) = (world.register(&service()).await, world.register(&service()).await);
    let initial = world.initial_token().await;
    let access = connect_by_api(&world, ADA, "btn-one").await.access;
    let path = |id: &str| format!("{PATH}/{id}");
    for method in ["GET", "PUT", "DELETE"] {
        let mut answers = Vec::new();
        for (path, token) in [
            (one.path.clone(), two.token.as_str()),
            (one.path.clone(), &initial),
            (one.path.clone(), &access),
            (one.path.clone(), SANDBOX_TOKEN),
            (path("0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0009"), &one.token),
            // Of the operator's making, with and without a secret.
            (path(APP_ONE), &one.token),
            (path(APP_TWO), &one.token),
            (path("%00"), &one.token),
            (path("%ff"), &one.token),
            (path("a%2Fb"), &one.token),
        ] {
            let mut answer = world.manage(method, &path, token, Some(&json!({"client_id": one.id}))).await;
            answer.headers.remove("x-request-id");
            assert_error(&answer, 401, "invalid_token");
            answers.push((answer.headers, answer.body));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{method}: {answers:?}");
        let bare = world.send(request(method, &one.path, &[], "")).await;
        assert_error(&bare, 401, "invalid_token");
        assert_eq!(bare.header("www-authenticate"), Some("Bearer realm=\"leadgate\""));
    }
    for method in ["POST", "PATCH", "OPTIONS"] {
        let answer = world.manage(method, &one.path, &one.token, None).await;
        assert_error(&answer, 405, "invalid_request");
        assert_eq!(answer.header("allow"), Some("GET, HEAD, PUT, DELETE"));
    }
    world.manage("GET", &one.path, &one.token, None).await.expect(200);
    assert!(world.takes_secret(APP_ONE, "rate-finder-client-secret").await, "nobody's client was touched");
}

/// Guesses are slowed down; whoever has the token is not.
async fn n12_guesses_at_registrations_are_slowed_down(world: World) {
    let client = world.register(&service()).await;
    let ask = |token: &str| {
        let bearer = format!("Bearer {token}");
        from_address(request("GET", &client.path, &[("authorization", &bearer)], ""), 1)
    };
    for _ in 0..2 {
        world.send(ask("lgm_guess")).await.expect(401);
    }
    let slowed = world.send(ask("lgm_guess")).await;
    assert_error(&slowed, 429, "slow_down");
    assert!(slowed.header("retry-after").is_some());
    world.send(ask(&client.token)).await.expect(200);
}

/// wire.md E: the control plane makes initial access tokens, for as long as it is asked to.
async fn e_the_control_plane_makes_initial_access_tokens(world: World) {
    let bearer = format!("Bearer {SANDBOX_TOKEN}");
    let bare = world.send(request("POST", TOKENS, &[("authorization", &bearer)], "")).await.expect(201);
    assert_eq!(bare.header("cache-control"), Some("no-store"));
    assert_eq!(bare.json()["expires_at"], "2026-11-23T09:15:30Z", "a day");
    let headers = [("authorization", bearer.as_str())];
    let made = world.post_json(TOKENS, &headers, &json!({"expires_in": 60})).await.expect(201).json();
    assert_eq!(made["expires_at"], "2026-11-22T09:16:30Z");
    assert!(world.post_json(TOKENS, &headers, &json!({})).await.expect(201).json()["token"].is_string());
    for wrong in [json!({"expires_in": 0}), json!({"expires_in": 31_536_001}), json!({"expires_in": -1}), json!("60")] {
        let answer = world.post_json(TOKENS, &headers, &wrong).await.expect(400);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    world.post_json(TOKENS, &headers, &json!({"expire_in": 60})).await.expect(400);
    world.post_json(TOKENS, &[], &json!({})).await.expect(401);
    world.send(request("GET", TOKENS, &headers, "")).await.expect(405);
    let token = made["token"].as_str().unwrap();
    world.advance(59);
    world.try_register(token, &service()).await.expect(201);
    world.advance(1);
    world.try_register(token, &service()).await.expect(401);
}

/// An issuer with a path: the registration's address lies below it.
async fn rfc7591_the_registration_lies_below_the_issuers_path(world: World) {
    let token = world.initial_token().await;
    let headers = [("authorization", format!("Bearer {token}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let information = world.post_json("/t1/oauth/register", &headers, &service()).await.expect(201).json();
    let uri = information["registration_client_uri"].as_str().unwrap();
    let path = uri.strip_prefix("https://auth.test").unwrap();
    assert!(path.starts_with("/t1/oauth/register/"), "{path}");
    let token = information["registration_access_token"].as_str().unwrap();
    world.manage("GET", path, token, None).await.expect(200);
}

/// E8: a rotation keeps the secret before it, and no other, for the overlap and no longer.
async fn e8_a_rotated_secret_is_taken_for_the_overlap_only(world: World) {
    let id = AppId::parse(APP_ONE).unwrap();
    let first = "rate-finder-client-secret";
    let second = partner::rotate_secret(&world.operator(), &id, Duration::from_secs(3600)).await.unwrap();
    assert!(second.len() >= 4 + 43, "at least 256 bits");
    assert!(world.takes_secret(APP_ONE, first).await && world.takes_secret(APP_ONE, &second).await);
    world.advance(3599);
    assert!(world.takes_secret(APP_ONE, first).await);
    world.advance(1);
    assert!(!world.takes_secret(APP_ONE, first).await && world.takes_secret(APP_ONE, &second).await);

    let third = partner::rotate_secret(&world.operator(), &id, Duration::from_secs(3600)).await.unwrap();
    let fourth = partner::rotate_secret(&world.operator(), &id, Duration::from_secs(3600)).await.unwrap();
    assert!(!world.takes_secret(APP_ONE, &second).await, "one before the last is over with the next rotation");
    assert!(world.takes_secret(APP_ONE, &third).await && world.takes_secret(APP_ONE, &fourth).await);
    let fifth = partner::rotate_secret(&world.operator(), &id, Duration::ZERO).await.unwrap();
    assert!(!world.takes_secret(APP_ONE, &fourth).await && world.takes_secret(APP_ONE, &fifth).await);
    let dump = world.database.db_dump().await;
    for secret in [&second, &third, &fourth, &fifth] {
        assert!(!dump.windows(secret.len()).any(|window| window == secret.as_bytes()), "kept as a hash only");
    }
    assert!(partner::rotate_secret(&world.operator(), &AppId::parse(APP_TWO).unwrap(), Duration::ZERO).await.is_err());
}

both! {
    rfc7591_a_client_registers_itself,
    rfc7591_registration_needs_an_initial_access_token,
    rfc7591_what_cannot_be_registered,
    rfc7592_a_client_reads_its_registration,
    rfc7592_a_client_replaces_its_registration,
    rfc7592_a_client_deletes_its_registration,
    rfc7592_nothing_is_told_without_the_right_token,
    e_the_control_plane_makes_initial_access_tokens,
    e8_a_rotated_secret_is_taken_for_the_overlap_only,
}
both! { with support::Setup::production(); g5_the_password_grant_is_not_registered_in_production }
both! { with support::Setup::at("https://auth.test/t1"); rfc7591_the_registration_lies_below_the_issuers_path }
both! { with super::two_refusals_a_minute(); n12_guesses_at_registrations_are_slowed_down }

fn two_refusals_a_minute() -> Setup {
    Setup { limits: Limits { refusals: 2, ..Limits::NONE }, ..Setup::default() }
}
