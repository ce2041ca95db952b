//! What the button's script talks to (wire.md A1): the click, the swap of the code, automatic sign-in.

mod report;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::error::button::{AuthorizeResult, Code, respond};
use super::error::{failed, failed_page, method_not_allowed_page, refused, retry_after_header, too_many_page};
use super::extract::{self, Pairs};
use super::urls::route;
use super::{Web, cookies, page};
use crate::crypto::token::fingerprint;
use crate::domain::journal::Why;
use crate::domain::origin::Origin;
use crate::services::journal::note;
use crate::services::redeem::{self, Presented, RedeemError};
use crate::services::resume::{self, MAX_BUTTONS, ResumeRefusal};
use crate::services::sign_in::{self, Click, ClickError};
use crate::services::throttle::TooMany;
use crate::views::Problem;

/// For sandbox mode alone.
pub use report::routes as report_routes;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(
            route::BUTTON_AUTHORIZE,
            get(authorize).fallback(async |State(web): State<Arc<Web>>, headers: HeaderMap| {
                method_not_allowed_page(&web, &headers)
            }),
        )
        .route(route::BUTTON_TOKEN, post(token).options(preflight).fallback(other_method))
        .route(route::BUTTON_RESUME, post(resume).options(preflight).fallback(other_method))
}

/// The pop-up's first request. Its parameters go into a flow; the address that the browser keeps names only that.
async fn authorize(
    State(web): State<Arc<Web>>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    if extract::is_effectless(&method, &headers) {
        return page::not_ahead(&method);
    }
    let query = Pairs::of_query(query.as_deref());
    let Ok(click) = Click::of(&query) else {
        return page::error(&web, &headers, None, Problem::InvalidRequest, Some("a parameter is repeated".into()));
    };
    let lang = click.lang.clone();
    let browser = cookies::browser(&web, &headers);
    match sign_in::open(&web.ctx, click, browser.as_deref(), extract::peer(&extensions)).await {
        Ok(opened) => {
            let mut response = Redirect::to(&web.urls.dialog(opened.flow)).into_response();
            let set = response.headers_mut();
            set.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            set.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
            cookies::set(set, [cookies::set_browser(&web, opened.browser)]);
            response
        }
        Err(ClickError::Store(error)) => failed_page(&web, &headers, &error),
        Err(ClickError::TooMany(span)) => too_many_page(&web, &headers, "button/authorize", span),
        Err(why) => {
            refused("button/authorize", &why, None);
            let problem = match &why {
                ClickError::InvalidButton { .. } | ClickError::AppDisabled => Problem::InvalidButton,
                ClickError::OriginNotAllowed { .. } => Problem::OriginNotAllowed,
                ClickError::ReturnNotRegistered { .. } => Problem::ReturnNotRegistered,
                ClickError::InvalidRequest { .. } | ClickError::TooMany(_) | ClickError::Store(_) => {
                    Problem::InvalidRequest
                }
            };
            page::error(&web, &headers, lang.as_deref(), problem, click_detail(&web, &why))
        }
    }
}

/// What helps a developer. In the sandbox also what is registered; never what was sent.
fn click_detail(web: &Web, why: &ClickError) -> Option<String> {
    match why {
        ClickError::InvalidRequest { .. } => Some(why.to_string()),
        ClickError::OriginNotAllowed { listed, .. } if web.ctx.sandbox => {
            let listed: Vec<&str> = listed.iter().map(Origin::as_str).collect();
            Some(format!("listed: {}", listed.join(", ")))
        }
        _ => None,
    }
}

