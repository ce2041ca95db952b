//! Signing in on a page of ours, in the dialog and on the account page alike.

use std::time::Duration;

use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::Response;

use super::error::{failed_page, refused, retry_after_header};
use super::extract::{self, Pairs};
use super::forms::{Refused, field};
use super::page::{self, Kind};
use super::{Web, cookies};
use crate::crypto::password::Busy;
use crate::domain::journal::Why;
use crate::domain::magic::Magic;
use crate::domain::session::MAX_USER_AGENT;
use crate::domain::user::User;
use crate::services::journal::note;
use crate::services::login::{self, Browser, LoginError, NewSession, SignedIn};
use crate::services::throttle::TooMany;
use crate::views::{self, Form, Lang, Login, Page, Problem, SandboxUser};

/// Who is signed in with this browser.
pub async fn signed_in(web: &Web, headers: &HeaderMap) -> Result<Option<SignedIn>, Refused> {
    let Some(cookie) = cookies::session(web, headers) else { return Ok(None) };
    let found =
        login::session_of(&web.ctx, &cookie).await.map_err(|error| Box::new(failed_page(web, headers, &error)))?;
    if let Some(signed_in) = &found {
        note::user(signed_in.user.email.as_str());
    }
    Ok(found)
}

/// The frame of a page that is for everybody: its header leads where who is signed in may go, and where that cannot be
/// found out, where all may.
pub async fn frame_for_visitor(web: &Web, headers: &HeaderMap) -> Page {
    let frame = page::frame(web, headers, None);
    match signed_in(web, headers).await {
        Ok(Some(signed_in)) => frame.for_role(signed_in.user.role),
        Ok(None) | Err(_) => frame,
    }
}

pub fn offered(users: &[User], lang: Lang) -> Vec<SandboxUser> {
    let offer = |user: &User| SandboxUser {
        email: user.email.to_string(),
        name: user.name.clone(),
        note: user
            .magic
            .and_then(|magic: Magic| SandboxUser::magic_note(lang, &format!("{}@", magic.as_str())).map(str::to_owned)),
    };
    users.iter().map(offer).collect()
}

/// What a session is remembered by.
pub fn browser(headers: &HeaderMap, extensions: &Extensions) -> Browser {
    let user_agent = headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok());
    Browser {
        address: extract::peer(extensions),
        user_agent: user_agent.map(|name| name.chars().take(MAX_USER_AGENT).collect()),
    }
}

/// The login page. A form that is shown again has a status that says so; it does not tell an unknown user
/// from a wrong password.
pub fn login_answer(kind: Kind, error: Option<views::LoginError>, nonce: &str, view: &Login) -> Response {
    let status = match error {
        None => StatusCode::OK,
        Some(views::LoginError::TooManyAttempts { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(views::LoginError::Busy { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Some(views::LoginError::FormOutdated) => StatusCode::FORBIDDEN,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let response = page::render(kind, status, nonce, view);
    match error {
        Some(
            views::LoginError::TooManyAttempts { retry_after_seconds }
            | views::LoginError::Busy { retry_after_seconds },
        ) => retry_after_header(response, Duration::from_secs(retry_after_seconds)),
        _ => response,
    }
}

/// Why a login form opened no session.
pub enum NotSignedIn {
    /// The form is shown again, with this beside it.
    Again(views::LoginError),
    /// A failure of ours.
    Failed(LoginError),
}

/// Opens a session for whom a login form names. `before` is who was signed in with this browser until now.
pub async fn sign_in(
    web: &Web,
    form: &Pairs,
    browser: &Browser,
    before: Option<&SignedIn>,
) -> Result<NewSession, NotSignedIn> {
    let chosen = field(form, "continue_as");
    let (email, password) = (field(form, "email"), field(form, "password"));
    let who = if web.ctx.sandbox && !chosen.is_empty() {
        login::without_password(&web.ctx, chosen).await
    } else if email.is_empty() {
        note::why(Why::new("user.credentials", "the form names no user"));
        return Err(NotSignedIn::Again(views::LoginError::EmailMissing));
    } else if password.is_empty() {
        note::why(Why::new("user.credentials", "the form has no password"));
        return Err(NotSignedIn::Again(views::LoginError::PasswordMissing));
    } else {
        login::with_password(&web.ctx, email, password, browser.address).await
    };
    login::open_session(&web.ctx, &who?, before, browser).await.map_err(NotSignedIn::from)
}

impl From<LoginError> for NotSignedIn {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::WrongCredentials => Self::Again(views::LoginError::BadCredentials),
            LoginError::TooMany(TooMany { retry_after }) => {
                let retry_after_seconds = retry_after.as_secs().max(1);
                Self::Again(views::LoginError::TooManyAttempts { retry_after_seconds })
            }
            LoginError::Busy(busy) => {
                refused("login", &busy, None);
                Self::Again(views::LoginError::Busy { retry_after_seconds: busy.retry_after.as_secs() })
            }
            other => Self::Failed(other),
        }
    }
}

/// A form that has no place in the queue of passwords is shown again: `form` says why, and the answer when to send it.
pub fn refuse_busy(form: &mut Form, page: &Page, endpoint: &'static str, busy: Busy) {
    refused(endpoint, &busy, None);
    form.refuse("", &page.text().login.busy.with(&busy.retry_after.as_secs().to_string()));
}

pub fn login_failed(web: &Web, headers: &HeaderMap, error: LoginError) -> Response {
    match error {
        LoginError::Store(error) => failed_page(web, headers, &error),
        other => {
            tracing::error!(error = %other, "a password could not be checked");
            page::error(web, headers, None, Problem::Internal, None)
        }
    }
}
