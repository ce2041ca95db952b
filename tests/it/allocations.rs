//! What a request of the hot path costs in allocations: a figure that does not depend on the machine, so that a regression fails without
//! a stop-watch. What the store does on threads of its own is not in it.

use std::future::poll_fn;
use std::task::Poll;

use allocation_counter::measure;
use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

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

#[tokio::test]
async fn a_refresh_allocates_no_more_than_it_did() {
    run(Kind::Sqlite, Setup::production(), async |world: World| {
        let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
        let path = format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh);
        let count = least(&world, || request("GET", &path, &[("host", "localhost")], "")).await;
        // Boxes of routes and their futures, extensions, captured parts of the path: axum's. The request's id, the query,
        // the tokens, the headers and the text of the answer: ours.
        assert!(count <= 40, "{count} allocations, and 38 were enough");
    })
    .await;
}