/// Lets exactly this origin read the answer. Only for an origin that was judged.
fn readable_by(mut response: Response, origin: &Origin) -> Response {
    if let Ok(value) = HeaderValue::from_str(origin.as_str()) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// The same for the origin of a request, if some button may be used on it.
pub async fn readable_where_listed(web: &Web, headers: &HeaderMap, response: Response) -> Response {
    match judged_origin(web, headers).await {
        Ok(origin) => readable_by(response, &origin),
        Err(_) => response,
    }
}

/// The page's origin, if some button may be used on it; else the answer, which no other origin can read.
async fn judged_origin(web: &Web, headers: &HeaderMap) -> Result<Origin, Box<Response>> {
    let refuse = |status, code| Err(Box::new(respond(status, &AuthorizeResult::refused(code, None, false))));
    let Some(origin) = extract::origin(headers) else {
        note::why(Why::new(
            "button.origin_missing",
            "the request names no origin, or none that a button could be listed for",
        ));
        return refuse(StatusCode::FORBIDDEN, Code::OriginNotAllowed);
    };
    match redeem::is_origin_listed(&web.ctx, &origin).await {
        Ok(true) => Ok(origin),
        Ok(false) => {
            let nearest = sign_in::nearest_origin(&web.ctx, origin.as_str()).await.unwrap_or_default();
            let message = format!("no button is listed for the origin {origin}");
            note::why(Why { nearest, ..Why::new("button.origin", message) });
            refuse(StatusCode::FORBIDDEN, Code::OriginNotAllowed)
        }
        Err(error) => refuse(failed(&error), Code::ServerError),
    }
}

async fn preflight(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let origin = match judged_origin(&web, &headers).await {
        Ok(origin) => origin,
        Err(answer) => return *answer,
    };
    let mut response = readable_by(StatusCode::NO_CONTENT.into_response(), &origin);
    let set = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        set.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn other_method() -> Response {
    let body = AuthorizeResult::refused(Code::ServerError, None, false);
    let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, &body);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    response
}

#[derive(Deserialize)]
struct TokenRequest {
    btn: String,
    code: String,
    code_verifier: String,
}

/// Swaps a code for the result, and leaves the cookie that spares the next visit a click.
async fn token(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let origin = match judged_origin(&web, &headers).await {
        Ok(origin) => origin,
        Err(answer) => return *answer,
    };
    let answer = match extract::json::<TokenRequest>(&headers, body) {
        Ok(request) => redeem(&web, &origin, request, extract::peer(&extensions)).await,
        Err(error) => respond(error.status(), &AuthorizeResult::refused(Code::InvalidGrant, None, false)),
    };
    readable_by(answer, &origin)
}

async fn redeem(web: &Web, origin: &Origin, request: TokenRequest, from: Option<IpAddr>) -> Response {
    let TokenRequest { btn, code, code_verifier } = request;
    let fingerprint = fingerprint(&code);
    let presented = Presented { btn: btn.clone(), code, code_verifier };
    match redeem::redeem(&web.ctx, origin, presented, from).await {
        Ok(redeemed) => {
            let result = AuthorizeResult::granted(redeemed.granted, &btn, false);
            let mut response = respond(StatusCode::OK, &result);
            let cookie = cookies::set_resume(web, &redeemed.app, origin, redeemed.resume_handle);
            cookies::set(response.headers_mut(), [cookie]);
            response
        }
        Err(RedeemError::TooMany(why, TooMany { retry_after })) => {
            refused("button/token", &why, Some(fingerprint));
            let result = AuthorizeResult::refused(Code::RateLimited, Some(&btn), false);
            retry_after_header(respond(StatusCode::TOO_MANY_REQUESTS, &result), retry_after)
        }
        Err(RedeemError::Store(error)) => {
            respond(failed(&error), &AuthorizeResult::refused(Code::ServerError, Some(&btn), false))
        }
        Err(why) => {
            refused("button/token", &why, Some(fingerprint));
            let code = match why {
                RedeemError::OriginNotAllowed => Code::OriginNotAllowed,
                RedeemError::InvalidButton => Code::InvalidButton,
                RedeemError::Refused(_) | RedeemError::TooMany(..) | RedeemError::Store(_) => Code::InvalidGrant,
            };
            respond(StatusCode::OK, &AuthorizeResult::refused(code, Some(&btn), false))
        }
    }
}

#[derive(Deserialize)]
struct ResumeRequest {
    btns: Vec<String>,
    #[serde(default)]
    return_to: Option<String>,
}

/// Automatic sign-in for all the buttons of a page at once.
async fn resume(State(web): State<Arc<Web>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let origin = match judged_origin(&web, &headers).await {
        Ok(origin) => origin,
        Err(answer) => return *answer,
    };
    let answer = match extract::json::<ResumeRequest>(&headers, body) {
        Ok(request) if request.btns.len() <= MAX_BUTTONS => resume_all(&web, &headers, &origin, request).await,
        Ok(_) => respond(StatusCode::BAD_REQUEST, &AuthorizeResult::refused(Code::InvalidButton, None, true)),
        Err(error) => respond(error.status(), &AuthorizeResult::refused(Code::InvalidButton, None, true)),
    };
    readable_by(answer, &origin)
}

async fn resume_all(web: &Web, headers: &HeaderMap, origin: &Origin, request: ResumeRequest) -> Response {
    let mut btns = request.btns;
    let mut seen = std::collections::HashSet::new();
    btns.retain(|btn| seen.insert(btn.clone()));
    let button_session = cookies::button_session(web, headers);
    let page = resume::Page {
        origin,
        btns,
        return_to: request.return_to.as_deref(),
        handle_of: &|app| cookies::resume_handle(web, headers, app, origin),
        button_session: button_session.as_deref(),
    };
    let resumed = match resume::resume(&web.ctx, page).await {
        Ok(resumed) => resumed,
        Err(error) => return respond(failed(&error), &AuthorizeResult::refused(Code::ServerError, None, true)),
    };
    let results: BTreeMap<String, AuthorizeResult> = resumed
        .results
        .into_iter()
        .map(|(btn, result)| {
            let result = match result {
                Ok(granted) => AuthorizeResult::granted(granted, &btn, true),
                Err(refusal) => AuthorizeResult::refused(resume_code(refusal), Some(&btn), true),
            };
            (btn, result)
        })
        .collect();
    let body = serde_json::json!({"results": results, "return_registered": resumed.return_registered});
    let mut response = respond(StatusCode::OK, &body);
    let fresh = resumed.handles.into_iter().map(|(app, handle)| cookies::set_resume(web, &app, origin, handle));
    cookies::set(response.headers_mut(), fresh);
    response
}

fn resume_code(refusal: ResumeRefusal) -> Code {
    match refusal {
        ResumeRefusal::LoginRequired => Code::LoginRequired,
        ResumeRefusal::ConsentRequired => Code::ConsentRequired,
        ResumeRefusal::InvalidButton => Code::InvalidButton,
        ResumeRefusal::OriginNotAllowed => Code::OriginNotAllowed,
    }
}
