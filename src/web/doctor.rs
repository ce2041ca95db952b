//! The button doctor's codes, explained (sandbox mode only): where its messages lead.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use super::Web;
use super::error::method_not_allowed_page;
use super::login::frame_for_visitor;
use super::page::{self, Kind};
use super::urls::route;
use crate::views::Doctor;

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(
        route::DOCTOR,
        get(explanations)
            .fallback(async |State(web): State<Arc<Web>>, headers: HeaderMap| method_not_allowed_page(&web, &headers)),
    )
}

async fn explanations(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let frame = frame_for_visitor(&web, &headers).await;
    let nonce = frame.nonce.clone();
    page::render(Kind::Plain, StatusCode::OK, &nonce, &Doctor { page: frame })
}
