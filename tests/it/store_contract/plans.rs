//! How PostgreSQL goes about what a batch asks of it. It keeps a plan for as long as a connection lives, and makes it for the tables
//! as it last counted them: one that reads a small table whole reads it whole while it grows.

use leadgate::store::{Dialect, statements};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::{Bench, run};
use crate::support::Kind;

/// Few rows, of which PostgreSQL would read all rather than look for each.
const SMALL: usize = 1_000;

/// What is asked in batches, but for that of applications: there are few of these.
const BATCHES: [(&str, &str); 5] = [
    ("access_tokens", "ISSUE"),
    ("access_tokens", "ISSUE_GRANTED"),
    ("access_tokens", "FIND_MANY"),
    ("connections", "END_UNTOLD"),
    ("grants", "RENEW_PLAINLY"),
];

/// Those with a row for each user, connection or token.
const LARGE: [&str; 4] = ["access_tokens", "connections", "grants", "users"];

async fn fill(bench: &Bench, conn: &mut PgConnection) {
    bench.connected(SMALL).await;
    for sql in [
        "INSERT INTO grants (id, connection_id, app_id, scopes, auth_time, created_at, renewable_until, expires_at, generation, \
         access_token_id) SELECT id, id, app_id, scopes, 1, 1, 1, 1, 1, id FROM connections",
        "INSERT INTO access_tokens (id, app_id, connection_id, grant_id, scopes, issued_at, expires_at) \
         SELECT id, app_id, id, id, scopes, 1, 1 FROM connections",
        "ANALYZE",
        // As it is after the first few times.
        "SET plan_cache_mode = force_generic_plan",
    ] {
        conn.execute(sql).await.unwrap();
    }
}

async fn plan(conn: &mut PgConnection, sql: &str) -> String {
    let parameters = (1..).take_while(|nth| sql.contains(&format!("${nth}"))).count();
    conn.execute(AssertSqlSafe(format!("PREPARE asked AS {sql}"))).await.unwrap();
    let explain = format!("EXPLAIN EXECUTE asked ({})", vec!["NULL"; parameters].join(", "));
    let rows = conn.fetch_all(AssertSqlSafe(explain)).await.unwrap();
    conn.execute("DEALLOCATE asked").await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_reads_each_row_by_its_key() {
    run(Kind::Postgres, async |bench| {
        let mut conn = PgConnection::connect(&bench.database.url()).await.unwrap();
        fill(&bench, &mut conn).await;
        let whole = plan(&mut conn, "SELECT * FROM users WHERE name = $1").await;
        assert!(whole.contains("Seq Scan on users"), "what this looks for is written otherwise: {whole}");
        let all = statements(Dialect::Postgres);
        for asked in BATCHES {
            let (.., sql) = all.iter().find(|(file, name, _)| (*file, *name) == asked).expect("it is listed");
            let plan = plan(&mut conn, sql).await;
            let is_whole = |table: &&str| {
                plan.contains(&format!("Seq Scan on {table}")) || plan.contains("Merge") || plan.contains("Hash Right")
            };
            let read_whole: Vec<_> = LARGE.into_iter().filter(is_whole).collect();
            assert!(read_whole.is_empty(), "{asked:?} reads all of {read_whole:?}:\n{plan}");
        }
    })
    .await;
}
