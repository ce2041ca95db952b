//! The steps of the dialog: sign in, consent, outcome. Each works on a flow that this browser opened; a
//! form names only the flow, so nothing that was asked for can be changed by it (rule C8).

use std::net::IpAddr;
use std::sync::Arc;

use super::action_callback::{self, CallbackRefusal};
use super::consent::{self, Asked, Through};
use super::journal::note;
use super::login::{self, SignedIn};
use super::oauth::authorization::error_response;
use super::oauth::error::{ErrorCode, Invalid};
use super::throttle::TooMany;
use super::webhooks::outbox::Denied;
use super::{Context, csrf, oauth};
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::access_token::user_subject;
use crate::domain::account::Account;
use crate::domain::app::{App, ClientType};
use crate::domain::authorization::AuthorizationResponse;
use crate::domain::code::{CODE_LIFETIME, Code};
use crate::domain::connection::Connection;
use crate::domain::flow::{FLOW_LIFETIME, Flow, FlowRequest, FlowState};
use crate::domain::ids::{AppId, CodeId, ConnectionId, FlowId};
use crate::domain::magic::Magic;
use crate::domain::pkce::CodeChallenge;
use crate::domain::scope::ScopeSet;
use crate::domain::session::Session;
use crate::domain::timestamp::Timestamp;
use crate::domain::usage::UsageKind;
use crate::domain::user::User;
use crate::entropy::time_ordered_id;
use crate::store::{
    Conn, StoreError, accounts, apps, authorization_codes, buttons, codes, connections, device_codes, flows, sessions,
    users,
};
use crate::telemetry::SIGN_INS;

/// Why a step cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum DialogError {
    #[error("there is no such flow")]
    Unknown,
    #[error("the sign-in was not finished in time")]
    Expired { at: Timestamp },
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
    #[error("the application is gone, or may no longer ask for this, or from there")]
    ClientGone,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An open flow with what it is for.
#[derive(Debug, Clone)]
pub struct OpenFlow {
    pub id: FlowId,
    pub request: FlowRequest,
    pub app: App,
    /// What the user is asked for.
    pub scopes: ScopeSet,
    browser: Handle,
}

/// A started flow, and the cookie that binds it to this browser.
pub struct Started {
    pub flow: FlowId,
    pub browser: String,
}

/// What the browser is to show next.
pub enum Step {
    Login { csrf: String, users: Vec<User> },
    Consent { csrf: String, user: User, account: Account },
    Finished(Outcome),
}

/// How a flow ended.
pub enum Outcome {
    Button(ButtonOutcome),
    /// What the client is sent (RFC 6749 section 4.1.2).
    Authorization(AuthorizationResponse),
    /// The device learns of it when it asks again (RFC 8628 section 3.3).
    Device(Decision),
    /// The user allowed it, and the application's own server did not: the user is told, and then it is as if denied.
    Refused {
        refusal: CallbackRefusal,
        denied: Box<Outcome>,
    },
}

/// What the partner's page is told.
#[derive(Clone, PartialEq, Eq)]
pub enum ButtonOutcome {
    Allowed { code: String },
    Denied,
}

/// What the user answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

/// What clients are told of a denial…
pub(super) const DENIED: &str = "The user did not allow access.";
/// …and where it was the application's own server that denied it.
pub const REFUSED: &str = "The application's action call-back refused the connection.";

/// Why a flow was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whom the flows of a request are counted for.
fn subject_of(request: &FlowRequest) -> &str {
    match request {
        FlowRequest::Button(request) => request.button.as_str(),
        FlowRequest::Authorization(request) => request.client.as_str(),
        FlowRequest::Device(request) => request.app.as_str(),
    }
}

/// As it stands in metrics.
fn kind_of(request: &FlowRequest) -> &'static str {
    match request {
        FlowRequest::Button(_) => "button",
        FlowRequest::Authorization(_) => "authorization",
        FlowRequest::Device(_) => "device",
    }
}

