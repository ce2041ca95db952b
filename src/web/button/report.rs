//! Where the button doctor reports to, in sandbox mode only. Any page may, unasked and without cookies; it learns nothing
//! by it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use url::Url;

use super::super::extract::{self, Pairs};
use super::super::urls::route;
use super::super::{Web, error::failed, mask};
use crate::domain::doctor::{Finding, MAX_WORD, masked};
use crate::domain::journal::Why;
use crate::domain::origin::Origin;
use crate::services::doctor::{self, Diagnosis, Report};
use crate::services::journal::note;
use crate::views::Lang;

/// Longest report, in bytes.
const MAX_REPORT: usize = 4 * 1024;
/// Longest text in one, in characters.
const MAX_TEXT: usize = 500;
/// Longest name in a page's path that is shown.
const MAX_NAME: usize = 31;

pub fn routes() -> Router<Arc<Web>> {
    let report = post(by_post).get(by_element).layer(DefaultBodyLimit::max(MAX_REPORT));
    Router::new().route(route::BUTTON_REPORT, report.fallback(super::other_method))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    #[serde(default)]
    problem: Option<String>,
    #[serde(default)]
    fact: Option<String>,
    page: String,
    #[serde(default)]
    btn: Option<String>,
    #[serde(default)]
    detail: Option<String>,
}

/// Text, so that no browser asks in advance: a page whose origin is not listed has to be heard, too. And nothing else, for
/// the journal shows JSON as it came.
async fn by_post(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        _ if !extract::is_type(&headers, "text/plain") => answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, false),
        Ok(body) => answer(hear(&web, &headers, &extensions, &body).await, false),
        Err(rejection) => answer(rejection.status(), false),
    }
}

/// For a page whose policy lets it load scripts, or images, from here, but not send anything.
async fn by_element(
    State(web): State<Arc<Web>>,
    method: Method,
    headers: HeaderMap,
    extensions: Extensions,
    RawQuery(query): RawQuery,
) -> Response {
    if extract::is_effectless(&method, &headers) {
        return answer(StatusCode::NO_CONTENT, false);
    }
    let query = Pairs::of_query(query.as_deref());
    let status = match query.get("report") {
        Ok(Some(report)) if report.len() <= MAX_REPORT => hear(&web, &headers, &extensions, report.as_bytes()).await,
        _ => StatusCode::BAD_REQUEST,
    };
    answer(status, true)
}

async fn hear(web: &Web, headers: &HeaderMap, extensions: &Extensions, report: &[u8]) -> StatusCode {
    if web.ctx.throttle.report(extract::peer(extensions)).is_err() {
        note::leave_out();
        return StatusCode::TOO_MANY_REQUESTS;
    }
    let told = serde_json::from_slice::<Told>(report).ok();
    let Some((report, detail)) = told.and_then(understood) else { return StatusCode::BAD_REQUEST };
    // A page speaks for itself, and for no other.
    let speaker = sender(headers);
    if speaker.is_some() && speaker != report.origin.as_ref().map(|origin| origin.as_str().to_owned()) {
        return StatusCode::FORBIDDEN;
    }
    match doctor::diagnose(&web.ctx, &report).await {
        Ok(diagnosis) => {
            write_down(&report, detail.as_deref(), diagnosis);
            StatusCode::NO_CONTENT
        }
        Err(error) => failed(&error),
    }
}

/// The origin that the browser says a report is from: by `Origin`, or for an element by `Referer`. A page without an origin
/// (a file) says `null`, or nothing.
fn sender(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let referer = || text(header::REFERER).map(|address| address.split('/').take(3).collect::<Vec<_>>().join("/"));
    text(header::ORIGIN).map(str::to_owned).or_else(referer).filter(|origin| origin != "null")
}

/// A report that the doctor itself can have sent, and its detail.
fn understood(told: Told) -> Option<(Report, Option<String>)> {
    let Told { problem, fact, page, btn, detail } = told;
    let texts = [Some(&page), btn.as_ref(), detail.as_ref()];
    if texts.into_iter().flatten().any(|text| text.chars().count() > MAX_TEXT || text.chars().any(char::is_control)) {
        return None;
    }
    let finding = match (problem, fact) {
        (Some(problem), None) => Finding::parse(&problem).filter(|finding| !finding.is_fact()),
        (None, Some(fact)) => Finding::parse(&fact).filter(|finding| finding.is_fact()),
        _ => None,
    };
    let finding = finding.filter(|finding| finding.is_of_a_page())?;
    let (origin, page) = place(&page)?;
    let button = btn.map(|id| mask::scrub(&id));
    Some((Report { finding, origin, page, button }, detail.map(|detail| masked(&detail, MAX_WORD))))
}

/// The page's origin, where it has one, and its address with nothing in it that may be a secret.
fn place(page: &str) -> Option<(Option<Origin>, String)> {
    let url = Url::parse(page).ok()?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    match Origin::of(&url) {
        Some(origin) => {
            let path = masked(url.path(), MAX_NAME);
            let page = format!("{origin}{path}");
            Some((Some(origin), page))
        }
        None => Some((None, format!("{}:", url.scheme()))),
    }
}

fn write_down(report: &Report, detail: Option<&str>, diagnosis: Diagnosis) {
    let Diagnosis { app, nearest } = diagnosis;
    if let Some(app) = &app {
        note::app(app);
    }
    if let Some(button) = &report.button {
        note::button(button);
    }
    let detail = detail.map(|detail| format!(" [{detail}]")).unwrap_or_default();
    let message = format!("{} {}{detail}", Lang::En.finding(report.finding).what, report.page);
    note::why(Why { rule: report.finding.rule().into(), message, nearest });
}

/// `is_script`: an element waits for it, and would call anything but a script a failure.
fn answer(status: StatusCode, is_script: bool) -> Response {
    let status = if is_script && status.is_success() { StatusCode::OK } else { status };
    let mut response = status.into_response();
    let headers = response.headers_mut();
    if is_script {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_a_page_is_told_by_origin_and_path_alone() {
        let page = |text: &str| place(text).map(|(_, page)| page);
        assert_eq!(page("https://a.test/sign-in").as_deref(), Some("https://a.test/sign-in"));
        assert_eq!(page("file:").as_deref(), Some("file:"));
        assert_eq!(page("file:///home/ada/page.html").as_deref(), Some("file:"));
        let token = format!("https://a.test/session/{}/x", "a1".repeat(20));
        assert_eq!(page(&token).as_deref(), Some("https://a.test/session/…/x"));
        for refused in ["https://a.test/?code=x", "https://a.test/#x", "https://u:p@a.test/", "a.test", ""] {
            assert_eq!(place(refused), None, "{refused}");
        }
    }
}
