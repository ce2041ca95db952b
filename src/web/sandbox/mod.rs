//! The sandbox's control plane (wire.md part E). Mounted only in sandbox mode; nothing else knows it.
//!
//! Each file answers for one kind of thing. Its handlers say with `utoipa::path` what they are, and from that come both
//! the routes and the document at `/_sandbox/openapi.json`, so that the two cannot part.

mod accounts;
mod apps;
pub mod auth;
mod authorize;
pub mod body;
mod buttons;
mod callbacks;
pub mod checks;
mod clock;
mod connections;
mod events;
mod faults;
mod fidelity;
mod invitations;
mod leads;
mod listeners;
mod openapi;
pub mod query;
mod reference;
mod registration;
pub mod requests;
mod strict;
mod tokens;
mod users;
pub mod values;
mod webhooks;
mod worlds;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::Web;
use super::deliveries;
use super::error::problem::Problem;

pub fn routes(web: &Arc<Web>) -> Router<Arc<Web>> {
    let (guarded, public) = (guarded(), public());
    let known = query::Known::of([guarded.get_openapi(), public.get_openapi()], web.urls.base());
    let checked = |router: OpenApiRouter<Arc<Web>>| {
        Router::from(router)
            .method_not_allowed_fallback(other_method)
            .layer(from_fn_with_state(known.clone(), query::check))
    };
    let guarded = checked(guarded).layer(from_fn_with_state(web.clone(), auth::require));
    let documents = (Extension(openapi::Document::default()), Extension(reference::Prepared::default()));
    guarded.merge(checked(public).layer(documents))
}

/// What there is, described. To make it takes as long as all the rest of a start, so it waits until somebody asks.
fn document(web: &Web) -> OpenApi {
    let (mut guarded, public) = (guarded().into_openapi(), public().into_openapi());
    guarded.merge(deliveries::document());
    openapi::describe(web, guarded, public)
}

/// What needs the sandbox token.
fn guarded() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default()
        .merge(accounts::routes())
        .merge(apps::routes())
        .merge(authorize::routes())
        .merge(buttons::routes())
        .merge(callbacks::routes())
        .merge(checks::routes())
        .merge(clock::routes())
        .merge(connections::routes())
        .merge(events::routes())
        .merge(faults::routes())
        .merge(invitations::routes())
        .merge(leads::routes())
        .merge(listeners::routes())
        .merge(registration::routes())
        .merge(requests::routes())
        .merge(tokens::routes())
        .merge(users::routes())
        .merge(webhooks::routes())
        .merge(worlds::routes())
}

/// What anybody may read: it says what there is, and nothing of what is in it.
fn public() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().merge(openapi::routes()).merge(reference::routes()).merge(fidelity::routes())
}

/// The methods that there are, axum adds as `Allow`.
pub async fn other_method() -> Response {
    let detail = "The header Allow has the methods that this address takes.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail).into_response()
}
