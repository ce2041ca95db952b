//! Who may use the API of deliveries: whoever has the sandbox token, or is signed in as an administrator.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::error::problem::Problem;
use super::super::extract;
use super::super::sandbox::auth::has_token;
use super::super::{Web, cookies};
use crate::domain::role::Role;
use crate::domain::user::User;
use crate::services::audit::By;
use crate::services::login;
use crate::store::StoreError;

/// Who calls, once [`require`] let them.
#[derive(Clone)]
pub struct Caller(pub By);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unauthorized)
    }
}

/// Around every operation: 401 before anything else of the request is looked at.
pub async fn require(State(web): State<Arc<Web>>, mut request: Request, next: Next) -> Response {
    let from = extract::peer(request.extensions());
    let headers = request.headers();
    let by = if has_token(&web, headers) {
        By::control_plane(from)
    } else {
        match administrator(&web, headers).await {
            Ok(Some(user)) if is_from_here(&web, request.method(), headers) => By::user(&user, from),
            Ok(_) => return unauthorized().into_response(),
            Err(error) => return Problem::failure(&error).into_response(),
        }
    };
    request.extensions_mut().insert(Caller(by));
    next.run(request).await
}

async fn administrator(web: &Web, headers: &HeaderMap) -> Result<Option<User>, StoreError> {
    let Some(cookie) = cookies::session(web, headers) else { return Ok(None) };
    let found = login::session_of(&web.ctx, &cookie).await?;
    Ok(found.map(|found| found.user).filter(|user| user.role == Role::Admin))
}

/// Whether no page of another origin sent a request of a session. What changes something has to show that it comes from
/// here, by `Origin` or `Sec-Fetch-Site`: an operation without a body is a request that any page may send, and that the
/// cookie is `SameSite=Lax` tells sites apart, and not the origins of one.
fn is_from_here(web: &Web, method: &Method, headers: &HeaderMap) -> bool {
    let (site, origin) = (headers.get("sec-fetch-site"), headers.get(header::ORIGIN));
    let is_own_site = site.map(|site| site == "same-origin");
    let is_own_origin = origin.map(|origin| origin == web.origin.as_str());
    if method.is_safe() {
        // `none`: typed into the address bar.
        return (is_own_site != Some(false) || site.is_some_and(|site| site == "none")) && is_own_origin != Some(false);
    }
    let shown = [is_own_site, is_own_origin];
    shown.contains(&Some(true)) && !shown.contains(&Some(false))
}

fn unauthorized() -> Problem {
    let detail = "Send the sandbox token (Authorization: Bearer TOKEN), or the session of an administrator.";
    Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail)
}
