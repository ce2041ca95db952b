//! The device flow (RFC 8628): the endpoint for the device, and the page where a person types its code.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use super::super::error::oauth::{invalid, json as respond, method_not_allowed, store_failed, too_many};
use super::super::error::{failed_page, method_not_allowed_page, refused, retry_after_header};
use super::super::extract::{self, Pairs};
use super::super::forms::{field, posted, see_other};
use super::super::page::{self, Kind};
use super::super::urls::route;
use super::super::{Web, cookies};
use super::client::{self, ClientRequest, Pages};
use super::cors;
use crate::crypto::token::HandleKind;
use crate::domain::device_code::{DEVICE_CODE_LIFETIME, POLL_INTERVAL, USER_CODE_LENGTH};
use crate::domain::grant_type::GrantType;
use crate::services::csrf;
use crate::services::oauth::device::{self, BeginError, EntryError};
use crate::services::oauth::error::{ErrorCode, Invalid};
use crate::services::reason;
use crate::services::throttle::TooMany;
use crate::views::{Device, DeviceError};

pub fn routes() -> Router<Arc<Web>> {
    let preflight = async |State(web): State<Arc<Web>>, headers: HeaderMap| cors::preflight(&web, &headers).await;
    let other = async || method_not_allowed("POST, OPTIONS");
    let other_page = async |State(web): State<Arc<Web>>, headers: HeaderMap| method_not_allowed_page(&web, &headers);
    Router::new()
        .route(route::DEVICE_AUTHORIZATION, post(begin).options(preflight).fallback(other))
        .route(route::DEVICE, get(show).post(enter).fallback(other_page))
}

async fn begin(State(web): State<Arc<Web>>, request: Request) -> Response {
    client::serve(&web, route::DEVICE_AUTHORIZATION, Pages::Own, request, async |request| answer(&web, request).await)
        .await
}

async fn answer(web: &Web, request: ClientRequest) -> Response {
    if !request.app().has_grant(GrantType::DeviceCode) {
        let description = "This client is not registered for the device grant.";
        return invalid(Invalid::new(ErrorCode::UnauthorizedClient, description));
    }
    let get = |name: &str| request.form.get(name).map_err(Invalid::from);
    let (scope, resource) = match (get("scope"), get("resource")) {
        (Ok(scope), Ok(resource)) => (scope, resource),
        (Err(why), _) | (_, Err(why)) => return invalid(why),
    };
    match device::begin(&web.ctx, request.app(), scope, resource, request.from).await {
        Ok(begun) => {
            let address = web.urls.public(route::DEVICE);
            let body = json!({
                "device_code": begun.device_code,
                "user_code": begun.user_code.to_string(),
                "verification_uri": address,
                "verification_uri_complete": format!("{address}?user_code={}", begun.user_code),
                "expires_in": DEVICE_CODE_LIFETIME.as_secs(),
                "interval": POLL_INTERVAL.as_secs(),
            });
            respond(StatusCode::OK, &body)
        }
        Err(BeginError::Invalid(why)) => {
            refused("oauth/device_authorization", &why, None);
            invalid(why)
        }
        Err(BeginError::TooMany(span)) => {
            refused("oauth/device_authorization", &span, None);
            too_many(span)
        }
        Err(BeginError::Store(error)) => store_failed(&error),
    }
}

/// A code in the address is only filled in: whoever opens it still has to say that it is theirs (RFC 8628 section 3.3.1).
async fn show(State(web): State<Arc<Web>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = Pairs::of_query(query.as_deref());
    form_page(&web, &headers, field(&query, "user_code"), None)
}

/// Its CSRF token is bound to the browser's own cookie, which is set here where there is none.
fn form_page(web: &Web, headers: &HeaderMap, user_code: &str, error: Option<DeviceError>) -> Response {
    let known = cookies::browser_handle(web, headers);
    let browser = known.clone().unwrap_or_else(|| web.ctx.mint(web.ctx.now()));
    let frame = page::frame(web, headers, None);
    let nonce = frame.nonce.clone();
    let view = Device {
        page: frame,
        action: web.urls.path(route::DEVICE),
        csrf: csrf::token(&web.ctx, &browser),
        user_code: shown(user_code),
        error,
    };
    let status = match error {
        None => StatusCode::OK,
        Some(DeviceError::TooManyAttempts { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(DeviceError::FormOutdated) => StatusCode::FORBIDDEN,
        Some(DeviceError::CodeMissing | DeviceError::CodeUnknown) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut response = page::render(Kind::Plain, status, &nonce, &view);
    if known.is_none() {
        let cookie = cookies::set_browser(web, browser.encode(HandleKind::Browser));
        cookies::set(response.headers_mut(), [cookie]);
    }
    response
}

/// What was typed, as far as it could be of a code: nothing else of a request is shown again.
fn shown(typed: &str) -> String {
    typed.chars().filter(|c| c.is_ascii_alphabetic() || matches!(c, '-' | ' ')).take(USER_CODE_LENGTH + 4).collect()
}

async fn enter(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match posted(&web, &headers, body) {
        Ok(form) => form,
        Err(answer) => return *answer,
    };
    let typed = field(&form, "user_code");
    let browser = cookies::browser_handle(&web, &headers);
    let Some(browser) = browser.filter(|browser| csrf::is_valid(&web.ctx, browser, field(&form, "csrf"))) else {
        return form_page(&web, &headers, typed, Some(DeviceError::FormOutdated));
    };
    if typed.is_empty() {
        return form_page(&web, &headers, "", Some(DeviceError::CodeMissing));
    }
    let browser = browser.encode(HandleKind::Browser);
    match device::enter(&web.ctx, typed, Some(&browser), extract::peer(&extensions)).await {
        Ok(started) => {
            let mut response = see_other(&web.urls.dialog(started.flow));
            cookies::set(response.headers_mut(), [cookies::set_browser(&web, started.browser)]);
            response
        }
        Err(why @ EntryError::Unknown) => {
            reason::note(&why);
            form_page(&web, &headers, typed, Some(DeviceError::CodeUnknown))
        }
        Err(EntryError::TooMany(TooMany { retry_after })) => {
            let retry_after_seconds = retry_after.as_secs().max(1);
            let page = form_page(&web, &headers, typed, Some(DeviceError::TooManyAttempts { retry_after_seconds }));
            retry_after_header(page, retry_after)
        }
        Err(EntryError::Store(error)) => failed_page(&web, &headers, &error),
    }
}
