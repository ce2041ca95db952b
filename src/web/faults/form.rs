//! The answer that a fault gives, in the form of its endpoint.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::error::api_token;
use super::super::error::button::{AuthorizeResult, Code, respond};
use super::super::error::leadexec::{self, RefreshAnswer};
use super::super::error::oauth::with_status;
use super::super::error::{failed_page, retry_after_header};
use super::super::extract::{self, rest_of_path};
use super::super::oauth::{client, cors, send};
use super::super::urls::route;
use super::super::{Web, authorize, bearer, button, page};
use super::asked::Asked;
use super::endpoints::{Form, Readers, Served};
use crate::domain::fault::Answer;
use crate::services::oauth::authorization::{self, AuthorizationError, error_response};
use crate::services::oauth::error::{ErrorCode, Invalid};
use crate::views::Problem;

const DESCRIPTION: &str = "A fault rule of the sandbox asked for this error.";
/// What a client is told to wait, where it is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An error that a rule asks for; one of the two is there.
#[derive(Clone, Copy)]
struct Failure<'r> {
    status: Option<StatusCode>,
    error: Option<&'r str>,
}

impl Failure<'_> {
    fn status_or(self, usual: StatusCode) -> StatusCode {
        self.status.unwrap_or(usual)
    }
}

/// What is answered; `None` where nothing is.
pub async fn answer(web: &Web, served: &Served, asked: &Asked, answer: &Answer) -> Option<Response> {
    let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let response = match answer {
        Answer::Dropped => return None,
        Answer::Exactly { status: code, content_type, body } => exactly(status(*code), content_type, body.text()),
        Answer::Status(code) => {
            let failure = Failure { status: Some(status(*code)), error: None };
            waiting(in_form(web, served, asked, failure).await)
        }
        Answer::Error { error, status: code } => {
            let failure = Failure { status: code.map(status), error: Some(error) };
            waiting(in_form(web, served, asked, failure).await)
        }
    };
    Some(readable(web, served, asked, bodiless(response)).await)
}

fn exactly(status: StatusCode, content_type: &str, body: String) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// These two statuses say when to come back (RFC 9110 section 15.6.4, RFC 6585 section 4).
fn waiting(response: Response) -> Response {
    match response.status() {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => retry_after_header(response, RETRY_AFTER),
        _ => response,
    }
}

