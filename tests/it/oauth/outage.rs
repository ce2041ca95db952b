//! What the endpoints of the standard grants say while the database does not answer, for `crate::outage`.

use serde_json::json;

use super::support::{Ask, Issued, STUDIO, assert_error, registration_token};
use crate::support::http::{form, request};
use crate::support::{ADA, Answer, World};

/// What was handed out while the database was there.
pub struct Before {
    ask: Ask,
    code: String,
    issued: Issued,
    registration: String,
}

pub async fn before(world: &World) -> Before {
    let ask = Ask::of(&STUDIO).with("scope", "openid account_api");
    let code = ask.allowed(world, ADA).await.code();
    let issued = STUDIO.connect_for(world, ADA, "openid").await;
    Before { ask, code, issued, registration: format!("Bearer {}", registration_token(world).await) }
}

/// Each says 503 in its own form, and when to come back; nothing is spent.
pub async fn assert_unavailable(world: &World, before: &Before) {
    let (access, refresh) = (before.issued.access.as_str(), before.issued.refresh());
    let pushed: Vec<_> = before.ask.pairs().into_iter().filter(|(name, _)| *name != "client_id").collect();
    let bearer = format!("Bearer {access}");
    let authorization = [("authorization", bearer.as_str())];
    let answers: Vec<Answer> = vec![
        STUDIO.redeem(world, &before.ask, &before.code).await,
        STUDIO.refresh(world, refresh).await,
        STUDIO.token(world, &[("grant_type", "client_credentials")]).await,
        STUDIO.revoke(world, refresh).await,
        STUDIO.post(world, "/oauth/introspect", &[("token", access)]).await,
        STUDIO.post(world, "/oauth/par", &pushed).await,
        STUDIO.post(world, "/oauth/device_authorization", &[]).await,
        world.send(request("GET", "/oauth/userinfo", &authorization, "")).await,
        world.post_json("/oauth/register", &[("authorization", &before.registration)], &json!({})).await,
    ];
    for answer in &answers {
        assert_error(answer, 503, "temporarily_unavailable");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    let logout = form(&[("id_token_hint", before.issued.id_token()), ("client_id", STUDIO.id)]);
    for path in [before.ask.address(), format!("/oauth/logout?{logout}")] {
        let page = world.get(&path).await.expect(503);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    }
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        world.get(path).await.expect(200);
    }
}

/// Once it is there again, all of it is good.
pub async fn assert_recovered(world: &World, before: &Before) {
    Issued::of(&STUDIO.redeem(world, &before.ask, &before.code).await);
    Issued::of(&STUDIO.refresh(world, before.issued.refresh()).await);
}
