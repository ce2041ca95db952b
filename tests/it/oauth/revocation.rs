//! J: revocation (RFC 7009).

use super::support::{Auth, FORM, Issued, MACHINE, POCKET, RIVAL, STUDIO, assert_error, at_once, keyed};
use crate::support::http::{form, request};
use crate::support::{ADA, Answer, World, both, connect_by_api};

/// 200, an empty body, and the content type that one popular client insists on.
#[track_caller]
fn assert_done(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.is_empty(), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// J1: an access token ends, alone.
async fn j1_an_access_token_ends_alone(world: World) {
    let by_post = STUDIO.by(Auth::Post("studio-client-secret"));
    for client in [STUDIO, by_post, POCKET] {
        let issued = client.connect(&world, ADA).await;
        let other = client.connect(&world, ADA).await;
        assert_done(&client.revoke(&world, &issued.access).await);
        world.me(&issued.access).await.expect(401);
        world.me(&other.access).await.expect(200);
        let next = Issued::of(&client.refresh(&world, issued.refresh()).await);
        world.me(&next.access).await.expect(200);
    }
    for client in [STUDIO, MACHINE, keyed()] {
        let issued = Issued::of(&client.token(&world, &[("grant_type", "client_credentials")]).await);
        assert!(client.is_active(&world, &issued.access).await);
        assert_done(&client.revoke(&world, &issued.access).await);
        assert!(!client.is_active(&world, &issued.access).await);
        world.me(&issued.access).await.expect(401);
    }
}

/// J2: a refresh token ends with all that came of its grant; another grant of the same user stays.
async fn j2_a_refresh_token_ends_its_grant(world: World) {
    for client in [STUDIO, POCKET] {
        let first = client.connect(&world, ADA).await;
        let other = client.connect(&world, ADA).await;
        let second = Issued::of(&client.refresh(&world, first.refresh()).await);
        assert_done(&client.revoke(&world, second.refresh()).await);
        for access in [&first.access, &second.access] {
            world.me(access).await.expect(401);
        }
        for refresh in [first.refresh(), second.refresh()] {
            assert_error(&client.refresh(&world, refresh).await, 400, "invalid_grant");
        }
        world.me(&other.access).await.expect(200);
        Issued::of(&client.refresh(&world, other.refresh()).await);
    }
    // A spent one is of the same grant.
    let first = STUDIO.connect(&world, ADA).await;
    let second = Issued::of(&STUDIO.refresh(&world, first.refresh()).await);
    assert_done(&STUDIO.revoke(&world, first.refresh()).await);
    world.me(&second.access).await.expect(401);
    assert_error(&STUDIO.refresh(&world, second.refresh()).await, 400, "invalid_grant");
}

/// J3: what is no token, or none any more, is as good as revoked.
async fn j3_an_unknown_token_is_revoked_already(world: World) {
    let issued = STUDIO.connect(&world, ADA).await;
    assert_done(&STUDIO.revoke(&world, &issued.access).await);
    assert_done(&STUDIO.revoke(&world, issued.refresh()).await);
    let long = "x".repeat(10_000);
    for token in [
        issued.access.as_str(),
        issued.refresh(),
        "x",
        "a.b.c",
        "lga_",
        "lgf_",
        "lgo_",
        "lgr_",
        "\u{0}",
        "ü",
        &long,
        "' OR 1=1 --",
    ] {
        assert_done(&STUDIO.revoke(&world, token).await);
    }
}

/// J4: a hint may be wrong or unknown.
async fn j4_a_hint_is_only_a_hint(world: World) {
    for hint in ["access_token", "refresh_token", "id_token", "x", ""] {
        let issued = STUDIO.connect(&world, ADA).await;
        let fields = [("token", issued.access.as_str()), ("token_type_hint", hint)];
        assert_done(&STUDIO.post(&world, "/oauth/revoke", &fields).await);
        world.me(&issued.access).await.expect(401);
        let fields = [("token", issued.refresh()), ("token_type_hint", hint)];
        assert_done(&STUDIO.post(&world, "/oauth/revoke", &fields).await);
        assert_error(&STUDIO.refresh(&world, issued.refresh()).await, 400, "invalid_grant");
    }
}

/// J5: a token of another client stays; the answer does not tell.
async fn j5_a_token_of_another_client_stays(world: World) {
    let issued = STUDIO.connect(&world, ADA).await;
    let button = connect_by_api(&world, ADA, "btn-one").await;
    for other in [RIVAL, MACHINE, POCKET, keyed()] {
        assert_done(&other.revoke(&world, &issued.access).await);
        assert_done(&other.revoke(&world, issued.refresh()).await);
        assert_done(&other.revoke(&world, &button.access).await);
        assert_done(&other.revoke(&world, &button.refresh).await);
    }
    assert!(STUDIO.is_active(&world, &issued.access).await && STUDIO.is_active(&world, issued.refresh()).await);
    world.me(&issued.access).await.expect(200);
    world.me(&button.access).await.expect(200);
    Issued::of(&STUDIO.refresh(&world, issued.refresh()).await);
}

/// J6: the token is there, once, and the client is who it says.
async fn j6_a_token_and_a_client_are_needed(world: World) {
    let issued = STUDIO.connect(&world, ADA).await;
    for fields in [
        vec![],
        vec![("token", "")],
        vec![("token", issued.access.as_str()), ("token", &issued.access)],
        vec![("token_type_hint", "access_token")],
    ] {
        assert_error(&STUDIO.post(&world, "/oauth/revoke", &fields).await, 400, "invalid_request");
    }
    for auth in [Auth::None, Auth::Basic("wrong"), Auth::Post("wrong")] {
        assert_error(&STUDIO.by(auth).revoke(&world, &issued.access).await, 401, "invalid_client");
    }
    let nobody = request("POST", "/oauth/revoke", &[("content-type", FORM)], form(&[("token", &issued.access)]));
    assert_error(&world.send(nobody).await, 401, "invalid_client");
    let in_address = format!("/oauth/revoke?token={}", issued.access);
    assert_error(&STUDIO.post(&world, &in_address, &[]).await, 400, "invalid_request");
    world.me(&issued.access).await.expect(200);
}

/// J7, O11: there is no GET, with or without a callback.
async fn j7_o11_a_get_is_refused(world: World) {
    let issued = POCKET.connect(&world, ADA).await;
    let address = format!("/oauth/revoke?client_id=pocket&token={}", issued.access);
    for path in [address.clone(), format!("{address}&callback=package.myCallback")] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let answer = world.send(request(method, &path, &[], "")).await.expect(405);
            assert!(answer.header("allow").unwrap().contains("POST"), "{answer:?}");
            assert!(!answer.text().contains("myCallback"));
        }
    }
    world.me(&issued.access).await.expect(200);
}

