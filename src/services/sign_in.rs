//! A click on a sign-in button: what it asks for is checked, and a flow is opened for the dialog.

use std::net::IpAddr;

use super::dialog::{self, StartError, Started};
use super::journal::note;
use super::reason::likest;
use super::throttle::TooMany;
use super::{Context, partner};
use crate::domain::button::Button;
use crate::domain::flow::{ButtonRequest, FlowRequest, HandOver};
use crate::domain::ids::ButtonId;
use crate::domain::origin::Origin;
use crate::domain::pairs::{Pairs, Repeated};
use crate::domain::pkce::CodeChallenge;
use crate::domain::return_url::ReturnUrl;
use crate::domain::usage::UsageKind;
use crate::store::{StoreError, buttons};

/// Longest `state`, in bytes.
pub const MAX_STATE: usize = 512;

/// Ids or origins that an unknown one is compared with.
const COMPARED: i64 = 1_000;

/// The parameters of `GET /button/authorize`, as they came.
#[derive(Debug, Default, Clone)]
pub struct Click {
    pub btn: Option<String>,
    pub origin: Option<String>,
    pub state: Option<String>,
    pub code_challenge: Option<String>,
    pub mode: Option<String>,
    pub return_to: Option<String>,
    pub lang: Option<String>,
}

impl Click {
    /// From a query, in which each comes once.
    pub fn of(query: &Pairs) -> Result<Self, Repeated> {
        let get = |name| query.get(name).map(|value| value.map(str::to_owned));
        Ok(Self {
            btn: get("btn")?,
            origin: get("origin")?,
            state: get("state")?,
            code_challenge: get("code_challenge")?,
            mode: get("mode")?,
            return_to: get("return_to")?,
            lang: get("lang")?,
        })
    }
}

/// Why a click does not open a dialog.
#[derive(Debug, thiserror::Error)]
pub enum ClickError {
    #[error("{parameter}: {problem}")]
    InvalidRequest { parameter: &'static str, problem: &'static str },
    #[error("there is no button with this id")]
    InvalidButton { nearest: Option<String> },
    #[error("the origin is not among the button's {}", listed.len())]
    OriginNotAllowed { listed: Vec<Origin>, nearest: Option<String> },
    #[error("the page's address is not a registered return address of the button")]
    ReturnNotRegistered { nearest: Option<String> },
    #[error("the button's application is disabled")]
    AppDisabled,
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StartError> for ClickError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::TooMany(too_many) => too_many.into(),
            StartError::Store(error) => error.into(),
        }
    }
}

/// Checks a click and starts a flow for it. `browser` is the cookie that the browser already has, if any.
/// `from` is its address.
pub async fn open(
    ctx: &Context,
    click: Click,
    browser: Option<&str>,
    from: Option<IpAddr>,
) -> Result<Started, ClickError> {
    let button_id = click.btn.as_deref().ok_or(missing("btn"))?;
    let Some(button) = find_button(ctx, button_id).await? else {
        return Err(ClickError::InvalidButton { nearest: nearest_button(ctx, button_id).await? });
    };
    if !partner::app_by(ctx, button.app.as_str()).await?.is_some_and(|app| app.is_active()) {
        return Err(ClickError::AppDisabled);
    }
    let request = check(&button, click).inspect_err(|_| ctx.count(&button.app, UsageKind::Errors))?;
    Ok(dialog::start(ctx, FlowRequest::Button(request), browser, from).await?)
}

/// A button by an id that anybody may have written.
pub async fn find_button(ctx: &Context, id: &str) -> Result<Option<Button>, StoreError> {
    let Ok(id) = ButtonId::parse(id) else { return Ok(None) };
    note::button(id.as_str());
    let found = ctx
        .store
        .read(move |conn| {
            let id = id.clone();
            Box::pin(async move { buttons::find(conn, &id).await })
        })
        .await?;
    if let Some(button) = &found {
        note::app(&button.app);
    }
    Ok(found)
}

/// The button that an unknown id was probably meant to be. Only the sandbox tells.
pub async fn nearest_button(ctx: &Context, id: &str) -> Result<Option<String>, StoreError> {
    if !ctx.journal.is_on() {
        return Ok(None);
    }
    let ids = ctx.store.read(|conn| Box::pin(buttons::ids(conn, COMPARED))).await?;
    Ok(likest(id, ids.iter().map(String::as_str)))
}

/// The listed origin that one that is not was probably meant to be. Only the sandbox tells.
pub async fn nearest_origin(ctx: &Context, origin: &str) -> Result<Option<String>, StoreError> {
    if !ctx.journal.is_on() {
        return Ok(None);
    }
    let origins = ctx.store.read(|conn| Box::pin(buttons::origins(conn, COMPARED))).await?;
    Ok(likest(origin, origins.iter().map(String::as_str)))
}

fn missing(parameter: &'static str) -> ClickError {
    ClickError::InvalidRequest { parameter, problem: "is missing" }
}

/// What a click on this button asks for.
pub fn check(button: &Button, click: Click) -> Result<ButtonRequest, ClickError> {
    let origin = click.origin.ok_or(missing("origin"))?;
    let listed = Origin::parse(&origin).ok().filter(|origin| button.allows_origin(origin));
    let origin = listed.ok_or_else(|| ClickError::OriginNotAllowed {
        nearest: likest(&origin, button.origins.iter().map(Origin::as_str)),
        listed: button.origins.clone(),
    })?;
    let mode = match click.mode.as_deref() {
        None | Some("popup") => HandOver::Popup,
        Some("redirect") => HandOver::Redirect,
        Some(_) => return Err(ClickError::InvalidRequest { parameter: "mode", problem: "is popup or redirect" }),
    };
    Ok(ButtonRequest {
        button: button.id.clone(),
        return_to: registered_return(button, &origin, mode, click.return_to.as_deref())?,
        origin,
        state: check_state(click.state)?,
        code_challenge: check_challenge(click.code_challenge)?,
        mode,
        lang: click.lang.map(|tag| tag.chars().take(35).collect()),
    })
}

/// In a pop-up the return address only serves to recover, so one that is not registered is left out; a
/// full-page flow has nowhere else to go.
fn registered_return(
    button: &Button,
    origin: &Origin,
    mode: HandOver,
    given: Option<&str>,
) -> Result<Option<ReturnUrl>, ClickError> {
    let registered = given.and_then(|url| button.return_url(url));
    let registered = registered.filter(|url| url.origin().as_ref() == Some(origin)).cloned();
    match (mode, registered) {
        (HandOver::Redirect, None) => Err(ClickError::ReturnNotRegistered {
            nearest: likest(given.unwrap_or_default(), button.return_urls.iter().map(ReturnUrl::as_str)),
        }),
        (_, registered) => Ok(registered),
    }
}

fn check_state(state: Option<String>) -> Result<String, ClickError> {
    let state = state.ok_or(missing("state"))?;
    if state.is_empty() || state.len() > MAX_STATE {
        return Err(ClickError::InvalidRequest { parameter: "state", problem: "is 1 to 512 bytes long" });
    }
    Ok(state)
}

fn check_challenge(challenge: Option<String>) -> Result<String, ClickError> {
    let challenge = challenge.ok_or(missing("code_challenge"))?;
    match CodeChallenge::parse(&challenge) {
        Ok(challenge) => Ok(challenge.as_str().to_owned()),
        Err(_) => Err(ClickError::InvalidRequest {
            parameter: "code_challenge",
            problem: "is the base64url SHA-256 of the verifier, 43 characters (RFC 7636, S256)",
        }),
    }
}