/// These have no body, whatever form there is (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5).
fn bodiless(mut response: Response) -> Response {
    if matches!(response.status().as_u16(), 204 | 205 | 304) {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}

async fn in_form(web: &Web, served: &Served, asked: &Asked, failure: Failure<'_>) -> Response {
    match served.form {
        Form::Refresh => {
            let token = rest_of_path(asked.uri.path(), route::REFRESH);
            let status = failure.status_or(StatusCode::OK);
            RefreshAnswer::refused(&token, sentence(failure, leadexec::NOT_GOOD)).respond(status)
        }
        Form::Disconnect => {
            let status = failure.status_or(StatusCode::OK);
            let sentence = sentence(failure, leadexec::NOT_CONNECTED);
            authorize::disconnect_failed(&asked.method, &asked.query, status, sentence)
        }
        Form::Result => {
            let code = button_code(failure);
            let result = AuthorizeResult::refused(code, asked.buttons().first().copied(), false);
            respond(failure.status_or(code.usual_status()), &result)
        }
        Form::Results => results(asked, failure),
        Form::ApiToken => {
            let code = oauth_code(failure, ErrorCode::InvalidRequest);
            api_token::refused(failure.status_or(usual_status(code)), code)
        }
        Form::OAuth => {
            let code = oauth_code(failure, ErrorCode::InvalidRequest);
            with_status(failure.status_or(usual_status(code)), Invalid::new(code, DESCRIPTION))
        }
        Form::Bearer => {
            let code = oauth_code(failure, ErrorCode::InvalidToken);
            bearer::failed(failure.status_or(usual_status(code)), &asked.headers, Invalid::new(code, DESCRIPTION))
        }
        Form::Redirect => redirected(web, asked, failure).await,
        Form::Page => page::failure(web, &asked.headers, failure.status_or(StatusCode::INTERNAL_SERVER_ERROR)),
    }
}

/// What LeadExec's endpoints say; `refusal` where the status puts it down to the client.
fn sentence<'s>(failure: Failure<'s>, refusal: &'s str) -> &'s str {
    match (failure.error, failure.status) {
        (Some(error), _) => error,
        (None, Some(StatusCode::TOO_MANY_REQUESTS)) => leadexec::TOO_MANY,
        (None, Some(status)) if status.is_server_error() => leadexec::failure_sentence(status),
        (None, _) => refusal,
    }
}

fn button_code(failure: Failure<'_>) -> Code {
    match failure.status {
        _ if failure.error.is_some() => failure.error.and_then(Code::parse).unwrap_or(Code::ServerError),
        Some(StatusCode::TOO_MANY_REQUESTS) => Code::RateLimited,
        Some(StatusCode::FORBIDDEN) => Code::OriginNotAllowed,
        _ => Code::ServerError,
    }
}

/// Automatic sign-in: what is wrong with a button is told for each of them, what is wrong with the server once.
fn results(asked: &Asked, failure: Failure<'_>) -> Response {
    let code = button_code(failure);
    let btns = asked.buttons();
    let status = failure.status_or(code.usual_status());
    let is_of_server = matches!(code, Code::ServerError | Code::RateLimited);
    if is_of_server || failure.error.is_none() || btns.is_empty() {
        return respond(status, &AuthorizeResult::refused(code, None, true));
    }
    let results: BTreeMap<&str, AuthorizeResult> =
        btns.into_iter().map(|btn| (btn, AuthorizeResult::refused(code, Some(btn), true))).collect();
    respond(failure.status_or(StatusCode::OK), &json!({"results": results, "return_registered": true}))
}

fn oauth_code(failure: Failure<'_>, unauthorized: ErrorCode) -> ErrorCode {
    match failure.status {
        _ if failure.error.is_some() => failure.error.and_then(ErrorCode::parse).unwrap_or(ErrorCode::ServerError),
        Some(StatusCode::UNAUTHORIZED) if unauthorized == ErrorCode::InvalidToken => unauthorized,
        Some(StatusCode::UNAUTHORIZED) => ErrorCode::InvalidClient,
        Some(StatusCode::FORBIDDEN) if unauthorized == ErrorCode::InvalidToken => ErrorCode::InsufficientScope,
        Some(StatusCode::TOO_MANY_REQUESTS) => ErrorCode::SlowDown,
        Some(StatusCode::SERVICE_UNAVAILABLE) => ErrorCode::TemporarilyUnavailable,
        Some(status) if status.is_client_error() => ErrorCode::InvalidRequest,
        _ => ErrorCode::ServerError,
    }
}

/// RFC 6749 section 5.2, RFC 6750 section 3.1.
fn usual_status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// An error goes to the client, if the request is one of a client's; a status is for the browser.
async fn redirected(web: &Web, asked: &Asked, failure: Failure<'_>) -> Response {
    let code = match (failure.error.and_then(ErrorCode::parse), failure.status) {
        (Some(code), None) => code,
        (_, status) => {
            return page::failure(web, &asked.headers, status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        }
    };
    let parameters = if asked.uri.query().is_some() { &asked.query } else { &asked.form };
    let (app, target) = match authorization::check(&web.ctx, parameters).await {
        Ok((app, request)) => (app, request.target),
        Err(AuthorizationError::Sendable { app, target, .. }) => (*app, *target),
        Err(AuthorizationError::Store(error)) => return failed_page(web, &asked.headers, &error),
        Err(AuthorizationError::Unsendable(why)) => {
            return page::error(web, &asked.headers, None, Problem::InvalidRequest, Some(why.to_string()));
        }
    };
    send(web, &asked.headers, &app, &error_response(target, &web.ctx.issuer, Invalid::new(code, DESCRIPTION)))
}

/// An answer that a page of another origin may read, where it could read the endpoint's own.
async fn readable(web: &Web, served: &Served, asked: &Asked, mut response: Response) -> Response {
    match served.readers {
        Readers::None => response,
        Readers::All => {
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            response
        }
        Readers::Listed => button::readable_where_listed(web, &asked.headers, response).await,
        Readers::Clients => {
            let client = client::claimed_id(&asked.headers, &asked.form);
            cors::readable(web, extract::origin(&asked.headers), client.as_deref(), response).await
        }
    }
}
