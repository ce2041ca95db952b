//! What a request of the hot path asks of a database, counted: a figure that does not depend on the machine, so that a regression
//! fails without a stop-watch. By a node in production mode, where nothing is left out for a sandbox and nothing added.

use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use axum::body::Body;
use axum::http::Request;
use leadgate::crypto::rotating_token;
use leadgate::domain::ids::{AccessTokenId, AppId};
use leadgate::entropy::time_ordered_id;
use leadgate::store::StoreError;
use leadgate::store::grants::Renewal;
use serde_json::{Value, json};
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::oauth::support::{Client, FORM, Issued, RATE_FINDER, STUDIO, assert_error, claims};
use crate::support::http::{form, request};
use crate::support::statements::Statements;
use crate::support::{ADA, APP_ONE, Answer, GRACE, Kind, Setup, Tokens, World, both, connect_by_api, run};

/// Requests that wait together.
const MANY: usize = 64;

/// A node in production mode, on a world that a sandbox has filled.
async fn production(world: &World) -> World {
    World { setup: Setup::production(), ..world.clone() }.another_node().await
}

/// wire.md A2.
fn refresh(tokens: &Tokens) -> Request<Body> {
    request("GET", &format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh), &[], "")
}

/// wire.md A3.
fn disconnect(tokens: &Tokens) -> Request<Body> {
    request("GET", &format!("/authorize/disconnectapplicationtoken/{}", tokens.refresh), &[], "")
}

/// A refresh of a standard grant that asks for nothing else.
fn renew(world: &World, client: &Client, token: &str) -> Request<Body> {
    let (headers, _) = client.credentials(world);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = form(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
    request("POST", "/oauth/token", &[&headers[..], &[("content-type", FORM)]].concat(), body)
}

/// Connections of as many users as are asked for, each of its own.
async fn connections(world: &World, count: usize) -> Vec<Tokens> {
    let mut all = Vec::with_capacity(count);
    for nth in 0..count {
        let email = format!("user-{nth}@acme.test");
        let user = json!({"email": email, "password_hash": world.hash(), "name": "Somebody", "account": "acme"});
        world.make("/users", &user).await.expect(201);
        all.push(connect_by_api(world, &email, "btn-one").await);
    }
    all
}

async fn grants(world: &World, count: usize) -> Vec<Issued> {
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        all.push(STUDIO.connect(world, ADA).await);
    }
    all
}

/// A request on its way, in a task of its own.
struct Sent {
    answer: JoinHandle<Answer>,
    /// How often it has had to wait so far.
    waits: Arc<AtomicUsize>,
}

fn send(node: &World, request: Request<Body>) -> Sent {
    let (node, waits) = (node.clone(), Arc::new(AtomicUsize::new(0)));
    let seen = waits.clone();
    let answer = tokio::spawn(async move {
        let mut served = Box::pin(node.send(request));
        let served = poll_fn(|cx| {
            let polled = served.as_mut().poll(cx);
            seen.fetch_add(usize::from(polled.is_pending()), Ordering::Relaxed);
            polled
        });
        served.await
    });
    Sent { answer, waits }
}

/// Until each of them has had to wait so many times: the last time for its turn with the database.
async fn until_they_wait(sent: &[Sent], times: usize) {
    while sent.iter().any(|one| one.waits.load(Ordering::Relaxed) < times) {
        tokio::task::yield_now().await;
    }
}

async fn answers(sent: Vec<Sent>) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(sent.len());
    for one in sent {
        answers.push(one.answer.await.unwrap());
    }
    answers
}

/// A node that has its hands full: what it is asked to write from now on waits, until it is let go.
enum Busy {
    /// Its one writer has a job that waits.
    Sqlite { job: JoinHandle<Result<(), StoreError>>, go_on: mpsc::Sender<()> },
    /// The batch of a lane that is under way waits for a table.
    Postgres { holder: PgConnection, batch: Sent },
}

