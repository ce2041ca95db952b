//! The outcome of a sign-in without a browser (wire.md part E): for tests, and only in sandbox mode.

use super::action_callback::CallbackRefusal;
use super::audit::By;
use super::consent::{Asked, Through};
use super::dialog::{DENIED, Decision, REFUSED, asks_again};
use super::oauth::authorization::{self, AuthorizationError, Unsendable, error_response};
use super::oauth::code;
use super::oauth::error::{ErrorCode, Invalid};
use super::partner::{self, PartnerError};
use super::users::{self, UserError};
use super::{Context, Granted, consent, opaque_issue, sign_in};
use crate::crypto::refresh_token;
use crate::crypto::token::HandleKind;
use crate::domain::access_token::user_subject;
use crate::domain::app::App;
use crate::domain::authorization::{AuthorizationRequest, AuthorizationResponse};
use crate::domain::email::Email;
use crate::domain::flow::FlowRequest;
use crate::domain::magic::Magic;
use crate::domain::pairs::Pairs;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::timestamp::Timestamp;
use crate::domain::usage::UsageKind;
use crate::domain::user::User;
use crate::store::{StoreError, access_tokens, authorization_codes, connections};
use crate::telemetry::TOKENS_ISSUED;

#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    #[error("there is no user with this e-mail address")]
    UnknownUser,
    #[error("the user is disabled")]
    UserDisabled,
    #[error("there is no button with this id")]
    UnknownButton,
    #[error("{0} is not a scope of this server; the scopes are {list}", list = Scope::ALL.map(Scope::as_str).join(", "))]
    UnknownScope(String),
    #[error("`scopes` is empty: leave it out to grant all that is asked for")]
    NoScope,
    #[error("`{asked}` is asked for: a consent cannot hold more")]
    WiderScope { asked: ScopeSet },
    /// A browser would be shown a page.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a test asks for, as it came.
pub struct Authorize {
    pub user: String,
    pub button: String,
    pub decision: Decision,
    pub scopes: Option<Vec<String>>,
}

/// What comes of a click on a button.
pub enum Decided {
    Granted(Granted),
    Denied,
    /// By the application's own server.
    Refused(CallbackRefusal),
}

/// Decides for a user as the dialog would. A consent persists as any other.
pub async fn authorize(ctx: &Context, wanted: Authorize) -> Result<Decided, AuthorizeError> {
    let user = find_user(ctx, &wanted.user).await?;
    let button = sign_in::find_button(ctx, &wanted.button).await?.ok_or(AuthorizeError::UnknownButton)?;
    let app = partner::find_app(ctx, &button.app).await.map_err(|error| match error {
        PartnerError::Store(error) => AuthorizeError::Store(error),
        // Deleted between the two looks, and the button with it.
        _ => AuthorizeError::UnknownButton,
    })?;
    let asked = button.requested_scopes(&app.scopes);
    let scopes = granted_scopes(asked, wanted.scopes.as_deref())?;
    let now = ctx.now_for(&app.id);
    let asked = Asked { user: &user, app: &app, scopes: &scopes, now };
    if wanted.decision == Decision::Deny || user.magic == Some(Magic::Deny) {
        consent::denied(ctx, asked).await?;
        return Ok(Decided::Denied);
    }
    let proposal =
        consent::proposal(ctx, &user, &app, scopes.clone(), Through::Button, now).by(By::control_plane(None));
    let proposed = proposal.connection.id;
    if let Err(refusal) = consent::ask(ctx, asked, &proposal).await? {
        return Ok(Decided::Refused(refusal));
    }
    let handle = ctx.mint(now);
    let fresh = handle.clone();
    let (connection, issued) = ctx
        .store
        .write(move |conn| {
            let (proposal, fresh, app) = (proposal.clone(), fresh.clone(), app.id.clone());
            Box::pin(async move {
                let Some(connection) = consent::connect(conn, &proposal).await? else { return Ok(None) };
                let issue = opaque_issue(&fresh, connection, app, now);
                let issued = access_tokens::issue(conn, &[issue]).await?.pop().flatten();
                Ok(issued.map(|issued| (connection, issued)))
            })
        })
        .await?
        .ok_or(AuthorizeError::UserDisabled)?;
    ctx.told();
    TOKENS_ISSUED.add(["sandbox"]);
    ctx.store.note_use(connection, now);
    if connection == proposed {
        ctx.count(&button.app, UsageKind::Connections);
    }
    if let Some(delay) = user.magic.and_then(Magic::delay) {
        tokio::time::sleep(delay).await;
    }
    Ok(Decided::Granted(Granted {
        connection,
        refresh_token: refresh_token::derive(&ctx.keys.ring(), connection),
        access_token: handle.encode(HandleKind::AccessToken),
        expires_at: issued.expires_at,
    }))
}