/// J8: a refresh beside a revocation leaves no branch that outlives it.
async fn j8_no_refresh_outlives_a_revocation(world: World) {
    beside_refreshes(&world, std::slice::from_ref(&world)).await;
}

/// J8, R8: also across two nodes.
async fn j8_r8_no_refresh_on_another_node_outlives_a_revocation(world: World) {
    beside_refreshes(&world, &[world.clone(), world.another_node().await]).await;
}

async fn beside_refreshes(world: &World, nodes: &[World]) {
    for _ in 0..5 {
        let first = STUDIO.connect(world, ADA).await;
        let token = first.refresh().to_owned();
        let revoking = nodes[nodes.len() - 1].clone();
        let revoked = token.clone();
        // A refresh, and what follows from it, over and over.
        let refreshes = at_once(10, nodes, move |node| {
            let token = token.clone();
            async move {
                let mut brought = vec![token];
                for _ in 0..5 {
                    let answer = STUDIO.refresh(&node, brought.last().unwrap()).await;
                    if answer.status != 200 {
                        break;
                    }
                    let issued = Issued::of(&answer);
                    brought.insert(0, issued.access.clone());
                    brought.push(issued.refresh().to_owned());
                }
                brought
            }
        });
        let revocation = tokio::spawn(async move { STUDIO.revoke(&revoking, &revoked).await });
        let brought = refreshes.await;
        assert_done(&revocation.await.unwrap());
        for token in brought.iter().flatten().chain([&first.access]) {
            assert!(!STUDIO.is_active(world, token).await, "{token} outlived the revocation");
        }
        for token in brought.iter().flatten().filter(|token| token.starts_with("lgf_")) {
            assert_error(&STUDIO.refresh(world, token).await, 400, "invalid_grant");
        }
    }
}

both! {
    j1_an_access_token_ends_alone,
    j2_a_refresh_token_ends_its_grant,
    j3_an_unknown_token_is_revoked_already,
    j4_a_hint_is_only_a_hint,
    j5_a_token_of_another_client_stays,
    j6_a_token_and_a_client_are_needed,
    j7_o11_a_get_is_refused,
}
both! { on many threads;
    j8_no_refresh_outlives_a_revocation,
    j8_r8_no_refresh_on_another_node_outlives_a_revocation,
}
