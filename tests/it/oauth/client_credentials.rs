//! G: a client that acts for itself (RFC 6749 section 4.4).

use leadgate::domain::ids::AppId;
use leadgate::services::partner;
use serde_json::{Value, json};

use super::support::{
    Auth, FORM, Issued, MACHINE, POCKET, RIVAL, STUDIO, STUDIO_API, assert_error, basic, claims, register, verified,
};
use crate::support::http::request;
use crate::support::{ADA, World, both};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// G1: a public client has nothing to show for itself.
async fn g1_a_public_client_is_refused(world: World) {
    assert_error(&POCKET.token(&world, &[GRANT]).await, 400, "unauthorized_client");
    let metadata = json!({
        "redirect_uris": ["https://new.test/cb"], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "client_credentials"],
    });
    let answer = register(&world, &metadata).await.expect(400);
    assert_eq!(answer.json()["error"], "invalid_client_metadata", "nor can it register for it");
}

/// G2: there is nobody to come back for, so there is no refresh token, whatever grants the client has.
async fn g2_there_is_no_refresh_token(world: World) {
    for client in [STUDIO, MACHINE] {
        let issued = Issued::of(&client.token(&world, &[GRANT]).await);
        assert!(issued.refresh.is_none() && issued.body.get("id_token").is_none(), "{}", issued.body);
        assert_eq!((&issued.body["token_type"], &issued.body["expires_in"]), (&json!("Bearer"), &json!(3600)));
    }
    let answer = STUDIO.token(&world, &[GRANT, ("scope", "account_api offline_access")]).await;
    assert!(answer.json().get("refresh_token").is_none(), "{answer:?}");
}

/// G3: the subject is the client, which no user's ever equals (RFC 9700 section 4.15).
async fn g3_the_subject_is_the_client(world: World) {
    let own = verified(&world, &Issued::of(&STUDIO.token(&world, &[GRANT]).await).access).await;
    assert_eq!((&own["sub"], &own["client_id"]), (&json!("studio"), &json!("studio")));
    assert!(own.get("auth_time").is_none(), "nobody signed in: {own}");
    let users = claims(&STUDIO.connect(&world, ADA).await.access);
    let subject = users["sub"].as_str().unwrap();
    assert!(subject.strip_prefix("user|").is_some_and(|id| id.parse::<uuid::Uuid>().is_ok()), "{subject}");
    // A client cannot have that as its id, and does not choose it when it registers itself.
    assert!(AppId::parse(subject).is_err());
    let metadata = json!({"client_id": subject, "grant_types": ["client_credentials"]});
    assert_ne!(register(&world, &metadata).await.expect(201).json()["client_id"], subject);
}

/// G4: without a scope it is all that the client has, and the answer says so.
async fn g4_the_scope_is_the_clients(world: World) {
    assert_eq!(Issued::of(&STUDIO.token(&world, &[GRANT]).await).scope(), ["account_api", "data_api", "lead_receiver"]);
    assert_eq!(Issued::of(&MACHINE.token(&world, &[GRANT, ("scope", "")]).await).scope(), ["account_api", "data_api"]);
    let narrow = Issued::of(&STUDIO.token(&world, &[GRANT, ("scope", "data_api")]).await);
    assert_eq!(
        (narrow.body["scope"].as_str(), &claims(&narrow.access)["scope"]),
        (Some("data_api"), &json!("data_api"))
    );
    world.me(&narrow.access).await.expect(403);
    for (client, scope) in [
        (MACHINE, "lead_receiver"),
        (MACHINE, "data_api lead_receiver"),
        (STUDIO, "admin"),
        (STUDIO, "DATA_API"),
        (STUDIO, "data_api\""),
        (STUDIO, "data_api\u{0}"),
    ] {
        assert_error(&client.token(&world, &[GRANT, ("scope", scope)]).await, 400, "invalid_scope");
    }
    for wrong in ["https://elsewhere.test", "x"] {
        assert_error(&STUDIO.token(&world, &[GRANT, ("resource", wrong)]).await, 400, "invalid_target");
    }
    let issued = Issued::of(&STUDIO.token(&world, &[GRANT, ("resource", STUDIO_API)]).await);
    assert_eq!(claims(&issued.access)["aud"], STUDIO_API);
}