/// Decides an authorization request for a user as the dialog would; what a client is sent (wire.md part E). What a
/// browser would be shown as a page is an error. `address` is that of the authorization endpoint, with its query.
pub async fn authorize_request(
    ctx: &Context,
    user: &str,
    parameters: &Pairs,
    decision: Decision,
    named: Option<&[String]>,
) -> Result<AuthorizationResponse, AuthorizeError> {
    let user = find_user(ctx, user).await?;
    let (app, mut request) = match authorization::check(ctx, parameters).await {
        Ok(checked) => checked,
        Err(AuthorizationError::Sendable { target, invalid, .. }) => {
            return Ok(error_response(*target, &ctx.issuer, invalid));
        }
        Err(AuthorizationError::Unsendable(why)) => return Err(why.into()),
        Err(AuthorizationError::Store(error)) => return Err(error.into()),
    };
    request.scopes = granted_scopes(request.scopes, named)?;
    let now = ctx.now_for(&app.id);
    let asked = Asked { user: &user, app: &app, scopes: &request.scopes, now };
    if decision == Decision::Deny || user.magic == Some(Magic::Deny) {
        consent::denied(ctx, asked).await?;
        let invalid = Invalid::new(ErrorCode::AccessDenied, DENIED);
        return Ok(error_response(request.target, &ctx.issuer, invalid));
    }
    if let Some(code) = silent_refusal(ctx, &user, &app, &request, now).await? {
        let invalid = Invalid::new(code, "prompt=none allows no page, and the user would have to be shown one.");
        return Ok(error_response(request.target, &ctx.issuer, invalid));
    }
    let proposal =
        consent::proposal(ctx, &user, &app, request.scopes.clone(), Through::Grant, now).by(By::control_plane(None));
    let proposed = proposal.connection.id;
    if let Err(refusal) = consent::ask(ctx, asked, &proposal).await? {
        super::reason::note(&refusal);
        return Ok(error_response(request.target, &ctx.issuer, Invalid::new(ErrorCode::AccessDenied, REFUSED)));
    }
    let handle = ctx.mint(now);
    let (target, code) = (request.target.clone(), handle.encode(HandleKind::AuthorizationCode));
    let connected = ctx.store.write(move |conn| {
        let (proposal, request, handle) = (proposal.clone(), request.clone(), handle.clone());
        Box::pin(async move {
            let Some(connection) = consent::connect(conn, &proposal).await? else { return Ok(None) };
            // Who decides for a user signs in as that user, now.
            let code = code::of_request(&request, &handle, connection, now, now)?;
            authorization_codes::insert(conn, &code, &handle.hash()).await?;
            Ok(Some(connection))
        })
    });
    let connected = connected.await?.ok_or(AuthorizeError::UserDisabled)?;
    ctx.told();
    if connected == proposed {
        ctx.count(&app.id, UsageKind::Connections);
    }
    Ok(AuthorizationResponse::new(target, &ctx.issuer, [("code", code)]))
}

/// What a browser in which this user is signed in would get in place of a page (OpenID Connect Core 3.1.2.1).
async fn silent_refusal(
    ctx: &Context,
    user: &User,
    app: &App,
    request: &AuthorizationRequest,
    now: Timestamp,
) -> Result<Option<ErrorCode>, StoreError> {
    if !request.interaction.silent {
        return Ok(None);
    }
    if request.subject_hint.as_ref().is_some_and(|sub| *sub != user_subject(user.id)) {
        return Ok(Some(ErrorCode::LoginRequired));
    }
    let (id, app_id) = (user.id, app.id.clone());
    let existing = ctx.store.read(move |conn| {
        let app = app_id.clone();
        Box::pin(async move { connections::find_live(conn, id, &app, now).await })
    });
    let consented = existing.await?.is_some_and(|connection| connection.scopes.covers(&request.scopes));
    let asks_again = asks_again(&FlowRequest::Authorization(request.clone()), app);
    Ok((!consented || asks_again).then_some(ErrorCode::ConsentRequired))
}

async fn find_user(ctx: &Context, email: &str) -> Result<User, AuthorizeError> {
    let email = Email::parse(email).map_err(|_| AuthorizeError::UnknownUser)?;
    let user = users::find(ctx, &email).await.map_err(|error| match error {
        UserError::Store(error) => AuthorizeError::Store(error),
        _ => AuthorizeError::UnknownUser,
    })?;
    if user.is_active() { Ok(user) } else { Err(AuthorizeError::UserDisabled) }
}

fn granted_scopes(asked: ScopeSet, named: Option<&[String]>) -> Result<ScopeSet, AuthorizeError> {
    let Some(named) = named else { return Ok(asked) };
    let parse = |name: &String| Scope::parse(name).map_err(|_| AuthorizeError::UnknownScope(name.clone()));
    let wanted: ScopeSet = named.iter().map(parse).collect::<Result<_, _>>()?;
    if wanted.is_empty() {
        return Err(AuthorizeError::NoScope);
    }
    if asked.covers(&wanted) { Ok(wanted) } else { Err(AuthorizeError::WiderScope { asked }) }
}
