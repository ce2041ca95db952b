//! What is kept of a user, as a file.

use axum::Json;
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::IntoResponse;

use super::super::urls::route;
use super::super::visitor::{Answer, Visit};
use super::super::{extract, page};
use super::{Sheet, shown};
use crate::services::account::export::{self, ExportError};
use crate::services::connections::ConnectionError;
use crate::views::{AccountData, Problem};

pub async fn show(visit: Visit) -> Answer {
    let Sheet { page, head, .. } = Sheet::of(&visit, route::ACCOUNT_DATA).await?;
    let nonce = page.nonce.clone();
    let download = visit.web.urls.path(route::ACCOUNT_EXPORT);
    Ok(shown(StatusCode::OK, &nonce, &AccountData { page, head, download }))
}

pub async fn export(method: Method, visit: Visit) -> Answer {
    if extract::is_effectless(&method, &visit.headers) {
        return Ok(page::not_ahead(&method));
    }
    match export::export(&visit.acting(), &visit.signed_in.user).await {
        Ok(export) => {
            let file = [
                (header::CONTENT_DISPOSITION, "attachment; filename=\"leadgate-export.json\""),
                (header::CACHE_CONTROL, "no-store"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            ];
            Ok((file, Json(export)).into_response())
        }
        Err(ExportError::Store(error) | ExportError::Connections(ConnectionError::Store(error))) => {
            Err(visit.failed(&error))
        }
        Err(error) => {
            tracing::error!(%error, "an export failed");
            Err(page::error(&visit.web, &visit.headers, None, Problem::Internal, None).into())
        }
    }
}
