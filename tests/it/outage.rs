//! A database that does not answer (wire.md part G, R13): 503 in each endpoint's own form, then recovery.

mod network;

use serde_json::json;
use sqlx::{ConnectOptions as _, Executor as _};

use crate::oauth;
use crate::support::http::{form, request};
use crate::support::{ADA, APP_ONE, Actor, Answer, Click, Kind, Opened, PARTNER, SANDBOX_TOKEN, Tokens, World, both};

/// Everything that was handed out while the database was there.
struct Before {
    ada: Actor,
    opened: Opened,
    csrf: String,
    tokens: Tokens,
    oauth: oauth::outage::Before,
}

async fn before(world: &World) -> Before {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let opened = ada.open(Click::on("btn-wide", PARTNER)).await;
    let csrf = ada.get(&opened.path).await.csrf();
    let oauth = oauth::outage::before(world).await;
    Before { ada, opened, csrf, tokens, oauth }
}

#[track_caller]
fn assert_page(answer: &Answer) {
    assert_eq!((answer.status, answer.header("content-type")), (503, Some("text/html; charset=utf-8")), "{answer:?}");
    assert!(answer.handover().is_none());
    assert!(answer.set_cookies().is_empty(), "no session is lost over it: {answer:?}");
}

/// Part G: each endpoint says so in its own form; nothing of the database's message gets out.
async fn assert_unavailable(world: &World, before: &mut Before) {
    let Before { ada, opened, csrf, tokens, oauth } = before;
    oauth::outage::assert_unavailable(world, oauth).await;
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let json = ("content-type", "application/json");
    let login = form(&[("csrf", csrf), ("email", ADA), ("password", "x")]);
    let decision = form(&[("csrf", csrf), ("decision", "allow")]);
    let click = Click::on("btn-one", PARTNER).address();
    for page in [
        request("GET", "/", &[], ""),
        request("GET", "/account", &[], ""),
        request("POST", "/logout", &[kind], form(&[("csrf", csrf)])),
        request("GET", &click, &[], ""),
        request("GET", &opened.path, &[], ""),
        request("POST", &format!("{}/login", opened.path), &[kind], login),
        request("POST", &format!("{}/decision", opened.path), &[kind], decision),
    ] {
        let what = format!("{} {}", page.method(), page.uri());
        let answer = ada.send(None, page).await;
        assert_eq!(answer.status, 503, "{what}: {answer:?}");
        assert_page(&answer);
    }
    let swap = json!({"btn": "btn-one", "code": "lgc_x", "code_verifier": "x".repeat(43)}).to_string();
    let resume = json!({"btns": ["btn-one"]}).to_string();
    for (path, body) in [("/button/token", swap), ("/button/resume", resume)] {
        let answer =
            ada.send(Some(PARTNER), request("POST", path, &[json, ("origin", PARTNER)], body)).await.expect(503);
        assert_eq!(answer.json()["error"], "server_error", "{path}");
        assert_eq!(answer.json().as_object().unwrap().len(), 8, "{path}");
        assert!(answer.set_cookies().is_empty());
    }
    let refused = world.refresh(&tokens.refresh, APP_ONE).await.expect(503);
    crate::authorize::assert_refused_with(&refused, &tokens.refresh);
    assert!(refused.header("retry-after").is_some());
    for answer in [
        world.disconnect(&tokens.refresh).await,
        world.get(&format!("/authorize/disconnectapplicationtoken/{}?callback=cb", tokens.refresh)).await,
        world.send(request("POST", "/authorize/disconnect", &[kind], form(&[("token", &tokens.refresh)]))).await,
    ] {
        crate::authorize::assert_a4(&answer);
        assert_eq!((answer.status, &answer.json()["valid"]), (503, &json!(false)));
        assert!(answer.header("retry-after").is_some());
    }
    let me = world.me(&tokens.access).await.expect(503);
    assert_eq!(me.json()["error"], "temporarily_unavailable");
    assert!(me.header("www-authenticate").is_none(), "the token is not to blame");
    let bearer = format!("Bearer {SANDBOX_TOKEN}");
    let body = json!({"user": ADA, "button": "btn-one", "decision": "allow"});
    let problem = world.post_json("/_sandbox/authorize", &[("authorization", &bearer)], &body).await.expect(503);
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    let ready = world.get("/readyz").await.expect(503);
    assert!(!ready.text().contains("sqlx") && !ready.text().contains("lg_test"), "{}", ready.text());
    world.get("/livez").await.expect(200);
    for path in ["/js/le-app-button.js", "/static/app.css", "/.well-known/jwks.json"] {
        world.get(path).await.expect(200);
    }
}

/// R13: the process lives on, and serves again once the database does, with nothing lost.
async fn r13_without_its_database_the_server_says_503_and_recovers(world: World) {
    let mut before = before(&world).await;
    world.get("/readyz").await.expect(200);
    match world.database.kind {
        Kind::Sqlite => {
            world.ctx.store.close().await;
            assert_unavailable(&world, &mut before).await;
        }
        Kind::Postgres => {
            world.database.db_shut().await;
            assert_unavailable(&world, &mut before).await;
            world.database.db_open_again().await;
            world.get("/readyz").await.expect(200);
        }
    }
    let world = if world.database.kind == Kind::Sqlite { world.another_node().await } else { world };
    let Before { ada, opened, tokens, oauth, .. } = before;
    oauth::outage::assert_recovered(&world, &oauth).await;
    let mut ada = ada.at(&world);
    world.me(&tokens.access).await.expect(200);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
    assert!(ada.get(&opened.path).await.expect(200).is_consent_page(), "still signed in");
    assert_eq!(Tokens::of(&ada.resume(PARTNER, &["btn-one"]).await["btn-one"]).refresh, tokens.refresh);
}

/// R13 on PostgreSQL: the database itself is dropped.
async fn r13_a_dropped_database_is_503(world: World) {
    if world.database.kind == Kind::Postgres {
        let mut before = before(&world).await;
        world.database.remove().await;
        assert_unavailable(&world, &mut before).await;
    } else {
        // SQLite: another process that holds the lock for longer than anybody waits.
        let before = before(&world).await;
        let mut other =
            sqlx::sqlite::SqliteConnectOptions::new().filename(world.database.file()).connect().await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let refused = world.refresh(&before.tokens.refresh, APP_ONE).await.expect(503);
        crate::authorize::assert_refused_with(&refused, &before.tokens.refresh);
        world.me(&before.tokens.access).await.expect(200);
        other.execute("ROLLBACK").await.unwrap();
        assert_eq!(world.refresh(&before.tokens.refresh, APP_ONE).await.expect(200).json()["valid"], true);
    }
}

both! {
    r13_without_its_database_the_server_says_503_and_recovers,
    r13_a_dropped_database_is_503,
}
