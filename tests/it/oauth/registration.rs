//! Dynamic registration (RFC 7591) and its management (RFC 7592).

use serde_json::{Value, json};

use super::support::{FORM, Issued, assert_error, assert_page, basic, register, registration_token, seconds};
use crate::support::http::{form, request};
use crate::support::signer::{KEYED, Signer};
use crate::support::{ADA, Answer, ISSUER, SANDBOX_TOKEN, World, both};

/// A client that registered itself, with what manages it.
struct Registered {
    body: Value,
    path: String,
    bearer: String,
}

impl Registered {
    #[track_caller]
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("{name}: {body}"));
        let path = text("registration_client_uri").strip_prefix(ISSUER).unwrap().to_owned();
        assert_eq!(path, format!("/oauth/register/{}", text("client_id")));
        let bearer = format!("Bearer {}", text("registration_access_token"));
        Self { path, bearer, body }
    }

    fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("{name}: {}", self.body))
    }

    async fn manage(&self, world: &World, method: &str, bearer: &str, body: &Value) -> Answer {
        let headers = [("authorization", bearer), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        world.send(request(method, &self.path, &headers, body)).await
    }

    async fn grant(&self, world: &World) -> Answer {
        let credentials = basic(self.text("client_id"), self.text("client_secret"));
        let headers = [("authorization", credentials.as_str()), ("content-type", FORM)];
        world.send(request("POST", "/oauth/token", &headers, form(&[("grant_type", "client_credentials")]))).await
    }
}

