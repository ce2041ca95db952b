//! Logout that a client asks for (OpenID Connect RP-Initiated Logout).

use super::support::{Ask, FORM, Issued, RIVAL, STUDIO, assert_page};
use crate::support::http::{form, request};
use crate::support::{ADA, Actor, Answer, GRACE, World, both};

const PATH: &str = "/oauth/logout";
const BYE: &str = "https://studio.test/bye";

/// Somebody who is signed in through a client, with the ID token that it got.
async fn signed_in(world: &World, email: &str) -> (Actor, Issued) {
    let mut actor = world.actor();
    let ask = Ask::of(&STUDIO).with("scope", "openid account_api");
    let code = actor.allow(&ask, email).await.code();
    let issued = Issued::of(&STUDIO.redeem(world, &ask, &code).await);
    assert!(is_signed_in(&actor).await);
    (actor, issued)
}

async fn is_signed_in(actor: &Actor) -> bool {
    !actor.clone().get("/account").await.expect(200).is_login_page()
}

async fn ask(actor: &mut Actor, fields: &[(&str, &str)]) -> Answer {
    actor.get(&format!("{PATH}?{}", form(fields))).await
}

/// Who shows an ID token of the user that is signed in ends the session at once, by GET or POST.
async fn wire_b_a_hint_ends_the_session_at_once(world: World) {
    let (mut ada, issued) = signed_in(&world, ADA).await;
    let before = ada.clone();
    let fields = [("id_token_hint", issued.id_token()), ("post_logout_redirect_uri", BYE), ("state", "a&b=c")];
    let answer = ask(&mut ada, &fields).await;
    assert_eq!(answer.location(), format!("{BYE}?{}", form(&[("state", "a&b=c")])));
    assert!(!is_signed_in(&ada).await && !is_signed_in(&before).await, "ended for whoever holds it");
    world.me(&issued.access).await.expect(200);

    let (mut ada, issued) = signed_in(&world, ADA).await;
    let body = form(&[("id_token_hint", issued.id_token())]);
    let headers = [("content-type", FORM), ("origin", "https://studio.test"), ("sec-fetch-site", "cross-site")];
    let sent = ada.send(None, request("POST", PATH, &headers, body)).await;
    // By way of a link, on which the browser sends its session (`SameSite=Lax`).
    let answer = ada.follow(&sent).await.expect(200);
    assert!(!answer.text().contains("name=\"csrf\""), "nothing is left to be asked: {}", answer.text());
    assert!(!is_signed_in(&ada).await);

    // The ID token may have expired since: it only says who is meant.
    let (mut ada, issued) = signed_in(&world, ADA).await;
    world.advance(2 * 3_600);
    assert!(is_signed_in(&ada).await);
    ask(&mut ada, &[("id_token_hint", issued.id_token()), ("post_logout_redirect_uri", BYE)]).await.location();
    assert!(!is_signed_in(&ada).await);
}

/// C15: without a hint the user is asked, by a form of ours.
async fn c15_without_a_hint_the_user_is_asked(world: World) {
    let (mut ada, _) = signed_in(&world, ADA).await;
    for fields in [vec![], vec![("client_id", STUDIO.id), ("post_logout_redirect_uri", BYE)]] {
        let page = ask(&mut ada, &fields).await.expect(200);
        assert!(is_signed_in(&ada).await, "a GET logs nobody out");
        for csrf in ["", "wrong"] {
            let answer = ada.post(PATH, &[&fields[..], &[("csrf", csrf)]].concat()).await;
            assert!(answer.status != 303 && is_signed_in(&ada).await, "{answer:?}");
        }
        let foreign = form(&[("csrf", &page.csrf())]);
        let headers = [("content-type", FORM), ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        ada.send(None, request("POST", PATH, &headers, foreign)).await;
        assert!(is_signed_in(&ada).await);
    }
    let fields = [("client_id", STUDIO.id), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let page = ask(&mut ada, &fields).await.expect(200);
    assert!(page.text().contains("Ada Buyer"), "{}", page.text());
    let csrf = page.csrf();
    let answer = ada.post(PATH, &[&fields[..], &[("csrf", &csrf)]].concat()).await;
    assert_eq!(answer.location(), format!("{BYE}?state=s"));
    assert!(!is_signed_in(&ada).await);
}

/// A hint of somebody else, or of nobody, ends nothing by itself.
async fn wire_b_a_hint_of_another_ends_nothing(world: World) {
    let (mut ada, own) = signed_in(&world, ADA).await;
    let (_, theirs) = signed_in(&world, GRACE).await;
    let altered = format!("{}AAAA", &own.id_token()[..own.id_token().len() - 4]);
    for hint in [theirs.id_token(), own.access.as_str(), &altered, "x"] {
        ask(&mut ada, &[("id_token_hint", hint), ("post_logout_redirect_uri", BYE)]).await;
        assert!(is_signed_in(&ada).await, "{hint}");
    }
}

/// An address that the client did not register is led to by nobody, and nothing ends.
async fn wire_b_an_unregistered_address_gets_a_page(world: World) {
    let (mut ada, issued) = signed_in(&world, ADA).await;
    for wrong in [
        "https://evil.example/bye",
        "https://studio.test/bye/",
        "https://studio.test/bye?x=1",
        "https://studio.test/callback",
        "https://rival.test/bye",
        "javascript:alert(1)",
        "//studio.test/bye",
    ] {
        let fields = [("id_token_hint", issued.id_token()), ("post_logout_redirect_uri", wrong)];
        assert_page(&ask(&mut ada, &fields).await, 400);
        assert_page(&ask(&mut ada, &[("client_id", STUDIO.id), ("post_logout_redirect_uri", wrong)]).await, 400);
        assert!(is_signed_in(&ada).await, "{wrong}");
    }
    assert_page(&ask(&mut ada, &[("post_logout_redirect_uri", BYE)]).await, 400);
    assert_page(&ask(&mut ada, &[("client_id", "nobody"), ("post_logout_redirect_uri", BYE)]).await, 400);
    let mixed = [("id_token_hint", issued.id_token()), ("client_id", RIVAL.id), ("post_logout_redirect_uri", BYE)];
    assert_page(&ask(&mut ada, &mixed).await, 400);
    assert!(is_signed_in(&ada).await);
}

both! {
    wire_b_a_hint_ends_the_session_at_once,
    c15_without_a_hint_the_user_is_asked,
    wire_b_a_hint_of_another_ends_nothing,
    wire_b_an_unregistered_address_gets_a_page,
}
