//! A PostgreSQL that cannot be reached, though it may be there: cut off, silent, slow, crowded.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use leadgate::store::{Location, Store};
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::proxy::{Line, Proxy};
use crate::support::{ADA, APP_ONE, Answer, Database, Kind, Setup, Tokens, World, connect_by_api};

/// How long the server may take to serve again once its database can be reached.
const RECOVERY: Duration = Duration::from_secs(5);
/// The longest that a request may hang on a database that says nothing: one wait for a connection, one for an answer, and
/// a busy machine.
const LONGEST: Duration = Duration::from_secs(9);
/// Cycles of a run where `LEADGATE_CRASH_CYCLES` does not say how many.
const CYCLES: usize = 10;
/// The connections of the server's pool.
const CONNECTIONS: i64 = 16;
const ACME_KEY: &str = "3f0f1c1e-0000-4000-8000-000000000001";

/// A world whose database is behind a proxy.
async fn behind_a_proxy<F: Future<Output = ()>>(test: impl FnOnce(World, Arc<Proxy>) -> F) {
    let database = Database::make(Kind::Postgres).await;
    let proxy = Arc::new(Proxy::before(&database.url()));
    let store = Store::open(&Location::Postgres(proxy.url())).await.unwrap();
    let world = World::start_on(store, database.clone(), &Setup::default()).await;
    let outcome = AssertUnwindSafe(test(world, proxy)).catch_unwind().await;
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

async fn post_lead(world: &World) -> Answer {
    let body = json!({"source": {"vid": 5, "lid": 9}, "leads": [{"properties": {}, "fields": {"Name": "x"}}]});
    world.post_json("/v2/insert/general", &[("api-key", ACME_KEY)], &body).await
}

async fn authorize(world: &World) -> Answer {
    world.sandbox_authorize(&json!({"user": ADA, "button": "btn-one", "decision": "allow"})).await
}

/// One request to each surface, all at once; each is 503 in its own form, and none hangs.
async fn assert_each_is_503(world: &World, tokens: &Tokens) {
    let began = Instant::now();
    let (swap, end, me, own, lead, made, live, ready) = tokio::join!(
        world.refresh(&tokens.refresh, APP_ONE),
        world.disconnect(&tokens.refresh),
        world.me(&tokens.access),
        crate::oauth::support::STUDIO.token(world, &[("grant_type", "client_credentials")]),
        post_lead(world),
        authorize(world),
        world.get("/livez"),
        world.get("/readyz"),
    );
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    crate::authorize::assert_refused_with(&swap.expect(503), &tokens.refresh);
    crate::authorize::assert_a4(&end.expect(503));
    assert_eq!(me.expect(503).json()["error"], "temporarily_unavailable");
    assert_eq!(own.expect(503).json()["error"], "temporarily_unavailable");
    assert_eq!(lead.expect(503).json()["error"], "temporarily_unavailable");
    assert_eq!(made.expect(503).header("content-type"), Some("application/problem+json"));
    live.expect(200);
    assert!(!ready.expect(503).json()["reason"].as_str().unwrap().is_empty());
}

/// All that the last function asked for is served again in time, the rows that were held by who was cut off included.
async fn assert_recovers(world: &World, tokens: &Tokens) {
    let began = Instant::now();
    loop {
        let (swap, me, lead, made, ready) = tokio::join!(
            world.refresh(&tokens.refresh, APP_ONE),
            world.me(&tokens.access),
            post_lead(world),
            authorize(world),
            world.get("/readyz"),
        );
        let answers = [&swap, &me, &lead, &made, &ready].map(|answer| answer.status);
        if answers == [200; 5] {
            return;
        }
        assert!(answers.iter().all(|status| [200, 503].contains(status)), "{answers:?}");
        assert!(began.elapsed() < RECOVERY, "not within {RECOVERY:?}: {answers:?}, {}", ready.text());
    }
}

/// Clients at work, each until it is told 503, while something happens to the line.
async fn under_load(world: &World, tokens: &Tokens, happens: impl Future<Output = ()>) {
    let clients = join_all((0..12).map(|nth| async move {
        for _ in 0..3 {
            let answer = match nth % 4 {
                0 => world.refresh(&tokens.refresh, APP_ONE).await,
                1 => world.me(&tokens.access).await,
                2 => post_lead(world).await,
                _ => authorize(world).await,
            };
            if answer.status != 200 {
                answer.expect(503);
                break;
            }
        }
    }));
    tokio::join!(clients, happens);
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// R13: a network that drops everything and tells nobody: no request hangs, and all is well soon after it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r13_a_silent_network_is_503_in_time_and_recovers() {
    behind_a_proxy(async |world, proxy| {
        let tokens = connect_by_api(&world, ADA, "btn-one").await;
        under_load(&world, &tokens, async {
            pause(20).await;
            proxy.is(Line::Silent);
        })
        .await;
        assert_each_is_503(&world, &tokens).await;
        proxy.is(Line::Open);
        assert_recovers(&world, &tokens).await;
        // Shorter than anybody waits: what was asked meanwhile may hang, and holds up nobody for longer.
        under_load(&world, &tokens, async {
            pause(20).await;
            proxy.is(Line::Silent);
            pause(300).await;
            proxy.is(Line::Open);
            assert_recovers(&world, &tokens).await;
        })
        .await;
    })
    .await;
}

/// R13: a network that resets every connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r13_a_network_that_is_cut_is_503_and_recovers() {
    behind_a_proxy(async |world, proxy| {
        let mut before = super::before(&world).await;
        proxy.is(Line::Cut);
        super::assert_unavailable(&world, &mut before).await;
        assert_eq!(world.get("/readyz").await.expect(503).json()["reason"], "the database does not answer");
        proxy.is(Line::Open);
        let tokens = before.tokens.clone();
        assert_recovers(&world, &tokens).await;
        crate::oauth::outage::assert_recovered(&world, &before.oauth).await;
    })
    .await;
}