/// Starts a flow for what was checked. `browser` is the cookie that the browser already has, if any.
pub async fn start(
    ctx: &Context,
    request: FlowRequest,
    browser: Option<&str>,
    from: Option<IpAddr>,
) -> Result<Started, StartError> {
    // Anybody may, and each is a row.
    ctx.throttle.opening(from, subject_of(&request))?;
    let kind = kind_of(&request);
    let now = ctx.now();
    let browser =
        browser.and_then(|cookie| Handle::parse(HandleKind::Browser, cookie)).unwrap_or_else(|| ctx.mint(now));
    let flow = Flow {
        id: FlowId(time_ordered_id(&*ctx.entropy, now)),
        request,
        expires_at: now.plus(FLOW_LIFETIME),
        state: FlowState::Open,
    };
    note::flow(flow.id);
    let (id, hash) = (flow.id, browser.hash());
    ctx.store
        .write(move |conn| {
            let flow = flow.clone();
            Box::pin(async move { flows::insert(conn, &flow, &hash).await })
        })
        .await?;
    SIGN_INS.add([kind, "begun"]);
    Ok(Started { flow: id, browser: browser.encode(HandleKind::Browser) })
}

/// The flow with this id, if this browser opened it and it is still open.
pub async fn open_flow(ctx: &Context, id: FlowId, browser: Option<&str>) -> Result<OpenFlow, DialogError> {
    note::flow(id);
    let found = ctx.store.read(move |conn| Box::pin(flows::find(conn, id))).await?;
    let (flow, browser_hash) = found.ok_or(DialogError::Unknown)?;
    let browser = browser.and_then(|cookie| Handle::parse(HandleKind::Browser, cookie));
    let browser = browser.filter(|browser| browser.matches(&browser_hash)).ok_or(DialogError::OtherBrowser)?;
    check_open(ctx, &flow)?;
    let request = flow.request.clone();
    let asked = ctx
        .store
        .read(move |conn| {
            let request = request.clone();
            Box::pin(async move { asked_for(conn, &request).await })
        })
        .await?;
    let gone = match flow.request {
        FlowRequest::Button(_) => DialogError::ButtonGone,
        FlowRequest::Authorization(_) | FlowRequest::Device(_) => DialogError::ClientGone,
    };
    let (app, scopes) = asked.ok_or(gone)?;
    note::app(&app.id);
    if let FlowRequest::Button(request) = &flow.request {
        note::button(request.button.as_str());
    }
    Ok(OpenFlow { id: flow.id, request: flow.request, app, scopes, browser })
}

/// Who asks for what. `None` where the registration has changed since, so that it would not be asked for now.
async fn asked_for(conn: &mut Conn, request: &FlowRequest) -> Result<Option<(App, ScopeSet)>, StoreError> {
    match request {
        FlowRequest::Button(request) => {
            let Some(button) = buttons::find(conn, &request.button).await? else { return Ok(None) };
            if !button.allows_origin(&request.origin) {
                return Ok(None);
            }
            let app = apps::find(conn, &button.app).await?;
            Ok(app.filter(App::is_active).map(|app| {
                let scopes = button.requested_scopes(&app.scopes);
                (app, scopes)
            }))
        }
        FlowRequest::Authorization(request) => {
            let app = apps::find(conn, &request.client).await?;
            let still = |app: &App| {
                app.is_active() && app.permits(&request.scopes) && app.redirect_uri(&request.target.uri).is_some()
            };
            Ok(app.filter(still).map(|app| (app, request.scopes.clone())))
        }
        FlowRequest::Device(request) => {
            let app = apps::find(conn, &request.app).await?;
            Ok(app
                .filter(|app| app.is_active() && app.permits(&request.scopes))
                .map(|app| (app, request.scopes.clone())))
        }
    }
}

fn check_open(ctx: &Context, flow: &Flow) -> Result<(), DialogError> {
    match flow.state {
        FlowState::Finished { .. } => Err(DialogError::Finished),
        FlowState::Open if ctx.now() >= flow.expires_at => Err(DialogError::Expired { at: flow.expires_at }),
        FlowState::Open => Ok(()),
    }
}

/// What to show for an open flow. Where nothing has to be asked, this is the outcome at once.
pub async fn step(ctx: &Context, flow: &OpenFlow, signed_in: Option<&SignedIn>) -> Result<Step, DialogError> {
    let Some(signed_in) = signed_in.filter(|signed_in| suffices(flow, signed_in)) else {
        return login_step(ctx, flow).await;
    };
    if signed_in.user.magic == Some(Magic::Deny) {
        return finish(ctx, flow, signed_in, Decision::Deny).await.map(Step::Finished);
    }
    let (user, app, now) = (signed_in.user.id, flow.app.id.clone(), ctx.now_for(&flow.app.id));
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
    let consented = existing.is_some_and(|connection: Connection| connection.scopes.covers(&flow.scopes));
    if consented && !asks_again(&flow.request, &flow.app) {
        return finish(ctx, flow, signed_in, Decision::Allow).await.map(Step::Finished);
    }
    let account = account.ok_or(StoreError::Corrupt("a user without an account".into()))?;
    Ok(Step::Consent { csrf: csrf::token(ctx, &signed_in.handle), user: signed_in.user.clone(), account })
}

