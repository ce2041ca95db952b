//! The steps of the dialog: sign in, consent, outcome. Each works on a flow that this browser opened; a
//! form names only the flow, so nothing that was asked for can be changed by it (rule C8).

use super::login::{self, SignedIn};
use super::{Context, consent, csrf};
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::account::Account;
use crate::domain::app::App;
use crate::domain::code::{CODE_LIFETIME, Code};
use crate::domain::connection::Connection;
use crate::domain::flow::{ButtonRequest, Flow, FlowRequest, FlowState};
use crate::domain::ids::{CodeId, FlowId};
use crate::domain::magic::Magic;
use crate::domain::pkce::CodeChallenge;
use crate::domain::scope::ScopeSet;
use crate::domain::user::User;
use crate::store::{StoreError, accounts, apps, buttons, codes, connections, flows, sessions, users};

/// Why a step cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum DialogError {
    #[error("there is no such flow")]
    Unknown,
    #[error("the flow's time is over")]
    Expired,
    #[error("the flow already had its outcome")]
    Finished,
    #[error("the flow was opened in another browser")]
    OtherBrowser,
    #[error("the form's CSRF token is not of this browser")]
    Csrf,
    #[error("nobody is signed in")]
    NotSignedIn,
    #[error("the button or its application is gone, or no longer lists the page's origin")]
    ButtonGone,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An open flow with what it is for.
#[derive(Debug, Clone)]
pub struct OpenFlow {
    pub id: FlowId,
    pub request: ButtonRequest,
    pub app: App,
    /// What the user is asked for.
    pub scopes: ScopeSet,
    browser: Handle,
}

/// What the browser is to show next.
pub enum Step {
    Login { csrf: String, users: Vec<User> },
    Consent { csrf: String, user: User, account: Account },
    Finished(Outcome),
}

/// How a flow ended.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    Allowed { code: String },
    Denied,
}

/// What the user answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

/// The flow with this id, if this browser opened it and it is still open.
pub async fn open_flow(ctx: &Context, id: FlowId, browser: Option<&str>) -> Result<OpenFlow, DialogError> {
    let found = ctx.store.read(move |conn| Box::pin(flows::find(conn, id))).await?;
    let (flow, browser_hash) = found.ok_or(DialogError::Unknown)?;
    let browser = browser.and_then(|cookie| Handle::parse(HandleKind::Browser, cookie));
    let browser = browser.filter(|browser| browser.matches(&browser_hash)).ok_or(DialogError::OtherBrowser)?;
    check_open(ctx, &flow)?;
    let FlowRequest::Button(request) = flow.request;
    let id = request.button.clone();
    let found = ctx
        .store
        .read(move |conn| {
            let id = id.clone();
            Box::pin(async move {
                let Some(button) = buttons::find(conn, &id).await? else { return Ok(None) };
                Ok(apps::find(conn, &button.app).await?.map(|app| (button, app)))
            })
        })
        .await?;
    // Registrations may have changed since the click.
    let (button, app) =
        found.filter(|(button, _)| button.allows_origin(&request.origin)).ok_or(DialogError::ButtonGone)?;
    let scopes = button.requested_scopes(&app.scopes);
    Ok(OpenFlow { id: flow.id, request, app, scopes, browser })
}

fn check_open(ctx: &Context, flow: &Flow) -> Result<(), DialogError> {
    match flow.state {
        FlowState::Finished { .. } => Err(DialogError::Finished),
        FlowState::Open if ctx.now() >= flow.expires_at => Err(DialogError::Expired),
        FlowState::Open => Ok(()),
    }
}

