//! The administration: what an administrator sees of the whole server, and changes. Every change is in the event log.

mod accounts;
mod apps;
mod connections;
mod events;
mod invitations;
mod keys;
mod leads;
mod list;
mod roles;
mod start;
mod users;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::Web;
use super::error::method_not_allowed_page;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .merge(start::routes())
        .merge(accounts::routes())
        .merge(users::routes())
        .merge(invitations::routes())
        .merge(apps::routes())
        .merge(connections::routes())
        .merge(leads::routes())
        .merge(keys::routes())
        .merge(events::routes())
        .method_not_allowed_fallback(other_method)
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}
