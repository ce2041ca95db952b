//! `/admin/connections`: which users have let which applications in.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use uuid::Uuid;

use super::super::Web;
use super::super::urls::route;
use super::list;
use super::visit::{Answer, Posted, Stop, Visit};
use crate::config::expected;
use crate::domain::app::App;
use crate::domain::connection::Connection;
use crate::domain::event::Action;
use crate::domain::ids::{ConnectionId, MAX_TEXT_ID};
use crate::services::administration::{self, FoundConnection};
use crate::services::connections::{self, ConnectionError};
use crate::views::{Cell, Confirmation, FormField, Table, Tone};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::ADMIN_CONNECTIONS, get(show_all)).route(route::ADMIN_CONNECTION_END, get(ask).post(end))
}

fn stopped(visit: &Visit, error: ConnectionError) -> Stop {
    match error {
        ConnectionError::Store(error) => visit.failed(&error),
        // Ended by somebody else, or never there.
        _ => visit.nothing_here(),
    }
}

async fn show_all(visit: Visit) -> Answer {
    let text = visit.text();
    let path = visit.path(route::ADMIN_CONNECTIONS);
    let search = administration::ConnectionSearch {
        user: list::looked_for(&visit, "user"),
        app: list::looked_for(&visit, "app"),
        before: Uuid::parse_str(visit.asked("after")).ok().map(ConnectionId),
    };
    let found = administration::connections(&visit.web.ctx, search, list::READ).await;
    let found = found.map_err(|error| visit.failed(&error))?;
    let (found, pager) = list::page(&visit, &path, found, |found| found.connection.id.to_string());
    let fields = vec![
        FormField::text("user", text.email).max_length(expected::MAX_SECRET),
        FormField::text("app", text.app_id).max_length(MAX_TEXT_ID),
    ];
    let table = Table {
        caption: text.connections.to_owned(),
        columns: [text.user, text.app, text.state, text.scopes, text.since, text.last_used, ""]
            .map(str::to_owned)
            .into(),
        rows: found.iter().map(|found| row(&visit, found)).collect(),
    };
    let mut view = visit.draw(text.connections);
    view.parts = vec![AdminPart::Filter(list::filter(&visit, &path, fields)), list::table(&visit, table), pager];
    visit.show(&view)
}

fn row(visit: &Visit, found: &FoundConnection) -> Vec<Cell> {
    let connection = &found.connection;
    let mut row = vec![
        Cell::link(found.email.as_str(), visit.at(route::ADMIN_USER, connection.user)),
        Cell::link(found.app_name.as_str(), visit.at(route::ADMIN_APP, &connection.app)),
    ];
    row.extend(about(visit, connection));
    row
}

/// What is said of a connection wherever it is listed.
fn about(visit: &Visit, connection: &Connection) -> [Cell; 5] {
    let text = visit.text();
    let is_live = connection.is_live(visit.web.ctx.now_for(&connection.app));
    [
        if is_live { Cell::badge(text.active, Tone::Good) } else { Cell::badge(text.over, Tone::Plain) },
        Cell::code(connection.scopes.to_string()),
        Cell::Time(connection.created_at.to_rfc3339()),
        Cell::time(connection.last_used_at.map(|at| at.to_rfc3339())),
        Cell::link(text.end, visit.at(route::ADMIN_CONNECTION_END, connection.id)),
    ]
}

/// A row where it is clear whose they are.
pub fn row_of_user(visit: &Visit, (connection, app): &(Connection, App)) -> Vec<Cell> {
    let mut row = vec![Cell::link(app.name.as_str(), visit.at(route::ADMIN_APP, &app.id))];
    row.extend(about(visit, connection));
    row
}

pub fn table_of_user(visit: &Visit, rows: Vec<Vec<Cell>>) -> Table {
    let text = visit.text();
    Table {
        caption: text.connections.to_owned(),
        columns: [text.app, text.state, text.scopes, text.since, text.last_used, ""].map(str::to_owned).into(),
        rows,
    }
}

async fn find(visit: &Visit, id: &str) -> Result<(Connection, String), Stop> {
    let id = Uuid::parse_str(id).map(ConnectionId).map_err(|_| visit.nothing_here())?;
    connections::find(&visit.web.ctx, id).await.map_err(|error| stopped(visit, error))
}

async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let text = visit.text();
    let (connection, email) = find(&visit, &id).await?;
    let back = list::narrowed(&visit.path(route::ADMIN_CONNECTIONS), [("user", email.as_str())]);
    visit.confirm(Confirmation {
        title: text.end_connection.to_owned(),
        text: text.end_connection_text.to_owned(),
        ends: vec![email, text.connection_to.with(connection.app.as_str())],
        form: visit.form(visit.at(route::ADMIN_CONNECTION_END, connection.id), text.end).back_to(back).dangerous(),
    })
}

async fn end(Path(id): Path<String>, Posted { visit, .. }: Posted) -> Answer {
    let (connection, _) = find(&visit, &id).await?;
    connections::end(&visit.acting(), connection.id).await.map_err(|error| stopped(&visit, error))?;
    visit.done(Action::ConnectionEnded, &visit.at(route::ADMIN_USER, connection.user))
}
