//! The world as a whole: what a reset empties, and what a snapshot copies and gives back. Every table there is, whoever
//! adds it, is in these tests; what is not part of the world has to say so in [`EXEMPT`].

use std::collections::{BTreeMap, BTreeSet};

use leadgate::domain::ids::SnapshotName;
use leadgate::domain::snapshot::Snapshot;
use leadgate::store::snapshots;
use leadgate::store::tables::EXEMPT;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _, SqlSafeStr as _};

use super::schema::{Schema, of_postgres, of_sqlite};
use super::{Bench, NOW, on_both};
use crate::support::{Database, Kind};

on_both!(
    every_table_is_of_the_world_or_exempt,
    every_statement_of_every_table_prepares,
    a_copy_gives_back_every_value_of_every_table,
    a_copy_is_of_its_own_name_only,
);

/// More than the 53 bits of a number in other people's JSON.
const BIG: i64 = 9_007_199_254_740_993;

pub enum Db {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Db {
    pub async fn of(database: &Database) -> Self {
        let url = database.url();
        match database.kind {
            Kind::Sqlite => Self::Sqlite(SqliteConnection::connect(&url).await.unwrap()),
            Kind::Postgres => Self::Postgres(PgConnection::connect(&url).await.unwrap()),
        }
    }

    /// The same where there is no file yet.
    pub async fn of_new(database: &Database) -> Self {
        match database.kind {
            Kind::Sqlite => {
                let options = SqliteConnectOptions::new().filename(database.file()).create_if_missing(true);
                Self::Sqlite(options.connect().await.unwrap())
            }
            Kind::Postgres => Self::of(database).await,
        }
    }

    /// Up to a version.
    pub async fn migrate(&mut self, migrator: &Migrator, last: i64) {
        let done = match self {
            Self::Sqlite(conn) => migrator.run_direct(Some(last), conn, false).await,
            Self::Postgres(conn) => migrator.run_direct(Some(last), conn, false).await,
        };
        done.unwrap();
    }

    pub async fn tables(&mut self) -> Vec<String> {
        self.schema().await.into_keys().collect()
    }

    /// The same as [`Db::fill`] where tables may come before those that they refer to.
    pub async fn fill_in_any_order(&mut self, tables: &[String], nth: u8, nulls: bool) {
        let unchecked = match self {
            Self::Sqlite(_) => "PRAGMA foreign_keys = OFF",
            Self::Postgres(_) => "SET session_replication_role = replica",
        };
        self.execute(unchecked.to_owned()).await;
        self.fill(tables, nth, nulls).await;
    }

    async fn schema(&mut self) -> Schema {
        match self {
            Self::Sqlite(conn) => of_sqlite(conn).await,
            Self::Postgres(conn) => of_postgres(conn).await,
        }
    }

    async fn execute(&mut self, statement: String) {
        let shown = statement.clone();
        let done = match self {
            Self::Sqlite(conn) => conn.execute(AssertSqlSafe(statement)).await.map(|_| ()),
            Self::Postgres(conn) => conn.execute(AssertSqlSafe(statement)).await.map(|_| ()),
        };
        done.unwrap_or_else(|why| panic!("{why}: {shown}"));
    }

    /// Each row of a table as a text that tells any two values apart.
    async fn rows(&mut self, table: &str, columns: &[String]) -> Vec<String> {
        match self {
            Self::Sqlite(conn) => {
                let row = columns.iter().map(|c| format!("typeof({c}) || quote({c}) || hex({c})"));
                let row = row.collect::<Vec<_>>().join(" || ',' || ");
                let rows = conn.fetch_all(AssertSqlSafe(format!("SELECT {row} FROM {table} ORDER BY 1"))).await;
                rows.unwrap().iter().map(|row| row.get(0)).collect()
            }
            Self::Postgres(conn) => {
                let columns = columns.join(", ");
                let statement = format!("SELECT CAST(ROW({columns}) AS TEXT) FROM {table} ORDER BY 1");
                conn.fetch_all(AssertSqlSafe(statement)).await.unwrap().iter().map(|row| row.get(0)).collect()
            }
        }
    }

    pub async fn dump(&mut self) -> BTreeMap<String, Vec<String>> {
        self.dump_but("").await
    }

    /// The same without the columns of this name.
    pub async fn dump_but(&mut self, left_out: &str) -> BTreeMap<String, Vec<String>> {
        let mut dump = BTreeMap::new();
        for (table, columns) in self.schema().await {
            let columns: Vec<String> = columns.into_keys().filter(|column| column != left_out).collect();
            let rows = self.rows(&table, &columns).await;
            dump.insert(table, rows);
        }
        dump
    }

