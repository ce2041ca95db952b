//! All that is kept of a user, for that user: `leadgate-export-1`, described in docs/account.md. Nothing in it opens
//! anything.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::audit::Acting;
use super::super::{Context, connections};
use super::history::{self, Outcome, Remembered};
use super::{profile, sessions};
use crate::domain::app::App;
use crate::domain::connection::Connection;
use crate::domain::event::{Action, Event, Target};
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::store::{StoreError, apps, events};

/// The name of the format.
pub const FORMAT: &str = "leadgate-export-1";
/// Most entries of each list: an answer is bounded.
const MAX_ENTRIES: i64 = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Connections(#[from] connections::ConnectionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of a user.
#[derive(Debug, Serialize)]
pub struct Export {
    format: &'static str,
    issuer: String,
    exported_at: String,
    user: Value,
    account: Value,
    sessions: Vec<Value>,
    connections: Vec<Value>,
    consents: Vec<Value>,
    apps: Vec<Value>,
    events: Vec<Value>,
    /// Lists that were longer: they have their newest entries.
    cut: Vec<&'static str>,
}

/// Reads it, and writes down that it was read.
pub async fn export(ctx: &Acting<'_>, user: &User) -> Result<Export, ExportError> {
    let event = ctx.event(Action::UserExported, Target::user(user.id, &user.email));
    let recorded = ctx.store.write(move |conn| {
        let event = event.clone();
        Box::pin(async move { events::record(conn, &event).await })
    });
    recorded.await?;
    read(ctx, user).await
}

async fn read(ctx: &Context, user: &User) -> Result<Export, ExportError> {
    let id = user.id;
    let belonging = profile::belonging(ctx, user).await?;
    let of_user = connections::Filter { user: Some(id), ..connections::Filter::default() };
    let mut connected = connections::list(ctx, of_user, MAX_ENTRIES + 1).await?;
    let mut consents = history::list(ctx, id, None, MAX_ENTRIES + 1).await?;
    let mut opened = sessions::list(ctx, id, None, MAX_ENTRIES + 1).await?;
    let (mut owned, mut done): (Vec<App>, Vec<Event>) = ctx
        .store
        .read(move |conn| {
            Box::pin(async move {
                let owned = apps::list_of_owner(conn, id, None, MAX_ENTRIES + 1).await?;
                Ok((owned, events::list_of_user(conn, id, MAX_ENTRIES + 1).await?))
            })
        })
        .await?;
    let mut cut = Vec::new();
    shorten(&mut cut, "connections", &mut connected);
    shorten(&mut cut, "consents", &mut consents);
    shorten(&mut cut, "sessions", &mut opened);
    shorten(&mut cut, "apps", &mut owned);
    shorten(&mut cut, "events", &mut done);
    Ok(Export {
        format: FORMAT,
        issuer: ctx.issuer.clone(),
        exported_at: ctx.now().to_rfc3339(),
        user: person(user),
        account: json!({"id": belonging.account.id, "name": belonging.account.name}),
        sessions: opened.iter().map(session).collect(),
        connections: connected.iter().map(|(connected, _)| connection(connected)).collect(),
        consents: consents.iter().map(consent).collect(),
        apps: owned.iter().map(app).collect(),
        events: done.iter().map(happened).collect(),
        cut,
    })
}

fn shorten<T>(cut: &mut Vec<&'static str>, name: &'static str, entries: &mut Vec<T>) {
    let most = usize::try_from(MAX_ENTRIES).unwrap_or(usize::MAX);
    if entries.len() > most {
        entries.truncate(most);
        cut.push(name);
    }
}

fn person(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "email": user.email.as_str(),
        "name": user.name,
        "role": user.role.as_str(),
        "created_at": user.created_at.to_rfc3339(),
    })
}

/// Without its id, which is half of a cookie.
fn session(session: &Session) -> Value {
    json!({
        "opened_at": session.created_at.to_rfc3339(),
        "expires_at": session.expires_at.to_rfc3339(),
        "address": session.address,
        "user_agent": session.user_agent,
    })
}

fn connection(connection: &Connection) -> Value {
    json!({
        "id": connection.id.to_string(),
        "app": connection.app.as_str(),
        "scopes": connection.scopes.to_string(),
        "created_at": connection.created_at.to_rfc3339(),
        "last_used_at": connection.last_used_at.map(|at| at.to_rfc3339()),
    })
}

fn consent(remembered: &Remembered) -> Value {
    let consent = &remembered.consent;
    let (ended_at, ended_by) = match remembered.now {
        Outcome::Ended { at, by } => (Some(at.to_rfc3339()), Some(by.as_str())),
        Outcome::Gone => (None, Some("app")),
        Outcome::Lives => (None, None),
    };
    json!({
        "app": consent.app.as_str(),
        "app_name": consent.app_name,
        "connection": consent.connection.to_string(),
        "scopes": consent.scopes.to_string(),
        "through": consent.through.as_str(),
        "given_at": consent.given_at.to_rfc3339(),
        "ended_at": ended_at,
        "ended_by": ended_by,
    })
}

fn app(app: &App) -> Value {
    json!({"id": app.id.as_str(), "name": app.name, "publisher": app.publisher, "homepage": app.homepage})
}

fn happened(event: &Event) -> Value {
    json!({
        "at": event.at.to_rfc3339(),
        "action": event.action.as_str(),
        "from": event.from,
        "target": {"kind": event.target.kind.as_str(), "name": event.target.name},
        "changes": event.changes,
    })
}
