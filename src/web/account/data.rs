//! What is kept of a user, as a file.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::super::error::failed_page;
use super::super::urls::route;
use super::super::{Web, extract, page, visitor};
use super::{Sheet, shown};
use crate::services::account::export::{self, ExportError};
use crate::services::connections::ConnectionError;
use crate::views::{AccountData, Problem};

pub async fn show(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let signed_in = match visitor::require(&web, &headers, &uri).await {
        Ok(signed_in) => signed_in,
        Err(answer) => return *answer,
    };
    match Sheet::of(&web, &headers, &signed_in, route::ACCOUNT_DATA).await {
        Ok(Sheet { page, head, .. }) => {
            let nonce = page.nonce.clone();
            let download = web.urls.path(route::ACCOUNT_EXPORT);
            shown(StatusCode::OK, &nonce, &AccountData { page, head, download })
        }
        Err(answer) => *answer,
    }
}

pub async fn export(
    State(web): State<Arc<Web>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    if extract::is_effectless(&method, &headers) {
        return page::not_ahead(&method);
    }
    let signed_in = match visitor::require(&web, &headers, &uri).await {
        Ok(signed_in) => signed_in,
        Err(answer) => return *answer,
    };
    match export::export(&visitor::acting(&web, &signed_in, &extensions), &signed_in.user).await {
        Ok(export) => {
            let file = [
                (header::CONTENT_DISPOSITION, "attachment; filename=\"leadgate-export.json\""),
                (header::CACHE_CONTROL, "no-store"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            ];
            (file, Json(export)).into_response()
        }
        Err(ExportError::Store(error) | ExportError::Connections(ConnectionError::Store(error))) => {
            failed_page(&web, &headers, &error)
        }
        Err(error) => {
            tracing::error!(%error, "an export failed");
            page::error(&web, &headers, None, Problem::Internal, None)
        }
    }
}