impl Busy {
    /// `first` is a request of the lane that waits, for this table.
    async fn keep(node: &World, table: &str, first: Request<Body>) -> Self {
        if node.database.kind == Kind::Sqlite {
            let (begun, has_begun) = oneshot::channel();
            let (go_on, wait) = mpsc::channel();
            let (mut begun, store) = (Some(begun), node.ctx.clone());
            let job = tokio::spawn(async move {
                let blocked = store.store.write(move |_| {
                    begun.take().unwrap().send(()).unwrap();
                    wait.recv().unwrap();
                    Box::pin(async { Ok(()) })
                });
                blocked.await
            });
            has_begun.await.unwrap();
            return Self::Sqlite { job, go_on };
        }
        let holder = node.database.db_hold(table).await;
        let batch = send(node, first);
        while node.database.db_waiting().await == 0 {
            tokio::task::yield_now().await;
        }
        Self::Postgres { holder, batch }
    }

    /// Lets it go on, and counts the statements until the last of `sent` is answered.
    async fn let_go(self, statements: &Statements, sent: Vec<Sent>) -> (Vec<Answer>, usize) {
        let before = statements.so_far();
        match self {
            Self::Sqlite { job, go_on } => {
                go_on.send(()).unwrap();
                job.await.unwrap().unwrap();
                let answers = answers(sent).await;
                // The job's own COMMIT.
                (answers, statements.so_far() - before - 1)
            }
            Self::Postgres { mut holder, batch } => {
                holder.execute("COMMIT").await.unwrap();
                batch.answer.await.unwrap();
                (answers(sent).await, statements.so_far() - before)
            }
        }
    }
}

/// The statements of one request, each with its reason.
async fn a_request_takes_the_statements_that_it_needs(world: World) {
    let statements = Statements::counted();
    let node = production(&world).await;
    let is_sqlite = node.database.kind == Kind::Sqlite;
    // A transaction of SQLite's has two more around it. On PostgreSQL one statement does what those in it do.
    let in_a_transaction = |inside: usize| if is_sqlite { inside + 2 } else { 1 };
    let connected = connections(&world, 3).await;
    let own = STUDIO.connect(&world, ADA).await;
    let mut newest = own.refresh().to_owned();

    // The first of each kind prepares what there is to prepare; the second counts.
    for warm in [false, true] {
        let tokens = &connected[usize::from(warm)];
        let cost = async |request: Request<Body>| {
            let mut body = Value::Null;
            let count = statements.of(async { body = node.send(request).await.expect(200).json() }).await;
            (count, body)
        };
        let client = RATE_FINDER.credentials(&node).0.remove(0).1;
        let as_client = |path: &str, fields: &[(&str, &str)]| {
            request("POST", path, &[("authorization", &client), ("content-type", FORM)], form(fields))
        };
        // Records the token where its connection lives: the check is in the statement.
        let refreshed = cost(refresh(tokens)).await;
        // The token is recorded, so that it can be revoked, where the client is as it is remembered.
        let by_client = cost(as_client("/oauth/token", &[("grant_type", "client_credentials")])).await;
        // The grant is looked at with its user and its client, and moves on, and the token is recorded.
        let renewed = cost(renew(&node, &STUDIO, &newest)).await;
        // The token with all that its life hangs on, its client among it, in one look.
        let introspected = cost(as_client("/oauth/introspect", &[("token", &tokens.access)])).await;
        // The same look; it knows the user, too.
        let me = cost(request("GET", "/v1/me", &[("authorization", &format!("Bearer {}", tokens.access))], "")).await;
        // Ends it where it lives and nobody has to hear of it; and the event log has it, with the application's name.
        let ended = cost(disconnect(tokens)).await;
        assert_eq!((&refreshed.1["valid"], &ended.1["valid"]), (&json!(true), &json!(true)));
        assert_eq!((&introspected.1["active"], me.1["user"]["email"].is_string()), (&json!(true), true), "{}", me.1);
        newest = renewed.1["refresh_token"].as_str().unwrap().to_owned();
        if warm {
            let counts = [refreshed.0, by_client.0, renewed.0, introspected.0, me.0, ended.0];
            assert_eq!(counts, [1, 1, in_a_transaction(3), 1, 1, in_a_transaction(3)]);
        }
    }
}

