//! What the tests of the account pages have in common.

use crate::support::{Actor, Answer, PASSWORD, World};

/// Signs in on a page of the server's, without any button, and answers where that led.
pub async fn log_in(actor: &mut Actor, email: &str) -> Answer {
    log_in_with(actor, email, PASSWORD).await
}

pub async fn log_in_with(actor: &mut Actor, email: &str, password: &str) -> Answer {
    let csrf = actor.get("/account").await.expect(200).csrf();
    let answer = actor.post("/account/login", &[("csrf", &csrf), ("email", email), ("password", password)]).await;
    assert_eq!(answer.location(), "/account");
    actor.follow(&answer).await.expect(200)
}

/// Somebody with a browser who is signed in, and the token of their forms.
pub async fn signed_in(world: &World, email: &str) -> (Actor, String) {
    let mut actor = world.actor();
    let csrf = log_in(&mut actor, email).await.csrf();
    (actor, csrf)
}

/// C1 to C3 for a page that is no dialog: it may be cut off from whoever opened it.
#[track_caller]
pub fn assert_guarded(page: &Answer) {
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert!(!page.headers.keys().any(|name| name.as_str().starts_with("access-control-")));
}

/// A form that is shown again, with the error beside this field.
#[track_caller]
pub fn assert_refused(page: &Answer, field: &str) {
    assert_eq!(page.status, 422, "{}", page.text());
    assert!(page.text().contains(&format!("id=\"{field}-error\"")), "{field}: {}", page.text());
    assert!(page.text().contains("id=\"problems\""), "and a summary");
}
