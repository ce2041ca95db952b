//! F: refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14).

use leadgate::domain::email::Email;
use leadgate::domain::ids::AppId;
use leadgate::services::{partner, users};
use serde_json::json;

use super::support::{Ask, Auth, Issued, POCKET, RATE_FINDER, RIVAL, STUDIO, assert_error, at_once, seconds};
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, GRACE, World, both, connect_by_api};

const DAY: u64 = 24 * 3_600;

async fn refreshed(world: &World, token: &str) -> Issued {
    Issued::of(&STUDIO.refresh(world, token).await)
}

async fn is_refused(world: &World, token: &str) {
    assert_error(&STUDIO.refresh(world, token).await, 400, "invalid_grant");
}

/// F1: each refresh brings a new token, and the one before is spent once its successor was used.
async fn f1_a_refresh_token_is_good_once(world: World) {
    for client in [STUDIO, POCKET] {
        let first = client.connect(&world, ADA).await;
        let second = Issued::of(&client.refresh(&world, first.refresh()).await);
        assert_ne!(first.refresh(), second.refresh());
        assert_ne!(first.access, second.access);
        assert_eq!(second.body["scope"], "account_api");
        world.me(&second.access).await.expect(200);
        assert_error(&client.refresh(&world, first.refresh()).await, 400, "invalid_grant");
    }
}

/// F2: who presents a token again whose successor was used is a thief, or was robbed by one: the family ends.
async fn f2_a_replay_after_use_ends_the_family(world: World) {
    for used_by in ["an API", "userinfo", "a refresh"] {
        let first = STUDIO.connect_for(&world, ADA, "account_api openid").await;
        let mut newest = refreshed(&world, first.refresh()).await;
        let stays = STUDIO.connect(&world, ADA).await;
        match used_by {
            "an API" => drop(world.me(&newest.access).await.expect(200)),
            "userinfo" => {
                let bearer = format!("Bearer {}", newest.access);
                let headers = [("authorization", bearer.as_str())];
                world.send(request("GET", "/oauth/userinfo", &headers, "")).await.expect(200);
            }
            _ => newest = refreshed(&world, newest.refresh()).await,
        }
        is_refused(&world, first.refresh()).await;
        is_refused(&world, newest.refresh()).await;
        world.me(&newest.access).await.expect(401);
        world.me(&first.access).await.expect(401);
        assert!(!STUDIO.is_active(&world, &newest.access).await, "used by {used_by}");
        assert!(!STUDIO.is_active(&world, newest.refresh()).await);
        world.me(&stays.access).await.expect(200);
        refreshed(&world, stays.refresh()).await;
    }
}

/// F3: an answer that was lost: while its tokens are unused, the spent token is honoured once more, and they end.
async fn f3_a_lost_answer_is_made_good_once(world: World) {
    let first = STUDIO.connect(&world, ADA).await;
    let lost = refreshed(&world, first.refresh()).await;
    // To look at a token is not to use it.
    assert!(STUDIO.is_active(&world, &lost.access).await && STUDIO.is_active(&world, lost.refresh()).await);
    let second = refreshed(&world, first.refresh()).await;
    world.me(&lost.access).await.expect(401);
    assert!(!STUDIO.is_active(&world, &lost.access).await && !STUDIO.is_active(&world, lost.refresh()).await);
    world.me(&second.access).await.expect(200);
    let third = refreshed(&world, second.refresh()).await;
    world.me(&third.access).await.expect(200);

    // The unused successor that was ended stays so.
    let first = STUDIO.connect(&world, ADA).await;
    let lost = refreshed(&world, first.refresh()).await;
    refreshed(&world, first.refresh()).await;
    is_refused(&world, lost.refresh()).await;
}

/// F3: a second replay of the same token is theft.
async fn f3_a_second_replay_is_theft(world: World) {
    let first = STUDIO.connect(&world, ADA).await;
    refreshed(&world, first.refresh()).await;
    let second = refreshed(&world, first.refresh()).await;
    is_refused(&world, first.refresh()).await;
    is_refused(&world, second.refresh()).await;
    world.me(&second.access).await.expect(401);
}

/// F3: a successor that was refused is as good as unused.
async fn f3_a_refused_request_is_no_use(world: World) {
    let first = STUDIO.connect_for(&world, ADA, "data_api").await;
    let lost = refreshed(&world, first.refresh()).await;
    world.me(&lost.access).await.expect(403);
    assert_error(&RIVAL.refresh(&world, lost.refresh()).await, 400, "invalid_grant");
    refreshed(&world, first.refresh()).await;
}

/// F4: of fifty refreshes at once at most one branch is left.
async fn f4_of_fifty_at_once_one_branch_is_left(world: World) {
    one_branch(&world, std::slice::from_ref(&world)).await;
}

