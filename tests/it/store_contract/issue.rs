//! The hot path: access tokens that are recorded together, and refused one by one.

use std::time::Duration;

use leadgate::crypto::token::Handle;
use leadgate::domain::access_token::Subject;
use leadgate::domain::connection::{Connection, EndedBy};
use leadgate::domain::ids::{AccessTokenId, AppId, ConnectionId, GrantId};
use leadgate::domain::resource::Resource;
use leadgate::domain::scope::ScopeSet;
use leadgate::entropy::SystemEntropy;
use leadgate::store::access_tokens::{self, Issue, IssueKind, SignedIssue};
use leadgate::store::{Location, Store, Sweep, connections};

use super::{Bench, NOW, fresh_id, on_both};
use crate::support::Kind;

on_both!(
    each_request_of_a_batch_gets_its_own_answer,
    a_request_is_refused_alone,
    both_classes_share_a_batch,
    a_disconnect_that_was_answered_is_seen_by_every_later_refresh,
    last_use_is_written_down_in_passing,
    only_what_has_long_been_over_is_swept,
);

pub(super) fn issue(connection: &Connection) -> Issue {
    let handle = Handle::mint(fresh_id(), &SystemEntropy);
    Issue {
        id: AccessTokenId(handle.id),
        app: connection.app.clone(),
        now: NOW,
        kind: IssueKind::Opaque { secret_hash: handle.hash(), connection: connection.id },
    }
}

async fn each_request_of_a_batch_gets_its_own_answer(bench: Bench) {
    let connections = bench.connected(40).await;
    let tasks: Vec<_> = (0..400)
        .map(|i| {
            let (store, issue) = (bench.store.clone(), issue(&connections[i % 40]));
            tokio::spawn(async move { (issue.clone(), store.issue(issue).await.unwrap()) })
        })
        .collect();
    for task in tasks {
        let (asked, issued) = task.await.unwrap();
        let issued = issued.expect("each connection lives");
        assert_eq!(issued.id, asked.id);
        assert_eq!(issued.expires_at, NOW.plus(Duration::from_secs(3_600)));
        let found = bench.store.read(move |conn| Box::pin(access_tokens::find(conn, asked.id))).await.unwrap().unwrap();
        let Subject::User { connection, .. } = &found.token.subject else { panic!("a client's token") };
        assert_eq!(Some(*connection), asked.connection());
        assert_eq!(found.token.scopes.to_string(), "account_api data_api");
    }
    assert_eq!(bench.database.db_count("SELECT COUNT(*) FROM access_tokens").await, 400);
}

async fn a_request_is_refused_alone(bench: Bench) {
    let live = bench.connected(3).await;
    let ended = live[1].id;
    bench.store.write(move |conn| Box::pin(connections::end(conn, ended, NOW, EndedBy::User))).await.unwrap();
    let unknown = Connection { id: ConnectionId(fresh_id()), ..live[0].clone() };
    let other_app = Connection { app: AppId::parse("APP-1").unwrap(), ..live[0].clone() };
    let asked = [&live[0], &live[1], &unknown, &other_app, &live[2]].map(issue);
    let answers = futures_util::future::join_all(asked.into_iter().map(|issue| bench.store.issue(issue))).await;
    let granted: Vec<bool> = answers.into_iter().map(|answer| answer.unwrap().is_some()).collect();
    assert_eq!(granted, [true, false, false, false, true]);
    assert_eq!(bench.database.db_count("SELECT COUNT(*) FROM access_tokens").await, 2);
}

/// A token of the standard grants: of a user's grant, or of the client itself.
fn signed(app: &str, user: Option<(ConnectionId, GrantId)>) -> Issue {
    let scopes = ScopeSet::parse("account_api").unwrap();
    let resource = Some(Resource::parse("https://api.test/a b".replace(' ', "%20").as_str()).unwrap());
    let kind =
        IssueKind::Signed(SignedIssue { user, scopes, resource, dpop_jkt: Some("\"jkt\\".into()), app_revision: None });
    Issue { id: AccessTokenId(fresh_id()), app: AppId::parse(app).unwrap(), now: NOW, kind }
}

async fn both_classes_share_a_batch(bench: Bench) {
    let live = bench.connected(4).await;
    let ended = live[3].id;
    bench.store.write(move |conn| Box::pin(connections::end(conn, ended, NOW, EndedBy::User))).await.unwrap();
    let of = |connection: &Connection| Some((connection.id, GrantId(fresh_id())));
    let wanted = |nth: usize| match nth % 6 {
        0 => (issue(&live[nth % 3]), true),
        1 => (signed("app-1", of(&live[nth % 3])), true),
        2 => (signed("app-1", None), true),
        3 => (signed("APP-1", of(&live[0])), false),
        4 => (signed("app-1", of(&live[3])), false),
        _ => (signed("nobody", None), false),
    };
    let tasks: Vec<_> = (0..300)
        .map(|nth| {
            let (store, (issue, is_granted)) = (bench.store.clone(), wanted(nth));
            tokio::spawn(async move { (issue.clone(), is_granted, store.issue(issue).await.unwrap()) })
        })
        .collect();
    for task in tasks {
        let (asked, is_granted, issued) = task.await.unwrap();
        assert_eq!(issued.map(|issued| issued.id), is_granted.then_some(asked.id), "{asked:?}");
    }
    assert_eq!(bench.database.db_count("SELECT COUNT(*) FROM access_tokens").await, 150);
    let own = signed("app-1", None);
    let id = own.id;
    assert_eq!(
        bench.store.issue(own).await.unwrap().unwrap().expires_at,
        NOW.plus(Duration::from_secs(3_600)),
        "a client's own token lives as long as a user's"
    );
    let found = bench.store.read(move |conn| Box::pin(access_tokens::find(conn, id))).await.unwrap().unwrap();
    assert!(matches!(found.token.subject, Subject::Client { account: None }));
    assert_eq!(found.token.resource.unwrap().as_str(), "https://api.test/a%20b");
    assert_eq!(found.token.dpop_jkt.as_deref(), Some("\"jkt\\"));
    assert!(found.secret_hash.is_none() && found.token.scopes.to_string() == "account_api");
}

