//! Files that are embedded in the binary: the button's script and stylesheet for partner pages, and what
//! our own pages load.

use std::borrow::Cow;
use std::sync::Arc;

use aws_lc_rs::digest;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::RustEmbed;

use super::Web;
use super::urls::route;
use crate::views::Doctor;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::BUTTON_SCRIPT, get(button_script))
        .route(
            route::BUTTON_STYLE,
            get(async |headers: HeaderMap| for_partners(serve(&headers, "le-app-button.css", PARTNER_CACHING))),
        )
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

const PARTNER_CACHING: &str = "public, max-age=3600";

/// The script as it is; in a sandbox the button doctor goes in front of it, in the same file, so that it sees what the
/// script does from the beginning, and a policy that lets one in lets in both.
async fn button_script(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    const SCRIPT: &str = "le-app-button.js";
    let doctor = Files::get("le-app-button-doctor.js").filter(|_| web.ctx.sandbox);
    let (Some(doctor), Some(script)) = (doctor, Files::get(SCRIPT)) else {
        return for_partners(serve(&headers, SCRIPT, PARTNER_CACHING));
    };
    let called = format!("(window, document, {});\n", Doctor::server_json(&web.ctx.issuer));
    let both = [doctor.data.trim_ascii_end(), called.as_bytes(), &script.data].concat();
    let hash = digest::digest(&digest::SHA256, &both);
    for_partners(answer(&headers, content_type(SCRIPT), both.into(), hash.as_ref(), PARTNER_CACHING))
}

/// Any page may load these, also with `crossorigin`.
fn for_partners(mut response: Response) -> Response {
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
    match Files::get(name) {
        Some(file) => answer(headers, content_type(name), file.data, &file.metadata.sha256_hash(), caching),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `hash` is of the whole file.
fn answer(
    headers: &HeaderMap,
    kind: Option<&'static str>,
    file: Cow<'static, [u8]>,
    hash: &[u8],
    caching: &'static str,
) -> Response {
    let Some(kind) = kind else { return StatusCode::NOT_FOUND.into_response() };
    let tag = tag(hash);
    let fresh = is_fresh(headers, &tag);
    let common = [
        (header::CACHE_CONTROL, caching.to_owned()),
        (header::ETAG, tag),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    if fresh {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, kind)], file).into_response()
}

/// The entity tag of what has this hash (RFC 9110 section 8.8.3).
pub fn tag(hash: &[u8]) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash[..12]))
}

/// Whether who asks has what this tag is of.
pub fn is_fresh(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|given| given == "*" || given.split(',').any(|part| part.trim().trim_start_matches("W/") == tag))
}