/// F4, R8: also across two nodes.
async fn f4_r8_of_fifty_at_once_on_two_nodes_one_branch_is_left(world: World) {
    one_branch(&world, &[world.clone(), world.another_node().await]).await;
}

async fn one_branch(world: &World, nodes: &[World]) {
    for times in [2, 50] {
        let first = STUDIO.connect(world, ADA).await;
        let answers = at_once(times, nodes, |node| {
            let token = first.refresh().to_owned();
            async move { STUDIO.refresh(&node, &token).await }
        })
        .await;
        let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        for answer in refused {
            assert_error(answer, 400, "invalid_grant");
        }
        let good: Vec<Issued> = good.into_iter().map(Issued::of).collect();
        // The first, and one that took it for a lost answer; each further one is a theft.
        assert!((1..=2).contains(&good.len()), "{}", good.len());
        let (mut access, mut refresh) = (0, 0);
        for issued in &good {
            access += usize::from(STUDIO.is_active(world, &issued.access).await);
            refresh += usize::from(STUDIO.is_active(world, issued.refresh()).await);
        }
        assert_eq!(access, refresh, "a branch is alive or dead as a whole");
        assert!(refresh <= 1, "{refresh} branches survive");
        assert_eq!(refresh, usize::from(times == 2), "two are a lost answer, fifty a theft");
        let mut alive = 0;
        for issued in &good {
            alive += usize::from(STUDIO.refresh(world, issued.refresh()).await.status == 200);
        }
        assert!(alive <= 1, "{alive} branches survive");
    }
}

/// F5: a token is its client's, who has to show that it is.
async fn f5_a_token_is_its_clients(world: World) {
    let confidential = STUDIO.connect(&world, ADA).await;
    let public = POCKET.connect(&world, ADA).await;
    for (other, token) in [(RIVAL, &confidential), (POCKET, &confidential), (STUDIO, &public), (RATE_FINDER, &public)] {
        assert_error(&other.refresh(&world, token.refresh()).await, 400, "invalid_grant");
    }
    for auth in [Auth::None, Auth::Basic("wrong"), Auth::Post("wrong")] {
        assert_error(&STUDIO.by(auth).refresh(&world, confidential.refresh()).await, 401, "invalid_client");
    }
    refreshed(&world, confidential.refresh()).await;
    Issued::of(&POCKET.refresh(&world, public.refresh()).await);
}

/// F6: a narrower scope is the access token's alone; a wider one is refused, and spends nothing.
async fn f6_a_scope_may_be_narrowed_for_one_token(world: World) {
    let first = STUDIO.connect_for(&world, ADA, "account_api data_api").await;
    let with_scope = |token: &str, scope: &str| {
        let (world, token, scope) = (world.clone(), token.to_owned(), scope.to_owned());
        async move {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", &token), ("scope", &scope)];
            STUDIO.token(&world, &fields).await
        }
    };
    for wider in ["account_api lead_receiver", "lead_receiver", "account_api openid", "admin", "account_api\""] {
        assert_error(&with_scope(first.refresh(), wider).await, 400, "invalid_scope");
    }
    let narrow = Issued::of(&with_scope(first.refresh(), "data_api").await);
    assert_eq!(narrow.body["scope"], "data_api");
    world.me(&narrow.access).await.expect(403);
    let wide = refreshed(&world, narrow.refresh()).await;
    assert_eq!(wide.body["scope"], "account_api data_api");
    world.me(&wide.access).await.expect(200);
    let same = Issued::of(&with_scope(wide.refresh(), "data_api account_api").await);
    assert_eq!(same.body["scope"], "account_api data_api");
}

/// F7: a token that is not used for thirty days is gone.
async fn f7_a_token_expires_when_it_is_not_used(world: World) {
    let first = STUDIO.connect(&world, ADA).await;
    let idle = STUDIO.connect(&world, ADA).await;
    world.advance(30 * DAY - 1);
    let second = refreshed(&world, first.refresh()).await;
    world.advance(1);
    is_refused(&world, idle.refresh()).await;
    world.advance(30 * DAY - 2);
    refreshed(&world, second.refresh()).await;
}

/// F7: however often it is used, after a hundred and eighty days the user is asked again.
async fn f7_a_grant_ends_after_half_a_year(world: World) {
    let mut issued = STUDIO.connect(&world, ADA).await;
    for _ in 0..6 {
        world.advance(29 * DAY);
        issued = refreshed(&world, issued.refresh()).await;
    }
    world.advance(6 * DAY - 1);
    issued = refreshed(&world, issued.refresh()).await;
    let expires = STUDIO.introspect(&world, issued.refresh()).await["exp"].as_i64().unwrap();
    assert_eq!(expires, seconds(&world) + 1, "180 days after the consent");
    world.advance(1);
    is_refused(&world, issued.refresh()).await;
    assert!(!STUDIO.is_active(&world, issued.refresh()).await);
}

