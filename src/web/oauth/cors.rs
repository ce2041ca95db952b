//! Which pages of other origins may call the endpoints for clients: those on the origin of a redirect URI that the very
//! client registered. Cookies are never part of it.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::super::Web;
use super::super::error::oauth::store_failed;
use super::super::extract;
use crate::domain::origin::Origin;
use crate::domain::redirect_uri::RedirectUri;
use crate::services::partner;

const METHODS: &str = "POST";
const HEADERS: &str = "authorization, content-type, dpop";

/// Lets the page that sent a request read its answer, whatever the answer is, if it is on an origin of the client that
/// the request names. `client_id` is only named so far: it need not have been proved.
pub async fn readable(web: &Web, origin: Option<Origin>, client_id: Option<&str>, mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    let (Some(origin), Some(client_id)) = (origin, client_id) else { return response };
    let app = match partner::app_by(&web.ctx, client_id).await {
        Ok(app) => app,
        Err(error) => return store_failed(&error),
    };
    let is_its_own =
        app.is_some_and(|app| app.redirect_uris.iter().filter_map(RedirectUri::origin).any(|o| o == origin));
    if is_its_own && let Ok(value) = HeaderValue::from_str(origin.as_str()) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate, retry-after"));
    }
    response
}

/// The answer to a browser that asks first. It names no client yet: the origin of any will do.
pub async fn preflight(web: &Web, headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = extract::origin(headers) else { return response };
    match partner::is_origin_registered(&web.ctx, &origin).await {
        Ok(true) => {}
        Ok(false) => return response,
        Err(error) => return store_failed(&error),
    }
    let Ok(value) = HeaderValue::from_str(origin.as_str()) else { return response };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}