    /// Puts a row into every table. All values of one kind are alike in all of them, so that each reference finds its row.
    pub async fn fill(&mut self, tables: &[String], nth: u8, nulls: bool) {
        let schema = self.schema().await;
        let bytes = match self {
            Self::Sqlite(_) => format!("x'{}'", format!("{nth:02x}00").repeat(8)),
            Self::Postgres(_) => format!("CAST('\\x{}' AS BYTEA)", format!("{nth:02x}00").repeat(8)),
        };
        let uuid = format!("CAST('{}' AS UUID)", format!("{nth:02x}00").repeat(8));
        for table in tables {
            let mut names = Vec::new();
            let mut values = Vec::new();
            for (name, (kind, nullable)) in &schema[table] {
                names.push(name.as_str());
                values.push(match *kind {
                    _ if nulls && *nullable => "NULL".to_owned(),
                    "number" => (BIG + i64::from(nth)).to_string(),
                    "text" => format!("'{nth} é \"'' \\ \n\t\u{1F600} {{}}'"),
                    _ if self.is_uuid(table, name).await => uuid.clone(),
                    _ => bytes.clone(),
                });
            }
            self.execute(format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "))).await;
        }
    }

    async fn is_uuid(&mut self, table: &str, column: &str) -> bool {
        let Self::Postgres(conn) = self else { return false };
        let statement = format!(
            "SELECT 1 FROM information_schema.columns WHERE table_name = '{table}' AND column_name = '{column}' \
             AND data_type = 'uuid'"
        );
        conn.fetch_optional(AssertSqlSafe(statement)).await.unwrap().is_some()
    }
}

async fn tables_of(bench: &Bench) -> Vec<String> {
    bench.store.tables().await.unwrap().names().map(str::to_owned).collect()
}

fn snapshot(name: &str) -> Snapshot {
    Snapshot { name: SnapshotName::parse(name).unwrap(), schema_version: 1, rows: 0, created_at: NOW }
}

async fn copy(bench: &Bench, name: &'static str) -> u64 {
    let tables = bench.store.tables().await.unwrap();
    let copied = bench.store.write(move |conn| {
        let tables = tables.clone();
        Box::pin(async move {
            snapshots::insert(conn, &snapshot(name)).await?;
            tables.copy(conn, name).await
        })
    });
    copied.await.unwrap()
}

async fn restore(bench: &Bench, name: &'static str) -> u64 {
    let tables = bench.store.tables().await.unwrap();
    let restored = bench.store.write(move |conn| {
        let tables = tables.clone();
        Box::pin(async move {
            tables.empty(conn).await?;
            tables.restore(conn, name).await
        })
    });
    restored.await.unwrap()
}

async fn every_table_is_of_the_world_or_exempt(bench: Bench) {
    let mut known: BTreeSet<String> = tables_of(&bench).await.into_iter().collect();
    assert!(known.len() > 15 && known.contains("connections"), "{known:?}");
    known.extend(EXEMPT.map(str::to_owned));
    let there = Db::of(&bench.database).await.schema().await.into_keys().chain(["_sqlx_migrations".to_owned()]);
    assert_eq!(known, there.collect());
}

async fn every_statement_of_every_table_prepares(bench: Bench) {
    let statements = bench.store.tables().await.unwrap().statements();
    assert!(statements.len() >= 3 * tables_of(&bench).await.len());
    let mut db = Db::of(&bench.database).await;
    for statement in statements {
        let sql = AssertSqlSafe(statement.clone()).into_sql_str();
        let prepared = match &mut db {
            Db::Sqlite(conn) => conn.prepare(sql).await.map(|_| ()),
            Db::Postgres(conn) => conn.prepare(sql).await.map(|_| ()),
        };
        prepared.unwrap_or_else(|why| panic!("{why}: {statement}"));
    }
}

async fn a_copy_gives_back_every_value_of_every_table(bench: Bench) {
    let tables = tables_of(&bench).await;
    let mut db = Db::of(&bench.database).await;
    db.fill(&tables, 1, false).await;
    db.fill(&tables, 2, true).await;
    let before = db.dump().await;
    for table in &tables {
        assert_eq!(before[table].len(), 2, "{table}");
    }
    let rows = copy(&bench, "full").await;
    assert_eq!(rows, 2 * tables.len() as u64);
    db.fill(&tables, 3, false).await;
    let world = bench.store.tables().await.unwrap();
    let deleted = bench.store.write(move |conn| {
        let world = world.clone();
        Box::pin(async move { world.empty(conn).await })
    });
    assert!(deleted.await.unwrap() > 0);
    let empty = db.dump().await;
    for table in &tables {
        assert!(empty[table].is_empty(), "{table}");
    }
    assert_eq!(restore(&bench, "full").await, rows);
    let after = db.dump().await;
    for table in &tables {
        assert_eq!(after[table], before[table], "{table}");
    }
    // The rows that are there are replaced.
    db.fill(&tables, 4, true).await;
    assert_eq!(restore(&bench, "full").await, rows);
    assert_eq!(db.dump().await, after);
}

async fn a_copy_is_of_its_own_name_only(bench: Bench) {
    let tables = tables_of(&bench).await;
    let mut db = Db::of(&bench.database).await;
    copy(&bench, "none").await;
    db.fill(&tables, 1, true).await;
    copy(&bench, "one").await;
    assert_eq!(restore(&bench, "none").await, 0);
    assert_eq!(restore(&bench, "one").await, tables.len() as u64);
    let name = SnapshotName::parse("one").unwrap();
    let deleted = bench.store.write(move |conn| {
        let name = name.clone();
        Box::pin(async move { snapshots::delete(conn, &name).await })
    });
    assert!(deleted.await.unwrap());
    assert_eq!(bench.database.db_count("SELECT COUNT(*) FROM snapshot_rows").await, 0, "its rows go with it");
}
