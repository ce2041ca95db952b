//! A node remembers the clients that ask often, and never goes by that: whatever changed, on another node or behind all of
//! them, holds for the next request.

use serde_json::json;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;

use super::support::{Auth, Client, Issued, RIVAL, STUDIO, assert_error};
use crate::store_contract::schema;
use crate::support::statements::Statements;
use crate::support::{ADA, Answer, Kind, Setup, World, both};

/// The three requests that are tried with the client as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    OwnToken,
    Refresh,
    Introspection,
}

const WAYS: [Way; 3] = [Way::OwnToken, Way::Refresh, Way::Introspection];

/// A node of its own that has gone one way before, so that it remembers the client and nothing else made it look again; and what a
/// request takes.
struct Acquainted {
    node: World,
    issued: Issued,
    way: Way,
}

impl Acquainted {
    async fn make(world: &World, way: Way) -> Self {
        let node = World { setup: Setup::production(), ..world.clone() }.another_node().await;
        let mut acquainted = Self { node, issued: STUDIO.connect_for(world, ADA, "account_api data_api").await, way };
        for _ in 0..2 {
            let answer = acquainted.ask(&STUDIO).await;
            acquainted.keep(&answer);
        }
        acquainted
    }

    /// One request, by this client's credentials.
    async fn ask(&self, client: &Client) -> Answer {
        match self.way {
            Way::OwnToken => client.token(&self.node, &[("grant_type", "client_credentials")]).await,
            Way::Refresh => client.refresh(&self.node, self.issued.refresh()).await,
            Way::Introspection => client.post(&self.node, "/oauth/introspect", &[("token", &self.issued.access)]).await,
        }
    }

    /// The answer is a success; the next request goes on from it.
    fn keep(&mut self, answer: &Answer) {
        match self.way {
            Way::OwnToken => drop(Issued::of(answer)),
            Way::Refresh => self.issued = Issued::of(answer),
            Way::Introspection => assert_eq!(answer.json()["active"], true, "{answer:?}"),
        }
    }
}

/// What leaves the application as it is in everything that the statements look at themselves, and changes who it is.
const OTHER_SECRET: &str = "another-client-secret";

/// E7, K1: a secret that was replaced is wrong at once, on each of the ways, and the new one right.
async fn e7_k1_a_secret_that_was_replaced_is_wrong(world: World) {
    for way in WAYS {
        let mut acquainted = Acquainted::make(&world, way).await;
        world.change("/apps/studio", &json!({"client_secret": OTHER_SECRET})).await.expect(200);
        assert_error(&acquainted.ask(&STUDIO).await, 401, "invalid_client");
        let answer = acquainted.ask(&STUDIO.by(Auth::Basic(OTHER_SECRET))).await;
        acquainted.keep(&answer);
        world.change("/apps/studio", &json!({"client_secret": "studio-client-secret"})).await.expect(200);
        let answer = acquainted.ask(&STUDIO).await;
        acquainted.keep(&answer);
    }
}

/// E7, F8: a client that was disabled gets nothing; enabled again with another secret it is not the one that was.
async fn e7_f8_a_client_that_was_disabled_gets_nothing(world: World) {
    for way in WAYS {
        let mut acquainted = Acquainted::make(&world, way).await;
        world.database.db_execute("UPDATE apps SET disabled_at = 1 WHERE id = 'studio'").await;
        assert_error(&acquainted.ask(&STUDIO).await, 401, "invalid_client");
        world.database.db_execute("UPDATE apps SET disabled_at = NULL").await;
        let answer = acquainted.ask(&STUDIO).await;
        acquainted.keep(&answer);
        world.database.db_execute("UPDATE apps SET disabled_at = 1 WHERE id = 'studio'").await;
        world.change("/apps/studio", &json!({"client_secret": OTHER_SECRET})).await.expect(200);
        world.database.db_execute("UPDATE apps SET disabled_at = NULL").await;
        assert_error(&acquainted.ask(&STUDIO).await, 401, "invalid_client");
        world.change("/apps/studio", &json!({"client_secret": "studio-client-secret"})).await.expect(200);
    }
}

/// F6: grants and scopes that were taken away are gone, and what came is there.
async fn f6_what_a_client_may_do_is_what_its_row_says(world: World) {
    for way in [Way::OwnToken, Way::Refresh] {
        let mut acquainted = Acquainted::make(&world, way).await;
        world.change("/apps/studio", &json!({"scopes": ["data_api"]})).await.expect(200);
        let answer = acquainted.ask(&STUDIO).await;
        assert_eq!(Issued::of(&answer).scope(), ["data_api"], "{way:?}");
        acquainted.keep(&answer);
        world.change("/apps/studio", &json!({"grant_types": ["authorization_code"]})).await.expect(200);
        assert_error(&acquainted.ask(&STUDIO).await, 400, "unauthorized_client");
        let all = json!(["authorization_code", "refresh_token", "client_credentials"]);
        world
            .change("/apps/studio", &json!({"grant_types": all, "scopes": ["account_api", "data_api"]}))
            .await
            .expect(200);
        let answer = acquainted.ask(&STUDIO).await;
        acquainted.keep(&answer);
    }
}