/// PostgreSQL records the two classes with a statement each: what loses is undone whole before it runs again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_of_both_classes_is_recorded_whole_or_not_at_all() {
    super::run(Kind::Postgres, async |bench: Bench| {
        let live = bench.connected(1).await.remove(0);
        // The first batch takes long, so that the second has both classes; of that the second statement loses, once.
        for statement in [
            "CREATE SEQUENCE calls",
            "CREATE SEQUENCE losses",
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('calls') = 1 THEN PERFORM pg_sleep(1); END IF; \
             IF NEW.secret_hash IS NULL AND nextval('losses') = 1 THEN \
             RAISE EXCEPTION 'on purpose' USING ERRCODE = 'serialization_failure'; END IF; \
             RETURN NEW; END $$",
            "CREATE TRIGGER lose BEFORE INSERT ON access_tokens FOR EACH ROW EXECUTE FUNCTION lose()",
        ] {
            bench.database.db_execute(statement).await;
        }
        let ask = |issue: Issue| {
            let store = bench.store.clone();
            tokio::spawn(async move { store.issue(issue).await })
        };
        let first = ask(issue(&live));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let both = [ask(issue(&live)), ask(signed("app-1", None))];
        assert!(first.await.unwrap().unwrap().is_some());
        for asked in both {
            assert!(asked.await.unwrap().unwrap().is_some(), "it runs again, from the beginning");
        }
        assert_eq!(bench.database.db_count("SELECT COUNT(*) FROM access_tokens").await, 3);
    })
    .await;
}

async fn a_disconnect_that_was_answered_is_seen_by_every_later_refresh(bench: Bench) {
    let connection = bench.connected(1).await.remove(0);
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (bench, connection) = (bench.clone(), connection.clone());
            tokio::spawn(async move { while bench.store.issue(issue(&connection)).await.unwrap().is_some() {} })
        })
        .collect();
    let id = connection.id;
    let ended = bench.store.write(move |conn| Box::pin(connections::end(conn, id, NOW, EndedBy::Partner))).await;
    assert!(ended.unwrap().is_some());
    assert!(bench.store.issue(issue(&connection)).await.unwrap().is_none());
    // Each loop ends only because it is refused.
    for task in load {
        task.await.unwrap();
    }
}

async fn last_use_is_written_down_in_passing(bench: Bench) {
    let connections = bench.connected(2).await;
    bench.store.issue(issue(&connections[0])).await.unwrap();
    bench.store.flush_notes().await.unwrap();
    let ids = [connections[0].id, connections[1].id];
    for (id, used) in ids.into_iter().zip([Some(NOW), None]) {
        let found = bench.store.read(move |conn| Box::pin(connections::find(conn, id))).await.unwrap().unwrap();
        assert_eq!(found.last_used_at, used);
    }
}

async fn only_what_has_long_been_over_is_swept(bench: Bench) {
    let connection = bench.connected(1).await.remove(0);
    bench.store.issue(issue(&connection)).await.unwrap();
    let later = NOW.plus(Duration::from_secs(2 * 24 * 3_600));
    let below = uuid::Uuid::max();
    let sweep = async |before| {
        let sweep = Sweep { below, before, limit: 10, app: None };
        let delete = bench.store.write(move |conn| {
            let sweep = sweep.clone();
            Box::pin(async move { access_tokens::sweep(conn, &sweep).await })
        });
        delete.await.unwrap()
    };
    assert_eq!(sweep(NOW.plus(Duration::from_secs(3_600))).await, 0, "it has not expired before that moment");
    assert_eq!(sweep(later).await, 1);
}

/// A database in memory has one connection for everything, and keeps the same promises.
#[tokio::test]
async fn a_database_in_memory_issues_and_refuses_too() {
    let database = crate::support::Database::make(Kind::Sqlite).await;
    let store = std::sync::Arc::new(Store::open(&Location::SqliteMemory).await.unwrap());
    let bench = Bench { store: store.clone(), database: database.clone() };
    let mut connection = bench.connected(1).await.remove(0);
    assert!(store.issue(issue(&connection)).await.unwrap().is_some());
    connection.id = ConnectionId(fresh_id());
    assert!(store.issue(issue(&connection)).await.unwrap().is_none());
    database.remove().await;
}
