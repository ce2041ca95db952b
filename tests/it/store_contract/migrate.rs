//! Opening and migrating: at once, again, and on what this program does not know.

use std::sync::Arc;

use leadgate::clock::{Clock as _, SystemClock};
use leadgate::crypto::seal::{MasterKey, MasterKeys};
use leadgate::entropy::SystemEntropy;
use leadgate::services::keys::{self, KeysError};
use leadgate::store::{Location, OpenError, Store};
use sqlx::migrate::Migrator;

use super::tables::Db;
use super::{Bench, on_both};
use crate::support::{Database, Kind};

on_both!(
    a_newer_database_is_refused,
    a_database_of_another_build_is_refused,
    nodes_that_start_at_once_agree_on_the_keys,
    another_master_key_opens_nothing,
);

async fn many_open_at_once(kind: Kind) {
    let database = Database::make(kind).await;
    let openings = (0..8).map(|_| {
        let location = database.location();
        tokio::spawn(async move { Store::open(&location).await })
    });
    let opened = futures_util::future::join_all(openings).await;
    for store in opened {
        store.unwrap().unwrap().close().await;
    }
    assert_eq!(database.db_count("SELECT COUNT(*) FROM _sqlx_migrations WHERE version = 1").await, 1);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_migrate_a_new_database_at_once_on_sqlite() {
    many_open_at_once(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_migrate_a_new_database_at_once_on_postgres() {
    many_open_at_once(Kind::Postgres).await;
}

async fn a_newer_database_is_refused(bench: Bench) {
    bench.database.db_execute("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 2").await;
    match Store::open(&bench.database.location()).await.err() {
        Some(OpenError::Newer { version: 9999, .. }) => {}
        other => panic!("{other:?}"),
    }
}

async fn a_database_of_another_build_is_refused(bench: Bench) {
    bench
        .database
        .db_execute(
            "UPDATE _sqlx_migrations SET checksum = CAST('x' AS BYTEA)"
                .replace(
                    "BYTEA",
                    match bench.database.kind {
                        Kind::Sqlite => "BLOB",
                        Kind::Postgres => "BYTEA",
                    },
                )
                .as_str(),
        )
        .await;
    match Store::open(&bench.database.location()).await.err() {
        Some(OpenError::Different { version: 1, .. }) => {}
        other => panic!("{other:?}"),
    }
}

async fn nodes_that_start_at_once_agree_on_the_keys(bench: Bench) {
    let opened = (0..6).map(|_| {
        let location = bench.database.location();
        tokio::spawn(async move {
            let store = Store::open(&location).await.unwrap();
            let master = MasterKeys::from(MasterKey::new(&[3; 32]));
            let keys = keys::open_or_make(&store, Arc::new(master), &SystemClock, &SystemEntropy).await.unwrap();
            store.close().await;
            serde_json::to_string(&keys.ring().jwks(SystemClock.now())).unwrap()
        })
    });
    let published: Vec<String> = futures_util::future::join_all(opened).await.into_iter().map(Result::unwrap).collect();
    assert!(published.iter().all(|jwks| *jwks == published[0]));
    assert_eq!(bench.database.db_count("SELECT COUNT(*) FROM keys").await, 2);
}

/// Rule R10.
async fn another_master_key_opens_nothing(bench: Bench) {
    let open = async |key: [u8; 32]| {
        keys::open_or_make(&bench.store, Arc::new(MasterKey::new(&key).into()), &SystemClock, &SystemEntropy).await
    };
    open([3; 32]).await.unwrap();
    assert!(matches!(open([4; 32]).await, Err(KeysError::WrongMasterKey)));
    assert_eq!(bench.database.db_count("SELECT COUNT(*) FROM keys").await, 2, "and makes no keys of its own");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_an_error_that_names_it() {
    let error = Store::open(&Location::SqliteFile("/proc/nowhere/leadgate.db".into())).await.err().unwrap();
    assert!(error.to_string().contains("/proc/nowhere"), "{error}");
    let url = "postgres://nobody:a-password@127.0.0.1:1/none";
    let error = Store::open(&Location::Postgres(url.into())).await.err().unwrap().to_string();
    assert!(error.contains("127.0.0.1") && !error.contains("a-password"), "{error}");
}

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// R7: a database of each earlier schema, with rows in all of its tables, is brought to the present one and keeps them. The
/// earlier ones are migrated by the library's own migrator, whose records are read here on both databases.
async fn r7_each_earlier_schema_migrates(kind: Kind) {
    let all = if kind == Kind::Sqlite { &SQLITE } else { &POSTGRES };
    let count = all.iter().count();
    assert!(count >= 10);
    for last in all.iter().map(|migration| migration.version) {
        let database = Database::make(kind).await;
        let mut db = Db::of_new(&database).await;
        db.migrate(all, last).await;
        let tables = db.tables().await;
        for (nth, nulls) in [(1, false), (2, true)] {
            db.fill_in_any_order(&tables, nth, nulls).await;
        }
        drop(db);
        Store::open(&database.location()).await.unwrap_or_else(|why| panic!("after {last}: {why}")).close().await;
        let now = Db::of(&database).await.tables().await;
        // A migration may move what a table has into another one.
        for table in tables.iter().filter(|table| now.contains(table)) {
            let rows = database.db_count(&format!("SELECT COUNT(*) FROM {table}")).await;
            assert!(rows >= 2, "after {last}, {table} has {rows} rows");
        }
        let applied = database.db_count("SELECT COUNT(*) FROM _sqlx_migrations").await;
        assert_eq!(usize::try_from(applied), Ok(count));
        let dangling = match kind {
            Kind::Sqlite => database.db_count("SELECT COUNT(*) FROM pragma_foreign_key_check").await,
            Kind::Postgres => 0,
        };
        assert_eq!(dangling, 0, "after {last}");
        database.remove().await;
    }
}

#[tokio::test]
async fn r7_each_earlier_schema_migrates_on_sqlite() {
    r7_each_earlier_schema_migrates(Kind::Sqlite).await;
}

#[tokio::test]
async fn r7_each_earlier_schema_migrates_on_postgres() {
    r7_each_earlier_schema_migrates(Kind::Postgres).await;
}