/// However many wait, one statement checks and records them all.
async fn refreshes_that_wait_are_recorded_together(world: World) {
    let (statements, node) = (Statements::counted(), production(&world).await);
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let busy = Busy::keep(&node, "connections", refresh(&tokens)).await;
    let sent: Vec<Sent> = (0..MANY).map(|_| send(&node, refresh(&tokens))).collect();
    until_they_wait(&sent, 1).await;
    let (answers, count) = busy.let_go(&statements, sent).await;
    assert!(answers.iter().all(|answer| answer.json()["valid"] == true), "{answers:?}");
    assert_eq!(count, 1);
}

/// On PostgreSQL one statement moves all grants on; on SQLite, which asks nobody far away, one commit.
async fn renewals_that_wait_are_written_together(world: World) {
    let (statements, node) = (Statements::counted(), production(&world).await);
    let grants = grants(&world, MANY + 1).await;
    let mut requests = grants.iter().map(|grant| renew(&node, &STUDIO, grant.refresh()));
    let busy = Busy::keep(&node, "grants", requests.next().unwrap()).await;
    let sent: Vec<Sent> = requests.map(|request| send(&node, request)).collect();
    until_they_wait(&sent, 1).await;
    let (answers, count) = busy.let_go(&statements, sent).await;
    for answer in &answers {
        Issued::of(answer);
    }
    assert_eq!(count, statements_of_jobs(&node, MANY, 3));
}

/// The same of connections that end.
async fn ends_that_wait_are_written_together(world: World) {
    let (statements, node) = (Statements::counted(), production(&world).await);
    let connected = connections(&world, MANY + 1).await;
    let busy = Busy::keep(&node, "connections", disconnect(&connected[0])).await;
    let sent: Vec<Sent> = connected[1..].iter().map(|tokens| send(&node, disconnect(tokens))).collect();
    until_they_wait(&sent, 1).await;
    let (answers, count) = busy.let_go(&statements, sent).await;
    assert!(answers.iter().all(|answer| answer.json()["valid"] == true), "{answers:?}");
    // Each in a savepoint of its own.
    assert_eq!(count, statements_of_jobs(&node, MANY, 3 + 2));
}

/// On SQLite each job has statements of its own, within one transaction.
fn statements_of_jobs(node: &World, jobs: usize, each: usize) -> usize {
    if node.database.kind == Kind::Sqlite { jobs * each + 2 } else { 1 }
}

/// F3, F4: of two that wait with one refresh token, one is served; to the other one that looks like a lost answer, and it is
/// judged as such. Whoever comes third is a thief.
async fn f3_f4_of_two_in_one_batch_one_branch_is_left(world: World) {
    let (statements, node) = (Statements::counted(), production(&world).await);
    let grants = grants(&world, 2).await;
    let ask = |nth: usize| renew(&node, &STUDIO, grants[nth].refresh());
    let busy = Busy::keep(&node, "grants", ask(0)).await;
    let sent = vec![send(&node, ask(1)), send(&node, ask(1))];
    until_they_wait(&sent, 1).await;
    let (answers, _) = busy.let_go(&statements, sent).await;
    let branches: Vec<Issued> = answers.iter().map(Issued::of).collect();
    assert_ne!(branches[0].refresh(), branches[1].refresh());
    let mut alive = Vec::new();
    for branch in &branches {
        let active = (STUDIO.is_active(&world, &branch.access).await, STUDIO.is_active(&world, branch.refresh()).await);
        assert_eq!(active.0, active.1, "alive or dead as a whole");
        alive.extend(active.0.then_some(branch));
    }
    assert_eq!(alive.len(), 1);
    world.me(&alive[0].access).await.expect(200);
    assert_error(&STUDIO.refresh(&node, grants[1].refresh()).await, 400, "invalid_grant");
    assert!(!STUDIO.is_active(&world, alive[0].refresh()).await);
}

