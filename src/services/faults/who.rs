//! Whom a request is about, before it is handled. What it says counts, whether or not that will be believed: a rule for
//! an application acts on a request of it that would be refused, too.

use super::super::bearer::{self, BearerError};
use super::super::{Context, login, sign_in};
use crate::crypto::token::{Handle, HandleKind};
use crate::crypto::{client_keys, refresh_token, rotating_token};
use crate::domain::access_token::Subject;
use crate::domain::device_code::{DeviceCode, DeviceState, UserCode};
use crate::domain::email::Email;
use crate::domain::fault::Who;
use crate::domain::flow::FlowRequest;
use crate::domain::ids::{
    AppId, AuthorizationCodeId, ButtonId, CodeId, ConnectionId, DeviceCodeId, FlowId, ResumeHandleId, UserId,
};
use crate::domain::session::RESUME_GRACE;
use crate::domain::timestamp::Timestamp;
use crate::store::{
    Conn, StoreError, authorization_codes, buttons, codes, connections, device_codes, flows, grants, resume_handles,
    users,
};

/// Something in a request that tells whom it is about. Most are secrets: no `Debug`.
pub enum Clue {
    /// The id of an application, as it came.
    App(String),
    /// A JWT that a client authenticates with (RFC 7523).
    Assertion(String),
    Button(String),
    /// A refresh token, access token or code of any class, or what lets a page resume a sign-in.
    Token(String),
    /// What a person types in for a device.
    UserCode(String),
    /// The login of a form.
    Email(String),
    /// The cookies of a browser that somebody signed in with.
    Session(String),
    ButtonSession(String),
    Flow(FlowId),
    Connection(ConnectionId),
}

/// All that the clues tell. What none of them tells is left open; a clue that leads nowhere is no error.
pub async fn who(ctx: &Context, clues: &[Clue]) -> Result<Who, StoreError> {
    let mut who = Who::default();
    for clue in clues {
        let told = told_by(ctx, clue).await?;
        who.apps.extend(told.app.filter(|app| !who.apps.contains(app)));
        let user = match told.user {
            Some(User::Login(email)) => Some(email),
            Some(User::Id(id)) => {
                let found = ctx.store.read(move |conn| Box::pin(users::find(conn, id))).await?;
                found.map(|user| user.email)
            }
            None => None,
        };
        who.users.extend(user.filter(|user| !who.users.contains(user)));
    }
    Ok(who)
}

#[derive(Default)]
struct Told {
    app: Option<AppId>,
    user: Option<User>,
}

enum User {
    Id(UserId),
    Login(Email),
}

impl Told {
    fn app(app: Option<AppId>) -> Self {
        Self { app, user: None }
    }

    fn user(user: Option<User>) -> Self {
        Self { app: None, user }
    }
}

async fn told_by(ctx: &Context, clue: &Clue) -> Result<Told, StoreError> {
    Ok(match clue {
        Clue::App(id) => Told::app(AppId::parse(id).ok()),
        Clue::Assertion(jwt) => {
            let claimed = client_keys::claimed_client(jwt);
            Told::app(claimed.and_then(|id| AppId::parse(&id).ok()))
        }
        Clue::Button(id) => Told::app(sign_in::find_button(ctx, id).await?.map(|button| button.app)),
        Clue::Token(token) => told_by_token(ctx, token).await?,
        Clue::UserCode(typed) => {
            let Ok(code) = UserCode::parse(typed) else { return Ok(Told::default()) };
            let found = ctx.store.read(move |conn| {
                let code = code.clone();
                Box::pin(async move { device_codes::find_by_user_code(conn, &code).await })
            });
            Told::app(found.await?.map(|code| code.app))
        }
        Clue::Email(email) => Told::user(Email::parse(email).ok().map(User::Login)),
        Clue::Session(cookie) => {
            let signed_in = login::session_of(ctx, cookie).await?;
            Told::user(signed_in.map(|signed_in| User::Id(signed_in.user.id)))
        }
        Clue::ButtonSession(cookie) => {
            let signed_in = login::button_session_of(ctx, cookie).await?;
            Told::user(signed_in.map(|(_, user)| User::Id(user.id)))
        }
        Clue::Flow(id) => {
            let id = *id;
            Told::app(ctx.store.read(move |conn| Box::pin(app_of_flow(conn, id))).await?)
        }
        Clue::Connection(id) => {
            let id = *id;
            ctx.store.read(move |conn| Box::pin(of_connection(conn, id))).await?
        }
    })
}

