//! Files that are embedded in the binary: the button's script and stylesheet for partner pages, and what
//! our own pages load.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::RustEmbed;

use super::Web;
use super::urls::route;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::BUTTON_SCRIPT, get(async |headers: HeaderMap| for_partners(&headers, "le-app-button.js")))
        .route(route::BUTTON_STYLE, get(async |headers: HeaderMap| for_partners(&headers, "le-app-button.css")))
        .route(route::STATIC, get(async |Path(file): Path<String>, headers: HeaderMap| own(&headers, &file)))
}

fn content_type(file: &str) -> Option<&'static str> {
    Some(match file.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

/// Any page may load these, also with `crossorigin`.
fn for_partners(headers: &HeaderMap, file: &str) -> Response {
    let mut response = serve(headers, file, "public, max-age=3600");
    let added = response.headers_mut();
    added.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    added.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    response
}

fn own(headers: &HeaderMap, file: &str) -> Response {
    // The button's files have their own addresses.
    if file.starts_with("le-app-button") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut response = serve(headers, file, "public, max-age=300");
    let added = response.headers_mut();
    added.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    response
}

fn serve(headers: &HeaderMap, name: &str, caching: &'static str) -> Response {
    let (Some(kind), Some(file)) = (content_type(name), Files::get(name)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..12]));
    let fresh = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|given| given == "*" || given.split(',').any(|part| part.trim().trim_start_matches("W/") == tag));
    let common = [
        (header::CACHE_CONTROL, caching.to_owned()),
        (header::ETAG, tag),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    if fresh {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, kind)], file.data).into_response()
}
