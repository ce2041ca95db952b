//! Partner applications.

use sqlx::FromRow;
use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, statements};
use super::convert::{corrupt, secret_hash, time};
use super::error::StoreError;
use crate::domain::app::{App, ClientType};
use crate::domain::grant_type::GrantType;
use crate::domain::ids::{AppId, UserId};
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::scope::ScopeSet;
use crate::domain::secret_hash::SecretHash;

statements! {
    FIND = "SELECT id, name, publisher, owner_id, client_secret_hash, grant_types, scopes, created_at \
            FROM apps WHERE id = $1";
    LIST_BY_SECRET = "SELECT id, name, publisher, owner_id, client_secret_hash, grant_types, scopes, created_at \
                      FROM apps WHERE client_secret_hash = $1 ORDER BY id LIMIT $2";
    LIST = "SELECT id, name, publisher, owner_id, client_secret_hash, grant_types, scopes, created_at \
            FROM apps ORDER BY created_at, id LIMIT $1";
    REDIRECT_URIS = "SELECT uri FROM app_redirect_uris WHERE app_id = $1 ORDER BY uri";
    INSERT = "INSERT INTO apps (id, name, publisher, owner_id, client_secret_hash, grant_types, scopes, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE apps SET name = $2, publisher = $3, owner_id = $4, grant_types = $5, scopes = $6 WHERE id = $1";
    SET_SECRET = "UPDATE apps SET client_secret_hash = $2 WHERE id = $1";
    ADD_REDIRECT_URI = "INSERT INTO app_redirect_uris (app_id, uri) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    CLEAR_REDIRECT_URIS = "DELETE FROM app_redirect_uris WHERE app_id = $1";
    DELETE = "DELETE FROM apps WHERE id = $1";
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    publisher: String,
    owner_id: Option<Uuid>,
    client_secret_hash: Option<Vec<u8>>,
    grant_types: String,
    scopes: String,
    created_at: i64,
}

#[derive(FromRow)]
struct UriRow {
    uri: String,
}

async fn complete(conn: &mut Conn, row: Row) -> Result<App, StoreError> {
    let uris = fetch_all!(conn, UriRow, REDIRECT_URIS, row.id.as_str())?;
    Ok(App {
        id: AppId::parse(&row.id).map_err(corrupt("apps.id"))?,
        name: row.name,
        publisher: row.publisher,
        owner: row.owner_id.map(UserId),
        client_type: match row.client_secret_hash {
            Some(_) => ClientType::Confidential,
            None => ClientType::Public,
        },
        grant_types: row
            .grant_types
            .split_whitespace()
            .map(GrantType::parse)
            .collect::<Result<_, _>>()
            .map_err(corrupt("apps.grant_types"))?,
        redirect_uris: uris
            .iter()
            .map(|row| RedirectUri::parse(&row.uri))
            .collect::<Result<_, _>>()
            .map_err(corrupt("app_redirect_uris.uri"))?,
        scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("apps.scopes"))?,
        created_at: time(row.created_at),
    })
}

pub async fn find(conn: &mut Conn, id: &AppId) -> Result<Option<App>, StoreError> {
    match fetch_optional!(conn, Row, FIND, id.as_str())? {
        Some(row) => complete(conn, row).await.map(Some),
        None => Ok(None),
    }
}

/// What the client secret is checked against; `None` for an unknown application and for a public client.
pub async fn find_secret(conn: &mut Conn, id: &AppId) -> Result<Option<SecretHash>, StoreError> {
    let row = fetch_optional!(conn, Row, FIND, id.as_str())?;
    row.and_then(|row| row.client_secret_hash).map(|bytes| secret_hash(&bytes)).transpose()
}

/// The first `limit` applications with this client secret.
pub async fn list_by_secret(conn: &mut Conn, secret: &SecretHash, limit: i64) -> Result<Vec<App>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST_BY_SECRET, secret.0.as_slice(), limit)?;
    let mut apps = Vec::with_capacity(rows.len());
    for row in rows {
        apps.push(complete(conn, row).await?);
    }
    Ok(apps)
}

/// The oldest `limit` applications.
pub async fn list(conn: &mut Conn, limit: i64) -> Result<Vec<App>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST, limit)?;
    let mut apps = Vec::with_capacity(rows.len());
    for row in rows {
        apps.push(complete(conn, row).await?);
    }
    Ok(apps)
}

fn joined(grant_types: &[GrantType]) -> String {
    grant_types.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(" ")
}

/// `false` where the id is taken.
pub async fn insert(conn: &mut Conn, app: &App, secret: Option<&SecretHash>) -> Result<bool, StoreError> {
    let rows = execute!(
        conn,
        INSERT,
        app.id.as_str(),
        app.name.as_str(),
        app.publisher.as_str(),
        app.owner.map(|owner| owner.0),
        secret.map(|hash| hash.0.as_slice()),
        joined(&app.grant_types),
        app.scopes.to_string(),
        app.created_at.as_micros(),
    )?;
    if rows == 1 {
        write_redirect_uris(conn, app).await?;
    }
    Ok(rows == 1)
}

/// Writes all but the secret.
pub async fn update(conn: &mut Conn, app: &App) -> Result<(), StoreError> {
    execute!(
        conn,
        UPDATE,
        app.id.as_str(),
        app.name.as_str(),
        app.publisher.as_str(),
        app.owner.map(|owner| owner.0),
        joined(&app.grant_types),
        app.scopes.to_string(),
    )?;
    execute!(conn, CLEAR_REDIRECT_URIS, app.id.as_str())?;
    write_redirect_uris(conn, app).await
}

async fn write_redirect_uris(conn: &mut Conn, app: &App) -> Result<(), StoreError> {
    for uri in &app.redirect_uris {
        execute!(conn, ADD_REDIRECT_URI, app.id.as_str(), uri.as_str())?;
    }
    Ok(())
}

/// `None` makes it a public client.
pub async fn set_secret(conn: &mut Conn, id: &AppId, secret: Option<&SecretHash>) -> Result<bool, StoreError> {
    Ok(execute!(conn, SET_SECRET, id.as_str(), secret.map(|hash| hash.0.as_slice()))? == 1)
}

/// Deletes the application with its buttons, connections, codes and resume handles.
pub async fn delete(conn: &mut Conn, id: &AppId) -> Result<bool, StoreError> {
    Ok(execute!(conn, DELETE, id.as_str())? == 1)
}
