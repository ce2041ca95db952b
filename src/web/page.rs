//! HTML answers: the frame of a page, its policy, and the headers that sign-in-button's design asks for.

use askama::Template;
use aws_lc_rs::digest;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Web;
use super::statics;
use crate::views::{ErrorPage, Lang, Nav, Page, Problem};

/// Which pages: they differ in what they may load and in whether they may be cut off from their opener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Shown in a pop-up that has to reach its opener: nothing but `unsafe-none` keeps the two together.
    Dialog,
    /// The same on the way to a redirect URI: `form-action` would block the redirect that follows a form post, and
    /// whatever redirects come after it on the client's side.
    Redirecting,
    /// An ordinary page.
    Plain,
    /// A page that opens the pop-up itself.
    Partner,
    /// A page that is made by its script, out of what that fetches.
    Scripted,
    /// A page of the documentation, some of whose buttons open the pop-up. No nonce: it is the same each time.
    Docs,
}

/// The headers that an error page is made by, whatever the request.
pub static READ: [HeaderName; 2] = [header::ACCEPT_LANGUAGE, super::observe::REQUEST_ID];

/// The frame of a page for this request: language, nonce, where links start.
pub fn frame(web: &Web, headers: &HeaderMap, asked: Option<&str>) -> Page {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let lang = asked.and_then(Lang::from_tag).unwrap_or_else(|| Lang::from_accept_language(accepted));
    let mut nonce = [0; 16];
    web.ctx.entropy.fill(&mut nonce);
    let sandbox = web.ctx.sandbox;
    let nav = Nav::of_nobody(sandbox);
    Page { lang, nonce: STANDARD.encode(nonce), base: web.urls.base().to_owned(), sandbox, nav }
}

fn policy(kind: Kind, nonce: &str) -> String {
    let own = match kind {
        Kind::Dialog | Kind::Redirecting | Kind::Plain => {
            format!("script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}' 'self'; img-src 'self' data:")
        }
        Kind::Scripted => "script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'".to_owned(),
        Kind::Docs => "script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'".to_owned(),
        Kind::Partner => format!(
            "script-src 'nonce-{nonce}' 'self'; style-src 'self' data:; img-src 'self' data:; connect-src 'self'"
        ),
    };
    let posts = if kind == Kind::Redirecting { "" } else { " form-action 'self';" };
    format!("default-src 'none'; {own}; object-src 'none';{posts} base-uri 'none'; frame-ancestors 'none'")
}

const PERMISSIONS: &str = "accelerometer=(), camera=(), clipboard-read=(), geolocation=(), gyroscope=(), \
                           magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

/// Renders a page with its headers.
pub fn render(kind: Kind, status: StatusCode, nonce: &str, view: &impl Template) -> Response {
    match view.render() {
        Ok(html) => answer(kind, status, nonce, html),
        Err(error) => failed(&error),
    }
}

fn failed(error: &askama::Error) -> Response {
    tracing::error!(%error, "a page could not be rendered");
    (StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made.").into_response()
}

fn answer(kind: Kind, status: StatusCode, nonce: &str, html: String) -> Response {
    let opener = match kind {
        Kind::Dialog | Kind::Redirecting => "unsafe-none",
        Kind::Plain | Kind::Scripted => "same-origin",
        Kind::Partner | Kind::Docs => "same-origin-allow-popups",
    };
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), opener),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        // `no-referrer` would make the form posts carry `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Base64 and fixed text: always a valid header value.
    if let Ok(policy) = HeaderValue::from_str(&policy(kind, nonce)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A page that a browser may keep, provided that it asks each time whether it is still the same: its navigation differs with
/// who is signed in and in what language they read.
pub fn render_tagged(kind: Kind, asked: &HeaderMap, view: &impl Template) -> Response {
    let html = match view.render() {
        Ok(html) => html,
        Err(error) => return failed(&error),
    };
    let tag = statics::tag(digest::digest(&digest::SHA256, html.as_bytes()).as_ref());
    let mut response = if statics::is_fresh(asked, &tag) {
        let mut response = answer(kind, StatusCode::NOT_MODIFIED, "", String::new());
        response.headers_mut().remove(header::CONTENT_TYPE);
        response
    } else {
        answer(kind, StatusCode::OK, "", html)
    };
    let headers = response.headers_mut();
    // Base64 and quotation marks: always a valid header value.
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    response
}

/// The answer to HEAD and to a prefetch of a page that has an effect: nothing, and for a prefetch a status
/// that makes the browser ask again when the page is really wanted.
pub fn not_ahead(method: &Method) -> Response {
    let status = if method == Method::HEAD { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

/// The page for a failure with a status that some other page may have, too.
pub fn failure(web: &Web, headers: &HeaderMap, status: StatusCode) -> Response {
    let problem = match status.as_u16() {
        404 => Problem::NotFound,
        405 => Problem::MethodNotAllowed,
        410 => Problem::FlowExpired,
        413 => Problem::TooLarge,
        415 => Problem::UnsupportedMediaType,
        429 => Problem::TooManyRequests,
        503 => Problem::Unavailable,
        400..=499 => Problem::InvalidRequest,
        _ => Problem::Internal,
    };
    let frame = frame(web, headers, None);
    let nonce = frame.nonce.clone();
    let mut page = ErrorPage::new(frame, problem);
    page.status = status.as_u16();
    if let Some(id) = super::observe::request_id(headers) {
        page = page.with_reference(id);
    }
    render(Kind::Dialog, status, &nonce, &page)
}

/// An error page for people. `detail` is for developers and must not hold a secret.
pub fn error(web: &Web, headers: &HeaderMap, lang: Option<&str>, problem: Problem, detail: Option<String>) -> Response {
    let frame = frame(web, headers, lang);
    let nonce = frame.nonce.clone();
    let mut page = ErrorPage::new(frame, problem);
    if let Some(detail) = detail {
        page = page.with_detail(detail);
    }
    if let Some(id) = super::observe::request_id(headers) {
        page = page.with_reference(id);
    }
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    render(Kind::Dialog, status, &nonce, &page)
}
