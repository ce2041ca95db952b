//! A: what the server says of itself (RFC 8414, OpenID Connect Discovery), and that it is so.

use serde_json::{Value, json};

use super::support::{
    Auth, DEVICE_GRANT, FORM, Issued, MACHINE, POCKET, STUDIO, assert_error, keyed, parts, published_keys, register,
};
use crate::support::http::request;
use crate::support::{ADA, ISSUER, PASSWORD, World, both};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// Every endpoint that the document has to name.
const ENDPOINTS: [(&str, &str); 10] = [
    ("authorization_endpoint", "/oauth/authorize"),
    ("token_endpoint", "/oauth/token"),
    ("revocation_endpoint", "/oauth/revoke"),
    ("introspection_endpoint", "/oauth/introspect"),
    ("userinfo_endpoint", "/oauth/userinfo"),
    ("pushed_authorization_request_endpoint", "/oauth/par"),
    ("device_authorization_endpoint", "/oauth/device_authorization"),
    ("registration_endpoint", "/oauth/register"),
    ("end_session_endpoint", "/oauth/logout"),
    ("jwks_uri", "/.well-known/jwks.json"),
];

async fn document(world: &World, path: &str) -> Value {
    let answer = world.get(path).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
    answer.json()
}

fn texts<'d>(document: &'d Value, name: &str) -> Vec<&'d str> {
    let list = document[name].as_array().unwrap_or_else(|| panic!("{name}: {document}"));
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

/// A1: the issuer is the configured one, byte for byte, and all addresses are below it.
async fn a1_the_issuer_is_the_configured_one(world: World) {
    let issuer = world.setup.issuer;
    for path in [OAUTH, OPENID] {
        let document = document(&world, path).await;
        assert_eq!(document["issuer"], issuer);
        for (name, endpoint) in ENDPOINTS {
            assert_eq!(document[name], format!("{issuer}{endpoint}"), "{name}");
        }
    }
}

/// A2: of an issuer with a path the document is behind the well-known part (RFC 8414 section 3.1), and below it.
async fn a2_an_issuer_with_a_path_has_its_document_behind_it(world: World) {
    let issuer = "https://auth.test/t1";
    for path in [format!("{OAUTH}/t1"), format!("{OPENID}/t1"), format!("/t1{OAUTH}"), format!("/t1{OPENID}")] {
        let document = document(&world, &path).await;
        assert_eq!(document["issuer"], issuer, "{path}");
        for (name, endpoint) in ENDPOINTS {
            assert_eq!(document[name], format!("{issuer}{endpoint}"), "{path}: {name}");
        }
    }
    for path in [format!("{OAUTH}/t2"), format!("{OPENID}/t1/t1"), format!("{OAUTH}/")] {
        world.get(&path).await.expect(404);
    }
    let fields = [("grant_type", "client_credentials")];
    let issued = Issued::of(&MACHINE.post(&world, "/t1/oauth/token", &fields).await);
    assert_eq!(parts(&issued.access).1["iss"], issuer);
    world.get("/t1/.well-known/jwks.json").await.expect(200);
}

/// A3: what has to be there is there, no list is empty, and every address answers.
async fn a3_every_address_answers(world: World) {
    for path in [OAUTH, OPENID] {
        let document = document(&world, path).await;
        for (name, value) in document.as_object().unwrap() {
            assert!(!value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()), "{name}: {value}");
            let Some(local) = value.as_str().and_then(|url| url.strip_prefix(ISSUER)).filter(|path| !path.is_empty())
            else {
                continue;
            };
            for method in ["GET", "POST"] {
                let answer = world.send(request(method, local, &[], "")).await;
                assert!(answer.status != 404 && answer.status < 500, "{name}: {method} {local}: {}", answer.status);
            }
        }
        assert_eq!(texts(&document, "response_types_supported"), ["code"]);
        let mut modes = texts(&document, "response_modes_supported");
        modes.sort_unstable();
        assert_eq!(modes, ["form_post", "fragment", "query"]);
        let mut scopes = texts(&document, "scopes_supported");
        scopes.sort_unstable();
        let all = ["account_api", "data_api", "email", "lead_receiver", "offline_access", "openid", "profile"];
        assert_eq!(scopes, all);
    }
    let openid = document(&world, OPENID).await;
    assert_eq!(texts(&openid, "subject_types_supported"), ["public"]);
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        assert!(texts(&openid, "id_token_signing_alg_values_supported").contains(&algorithm), "{algorithm}");
    }
    assert!(!texts(&openid, "dpop_signing_alg_values_supported").contains(&"none"));
}

/// A4: S256 is the only challenge method.
async fn a4_the_only_challenge_method_is_s256(world: World) {
    for path in [OAUTH, OPENID] {
        assert_eq!(texts(&document(&world, path).await, "code_challenge_methods_supported"), ["S256"]);
    }
}

