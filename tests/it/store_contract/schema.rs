//! One SQL text for two databases holds only as long as both schemas and every statement agree.

use std::collections::BTreeMap;

use leadgate::store::{Dialect, Location, Store, statements};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _, Row as _};

use crate::support::{Database, Kind};

/// Table → column → (kind of value, whether it may be null).
pub type Schema = BTreeMap<String, BTreeMap<String, (&'static str, bool)>>;

fn kind(declared: &str) -> &'static str {
    match declared {
        "INTEGER" | "bigint" => "number",
        "TEXT" | "text" => "text",
        "BLOB" | "bytea" | "uuid" => "bytes",
        other => panic!("a column type that neither half of the migrations should use: {other}"),
    }
}

pub async fn of_sqlite(conn: &mut SqliteConnection) -> Schema {
    let rows = conn
        .fetch_all(
            "SELECT m.name, c.name, c.type, c.\"notnull\" FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\'",
        )
        .await
        .unwrap();
    let mut schema = Schema::new();
    for row in rows {
        let nullable = row.get::<i64, _>(3) == 0;
        let column = (kind(&row.get::<String, _>(2)), nullable);
        schema.entry(row.get(0)).or_default().insert(row.get(1), column);
    }
    schema
}

pub async fn of_postgres(conn: &mut PgConnection) -> Schema {
    let rows = conn
        .fetch_all(
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT), \
             CAST(is_nullable AS TEXT) FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'",
        )
        .await
        .unwrap();
    let mut schema = Schema::new();
    for row in rows {
        let column = (kind(&row.get::<String, _>(2)), row.get::<String, _>(3) == "YES");
        schema.entry(row.get(0)).or_default().insert(row.get(1), column);
    }
    schema
}

#[tokio::test]
async fn both_schemas_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (Database::make(Kind::Sqlite).await, Database::make(Kind::Postgres).await);
    for database in [&sqlite, &postgres] {
        Store::open(&database.location()).await.unwrap().close().await;
    }
    let left = of_sqlite(&mut SqliteConnection::connect(&sqlite.url()).await.unwrap()).await;
    let right = of_postgres(&mut PgConnection::connect(&postgres.url()).await.unwrap()).await;
    sqlite.remove().await;
    postgres.remove().await;
    assert!(left.len() > 10, "no schema was read: {left:?}");
    assert_eq!(left, right);
}

#[tokio::test]
async fn every_statement_prepares_on_sqlite() {
    let database = Database::make(Kind::Sqlite).await;
    Store::open(&database.location()).await.unwrap().close().await;
    let Location::SqliteFile(path) = database.location() else { unreachable!("it was made as a file") };
    let conn = rusqlite::Connection::open(path).unwrap();
    // A batch is a parameter that the store's own connections know.
    rusqlite::vtab::array::load_module(&conn).unwrap();
    let mut wrong = Vec::new();
    for (file, name, sql) in statements(Dialect::Sqlite) {
        if let Err(error) = conn.prepare(sqlx::SqlSafeStr::into_sql_str(sql).as_str()) {
            wrong.push(format!("{file}::{name}: {error}"));
        }
    }
    drop(conn);
    database.remove().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_statement_prepares_on_postgres() {
    let database = Database::make(Kind::Postgres).await;
    Store::open(&database.location()).await.unwrap().close().await;
    let mut conn = PgConnection::connect(&database.url()).await.unwrap();
    let mut wrong = Vec::new();
    for (file, name, sql) in statements(Dialect::Postgres) {
        if let Err(error) = conn.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await {
            wrong.push(format!("{file}::{name}: {error}"));
        }
    }
    drop(conn);
    database.remove().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A statement that is not in its file's list would escape the tests above.
#[test]
fn every_statement_is_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let listed = statements(Dialect::Sqlite).len();
    let mut declared = 4; // Those that have a text for each dialect.
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        declared += text
            .lines()
            .filter(|line| {
                let line = line.trim_start();
                // A text, or what `find!` makes of one.
                line.split_once(" = ").is_some_and(|(name, text)| {
                    let is_name = name.chars().all(|c| c.is_ascii_uppercase() || c == '_') && !name.is_empty();
                    is_name && (text.starts_with('"') || text.starts_with("find!("))
                })
            })
            .count();
    }
    assert_eq!(listed, declared);
}
