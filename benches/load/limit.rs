//! The database's own limit: the rows of A2, written by a client that does nothing else.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use uuid::Uuid;

use super::database::{Database, Kind};

/// Rows that are committed together. A server with 32 clients has batches of about the first.
pub const BATCHES: [usize; 4] = [16, 32, 128, 1_024];
/// PostgreSQL lets commits that wait share a flush: two clients are faster than one, more are not on two cores.
const POSTGRES_CLIENTS: usize = 2;

const TABLE: &str = "the_limit";
const SCOPES: &str = "account_api data_api";

pub struct Limit {
    writer: Writer,
    next: u128,
    /// Rows in a second, for each round and each of [`BATCHES`].
    pub rounds: Vec<[f64; BATCHES.len()]>,
}

enum Writer {
    Sqlite(rusqlite::Connection),
    Postgres(Vec<PgConnection>),
}

impl Limit {
    /// Beside the server's own table, one like it.
    pub async fn of(database: &Database, directory: &Path) -> Result<Self, String> {
        let writer = match database.kind {
            Kind::Sqlite => Writer::Sqlite(sqlite(database, directory).map_err(|why| why.to_string())?),
            Kind::Postgres => {
                let mut connections = Vec::new();
                for _ in 0..POSTGRES_CLIENTS {
                    connections.push(database.open_postgres().await?);
                }
                let sql = format!("CREATE TABLE {TABLE} (LIKE access_tokens INCLUDING ALL)");
                connections[0].execute(AssertSqlSafe(sql)).await.map_err(|why| why.to_string())?;
                Writer::Postgres(connections)
            }
        };
        Ok(Self { writer, next: 0x0190_0000_0000_7000_8000_0000_0000_0000, rounds: Vec::new() })
    }

    pub async fn round(&mut self, span: Duration) -> Result<(), String> {
        let mut rates = [0.0; BATCHES.len()];
        for (rate, size) in rates.iter_mut().zip(BATCHES) {
            let started = Instant::now();
            let rows = self.write(size, started + span).await?;
            *rate = rows as f64 / started.elapsed().as_secs_f64();
        }
        self.rounds.push(rates);
        Ok(())
    }

    /// Answers how many rows it wrote.
    async fn write(&mut self, size: usize, until: Instant) -> Result<usize, String> {
        match &mut self.writer {
            Writer::Sqlite(conn) => write_sqlite(conn, &mut self.next, size, until).map_err(|why| why.to_string()),
            Writer::Postgres(connections) => {
                // Each has its own stretch of ids: both append.
                let first = self.next;
                self.next += 1 << 40;
                let write = |(at, conn)| write_postgres(conn, first + ((at as u128) << 32), size, until);
                let rows = futures_util::future::join_all(connections.iter_mut().enumerate().map(write)).await;
                rows.into_iter().sum::<Result<usize, _>>().map_err(|why| why.to_string())
            }
        }
    }
}

fn sqlite(database: &Database, directory: &Path) -> Result<rusqlite::Connection, rusqlite::Error> {
    let own = rusqlite::Connection::open(database.url.trim_start_matches("sqlite://"))?;
    let sql = "SELECT sql FROM sqlite_master WHERE name = 'access_tokens'";
    let definition: String = own.query_row(sql, [], |row| row.get(0))?;
    let (_, columns) = definition.split_once('(').expect("a table has columns");
    let conn = rusqlite::Connection::open(directory.join("limit.db"))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch(&format!("CREATE TABLE {TABLE} ({columns}"))?;
    Ok(conn)
}

fn write_sqlite(
    conn: &mut rusqlite::Connection,
    next: &mut u128,
    size: usize,
    until: Instant,
) -> Result<usize, rusqlite::Error> {
    let sql = format!(
        "INSERT INTO {TABLE} (id, secret_hash, app_id, connection_id, scopes, issued_at, expires_at) \
         VALUES (?1, ?2, 'bench', ?3, '{SCOPES}', 1, 2)"
    );
    let mut rows = 0;
    while Instant::now() < until {
        let transaction = conn.transaction()?;
        {
            let mut insert = transaction.prepare_cached(&sql)?;
            for _ in 0..size {
                let id = Uuid::from_u128(*next);
                insert.execute((id, [7_u8; 32], id))?;
                *next += 1;
            }
        }
        transaction.commit()?;
        rows += size;
    }
    Ok(rows)
}

async fn write_postgres(
    conn: &mut PgConnection,
    first: u128,
    size: usize,
    until: Instant,
) -> Result<usize, sqlx::Error> {
    let sql = format!(
        "INSERT INTO {TABLE} (id, secret_hash, app_id, connection_id, scopes, issued_at, expires_at) \
         SELECT r.id, r.hash, 'bench', r.id, '{SCOPES}', 1, 2 FROM UNNEST($1::uuid[], $2::bytea[]) AS r (id, hash)"
    );
    let mut rows = 0;
    while Instant::now() < until {
        let ids: Vec<Uuid> = (0..size).map(|at| Uuid::from_u128(first + (rows + at) as u128)).collect();
        let hashes = vec![[7_u8; 32].as_slice(); size];
        sqlx::query(AssertSqlSafe(sql.clone())).bind(ids).bind(hashes).execute(&mut *conn).await?;
        rows += size;
    }
    Ok(rows)
}