async fn told_by_token(ctx: &Context, token: &str) -> Result<Told, StoreError> {
    if let Ok(id) = refresh_token::verify(&ctx.keys.ring(), token) {
        return ctx.store.read(move |conn| Box::pin(of_connection(conn, id))).await;
    }
    if let Ok((id, _)) = rotating_token::verify(&ctx.keys.ring(), token) {
        let found = ctx.store.read(move |conn| Box::pin(grants::find(conn, id))).await?;
        return Ok(found.map_or_else(Told::default, |found| Told {
            app: Some(found.grant.app),
            user: Some(User::Id(found.user)),
        }));
    }
    let now = ctx.now();
    for kind in [HandleKind::Code, HandleKind::AuthorizationCode, HandleKind::DeviceCode, HandleKind::ResumeHandle] {
        let Some(handle) = Handle::parse(kind, token) else { continue };
        return ctx.store.read(move |conn| Box::pin(of_handle(conn, kind, handle.clone(), now))).await;
    }
    match bearer::look_up(ctx, token).await {
        Ok(found) => Ok(Told {
            app: Some(found.token.app),
            user: match found.token.subject {
                Subject::User { user, .. } => Some(User::Id(user.id)),
                Subject::Client { .. } => None,
            },
        }),
        Err(BearerError::Refused(_) | BearerError::Dpop(_) | BearerError::Scope { .. }) => Ok(Told::default()),
        Err(BearerError::Store(error)) => Err(error),
    }
}

async fn of_connection(conn: &mut Conn, id: ConnectionId) -> Result<Told, StoreError> {
    let found = connections::find(conn, id).await?;
    Ok(found.map_or_else(Told::default, |found| Told { app: Some(found.app), user: Some(User::Id(found.user)) }))
}

async fn of_handle(conn: &mut Conn, kind: HandleKind, handle: Handle, now: Timestamp) -> Result<Told, StoreError> {
    let connection = match kind {
        HandleKind::Code => {
            let found = codes::find(conn, CodeId(handle.id)).await?;
            found.filter(|found| handle.matches(&found.secret_hash)).map(|found| found.code.connection)
        }
        HandleKind::AuthorizationCode => {
            let found = authorization_codes::find(conn, AuthorizationCodeId(handle.id)).await?;
            found.filter(|found| handle.matches(&found.secret_hash)).map(|found| found.code.connection)
        }
        HandleKind::ResumeHandle => {
            let id = ResumeHandleId(handle.id);
            let found = resume_handles::find_live(conn, id, now, now.minus(RESUME_GRACE)).await?;
            found.filter(|(_, hash)| handle.matches(hash)).map(|(found, _)| found.connection)
        }
        _ => {
            let found = device_codes::find(conn, DeviceCodeId(handle.id)).await?;
            match found.filter(|(_, hash)| handle.matches(hash)) {
                Some((DeviceCode { state: DeviceState::Allowed { connection, .. }, .. }, _)) => Some(connection),
                Some((code, _)) => return Ok(Told::app(Some(code.app))),
                None => None,
            }
        }
    };
    match connection {
        Some(connection) => of_connection(conn, connection).await,
        None => Ok(Told::default()),
    }
}

async fn app_of_flow(conn: &mut Conn, id: FlowId) -> Result<Option<AppId>, StoreError> {
    let Some((flow, _)) = flows::find(conn, id).await? else { return Ok(None) };
    match flow.request {
        FlowRequest::Button(request) => app_of_button(conn, &request.button).await,
        FlowRequest::Authorization(request) => Ok(Some(request.client)),
        FlowRequest::Device(request) => Ok(Some(request.app)),
    }
}

async fn app_of_button(conn: &mut Conn, id: &ButtonId) -> Result<Option<AppId>, StoreError> {
    Ok(buttons::find(conn, id).await?.map(|button| button.app))
}
