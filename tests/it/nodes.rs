//! Two nodes on one database (rules R8, D4, J8): what one did, the other knows.

mod processes;

use leadgate::worker;
use serde_json::json;

use crate::support::{ADA, APP_ONE, Click, GRACE, OTHER, PARTNER, Tokens, World, both, connect_by_api};

/// D4, R8: a code is redeemed once across both.
async fn r8_d4_a_code_is_redeemed_once_across_nodes(world: World) {
    let second = world.another_node().await;
    for _ in 0..3 {
        let mut ada = world.actor();
        let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
        let body = json!({"btn": "btn-one", "code": code, "code_verifier": opened.click.verifier});
        let tasks: Vec<_> = (0..50)
            .map(|i| {
                let node = if i % 2 == 0 { world.clone() } else { second.clone() };
                let body = body.clone();
                tokio::spawn(async move {
                    node.post_json("/button/token", &[("origin", PARTNER)], &body).await.expect(200).json()["valid"]
                        == true
                })
            })
            .collect();
        let mut valid = 0;
        for task in tasks {
            valid += usize::from(task.await.unwrap());
        }
        assert_eq!(valid, 1);
    }
}

/// R8: a dialog that was opened on one node goes on at the other, and so does the session.
async fn r8_a_sign_in_may_change_nodes_at_each_step(world: World) {
    let second = world.another_node().await;
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let mut ada = ada.at(&second);
    let consent = ada.log_in(&opened, ADA).await.expect(200);
    let mut ada = ada.at(&world);
    let code = ada.decide(&opened, &consent, "allow").await.code();
    let mut ada = ada.at(&second);
    let tokens = Tokens::of(&ada.redeem(&opened, &code).await.json());
    world.me(&tokens.access).await.expect(200);
    let mut ada = ada.at(&world);
    assert_eq!(Tokens::of(&ada.resume(PARTNER, &["btn-one"]).await["btn-one"]).refresh, tokens.refresh);
    assert!(ada.get("/account").await.text().contains("Rate Finder"));
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
    assert_eq!(second.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true, "one key for both");
}

/// R8: what was ended on one node is dead on the other as soon as the answer is out.
async fn r8_what_one_node_ended_is_dead_on_the_other(world: World) {
    let second = world.another_node().await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    second.me(&tokens.access).await.expect(200);
    assert_eq!(second.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);
    second.me(&tokens.access).await.expect(401);
    assert_eq!(second.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    assert_eq!(ada.at(&second).resume(PARTNER, &["btn-one"]).await["btn-one"]["error"], "login_required");
    assert_eq!(second.disconnect(&tokens.refresh).await.json()["valid"], false);

    let page = ada.get("/account").await;
    let before = ada.clone();
    ada.at(&second).post("/logout", &[("csrf", &page.csrf())]).await.location();
    assert!(before.clone().get("/account").await.is_login_page());

    let theirs = connect_by_api(&world, GRACE, "btn-one").await;
    second.disable(GRACE).await;
    world.me(&theirs.access).await.expect(401);
    assert_eq!(world.refresh(&theirs.refresh, APP_ONE).await.json()["valid"], false);
}

/// R8: two consents at once, on both nodes, are one connection with one refresh token.
async fn r8_consents_at_once_make_one_connection(world: World) {
    let second = world.another_node().await;
    let tasks: Vec<_> = (0..24)
        .map(|i| {
            let node = if i % 2 == 0 { world.clone() } else { second.clone() };
            let button = if i % 3 == 0 { "btn-wide" } else { "btn-one" };
            tokio::spawn(async move { connect_by_api(&node, ADA, button).await })
        })
        .collect();
    let mut refresh = Vec::new();
    for task in tasks {
        let tokens = task.await.unwrap();
        world.me(&tokens.access).await.expect(200);
        refresh.push(tokens.refresh);
    }
    refresh.dedup();
    assert_eq!(refresh.len(), 1);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 1);
    let me = world.me(&connect_by_api(&world, ADA, "btn-one").await.access).await.json();
    assert_eq!(me["scopes"], json!(["account_api", "data_api"]), "no consent was lost");
}