/// Whether this sign-in will do: recent enough (`prompt`, `max_age`), and of the user that was named.
fn suffices(flow: &OpenFlow, signed_in: &SignedIn) -> bool {
    let FlowRequest::Authorization(request) = &flow.request else { return true };
    let is_recent = request.interaction.signed_in_since.is_none_or(|since| signed_in.session.created_at >= since);
    let is_named = request.subject_hint.as_ref().is_none_or(|sub| *sub == user_subject(signed_in.user.id));
    is_recent && is_named
}

/// Whether the consent step is shown although nothing new is asked for: on demand; for another API than ours; where anybody could have asked in
/// the client's name (rule C13, RFC 8252 section 8.6); and always for a device, so that nobody authorizes a stranger's
/// without a look (RFC 8628 section 5.4).
pub(super) fn asks_again(request: &FlowRequest, app: &App) -> bool {
    match request {
        FlowRequest::Button(_) => false,
        FlowRequest::Authorization(request) => {
            let is_anybodys = app.client_type() == ClientType::Public && !request.target.is_verified;
            // What was consented to before was for this server's APIs.
            request.interaction.consent || is_anybodys || request.resource.is_some()
        }
        FlowRequest::Device(_) => true,
    }
}

/// What a request gets that no page may be shown for (`prompt=none`, OpenID Connect Core 3.1.2.1).
pub async fn silently(
    ctx: &Context,
    flow: &OpenFlow,
    signed_in: Option<&SignedIn>,
) -> Result<Result<Outcome, ErrorCode>, DialogError> {
    Ok(match step(ctx, flow, signed_in).await? {
        Step::Finished(outcome) => Ok(outcome),
        Step::Login { .. } => Err(ErrorCode::LoginRequired),
        Step::Consent { .. } => Err(ErrorCode::ConsentRequired),
    })
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
    note::user(signed_in.user.email.as_str());
    // Whatever form was posted: a sign-in that is too old, or another user's, decides nothing.
    if !suffices(flow, signed_in) {
        return Err(DialogError::NotSignedIn);
    }
    // The flow and the sign-in are the server's; what comes of them is the application's.
    let (id, server_now, now) = (flow.id, ctx.now(), ctx.now_for(&flow.app.id));
    let request = flow.request.clone();
    let asked = Asked { user: &signed_in.user, app: &flow.app, scopes: &flow.scopes, now };
    if decision == Decision::Deny {
        let denied = deny(ctx, flow, asked, DENIED).await?;
        SIGN_INS.add([kind_of(&request), "denied"]);
        action_callback::tell_denied(ctx, asked).await;
        return Ok(denied);
    }
    let through = match &request {
        FlowRequest::Button(_) => Through::Button,
        FlowRequest::Authorization(_) | FlowRequest::Device(_) => Through::Grant,
    };
    let proposal = consent::proposal(ctx, &signed_in.user, &flow.app, flow.scopes.clone(), through, now);
    let proposed = proposal.connection.id;
    if let Err(refusal) = action_callback::ask(ctx, asked, proposed).await? {
        let denied = Box::new(deny(ctx, flow, asked, REFUSED).await?);
        SIGN_INS.add([kind_of(&request), "refused"]);
        return Ok(Outcome::Refused { refusal, denied });
    }
    let handle = ctx.mint(now);
    let granted = Granting {
        request: request.clone(),
        app: flow.app.id.clone(),
        session: signed_in.session.clone(),
        handle: handle.clone(),
        auth_time: now.minus(server_now.since(signed_in.session.created_at)),
        now,
    };
    let connection = ctx
        .store
        .write(move |conn| {
            let (proposal, granted) = (proposal.clone(), granted.clone());
            Box::pin(async move {
                if !flows::finish(conn, id, server_now).await? {
                    return Ok(Err(DialogError::Finished));
                }
                // The session may have ended since the request came in. Who ends it holds the user too, so the look
                // at it comes after that.
                let still = users::hold_active(conn, proposal.connection.user).await?
                    && sessions::find_live(conn, granted.session.id, server_now).await?.is_some();
                let connected = if still { consent::connect(conn, &proposal).await? } else { None };
                let Some(connection) = connected else { return Ok(Err(DialogError::NotSignedIn)) };
                let recorded = granted.record(conn, connection).await?;
                Ok(recorded.map(|()| connection))
            })
        })
        .await??;
    ctx.told();
    SIGN_INS.add([kind_of(&request), "allowed"]);
    note::connection(connection);
    if connection == proposed {
        ctx.count(&flow.app.id, UsageKind::Connections);
    }
    Ok(match request {
        FlowRequest::Button(_) => Outcome::Button(ButtonOutcome::Allowed { code: handle.encode(HandleKind::Code) }),
        FlowRequest::Authorization(request) => {
            let code = handle.encode(HandleKind::AuthorizationCode);
            Outcome::Authorization(AuthorizationResponse::new(request.target, &ctx.issuer, [("code", code)]))
        }
        FlowRequest::Device(_) => Outcome::Device(Decision::Allow),
    })
}

