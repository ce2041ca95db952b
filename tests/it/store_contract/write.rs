//! Transactions: whole or not at all, each for itself, and single use.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leadgate::crypto::token::Handle;
use leadgate::domain::account::Account;
use leadgate::domain::code::Code;
use leadgate::domain::connection::EndedBy;
use leadgate::domain::ids::{AccountId, AppId, ButtonId, CodeId, SessionId};
use leadgate::domain::origin::Origin;
use leadgate::domain::pkce::CodeChallenge;
use leadgate::domain::secret_hash::SecretHash;
use leadgate::domain::session::Session;
use leadgate::entropy::SystemEntropy;
use leadgate::store::{StoreError, accounts, codes, connections, sessions};

use super::{Bench, NOW, connection, fresh_id, on_both};

on_both!(
    a_write_that_fails_leaves_nothing_and_spoils_nothing,
    a_write_that_panics_does_not_stop_the_others,
    a_code_is_consumed_by_exactly_one_of_many,
    a_user_has_one_living_connection_to_an_application,
    a_session_is_stored_once,
);

fn account(id: &str) -> Account {
    Account { id: AccountId::parse(id).unwrap(), name: id.to_owned() }
}

async fn a_write_that_fails_leaves_nothing_and_spoils_nothing(bench: Bench) {
    let tasks: Vec<_> = (0..60)
        .map(|i| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                store
                    .write(move |conn| {
                        Box::pin(async move {
                            accounts::insert(conn, &account(&format!("account-{i}")), NOW).await?;
                            if i % 3 == 0 { Err(StoreError::Internal("on purpose".into())) } else { Ok(i) }
                        })
                    })
                    .await
            })
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap() {
            Ok(answer) => assert!(answer == i && i % 3 != 0),
            Err(error) => assert!(i % 3 == 0 && error.to_string().contains("on purpose"), "{i}: {error}"),
        }
    }
    assert_eq!(bench.database.db_count("SELECT COUNT(*) FROM accounts").await, 40);
}

async fn a_write_that_panics_does_not_stop_the_others(bench: Bench) {
    let store = bench.store.clone();
    let crash = tokio::spawn(async move {
        store
            .write(|conn| {
                Box::pin(async move {
                    accounts::insert(conn, &account("lost"), NOW).await?;
                    panic!("on purpose")
                })
            })
            .await
            .map(|(): ()| ())
    });
    assert!(!matches!(crash.await, Ok(Ok(()))));
    let made =
        bench.store.write(|conn| Box::pin(async move { accounts::insert(conn, &account("kept"), NOW).await })).await;
    assert!(made.unwrap());
    assert_eq!(bench.database.db_count("SELECT COUNT(*) FROM accounts").await, 1);
}

/// Rule D4 at the level of the database.
async fn a_code_is_consumed_by_exactly_one_of_many(bench: Bench) {
    let connection = bench.connected(1).await.remove(0);
    let handle = Handle::mint(fresh_id(), &SystemEntropy);
    let code = Code {
        id: CodeId(handle.id),
        app: AppId::parse("app-1").unwrap(),
        button: ButtonId::parse("button").unwrap(),
        origin: Origin::parse("https://partner.test").unwrap(),
        code_challenge: CodeChallenge::parse(&"c".repeat(43)).unwrap(),
        session: SessionId(fresh_id()),
        connection: connection.id,
        expires_at: NOW,
    };
    let (id, hash) = (code.id, handle.hash());
    bench
        .store
        .write(move |conn| {
            let code = code.clone();
            Box::pin(async move { codes::insert(conn, &code, &hash).await })
        })
        .await
        .unwrap();
    let winners = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (store, winners) = (bench.store.clone(), winners.clone());
            tokio::spawn(async move {
                if store.write(move |conn| Box::pin(codes::consume(conn, id, NOW))).await.unwrap() {
                    winners.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(winners.load(Ordering::Relaxed), 1);
}

async fn a_user_has_one_living_connection_to_an_application(bench: Bench) {
    let first = bench.connected(1).await.remove(0);
    let mut second = first.clone();
    second.id = connection(&super::user(9), "app-1").id;
    let again = second.clone();
    let insert = |wanted: leadgate::domain::connection::Connection| {
        bench.store.write(move |conn| {
            let wanted = wanted.clone();
            Box::pin(async move { connections::insert(conn, &wanted).await })
        })
    };
    assert!(!insert(second).await.unwrap(), "the first one lives");
    let id = first.id;
    bench.store.write(move |conn| Box::pin(connections::end(conn, id, NOW, EndedBy::User))).await.unwrap();
    assert!(insert(again).await.unwrap(), "the first one has ended");
    let twice = bench.store.write(move |conn| Box::pin(connections::end(conn, id, NOW, EndedBy::User))).await;
    assert!(twice.unwrap().is_none(), "what has ended does not end again");
}

async fn a_session_is_stored_once(bench: Bench) {
    let connection = bench.connected(1).await.remove(0);
    let session = Session {
        id: SessionId(fresh_id()),
        user: connection.user,
        created_at: NOW,
        expires_at: NOW,
        address: Some("2001:db8::1".parse().unwrap()),
        user_agent: Some("a browser".to_owned()),
    };
    let insert = || {
        let session = session.clone();
        bench.store.write(move |conn| {
            let session = session.clone();
            Box::pin(async move { sessions::insert(conn, &session, &SecretHash([1; 32]), &SecretHash([2; 32])).await })
        })
    };
    insert().await.unwrap();
    assert!(matches!(insert().await, Err(StoreError::Conflict)));
}