/// What to show for an open flow. Where the user consented before, this is the outcome at once.
pub async fn step(ctx: &Context, flow: &OpenFlow, signed_in: Option<&SignedIn>) -> Result<Step, DialogError> {
    let Some(signed_in) = signed_in else { return login_step(ctx, flow).await };
    if signed_in.user.magic == Some(Magic::Deny) {
        return finish(ctx, flow, signed_in, Decision::Deny).await.map(Step::Finished);
    }
    let (user, app, now) = (signed_in.user.id, flow.app.id.clone(), ctx.now());
    let account = signed_in.user.account.clone();
    let (existing, account) = ctx
        .store
        .read(move |conn| {
            let (app, account) = (app.clone(), account.clone());
            Box::pin(async move {
                let existing = connections::find_live(conn, user, &app, now).await?;
                Ok((existing, accounts::find(conn, &account).await?))
            })
        })
        .await?;
    if existing.is_some_and(|connection: Connection| connection.scopes.covers(&flow.scopes)) {
        return finish(ctx, flow, signed_in, Decision::Allow).await.map(Step::Finished);
    }
    let account = account.ok_or(StoreError::Corrupt("a user without an account".into()))?;
    Ok(Step::Consent { csrf: csrf::token(ctx, &signed_in.handle), user: signed_in.user.clone(), account })
}

/// The login step, whoever is signed in.
pub async fn login_step(ctx: &Context, flow: &OpenFlow) -> Result<Step, DialogError> {
    let users = login::offered_users(ctx).await?;
    Ok(Step::Login { csrf: csrf::token(ctx, &flow.browser), users })
}

/// Whether a login form was served to the browser that opened the flow.
pub fn check_login_form(ctx: &Context, flow: &OpenFlow, csrf: &str) -> Result<(), DialogError> {
    csrf::is_valid(ctx, &flow.browser, csrf).then_some(()).ok_or(DialogError::Csrf)
}

/// Takes the answer to the consent step.
pub async fn decide(
    ctx: &Context,
    flow: &OpenFlow,
    signed_in: Option<&SignedIn>,
    csrf: &str,
    decision: Decision,
) -> Result<Outcome, DialogError> {
    let signed_in = signed_in.ok_or(DialogError::NotSignedIn)?;
    if !csrf::is_valid(ctx, &signed_in.handle, csrf) {
        return Err(DialogError::Csrf);
    }
    finish(ctx, flow, signed_in, decision).await
}

async fn finish(
    ctx: &Context,
    flow: &OpenFlow,
    signed_in: &SignedIn,
    decision: Decision,
) -> Result<Outcome, DialogError> {
    let (id, now) = (flow.id, ctx.now());
    if decision == Decision::Deny {
        let first = ctx.store.write(move |conn| Box::pin(flows::finish(conn, id, now))).await?;
        return if first { Ok(Outcome::Denied) } else { Err(DialogError::Finished) };
    }
    let proposal = consent::proposal(ctx, &signed_in.user, &flow.app, flow.scopes.clone(), now);
    let handle = ctx.mint(now);
    let code = Code {
        id: CodeId(handle.id),
        app: flow.app.id.clone(),
        button: flow.request.button.clone(),
        origin: flow.request.origin.clone(),
        code_challenge: CodeChallenge::parse(&flow.request.code_challenge)
            .map_err(|why| StoreError::Corrupt(format!("a flow's code_challenge: {why}")))?,
        session: signed_in.session.id,
        connection: proposal.id,
        expires_at: now.plus(CODE_LIFETIME),
    };
    let hash = handle.hash();
    ctx.store
        .write(move |conn| {
            let (proposal, mut code) = (proposal.clone(), code.clone());
            Box::pin(async move {
                if !flows::finish(conn, id, now).await? {
                    return Ok(Err(DialogError::Finished));
                }
                // The session may have ended since the request came in. Who ends it holds the user too, so the look
                // at it comes after that.
                let still = users::hold_active(conn, proposal.user).await?
                    && sessions::find_live(conn, code.session, now).await?.is_some();
                let connected = if still { consent::connect(conn, &proposal).await? } else { None };
                let Some(connection) = connected else { return Ok(Err(DialogError::NotSignedIn)) };
                code.connection = connection;
                codes::insert(conn, &code, &hash).await?;
                Ok(Ok(()))
            })
        })
        .await??;
    Ok(Outcome::Allowed { code: handle.encode(HandleKind::Code) })
}