/// J8, R6: a refresh in flight beside a disconnect never yields a token that outlives it.
async fn j8_no_refresh_survives_a_disconnect(world: World) {
    let second = world.another_node().await;
    for _ in 0..5 {
        let tokens = connect_by_api(&world, ADA, "btn-one").await;
        let refreshes: Vec<_> = (0..20)
            .map(|i| {
                let node = if i % 2 == 0 { world.clone() } else { second.clone() };
                let token = tokens.refresh.clone();
                tokio::spawn(async move { node.refresh(&token, APP_ONE).await.expect(200).json() })
            })
            .collect();
        assert_eq!(second.disconnect(&tokens.refresh).await.json()["valid"], true);
        for refresh in refreshes {
            if let Some(access) = refresh.await.unwrap()["authToken"].as_str() {
                world.me(access).await.expect(401);
                second.me(access).await.expect(401);
            }
        }
    }
}

/// R8: of many disconnects at once one did it.
async fn r8_one_of_many_disconnects_did_it(world: World) {
    let second = world.another_node().await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let tasks: Vec<_> = (0..20)
        .map(|i| {
            let node = if i % 2 == 0 { world.clone() } else { second.clone() };
            let token = tokens.refresh.clone();
            tokio::spawn(async move { node.disconnect(&token).await.expect(200).json()["valid"] == true })
        })
        .collect();
    let mut valid = 0;
    for task in tasks {
        valid += usize::from(task.await.unwrap());
    }
    assert_eq!(valid, 1);
}

/// R8: two tabs that resume on two nodes at once both get in, and leave working handles.
async fn r8_resumes_at_once_all_work(world: World) {
    let second = world.another_node().await;
    let mut ada = world.actor();
    ada.connect("btn-one", PARTNER, ADA).await;
    let tabs: Vec<_> = (0..8)
        .map(|i| {
            let mut tab = if i % 2 == 0 { ada.clone() } else { ada.at(&second) };
            tab.jar.blocks_third_parties = true;
            tokio::spawn(async move {
                let valid = tab.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"] == true;
                (valid, tab)
            })
        })
        .collect();
    for tab in tabs {
        let (valid, mut tab) = tab.await.unwrap();
        assert!(valid);
        assert_eq!(tab.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"], true);
        assert_eq!(tab.resume(OTHER, &["btn-one"]).await["btn-one"]["error"], "login_required");
    }
}

/// R8: sweeps of two nodes at once come to what one comes to, and leave what lives.
async fn r8_sweeps_at_once_are_one_sweep(world: World) {
    let second = world.another_node().await;
    for _ in 0..20 {
        connect_by_api(&world, ADA, "btn-one").await;
    }
    world.advance(3 * 24 * 3_600);
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let before = world.database.db_count("SELECT COUNT(*) FROM access_tokens").await;
    let sweeps = [&world, &second, &world, &second].map(|node| {
        let ctx = node.ctx.clone();
        tokio::spawn(async move { worker::sweep(&ctx).await.unwrap() })
    });
    let mut rows = 0;
    for sweep in sweeps {
        rows += sweep.await.unwrap();
    }
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM access_tokens").await, 1);
    assert!(before == 21 && rows >= 20, "{before}, {rows}");
    assert_eq!(worker::sweep(&second.ctx).await.unwrap(), 0, "nothing is left to do");
    second.me(&tokens.access).await.expect(200);
}

both! {
    r8_a_sign_in_may_change_nodes_at_each_step,
    r8_what_one_node_ended_is_dead_on_the_other,
}
both! { on many threads;
    r8_d4_a_code_is_redeemed_once_across_nodes,
    r8_consents_at_once_make_one_connection,
    j8_no_refresh_survives_a_disconnect,
    r8_one_of_many_disconnects_did_it,
    r8_resumes_at_once_all_work,
    r8_sweeps_at_once_are_one_sweep,
}
