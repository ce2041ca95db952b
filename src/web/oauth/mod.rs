//! Standard OAuth 2.0 and OpenID Connect (wire.md part B): one file for each endpoint.

mod authorize;
pub mod client;
pub mod cors;
mod device;
mod introspect;
mod logout;
mod metadata;
mod par;
mod register;
mod respond;
mod revoke;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::Router;

use super::Web;

pub use metadata::at_the_root;
pub use respond::send;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .merge(metadata::routes())
        .merge(authorize::routes())
        .merge(par::routes())
        .merge(token::routes())
        .merge(revoke::routes())
        .merge(introspect::routes())
        .merge(userinfo::routes())
        .merge(device::routes())
        .merge(logout::routes())
        .merge(register::routes())
}