/// G8: exactly what LeadExec's Authentication tab is filled in with: a token URL, a grant, an id and a secret.
async fn g8_what_the_authentication_tab_sends_works(world: World) {
    let in_body = "grant_type=client_credentials&client_id=machine&client_secret=machine-client-secret";
    let credentials = basic(MACHINE.id, "machine-client-secret");
    for (headers, body) in [
        (vec![("content-type", FORM)], in_body),
        (vec![("content-type", FORM), ("authorization", credentials.as_str())], "grant_type=client_credentials"),
        (vec![("content-type", FORM), ("authorization", &credentials)], "grant_type=client_credentials&scope="),
        (vec![("content-type", FORM), ("accept", "application/json")], in_body),
    ] {
        Issued::of(&world.send(request("POST", "/oauth/token", &headers, body)).await);
    }
}

/// B23: a disabled client gets no token, none that it had works, and no page asks anybody to log in for it.
async fn b23_a_disabled_client_gets_nothing(world: World) {
    let own = Issued::of(&STUDIO.token(&world, &[GRANT]).await);
    let users = STUDIO.connect(&world, ADA).await;
    let app = AppId::parse(STUDIO.id).unwrap();
    partner::disable_app(&world.operator(), &app).await.unwrap();
    for token in [&own.access, &users.access] {
        world.me(token).await.expect(401);
        assert!(!RIVAL.is_active(&world, token).await);
    }
    assert_error(&STUDIO.token(&world, &[GRANT]).await, 401, "invalid_client");
    assert_error(&STUDIO.refresh(&world, users.refresh()).await, 401, "invalid_client");
    assert_error(&STUDIO.post(&world, "/oauth/par", &[]).await, 401, "invalid_client");
    let ask = "/oauth/authorize?client_id=studio&response_type=code&redirect_uri=https%3A%2F%2Fstudio.test%2Fcallback";
    let page = world.actor().get(ask).await.expect(400);
    assert!(!page.is_login_page() && page.header("location").is_none());
    partner::enable_app(&world.operator(), &app).await.unwrap();
    world.me(&own.access).await.expect(401);
    Issued::of(&STUDIO.token(&world, &[GRANT]).await);
}

/// wire.md C: at the API the token is its client's: the owner's account, and no user.
async fn wire_c_the_token_is_for_no_user(world: World) {
    for (client, account) in [(STUDIO, json!({"id": "acme", "name": "Acme Mortgage"})), (MACHINE, Value::Null)] {
        let issued = Issued::of(&client.token(&world, &[GRANT]).await);
        let me = world.me(&issued.access).await.expect(200).json();
        assert_eq!((&me["user"], &me["account"], &me["app"]["id"]), (&Value::Null, &account, &json!(client.id)));
        let seen = client.introspect(&world, &issued.access).await;
        assert_eq!((&seen["active"], &seen["sub"]), (&json!(true), &json!(client.id)));
        assert!(seen.get("username").is_none(), "{seen}");
        let bearer = format!("Bearer {}", issued.access);
        let userinfo = request("GET", "/oauth/userinfo", &[("authorization", &bearer)], "");
        world.send(userinfo).await.expect(403);
        assert_error(&client.by(Auth::Basic("wrong")).token(&world, &[GRANT]).await, 401, "invalid_client");
    }
}

both! {
    b23_a_disabled_client_gets_nothing,
    g1_a_public_client_is_refused,
    g2_there_is_no_refresh_token,
    g3_the_subject_is_the_client,
    g4_the_scope_is_the_clients,
    g8_what_the_authentication_tab_sends_works,
    wire_c_the_token_is_for_no_user,
}
