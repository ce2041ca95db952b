//! The authorization endpoint (RFC 6749 section 3.1): checks a request and opens the dialog for it. No other origin may
//! read it (RFC 9700 section 2.6).

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, header};
use axum::response::Response;
use axum::routing::get;

use super::super::error::{failed_page, method_not_allowed_page, refused, too_many_page};
use super::super::extract::{self, BodyError, Pairs};
use super::super::forms::{come_by_link, see_other};
use super::super::login::signed_in;
use super::super::urls::route;
use super::super::{Web, cookies, page};
use super::respond::send;
use crate::domain::app::App;
use crate::domain::authorization::AuthorizationRequest;
use crate::domain::flow::FlowRequest;
use crate::services::dialog::{self, DialogError, StartError};
use crate::services::journal::note;
use crate::services::oauth::authorization::{self, AuthorizationError, Unsendable, error_response};
use crate::services::oauth::error::{ErrorCode, Invalid};
use crate::views::Problem;

pub fn routes() -> Router<Arc<Web>> {
    let other = async |State(web): State<Arc<Web>>, headers: HeaderMap| method_not_allowed_page(&web, &headers);
    Router::new().route(route::OAUTH_AUTHORIZE, get(by_query).post(by_form).fallback(other))
}

async fn by_query(
    State(web): State<Arc<Web>>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    if extract::is_effectless(&method, &headers) {
        return page::not_ahead(&method);
    }
    match Pairs::exact(query.unwrap_or_default().as_bytes()) {
        Ok(parameters) => authorize(&web, &headers, extract::peer(&extensions), &parameters).await,
        Err(_) => page::error(&web, &headers, None, Problem::InvalidRequest, None),
    }
}

/// Other sites may post here as they may link here: the request only begins a flow.
async fn by_form(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match extract::exact_form(&headers, body) {
        Ok(parameters) => {
            let again =
                extract::is_cross_site(&headers).then(|| come_by_link(&web, route::OAUTH_AUTHORIZE, &parameters));
            match again.flatten() {
                Some(answer) => answer,
                None => authorize(&web, &headers, extract::peer(&extensions), &parameters).await,
            }
        }
        Err(error) => {
            let problem = match error {
                BodyError::TooLarge => Problem::TooLarge,
                BodyError::WrongType => Problem::UnsupportedMediaType,
                BodyError::Malformed => Problem::InvalidRequest,
                BodyError::Late => Problem::TooSlow,
            };
            page::error(&web, &headers, None, problem, None)
        }
    }
}

async fn authorize(web: &Web, headers: &HeaderMap, from: Option<IpAddr>, parameters: &Pairs) -> Response {
    match authorization::check(&web.ctx, parameters).await {
        Ok((app, request)) => begin(web, headers, from, &app, request).await,
        Err(AuthorizationError::Store(error)) => failed_page(web, headers, &error),
        Err(AuthorizationError::Unsendable(why)) => {
            refused("oauth/authorize", &why, None);
            let problem = match why {
                Unsendable::Client | Unsendable::Disabled => Problem::InvalidClient,
                Unsendable::RedirectUriTwice => Problem::InvalidRequest,
                Unsendable::RedirectUri | Unsendable::NoRedirectUri => Problem::RedirectUriMismatch,
                Unsendable::RequestUri => Problem::RequestUriInvalid,
            };
            page::error(web, headers, None, problem, Some(detail(web, why)))
        }
        Err(AuthorizationError::Sendable { target, invalid, app }) => {
            refused("oauth/authorize", &invalid, None);
            send(web, headers, &app, &error_response(*target, &web.ctx.issuer, invalid))
        }
    }
}

/// A sandbox also tells what would have been taken; elsewhere that is not for whoever comes along.
fn detail(web: &Web, why: Unsendable) -> String {
    let noted = note::current().why.filter(|_| web.ctx.sandbox);
    let nearest = noted.and_then(|noted| noted.nearest).map(|nearest| format!(". Known: {nearest}"));
    format!("{why}{}", nearest.unwrap_or_default())
}

/// Starts a flow; the address that the browser keeps names only that. A request that allows no page is answered at once.
async fn begin(
    web: &Web,
    headers: &HeaderMap,
    from: Option<IpAddr>,
    app: &App,
    request: AuthorizationRequest,
) -> Response {
    let silent = request.interaction.silent;
    let target = request.target.clone();
    let browser = cookies::browser(web, headers);
    let started = dialog::start(&web.ctx, FlowRequest::Authorization(request), browser.as_deref(), from).await;
    let started = match started {
        Ok(started) => started,
        Err(StartError::Store(error)) => return failed_page(web, headers, &error),
        Err(StartError::TooMany(span)) => return too_many_page(web, headers, "oauth/authorize", span),
    };
    if !silent {
        let mut response = see_other(&web.urls.dialog(started.flow));
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        cookies::set(response.headers_mut(), [cookies::set_browser(web, started.browser)]);
        return response;
    }
    let signed_in = match signed_in(web, headers).await {
        Ok(signed_in) => signed_in,
        Err(answer) => return *answer,
    };
    let flow = match dialog::open_flow(&web.ctx, started.flow, Some(&started.browser)).await {
        Ok(flow) => flow,
        Err(why) => return failed_silently(web, headers, why),
    };
    match dialog::silently(&web.ctx, &flow, signed_in.as_ref()).await {
        Ok(Ok(dialog::Outcome::Authorization(response))) => send(web, headers, app, &response),
        Ok(Ok(_)) => page::error(web, headers, None, Problem::Internal, None),
        Ok(Err(code)) => {
            let description = match code {
                ErrorCode::LoginRequired => "The user has to sign in, and prompt=none allows no page.",
                _ => "The user has to consent, and prompt=none allows no page.",
            };
            send(web, headers, app, &error_response(target, &web.ctx.issuer, Invalid::new(code, description)))
        }
        Err(why) => failed_silently(web, headers, why),
    }
}

fn failed_silently(web: &Web, headers: &HeaderMap, why: DialogError) -> Response {
    match why {
        DialogError::Store(error) => failed_page(web, headers, &error),
        why => {
            refused("oauth/authorize", &why, None);
            page::error(web, headers, None, Problem::FlowExpired, None)
        }
    }
}
