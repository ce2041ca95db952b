//! The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use url::form_urlencoded;

use super::super::error::{failed_page, method_not_allowed_page, refused};
use super::super::extract::{self, Pairs};
use super::super::forms::{come_by_link, field, see_other};
use super::super::login::signed_in;
use super::super::page::{self, Kind};
use super::super::urls::route;
use super::super::{Web, cookies, visitor};
use crate::domain::return_url::ReturnUrl;
use crate::services::csrf;
use crate::services::login::{self, SignedIn};
use crate::services::oauth::logout::{self, CheckedLogout, LogoutError, LogoutRequest};
use crate::views::{HiddenField, Logout, Problem, SignedOut};

/// What the form that asks the user carries on.
const CARRIED: [&str; 3] = ["client_id", "post_logout_redirect_uri", "state"];

pub fn routes() -> Router<Arc<Web>> {
    let other = async |State(web): State<Arc<Web>>, headers: HeaderMap| method_not_allowed_page(&web, &headers);
    Router::new().route(route::END_SESSION, get(by_query).post(by_form).fallback(other))
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
        Ok(parameters) => end_session(&web, &headers, &extensions, &parameters).await,
        Err(_) => page::error(&web, &headers, None, Problem::InvalidRequest, None),
    }
}

/// From a client's page, or from the form of ours that asks.
async fn by_form(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match extract::exact_form(&headers, body) {
        Ok(parameters) if may_lack_cookies(&web, &headers) => {
            if parameters.names().next().is_none() {
                return see_other(&web.urls.path(route::END_SESSION));
            }
            let again = come_by_link(&web, route::END_SESSION, &parameters);
            again.unwrap_or_else(|| page::error(&web, &headers, None, Problem::InvalidRequest, None))
        }
        Ok(parameters) => end_session(&web, &headers, &extensions, &parameters).await,
        Err(_) => page::error(&web, &headers, None, Problem::InvalidRequest, None),
    }
}

/// Whether a form may be from a browser that is signed in and did not say so: nobody is told to be signed out who is not.
/// Old browsers do not tell where a form comes from.
fn may_lack_cookies(web: &Web, headers: &HeaderMap) -> bool {
    let tells = headers.contains_key("sec-fetch-site");
    extract::is_cross_site(headers) || (!tells && cookies::session(web, headers).is_none())
}

async fn end_session(web: &Web, headers: &HeaderMap, extensions: &Extensions, parameters: &Pairs) -> Response {
    let names = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];
    if parameters.repeated(&names).is_some() {
        return page::error(web, headers, None, Problem::InvalidRequest, None);
    }
    let get = |name: &str| parameters.get(name).ok().flatten();
    let request = LogoutRequest {
        id_token_hint: get("id_token_hint"),
        client_id: get("client_id"),
        post_logout_redirect_uri: get("post_logout_redirect_uri"),
    };
    let signed_in = match signed_in(web, headers).await {
        Ok(signed_in) => signed_in,
        Err(answer) => return *answer,
    };
    let checked = match logout::check(&web.ctx, &request, signed_in.as_ref()).await {
        Ok(checked) => checked,
        Err(LogoutError::Store(error)) => return failed_page(web, headers, &error),
        Err(why) => {
            refused("oauth/logout", &why, None);
            let problem = match why {
                LogoutError::RedirectUri => Problem::LogoutRedirect,
                LogoutError::Client => Problem::InvalidClient,
                LogoutError::Hint | LogoutError::Store(_) => Problem::InvalidRequest,
            };
            return page::error(web, headers, None, problem, Some(why.to_string()));
        }
    };
    let state = get("state");
    let Some(signed_in) = signed_in else { return signed_out(web, headers, checked.back_to.as_ref(), state) };
    let is_confirmed = csrf::is_valid(&web.ctx, &signed_in.handle, field(parameters, "csrf"));
    if !checked.is_certain && !is_confirmed {
        return ask(web, headers, &signed_in, &checked, parameters);
    }
    let acting = visitor::acting(web, &signed_in, extensions);
    if let Err(error) = login::end_session(&acting, &signed_in.user, signed_in.session.id).await {
        return failed_page(web, headers, &error);
    }
    let mut response = signed_out(web, headers, checked.back_to.as_ref(), state);
    cookies::set(response.headers_mut(), cookies::signed_out(web));
    response
}

fn ask(web: &Web, headers: &HeaderMap, signed_in: &SignedIn, checked: &CheckedLogout, parameters: &Pairs) -> Response {
    let frame = page::frame(web, headers, None);
    let nonce = frame.nonce.clone();
    let mut fields: Vec<HiddenField> =
        CARRIED.iter().filter_map(|name| Some(HiddenField::new(*name, parameters.get(name).ok().flatten()?))).collect();
    // The hint named the client; the form names it itself.
    if let Some(app) = checked.app.as_ref().filter(|_| !fields.iter().any(|field| field.name == "client_id")) {
        fields.push(HiddenField::new("client_id", app.id.to_string()));
    }
    let view = Logout {
        page: frame,
        action: web.urls.path(route::END_SESSION),
        csrf: csrf::token(&web.ctx, &signed_in.handle),
        fields,
        user_name: signed_in.user.name.clone(),
        user_email: signed_in.user.email.to_string(),
        app_name: checked.app.as_ref().map(|app| app.name.clone()),
    };
    page::render(Kind::Redirecting, StatusCode::OK, &nonce, &view)
}

/// Back to the client where that was asked for, with its state; else a page that says so.
fn signed_out(web: &Web, headers: &HeaderMap, back_to: Option<&ReturnUrl>, state: Option<&str>) -> Response {
    let Some(back_to) = back_to else {
        let frame = page::frame(web, headers, None);
        let nonce = frame.nonce.clone();
        return page::render(Kind::Plain, StatusCode::OK, &nonce, &SignedOut { page: frame });
    };
    let mut to = back_to.to_string();
    if let Some(state) = state {
        let separator = if to.contains('?') { '&' } else { '?' };
        to.push(separator);
        to.push_str(&form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish());
    }
    let mut response = see_other(&to);
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
