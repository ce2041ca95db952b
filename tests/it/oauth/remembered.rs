//! A node remembers the clients that ask often, and never goes by that: whatever changed, on another node or behind all of
//! them, holds for the next request.

use serde_json::json;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;

use super::support::{Auth, Issued, STUDIO, assert_error, claims};
use crate::store_contract::schema;
use crate::support::statements::Statements;
use crate::support::{ADA, Answer, Kind, Setup, World, both};

/// Another node, which has served the client before, and a grant and an access token of the client's.
async fn acquainted(world: &World) -> (World, Issued) {
    let node = World { setup: Setup::production(), ..world.clone() }.another_node().await;
    let issued = STUDIO.connect_for(world, ADA, "account_api data_api").await;
    for _ in 0..2 {
        Issued::of(&own_token(&node).await);
        assert!(STUDIO.is_active(&node, &issued.access).await);
    }
    (node, issued)
}

async fn own_token(node: &World) -> Answer {
    STUDIO.token(node, &[("grant_type", "client_credentials")]).await
}

/// E7, K1: a client that is not let in any more gets nothing, on any of the ways that are tried with what is remembered.
async fn e7_k1_who_is_let_in_no_more_gets_nothing(world: World) {
    let (node, issued) = acquainted(&world).await;
    world.database.db_execute("UPDATE apps SET disabled_at = 1 WHERE id = 'studio'").await;
    assert_error(&own_token(&node).await, 401, "invalid_client");
    assert_error(&STUDIO.refresh(&node, issued.refresh()).await, 401, "invalid_client");
    assert_error(&STUDIO.post(&node, "/oauth/introspect", &[("token", &issued.access)]).await, 401, "invalid_client");
    world.database.db_execute("UPDATE apps SET disabled_at = NULL").await;
    let next = Issued::of(&STUDIO.refresh(&node, issued.refresh()).await);
    assert!(STUDIO.is_active(&node, &next.access).await);
}

/// E7: a secret that was replaced is wrong at once, and the new one right.
async fn e7_a_secret_that_was_replaced_is_wrong(world: World) {
    let (node, issued) = acquainted(&world).await;
    world.change("/apps/studio", &json!({"client_secret": "another-client-secret"})).await.expect(200);
    assert_error(&own_token(&node).await, 401, "invalid_client");
    assert_error(&STUDIO.refresh(&node, issued.refresh()).await, 401, "invalid_client");
    assert_error(&STUDIO.post(&node, "/oauth/introspect", &[("token", &issued.access)]).await, 401, "invalid_client");
    let changed = STUDIO.by(Auth::Basic("another-client-secret"));
    Issued::of(&changed.refresh(&node, issued.refresh()).await);
    assert!(changed.is_active(&node, &issued.access).await);
}

/// G3: scopes and grants that were taken away are gone, and new ones are there.
async fn g3_f6_what_a_client_may_do_is_what_its_row_says(world: World) {
    let (node, issued) = acquainted(&world).await;
    world.change("/apps/studio", &json!({"scopes": ["data_api"]})).await.expect(200);
    let own = Issued::of(&own_token(&node).await);
    assert_eq!(claims(&own.access)["scope"], "data_api");
    let next = Issued::of(&STUDIO.refresh(&node, issued.refresh()).await);
    assert_eq!(next.scope(), ["data_api"]);
    world.change("/apps/studio", &json!({"grant_types": ["authorization_code"]})).await.expect(200);
    assert_error(&own_token(&node).await, 400, "unauthorized_client");
    assert_error(&STUDIO.refresh(&node, next.refresh()).await, 400, "unauthorized_client");
    world.change("/apps/studio", &json!({"grant_types": ["client_credentials"]})).await.expect(200);
    Issued::of(&own_token(&node).await);
}

/// A client that was deleted is unknown, also where another one has its id.
async fn e7_another_client_of_the_same_id_is_another(world: World) {
    let (node, issued) = acquainted(&world).await;
    world.delete_app("studio").await;
    assert_error(&own_token(&node).await, 401, "invalid_client");
    let client = json!({"id": "studio", "name": "Other", "client_secret": "another-client-secret",
        "grant_types": ["client_credentials"], "scopes": ["data_api"]});
    world.make("/apps", &client).await.expect(201);
    assert_error(&own_token(&node).await, 401, "invalid_client");
    let other = STUDIO.by(Auth::Basic("another-client-secret"));
    Issued::of(&other.token(&node, &[("grant_type", "client_credentials")]).await);
    assert!(!other.is_active(&node, &issued.access).await);
}

/// What is remembered saves a statement, and a change costs one request the way that it took before.
async fn a_client_is_read_again_where_it_changed(world: World) {
    let statements = Statements::counted();
    let (node, issued) = acquainted(&world).await;
    let cost = async |work: &str| {
        let own = async { drop(Issued::of(&own_token(&node).await)) };
        let introspected = async { assert!(STUDIO.is_active(&node, &issued.access).await) };
        if work == "own" { statements.of(own).await } else { statements.of(introspected).await }
    };
    for (name, tried) in [("own", 1), ("introspected", 1)] {
        assert_eq!(cost(name).await, 1, "{name}");
        world.change("/apps/studio", &json!({"name": name})).await.expect(200);
        assert_eq!(cost(name).await, tried + 2, "{name}: it is tried, the client is read, and it is done");
        assert_eq!(cost(name).await, 1, "{name}");
    }
}

/// Each column of an application but its id is in its revision: whatever is remembered of it is known to have changed.
async fn every_change_of_an_application_makes_another_revision(world: World) {
    let database = &world.database;
    let is_sqlite = database.kind == Kind::Sqlite;
    let schema = if is_sqlite {
        schema::of_sqlite(&mut SqliteConnection::connect(&database.url()).await.unwrap()).await
    } else {
        schema::of_postgres(&mut PgConnection::connect(&database.url()).await.unwrap()).await
    };
    let revision = async || {
        let written = if is_sqlite { "hex(revision)" } else { "CAST(revision AS TEXT)" };
        database.db_text(&format!("SELECT {written} FROM apps WHERE id = 'studio'")).await
    };
    let columns: Vec<_> =
        schema["apps"].iter().filter(|(name, _)| !["id", "revision"].contains(&name.as_str())).collect();
    assert!(columns.len() > 20, "{columns:?}");
    for (name, (kind, _)) in columns {
        let other = match (name.as_str(), *kind) {
            ("owner_id", _) => "(SELECT id FROM users ORDER BY id LIMIT 1)".to_owned(),
            (_, "number") => format!("COALESCE({name}, 0) + 1"),
            (_, "text") => format!("COALESCE({name}, '') || 'x'"),
            _ if is_sqlite => "randomblob(32)".to_owned(),
            _ => "decode(md5(CAST(random() AS TEXT)), 'hex')".to_owned(),
        };
        let before = revision().await;
        database.db_execute(&format!("UPDATE apps SET {name} = {other} WHERE id = 'studio'")).await;
        assert_ne!(revision().await, before, "{name}");
    }
    let before = revision().await;
    database.db_execute("UPDATE apps SET id = id WHERE id = 'studio'").await;
    assert_eq!(revision().await, before, "to hold a row is no change");
}

both! {
    e7_k1_who_is_let_in_no_more_gets_nothing,
    e7_a_secret_that_was_replaced_is_wrong,
    g3_f6_what_a_client_may_do_is_what_its_row_says,
    e7_another_client_of_the_same_id_is_another,
    a_client_is_read_again_where_it_changed,
    every_change_of_an_application_makes_another_revision,
}