/// A3, J8: of two that wait with one connection, one has ended it, and the log says so once.
async fn wire_a3_j8_of_two_in_one_batch_one_has_ended_it(world: World) {
    let (statements, node) = (Statements::counted(), production(&world).await);
    let connected = connections(&world, 2).await;
    let busy = Busy::keep(&node, "connections", disconnect(&connected[0])).await;
    let sent = vec![send(&node, disconnect(&connected[1])), send(&node, disconnect(&connected[1]))];
    until_they_wait(&sent, 1).await;
    let (answers, _) = busy.let_go(&statements, sent).await;
    let (ended, over): (Vec<Value>, Vec<Value>) =
        answers.iter().map(Answer::json).partition(|answer| answer["valid"] == true);
    assert_eq!((ended.len(), over.len()), (1, 1));
    assert!(over[0]["errorMessage"].as_str().unwrap().contains("has already been ended"), "{}", over[0]);
    let ends = "SELECT COUNT(*) FROM events WHERE action = 'connection.ended'";
    // On PostgreSQL there was the first one's, too.
    let first = if node.database.kind == Kind::Sqlite { 0 } else { 1 };
    assert_eq!(node.database.db_count(ends).await - first, 1);
}

/// J8, R6: a disconnect that is answered is seen by the refreshes that came before it and still wait, and by those that come.
async fn j8_a_disconnect_is_seen_by_refreshes_that_wait(world: World) {
    let (statements, node) = (Statements::counted(), production(&world).await);
    let (tokens, others) =
        (connect_by_api(&world, ADA, "btn-one").await, connect_by_api(&world, GRACE, "btn-one").await);
    // Of PostgreSQL's tables the one that an end has nothing to do with.
    let busy = Busy::keep(&node, "access_tokens", refresh(&others)).await;
    let mut sent = vec![send(&node, refresh(&tokens)), send(&node, disconnect(&tokens))];
    until_they_wait(&sent, 1).await;
    if node.database.kind == Kind::Postgres {
        // It has a lane of its own: answered, while what came first waits.
        let ended = sent.pop().unwrap().answer.await.unwrap();
        assert_eq!(ended.json()["valid"], true);
    }
    sent.push(send(&node, refresh(&tokens)));
    until_they_wait(&sent, 1).await;
    let (answers, _) = busy.let_go(&statements, sent).await;
    let valid: Vec<Value> = answers.iter().map(|answer| answer.json()["valid"].clone()).collect();
    let before = if node.database.kind == Kind::Sqlite { vec![json!(true)] } else { vec![] };
    assert_eq!(valid, [vec![json!(false)], before, vec![json!(false)]].concat());
}

/// F8: the client was let in a moment before its application was disabled: nothing is renewed, and nothing spent.
async fn f8_a_disabled_application_gets_no_renewal(world: World) {
    let grant = STUDIO.connect(&world, ADA).await;
    let app = AppId::parse(STUDIO.id).unwrap();
    let (id, generation) = rotating_token::verify(&world.ctx.keys.ring(), grant.refresh()).unwrap();
    let renew = async || {
        let permitted = world.ctx.store.client(&app).await.unwrap().unwrap().app.may_have();
        let now = world.ctx.now_for(&app);
        let access_token = AccessTokenId(time_ordered_id(&*world.ctx.entropy, now));
        let renewal =
            Renewal { grant: id, app: app.clone(), generation, access_token, permitted, app_revision: None, now };
        world.ctx.store.renew(renewal).await.unwrap().is_some()
    };
    world.database.db_execute("UPDATE apps SET disabled_at = 1 WHERE id = 'studio'").await;
    assert!(!renew().await);
    world.database.db_execute("UPDATE apps SET disabled_at = NULL WHERE id = 'studio'").await;
    assert!(renew().await);
    assert!(!renew().await, "it is spent");
}