/// E7: one that gets the id of a client that was deleted is another, though nobody asked in between.
async fn e7_another_client_of_the_same_id_is_another(world: World) {
    let acquainted = Acquainted::make(&world, Way::OwnToken).await;
    world.delete_app("studio").await;
    let client = json!({"id": "studio", "name": "Other", "client_secret": OTHER_SECRET,
        "grant_types": ["client_credentials"], "scopes": ["data_api"]});
    world.make("/apps", &client).await.expect(201);
    assert_error(&acquainted.ask(&STUDIO).await, 401, "invalid_client");
    let other = Issued::of(&acquainted.ask(&STUDIO.by(Auth::Basic(OTHER_SECRET))).await);
    // Of a node that knows who it was, and a token of who it is.
    let acquainted = Acquainted { issued: other, way: Way::Introspection, ..acquainted };
    assert_error(&acquainted.ask(&STUDIO).await, 401, "invalid_client");
    assert_eq!(acquainted.ask(&STUDIO.by(Auth::Basic(OTHER_SECRET))).await.json()["active"], true);
}

/// What is remembered saves a statement; after a change it takes one attempt more, once.
async fn a_client_is_read_again_where_it_changed(world: World) {
    let statements = Statements::counted();
    let in_a_transaction = if world.database.kind == Kind::Sqlite { 3 + 2 } else { 1 };
    for (way, settled, in_vain) in
        [(Way::OwnToken, 1, 1), (Way::Introspection, 1, 1), (Way::Refresh, in_a_transaction, in_a_transaction)]
    {
        let mut acquainted = Acquainted::make(&world, way).await;
        let mut counts = Vec::new();
        for name in [None, Some("Renamed"), None] {
            if let Some(name) = name {
                world.change("/apps/studio", &json!({"name": format!("{name} for {way:?}")})).await.expect(200);
            }
            let mut answer = None;
            counts.push(statements.of(async { answer = Some(acquainted.ask(&STUDIO).await) }).await);
            acquainted.keep(&answer.unwrap());
        }
        // A grant that is not found renewable is looked at, and nothing is written.
        let in_vain = if way == Way::Refresh && world.database.kind == Kind::Sqlite { 1 + 2 } else { in_vain };
        assert_eq!(counts, [settled, in_vain + 1 + settled, settled], "{way:?}");
    }
}

/// K5: the row of a dead token tells of its client, too; what is not there is looked for again, for a client that was read.
async fn k5_a_dead_token_is_told_at_once(world: World) {
    let statements = Statements::counted();
    let acquainted = Acquainted::make(&world, Way::Introspection).await;
    STUDIO.revoke(&world, &acquainted.issued.access).await.expect(200);
    let is_active = async |token: &str| STUDIO.is_active(&acquainted.node, token).await;
    let told = statements.of(async { assert!(!is_active(&acquainted.issued.access).await) });
    assert_eq!(told.await, 1);
    let of_another = RIVAL.connect(&world, ADA).await;
    let told = statements.of(async { assert!(!is_active(&of_another.access).await) });
    assert_eq!(told.await, 3);
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
            // Ids are drawn: the first user may be the owner.
            ("owner_id", _) => {
                "(SELECT u.id FROM users u WHERE apps.owner_id IS NULL OR u.id <> apps.owner_id LIMIT 1)".to_owned()
            }
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
    if !is_sqlite {
        let in_replication = "SET session_replication_role = replica; UPDATE apps SET name = 'x' WHERE id = 'studio'";
        sqlx::raw_sql(in_replication)
            .execute(&mut PgConnection::connect(&database.url()).await.unwrap())
            .await
            .unwrap();
        assert_ne!(revision().await, before, "nor is it one that nobody sees");
    }
    // Those that are written together have each its own.
    let all = database.db_count("SELECT COUNT(*) FROM apps").await;
    assert_eq!(database.db_count("SELECT COUNT(DISTINCT revision) FROM apps").await, all);
}

both! {
    e7_k1_a_secret_that_was_replaced_is_wrong,
    e7_f8_a_client_that_was_disabled_gets_nothing,
    f6_what_a_client_may_do_is_what_its_row_says,
    e7_another_client_of_the_same_id_is_another,
    a_client_is_read_again_where_it_changed,
    k5_a_dead_token_is_told_at_once,
    every_change_of_an_application_makes_another_revision,
}