/// R13: a slow network is slow, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r13_a_slow_network_is_no_failure() {
    behind_a_proxy(async |world, proxy| {
        let tokens = connect_by_api(&world, ADA, "btn-one").await;
        proxy.is(Line::Slow(Duration::from_millis(20)));
        world.refresh(&tokens.refresh, APP_ONE).await.expect(200);
        world.me(&tokens.access).await.expect(200);
        world.get("/readyz").await.expect(200);
    })
    .await;
}

/// R13: a PostgreSQL that lets nobody else in.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r13_a_crowded_database_is_503_and_recovers() {
    static ROLES: AtomicU32 = AtomicU32::new(0);
    let role = format!("lg_crowd_{}_{}", std::process::id(), ROLES.fetch_add(1, Ordering::Relaxed));
    let database = Database::make(Kind::Postgres).await;
    // A superuser is always let in.
    database.db_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'crowd'")).await;
    database.db_execute(&format!("GRANT ALL ON SCHEMA public TO {role}")).await;
    let mut url: url::Url = database.url().parse().unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("crowd")).unwrap();
    let store = Store::open(&Location::Postgres(url.into())).await.unwrap();
    let world = World::start_on(store, database.clone(), &Setup::default()).await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    database.db_execute(&format!("ALTER ROLE {role} CONNECTION LIMIT 0")).await;
    database
        .db_execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"))
        .await;
    assert_each_is_503(&world, &tokens).await;
    let reason = world.get("/readyz").await.expect(503).json()["reason"].clone();
    assert_eq!(reason, "the database takes no more connections");
    database.db_execute(&format!("ALTER ROLE {role} CONNECTION LIMIT -1")).await;
    assert_recovers(&world, &tokens).await;
    world.ctx.store.close().await;
    database.db_execute(&format!("DROP OWNED BY {role}")).await;
    database.db_execute(&format!("DROP ROLE {role}")).await;
    database.remove().await;
}

/// R13: a standby that was made the server's database by mistake, or a primary that became one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r13_a_database_that_may_only_be_read_is_503_and_recovers() {
    behind_a_proxy(async |world, _| {
        let tokens = connect_by_api(&world, ADA, "btn-one").await;
        world.database.db_read_only(true).await;
        // The first is told that its connection was ended, and the next one what has become of the database.
        world.refresh(&tokens.refresh, APP_ONE).await.expect(503);
        crate::authorize::assert_refused_with(
            &world.refresh(&tokens.refresh, APP_ONE).await.expect(503),
            &tokens.refresh,
        );
        assert_eq!(world.get("/readyz").await.expect(503).json()["reason"], "the database may only be read");
        world.me(&tokens.access).await.expect(200);
        world.database.db_read_only(false).await;
        assert_recovers(&world, &tokens).await;
    })
    .await;
}

/// R13: what was given up does not go on inside the database, where it holds a place and stands in the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r13_what_was_given_up_ends_in_the_database_too() {
    behind_a_proxy(async |world, _| {
        let tokens = connect_by_api(&world, ADA, "btn-one").await;
        let held = world.database.db_hold("access_tokens").await;
        let (swap, me, made) =
            tokio::join!(world.refresh(&tokens.refresh, APP_ONE), world.me(&tokens.access), authorize(&world));
        assert_eq!([swap.status, me.status, made.status], [503; 3]);
        let began = Instant::now();
        while world.database.db_waiting().await > 0 {
            assert!(began.elapsed() < RECOVERY, "{} still wait", world.database.db_waiting().await);
            pause(50).await;
        }
        drop(held);
        assert_recovers(&world, &tokens).await;
    })
    .await;
}

/// R13: outages, one after the other: what is left of each is nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r13_outages_leave_nothing_behind() {
    let cycles = std::env::var("LEADGATE_CRASH_CYCLES").ok();
    let cycles = cycles.map_or(CYCLES, |cycles| cycles.parse().expect("a number of cycles"));
    behind_a_proxy(async |world, proxy| {
        let tokens = connect_by_api(&world, ADA, "btn-one").await;
        under_load(&world, &tokens, async {}).await;
        let tasks = || Handle::current().metrics().num_alive_tasks();
        let tasks_before = tasks();
        let mut slowest = Duration::ZERO;
        for cycle in 0..cycles {
            under_load(&world, &tokens, async {
                pause(5 + cycle as u64 % 10).await;
                match cycle % 10 {
                    0 => proxy.is(Line::Silent),
                    1..4 => proxy.is(Line::Cut),
                    4..7 => world.database.db_throw_out().await,
                    _ => proxy.is(Line::Slow(Duration::from_millis(10))),
                }
                pause(20).await;
                proxy.is(Line::Open);
                let began = Instant::now();
                assert_recovers(&world, &tokens).await;
                slowest = slowest.max(began.elapsed());
            })
            .await;
        }
        // What was given up is closed in the background.
        let began = Instant::now();
        loop {
            let (left, open) = (tasks(), world.database.db_connections().await);
            if left <= tasks_before && open <= CONNECTIONS {
                println!(
                    "{cycles} outages; {tasks_before} tasks before and {left} after, {open} connections, \
                          the slowest recovery took {slowest:?}"
                );
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "{tasks_before} tasks became {left}; {open} connections"
            );
            pause(50).await;
        }
    })
    .await;
}