/// F8: what ends a user, a connection or a client ends its tokens.
async fn f8_what_ends_the_consent_ends_the_token(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO).with("scope", "account_api");
    let connect = async |actor: &mut crate::support::Actor| {
        let code = actor.allow(&ask, ADA).await.code();
        Issued::of(&STUDIO.redeem(&world, &ask, &code).await)
    };
    let issued = connect(&mut ada).await;
    let other = RIVAL.connect(&world, ADA).await;
    ada.disconnect("Lead Studio").await;
    is_refused(&world, issued.refresh()).await;
    world.me(&issued.access).await.expect(401);
    let other = Issued::of(&RIVAL.refresh(&world, other.refresh()).await);
    world.me(&other.access).await.expect(200);

    let issued = connect(&mut ada).await;
    world.disable(ADA).await;
    is_refused(&world, issued.refresh()).await;
    world.enable(ADA).await;
    is_refused(&world, issued.refresh()).await;

    let issued = STUDIO.connect(&world, ADA).await;
    users::set_password(&world.operator(), &Email::parse(ADA).unwrap(), "a new password").await.unwrap();
    is_refused(&world, issued.refresh()).await;
    world.me(&issued.access).await.expect(401);

    let issued = STUDIO.connect(&world, GRACE).await;
    partner::delete_app(&world.operator(), &AppId::parse(STUDIO.id).unwrap()).await.unwrap();
    assert_error(&STUDIO.refresh(&world, issued.refresh()).await, 401, "invalid_client");
    world.me(&issued.access).await.expect(401);

    let issued = RIVAL.connect(&world, GRACE).await;
    users::delete(&world.operator(), &Email::parse(GRACE).unwrap()).await.unwrap();
    assert_error(&RIVAL.refresh(&world, issued.refresh()).await, 400, "invalid_grant");
}

/// F8, wire.md A3: the button's disconnect ends the connection, whichever way its tokens came.
async fn f8_a_disconnect_by_the_button_ends_these_tokens_too(world: World) {
    let issued = RATE_FINDER.connect(&world, ADA).await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);
    assert_error(&RATE_FINDER.refresh(&world, issued.refresh()).await, 400, "invalid_grant");
    world.me(&issued.access).await.expect(401);
}

/// F9, N11: nothing but a refresh token of this kind is one.
async fn f9_n11_nothing_else_is_a_refresh_token(world: World) {
    let ask = Ask::of(&RATE_FINDER).with("scope", "account_api openid");
    let code = ask.allowed(&world, ADA).await.code();
    let unused = ask.allowed(&world, ADA).await.code();
    let issued = Issued::of(&RATE_FINDER.redeem(&world, &ask, &code).await);
    let button = connect_by_api(&world, ADA, "btn-one").await;
    let token = issued.refresh();
    let altered = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'B' } else { 'A' });
    for wrong in [
        &issued.access,
        issued.id_token(),
        &code,
        &unused,
        &button.refresh,
        &button.access,
        &altered,
        &format!("lgf_{}", &button.refresh[4..]),
        &token.to_uppercase(),
        &format!("{token} "),
        "lgf_",
        "\u{0}",
        &"x".repeat(10_000),
    ] {
        assert_error(&RATE_FINDER.refresh(&world, wrong).await, 400, "invalid_grant");
    }
    assert_eq!(world.refresh(token, APP_ONE).await.json()["valid"], false);
    assert_eq!(world.disconnect(token).await.json()["valid"], false);
    assert_eq!(world.refresh(&button.refresh, APP_ONE).await.json()["valid"], true, "it was not ended by this");
    let issued = Issued::of(&RATE_FINDER.refresh(&world, token).await);
    assert_eq!(issued.body["token_type"], json!("Bearer"));
}

both! {
    f1_a_refresh_token_is_good_once,
    f2_a_replay_after_use_ends_the_family,
    f3_a_lost_answer_is_made_good_once,
    f3_a_second_replay_is_theft,
    f3_a_refused_request_is_no_use,
    f5_a_token_is_its_clients,
    f6_a_scope_may_be_narrowed_for_one_token,
    f7_a_token_expires_when_it_is_not_used,
    f7_a_grant_ends_after_half_a_year,
    f8_what_ends_the_consent_ends_the_token,
    f8_a_disconnect_by_the_button_ends_these_tokens_too,
    f9_n11_nothing_else_is_a_refresh_token,
}
both! { on many threads;
    f4_of_fifty_at_once_one_branch_is_left,
    f4_r8_of_fifty_at_once_on_two_nodes_one_branch_is_left,
}
