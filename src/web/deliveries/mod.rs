//! Deliveries over HTTP (wire.md D): the receivers that demand a delivery's settings, and the API that keeps them. The
//! Authentication tab is in `web/console/deliveries`.

mod api;
mod caller;
mod objects;
mod receive;

use std::sync::Arc;

use axum::Router;
use utoipa::openapi::OpenApi;

use super::Web;

pub fn routes(web: &Arc<Web>) -> Router<Arc<Web>> {
    receive::routes().merge(api::routes(web))
}

/// The API's part of the control plane's document.
pub fn document() -> OpenApi {
    api::operations().get_openapi().clone()
}
