//! The logos of applications, as pictures and nothing else.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::error::{failed_page, method_not_allowed_page};
use super::urls::route;
use super::{Web, page};
use crate::domain::app::LogoId;
use crate::domain::ids::AppId;
use crate::services::logos;
use crate::views::Problem;

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::LOGO, get(show).fallback(other_method))
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

async fn show(State(web): State<Arc<Web>>, Path((app, logo)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let not_found = || page::error(&web, &headers, None, Problem::NotFound, None);
    let Some((app, logo)) = AppId::parse(&app).ok().zip(LogoId::parse(&logo)) else { return not_found() };
    match logos::find(&web.ctx, &app, &logo).await {
        Ok(Some(png)) => picture(png),
        Ok(None) => not_found(),
        Err(error) => failed_page(&web, &headers, &error),
    }
}

/// Its address has its hash: what is there once stays as it is. Opened by itself it may load and run nothing.
fn picture(png: Vec<u8>) -> Response {
    let mut response = png.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "image/png"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