/// Ends a flow without a connection.
async fn deny(
    ctx: &Context,
    flow: &OpenFlow,
    asked: Asked<'_>,
    description: &'static str,
) -> Result<Outcome, DialogError> {
    let (id, server_now, now) = (flow.id, ctx.now(), asked.now);
    let work = Arc::new((flow.request.clone(), Denied::new(ctx, asked)));
    let first = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (request, news) = &*work;
            if !flows::finish(conn, id, server_now).await? {
                return Ok(false);
            }
            news.tell(conn).await?;
            match request {
                FlowRequest::Device(request) => device_codes::decide(conn, request.device_code, None, now).await,
                FlowRequest::Button(_) | FlowRequest::Authorization(_) => Ok(true),
            }
        })
    });
    let is_first = first.await?;
    ctx.told();
    if is_first { Ok(denied_outcome(ctx, flow.request.clone(), description)) } else { Err(DialogError::Finished) }
}

fn denied_outcome(ctx: &Context, request: FlowRequest, description: &'static str) -> Outcome {
    match request {
        FlowRequest::Button(_) => Outcome::Button(ButtonOutcome::Denied),
        FlowRequest::Authorization(request) => {
            let invalid = Invalid::new(ErrorCode::AccessDenied, description);
            Outcome::Authorization(error_response(request.target, &ctx.issuer, invalid))
        }
        FlowRequest::Device(_) => Outcome::Device(Decision::Deny),
    }
}

/// What an "Allow" leaves behind for whoever asked.
#[derive(Clone)]
struct Granting {
    request: FlowRequest,
    app: AppId,
    session: Session,
    /// Of the code, where there is one.
    handle: Handle,
    /// When the user signed in, by the application's clock.
    auth_time: Timestamp,
    now: Timestamp,
}

impl Granting {
    async fn record(&self, conn: &mut Conn, connection: ConnectionId) -> Result<Result<(), DialogError>, StoreError> {
        match &self.request {
            FlowRequest::Button(request) => {
                let code = Code {
                    id: CodeId(self.handle.id),
                    app: self.app.clone(),
                    button: request.button.clone(),
                    origin: request.origin.clone(),
                    code_challenge: CodeChallenge::parse(&request.code_challenge)
                        .map_err(|why| StoreError::Corrupt(format!("a flow's code_challenge: {why}")))?,
                    session: self.session.id,
                    connection,
                    expires_at: self.now.plus(CODE_LIFETIME),
                };
                codes::insert(conn, &code, &self.handle.hash()).await?;
            }
            FlowRequest::Authorization(request) => {
                let code = oauth::code::of_request(request, &self.handle, connection, self.auth_time, self.now)?;
                authorization_codes::insert(conn, &code, &self.handle.hash()).await?;
            }
            FlowRequest::Device(request) => {
                let allowed = Some((connection, self.auth_time));
                if !device_codes::decide(conn, request.device_code, allowed, self.now).await? {
                    return Ok(Err(DialogError::Finished));
                }
            }
        }
        Ok(Ok(()))
    }
}
