//! What a request of the hot path costs in allocations: a figure that does not depend on the machine, so that a regression fails without
//! a stop-watch. What the store does on threads of its own is not in it.

use std::future::poll_fn;
use std::task::Poll;

use allocation_counter::measure;
use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

use crate::oauth::support::{FORM, basic};
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Kind, PARTNER, Setup, World, run};

/// Requests before one counts, and requests of which the cheapest counts: maps and queues grow now and then.
const WARM_UP: usize = 20;
const TAKEN: usize = 40;

/// From the router to its answer, on the thread that serves.
async fn one(world: &World, request: Request<Body>) -> u64 {
    let mut served = Box::pin(world.router.clone().oneshot(request));
    let mut count = 0;
    let answer = poll_fn(|cx| {
        let mut polled = Poll::Pending;
        count += measure(|| polled = served.as_mut().poll(cx)).count_total;
        polled
    });
    assert_eq!(answer.await.unwrap().status(), 200);
    count
}

async fn least(world: &World, request: impl Fn() -> Request<Body>) -> u64 {
    for _ in 0..WARM_UP {
        one(world, request()).await;
    }
    let mut least = u64::MAX;
    for _ in 0..TAKEN {
        least = least.min(one(world, request()).await);
    }
    least
}

/// Axum's boxes of routes and of their futures, extensions, captured parts of the path; the request's id: in each figure.
#[tokio::test]
async fn a_refresh_allocates_no_more_than_it_did() {
    run(Kind::Sqlite, Setup::production(), async |world: World| {
        let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
        let path = format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh);
        let count = least(&world, || request("GET", &path, &[("host", "localhost")], "")).await;
        // The query, the tokens, the headers and the text of the answer.
        assert!(count <= 40, "{count} allocations, and 38 were enough");
    })
    .await;
}

#[tokio::test]
async fn client_credentials_allocate_no_more_than_they_did() {
    run(Kind::Sqlite, Setup::production(), async |world: World| {
        let basic = basic("machine", "machine-client-secret");
        let headers = [("host", "localhost"), ("authorization", &*basic), ("content-type", FORM)];
        let count = least(&world, || request("POST", "/oauth/token", &headers, "grant_type=client_credentials")).await;
        // The form, the client with all that it is registered for, the claims, the signature, the answer.
        assert!(count <= 78, "{count} allocations, and 75 were enough");
    })
    .await;
}

#[tokio::test]
async fn whose_a_token_is_allocates_no_more_than_it_did() {
    run(Kind::Sqlite, Setup::production(), async |world: World| {
        let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
        let bearer = format!("Bearer {}", tokens.access);
        let headers = [("host", "localhost"), ("authorization", &*bearer)];
        let count = least(&world, || request("GET", "/v1/me", &headers, "")).await;
        // The row with its user and account, read on this thread; the answer.
        assert!(count <= 48, "{count} allocations, and 46 were enough");
    })
    .await;
}