/// A6: each grant that is listed works, and no other is known.
async fn a6_the_grants_are_those_that_are_listed(world: World) {
    let document = document(&world, OAUTH).await;
    let mut grants = texts(&document, "grant_types_supported");
    grants.sort_unstable();
    let all = ["authorization_code", "client_credentials", "password", "refresh_token", DEVICE_GRANT];
    assert_eq!(grants, all);

    let issued = STUDIO.connect(&world, ADA).await;
    Issued::of(&STUDIO.refresh(&world, issued.refresh()).await);
    Issued::of(&STUDIO.token(&world, &[("grant_type", "client_credentials")]).await);
    let fields = [("grant_type", "password"), ("username", ADA), ("password", PASSWORD)];
    Issued::of(&STUDIO.token(&world, &fields).await);
    let device = STUDIO.post(&world, "/oauth/device_authorization", &[]).await.expect(200).json();
    let fields = [("grant_type", DEVICE_GRANT), ("device_code", device["device_code"].as_str().unwrap())];
    assert_error(&STUDIO.token(&world, &fields).await, 400, "authorization_pending");

    for unlisted in [
        "implicit",
        "token",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:openid:params:grant-type:ciba",
        "AUTHORIZATION_CODE",
    ] {
        let answer = STUDIO.token(&world, &[("grant_type", unlisted)]).await;
        assert_error(&answer, 400, "unsupported_grant_type");
    }
}

/// A6: each way to authenticate that is listed works, at each endpoint that lists it.
async fn a6_the_ways_to_authenticate_are_those_that_are_listed(world: World) {
    let document = document(&world, OAUTH).await;
    for endpoint in ["token", "revocation", "introspection"] {
        let name = format!("{endpoint}_endpoint_auth_methods_supported");
        let mut methods = texts(&document, &name);
        methods.sort_unstable();
        let mut expected = vec!["client_secret_basic", "client_secret_post", "private_key_jwt"];
        // Who has no secret cannot introspect, and has a token revoked all the same.
        expected.splice(2..2, (endpoint != "introspection").then_some("none"));
        assert_eq!(methods, expected, "{name}");
        if methods.contains(&"private_key_jwt") {
            let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
            assert!(texts(&document, &name).contains(&"ES256"), "{name}");
        }
    }
    let by_post = STUDIO.by(Auth::Post("studio-client-secret"));
    for client in [STUDIO, by_post, keyed()] {
        let issued = Issued::of(&client.token(&world, &[("grant_type", "client_credentials")]).await);
        assert!(client.is_active(&world, &issued.access).await);
        client.revoke(&world, &issued.access).await.expect(200);
        assert!(!client.is_active(&world, &issued.access).await);
    }
    let issued = POCKET.connect(&world, ADA).await;
    POCKET.revoke(&world, issued.refresh()).await.expect(200);
    assert_error(&POCKET.refresh(&world, issued.refresh()).await, 400, "invalid_grant");
    assert_error(&POCKET.post(&world, "/oauth/introspect", &[("token", "x")]).await, 401, "invalid_client");
}

/// A7: a spoofed host changes nothing.
async fn a7_a_spoofed_host_changes_no_address(world: World) {
    for path in [OAUTH, OPENID] {
        let honest = world.get(path).await.expect(200);
        let headers = [
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-prefix", "/evil"),
            ("forwarded", "host=evil.example;proto=http"),
        ];
        let spoofed = world.send(request("GET", path, &headers, "")).await.expect(200);
        assert_eq!(spoofed.body, honest.body);
        let absolute = world.send(request("GET", &format!("https://evil.example{path}"), &[], "")).await.expect(200);
        assert_eq!(absolute.body, honest.body);
    }
}

/// A8: every key that a live token was signed with is published, its public half only.
async fn a8_every_key_in_use_is_published(world: World) {
    for algorithm in ["ES256", "RS256", "EdDSA"] {
        let metadata = json!({"grant_types": ["client_credentials"], "access_token_signing_alg": algorithm});
        let client = register(&world, &metadata).await.expect(201).json();
        let credentials =
            super::support::basic(client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
        let headers = [("authorization", credentials.as_str()), ("content-type", FORM)];
        let answer = world.send(request("POST", "/oauth/token", &headers, "grant_type=client_credentials")).await;
        let (header, _) = parts(&Issued::of(&answer).access);
        assert_eq!(header["alg"], algorithm);
        assert!(published_keys(&world).await.contains_key(header["kid"].as_str().unwrap()), "{header}");
    }
    let answer = world.get("/.well-known/jwks.json").await.expect(200);
    assert!(answer.header("cache-control").unwrap().contains("max-age="));
    for key in answer.json()["keys"].as_array().unwrap() {
        for public in ["kid", "alg", "use", "kty"] {
            assert!(key[public].is_string(), "{public}: {key}");
        }
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(key.get(private).is_none(), "{private}: {key}");
        }
    }
}

/// G5: where the server does not allow passwords, its document does not name the grant.
async fn g5_the_document_does_not_name_what_is_not_allowed(world: World) {
    for path in [OAUTH, OPENID] {
        assert!(!texts(&document(&world, path).await, "grant_types_supported").contains(&"password"));
    }
}

both! {
    a1_the_issuer_is_the_configured_one,
    a3_every_address_answers,
    a4_the_only_challenge_method_is_s256,
    a6_the_grants_are_those_that_are_listed,
    a6_the_ways_to_authenticate_are_those_that_are_listed,
    a7_a_spoofed_host_changes_no_address,
    a8_every_key_in_use_is_published,
}
both! { with support::Setup::at("https://auth.test/t1"); a2_an_issuer_with_a_path_has_its_document_behind_it }
both! { with support::Setup::production(); g5_the_document_does_not_name_what_is_not_allowed }

/// A1 where developers begin: plain http on the own machine.
async fn a1_on_the_own_machine_the_issuer_may_be_http(world: World) {
    a1_the_issuer_is_the_configured_one(world).await;
}

both! { with support::Setup::at("http://localhost:8080"); a1_on_the_own_machine_the_issuer_may_be_http }