fn metadata() -> Value {
    json!({
        "client_name": "New Desk", "redirect_uris": ["https://new.test/callback"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "account_api data_api",
    })
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    if status == 401 {
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer "), "{answer:?}");
    }
}

/// Registered, shown, used.
async fn wire_b_a_client_registers_itself(world: World) {
    let client = Registered::of(&register(&world, &metadata()).await);
    for (name, value) in metadata().as_object().unwrap() {
        assert_eq!(&client.body[name], value, "{name}");
    }
    assert_eq!(client.body["client_id_issued_at"], seconds(&world));
    assert_eq!(client.body["client_secret_expires_at"], 0);
    assert_eq!(client.body["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(client.body["response_types"], json!(["code"]));
    Issued::of(&client.grant(&world).await);
    let address = format!(
        "/oauth/authorize?{}",
        form(&[("response_type", "code"), ("client_id", client.text("client_id")), ("state", "s")])
    );
    let mut ada = world.actor();
    let answer = ada.get(&address).await;
    let landing = ada.go_on(answer, ADA, "allow").await.unwrap();
    assert_eq!(landing.uri, "https://new.test/callback");
    landing.code();

    let shown = client.manage(&world, "GET", &client.bearer, &Value::Null).await.expect(200);
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    let shown = shown.json();
    for name in ["client_id", "client_name", "redirect_uris", "grant_types", "scope", "token_endpoint_auth_method"] {
        assert_eq!(shown[name], client.body[name], "{name}");
    }
    assert!(shown.get("client_secret").is_none(), "only its hash is kept: {shown}");
}

/// What is left out has the defaults of the standard; what is not known is ignored.
async fn wire_b_what_is_left_out_has_its_default(world: World) {
    let client = Registered::of(&register(&world, &json!({"redirect_uris": ["https://new.test/cb"], "x": [1]})).await);
    assert_eq!(client.body["grant_types"], json!(["authorization_code"]));
    assert_eq!(client.body["token_endpoint_auth_method"], "client_secret_basic");
    assert!(client.body.get("x").is_none());
    let public = json!({"redirect_uris": ["com.example.new:/cb"], "token_endpoint_auth_method": "none"});
    let client = Registered::of(&register(&world, &public).await);
    assert!(client.body.get("client_secret").is_none(), "{}", client.body);
    let keyed = json!({
        "grant_types": ["client_credentials"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [KEYED.jwk()]},
    });
    let client = Registered::of(&register(&world, &keyed).await);
    assert!(client.body.get("client_secret").is_none(), "{}", client.body);
}

/// An initial access token is needed, and is no other token.
async fn wire_b_registration_needs_an_initial_access_token(world: World) {
    let good = registration_token(&world).await;
    let client = Registered::of(&register(&world, &metadata()).await);
    let sandbox = format!("Bearer {SANDBOX_TOKEN}");
    let altered = format!("Bearer {}x", &good[..good.len() - 1]);
    for headers in [
        vec![],
        vec![("authorization", "Bearer x")],
        vec![("authorization", sandbox.as_str())],
        vec![("authorization", &altered)],
        vec![("authorization", &client.bearer)],
        vec![("authorization", "Basic YTpi")],
    ] {
        let answer = world.post_json("/oauth/register", &headers, &metadata()).await;
        assert_refused(&answer, 401, "invalid_token");
    }
    let in_address = format!("/oauth/register?access_token={good}");
    assert!((400..500).contains(&world.post_json(&in_address, &[], &metadata()).await.status));
    let empty = world.post_json("/oauth/register", &[("authorization", "Bearer")], &metadata()).await;
    assert_eq!((empty.status, &empty.json()["error"]), (400, &json!("invalid_request")));
    let bearer = format!("Bearer {good}");
    world.post_json("/oauth/register", &[("authorization", &bearer)], &metadata()).await.expect(201);
    world.advance(366 * 24 * 3_600);
    let late = world.post_json("/oauth/register", &[("authorization", &bearer)], &metadata()).await;
    assert_refused(&late, 401, "invalid_token");
    let without = world.post_json("/_sandbox/registration-tokens", &[], &json!({})).await;
    assert_eq!(without.status, 401);
}

/// What cannot be registered is told by the standard's two errors.
async fn wire_b_bad_metadata_is_refused(world: World) {
    let base = || json!({"redirect_uris": ["https://new.test/cb"]});
    let mut private = Signer::generate().jwk();
    private["d"] = json!("AAAA");
    let by_key = |jwks: Value| json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks});
    for (change, error) in [
        (json!({"redirect_uris": []}), "invalid_redirect_uri"),
        (json!({"redirect_uris": "https://new.test/cb"}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [7]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["http://new.test/cb"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["https://new.test/cb#x"]}), "invalid_redirect_uri"),
        (json!({"grant_types": ["implicit"]}), "invalid_client_metadata"),
        (json!({"grant_types": "authorization_code"}), "invalid_client_metadata"),
        (json!({"response_types": ["token"]}), "invalid_client_metadata"),
        (json!({"token_endpoint_auth_method": "client_secret_jwt"}), "invalid_client_metadata"),
        (json!({"token_endpoint_auth_method": "private_key_jwt"}), "invalid_client_metadata"),
        (json!({"jwks_uri": "https://new.test/jwks.json"}), "invalid_client_metadata"),
        (by_key(json!({"keys": []})), "invalid_client_metadata"),
        (by_key(json!({"keys": [private]})), "invalid_client_metadata"),
        (by_key(json!({"keys": [{"kty": "oct", "k": "AAAA"}]})), "invalid_client_metadata"),
        (json!({"scope": "admin"}), "invalid_client_metadata"),
        (json!({"scope": "account_api\""}), "invalid_client_metadata"),
        (json!({"id_token_signed_response_alg": "none"}), "invalid_client_metadata"),
        (json!({"id_token_signed_response_alg": "HS256"}), "invalid_client_metadata"),
        (json!({"access_token_signing_alg": "none"}), "invalid_client_metadata"),
        (json!({"client_name": "x".repeat(10_000)}), "invalid_client_metadata"),
        (json!({"client_name": 7}), "invalid_client_metadata"),
        (json!({"dpop_bound_access_tokens": "yes"}), "invalid_client_metadata"),
    ] {
        let mut metadata = base();
        metadata.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = register(&world, &metadata).await;
        assert_eq!(answer.status, 400, "{change}: {answer:?}");
        assert_refused(&answer, 400, error);
    }
    let bearer = format!("Bearer {}", registration_token(&world).await);
    for (kind, body) in [("application/json", "{"), ("application/json", "[]"), (FORM, "client_name=x"), ("", "{}")] {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let answer = world.send(request("POST", "/oauth/register", &headers, body)).await;
        assert_eq!(answer.status, 400, "{kind} {body}: {answer:?}");
    }
    for method in ["GET", "PUT", "DELETE"] {
        world.send(request(method, "/oauth/register", &[], "")).await.expect(405);
    }
}

/// Who holds the registration access token manages this client, and no other.
async fn wire_b_a_client_manages_itself_only(world: World) {
    let (one, other) =
        (Registered::of(&register(&world, &metadata()).await), Registered::of(&register(&world, &metadata()).await));
    for method in ["GET", "PUT", "DELETE"] {
        for bearer in [other.bearer.as_str(), "Bearer x", "Basic YTpi"] {
            let answer = one.manage(&world, method, bearer, &metadata()).await;
            assert_refused(&answer, 401, "invalid_token");
        }
    }
    Issued::of(&one.grant(&world).await);
    // Of an application that did not register itself nothing is shown to anybody.
    let seeded = Registered { path: "/oauth/register/studio".into(), bearer: one.bearer.clone(), body: Value::Null };
    assert_refused(&seeded.manage(&world, "GET", &one.bearer, &Value::Null).await, 401, "invalid_token");
    let unknown = Registered { path: "/oauth/register/nobody".into(), bearer: one.bearer.clone(), body: Value::Null };
    assert_refused(&unknown.manage(&world, "GET", &one.bearer, &Value::Null).await, 401, "invalid_token");
}

/// PUT replaces all that is registered.
async fn wire_b_metadata_is_replaced_as_a_whole(world: World) {
    let client = Registered::of(&register(&world, &metadata()).await);
    let new = json!({
        "client_id": client.text("client_id"), "client_name": "Newer Desk",
        "redirect_uris": ["https://newer.test/callback"], "grant_types": ["authorization_code"],
    });
    let replaced = client.manage(&world, "PUT", &client.bearer, &new).await.expect(200).json();
    let bearer = match replaced["registration_access_token"].as_str() {
        Some(token) => format!("Bearer {token}"),
        None => client.bearer.clone(),
    };
    for (name, value) in new.as_object().unwrap() {
        assert_eq!(&replaced[name], value, "{name}");
    }
    let shown = client.manage(&world, "GET", &bearer, &Value::Null).await.expect(200).json();
    assert_eq!(shown["redirect_uris"], new["redirect_uris"]);
    assert_error(&client.grant(&world).await, 400, "unauthorized_client");
    let ask = form(&[
        ("response_type", "code"),
        ("client_id", client.text("client_id")),
        ("redirect_uri", "https://new.test/callback"),
    ]);
    assert_page(&world.get(&format!("/oauth/authorize?{ask}")).await, 400);
    let mut bad = new.clone();
    bad["redirect_uris"] = json!(["http://new.test/"]);
    assert_refused(&client.manage(&world, "PUT", &bearer, &bad).await, 400, "invalid_redirect_uri");
    let mut other = new.clone();
    other["client_id"] = json!("studio");
    assert_refused(&client.manage(&world, "PUT", &bearer, &other).await, 400, "invalid_client_metadata");
    assert_eq!(client.manage(&world, "GET", &bearer, &Value::Null).await.expect(200).json(), shown);
}

/// A client that is deleted is gone with all its tokens.
async fn wire_b_a_deleted_client_leaves_nothing(world: World) {
    let client = Registered::of(&register(&world, &metadata()).await);
    let own = Issued::of(&client.grant(&world).await);
    world.me(&own.access).await.expect(200);
    let gone = client.manage(&world, "DELETE", &client.bearer, &Value::Null).await.expect(204);
    assert!(gone.body.is_empty());
    world.me(&own.access).await.expect(401);
    assert_error(&client.grant(&world).await, 401, "invalid_client");
    for method in ["GET", "PUT", "DELETE"] {
        assert_refused(&client.manage(&world, method, &client.bearer, &metadata()).await, 401, "invalid_token");
    }
}

/// A name is text wherever it is shown (C12), and what a client asks for is no more than it registered.
async fn c12_a_clients_name_is_text(world: World) {
    let metadata = json!({
        "client_name": "\"><img src=x onerror=alert(1)>", "redirect_uris": ["https://new.test/callback"],
        "scope": "account_api",
    });
    let client = Registered::of(&register(&world, &metadata).await);
    let mut ada = world.actor();
    ada.sign_in(ADA).await;
    let fields = [("response_type", "code"), ("client_id", client.text("client_id"))];
    let answer = ada.get(&format!("/oauth/authorize?{}", form(&fields))).await;
    let consent = ada.follow(&answer).await.expect(200);
    assert!(consent.is_consent_page() && !consent.text().contains("<img src=x"), "{}", consent.text());
    assert!(consent.text().contains("https://new.test") && !consent.text().contains("data_api"));
}

both! {
    wire_b_a_client_registers_itself,
    wire_b_what_is_left_out_has_its_default,
    wire_b_registration_needs_an_initial_access_token,
    wire_b_bad_metadata_is_refused,
    wire_b_a_client_manages_itself_only,
    wire_b_metadata_is_replaced_as_a_whole,
    wire_b_a_deleted_client_leaves_nothing,
    c12_a_clients_name_is_text,
}