/// F6: what the application may not have any more is left out.
async fn f6_a_scope_that_was_taken_away_is_not_renewed(world: World) {
    let grant = STUDIO.connect_for(&world, ADA, "account_api data_api").await;
    world.change("/apps/studio", &json!({"scopes": ["account_api"]})).await.expect(200);
    let node = production(&world).await;
    let narrow = Issued::of(&STUDIO.refresh(&node, grant.refresh()).await);
    assert_eq!((narrow.scope(), &claims(&narrow.access)["scope"]), (vec!["account_api"], &json!("account_api")));
    let next = Issued::of(&STUDIO.refresh(&node, narrow.refresh()).await);
    assert_eq!(next.scope(), ["account_api"]);
}

/// How often tables with a row for each user, connection or token were read, by `what` PostgreSQL counts.
async fn scans(world: &World, what: &str) -> i64 {
    let tables = "'access_tokens', 'connections', 'grants', 'users'";
    let sum = format!("SELECT CAST(SUM({what}) AS BIGINT) FROM pg_stat_user_tables WHERE relname IN ({tables})");
    world.database.db_count(&sum).await
}

/// A connection reports what it has counted when it ends.
async fn all_have_reported(world: &World) {
    let others = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                  AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while world.database.db_count(others).await > 0 {
        tokio::task::yield_now().await;
    }
}

/// PostgreSQL reads a small table whole rather than look for a row in it, and keeps such a plan while the table grows. What is asked
/// in batches is planned otherwise.
#[tokio::test]
async fn what_is_asked_in_batches_reads_no_table_whole() {
    let test = async |world: World| {
        // A plan that is kept is made the sixth time.
        let connected = connections(&world, 8).await;
        let mut grant = STUDIO.connect(&world, ADA).await;
        world.database.db_execute("ANALYZE").await;
        world.ctx.store.close().await;
        all_have_reported(&world).await;
        world.database.db_execute("SELECT pg_stat_reset()").await;
        world.database.db_execute("SELECT * FROM users").await;
        all_have_reported(&world).await;
        assert_eq!(scans(&world, "seq_scan").await, 1, "it counts");

        let node = production(&world).await;
        let client = RATE_FINDER.credentials(&node).0.remove(0).1;
        let as_client = |path: &str, fields: &[(&str, &str)]| {
            request("POST", path, &[("authorization", &client), ("content-type", FORM)], form(fields))
        };
        for tokens in &connected {
            let bearer = format!("Bearer {}", tokens.access);
            for asked in [
                refresh(tokens),
                as_client("/oauth/token", &[("grant_type", "client_credentials")]),
                as_client("/oauth/introspect", &[("token", &tokens.access)]),
                request("GET", "/v1/me", &[("authorization", &bearer)], ""),
                disconnect(tokens),
            ] {
                node.send(asked).await.expect(200);
            }
            grant = Issued::of(&node.send(renew(&node, &STUDIO, grant.refresh())).await);
        }
        // When connections were last used is written in a transaction, and not in a batch.
        node.ctx.store.forget_notes();
        node.ctx.store.close().await;
        all_have_reported(&world).await;
        assert_eq!(scans(&world, "seq_scan").await, 1);
        assert!(scans(&world, "idx_scan").await > 0, "its connections have reported");
    };
    run(Kind::Postgres, Setup::default(), test).await;
}

both! {
    a_request_takes_the_statements_that_it_needs,
    refreshes_that_wait_are_recorded_together,
    renewals_that_wait_are_written_together,
    ends_that_wait_are_written_together,
    f3_f4_of_two_in_one_batch_one_branch_is_left,
    wire_a3_j8_of_two_in_one_batch_one_has_ended_it,
    j8_a_disconnect_is_seen_by_refreshes_that_wait,
    f8_a_disabled_application_gets_no_renewal,
    f6_a_scope_that_was_taken_away_is_not_renewed,
}
