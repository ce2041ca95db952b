//! Sign-in buttons.

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use crate::domain::button::{Button, Size, Theme};
use crate::domain::ids::{AppId, ButtonId};
use crate::domain::origin::Origin;
use crate::domain::return_url::ReturnUrl;
use crate::domain::scope::ScopeSet;

statements! {
    IDS = "SELECT id FROM buttons ORDER BY id LIMIT $1";
    LISTED_ORIGINS = "SELECT DISTINCT origin FROM button_origins ORDER BY origin LIMIT $1";
    FIND = "SELECT id, app_id, scopes, theme, size, created_at FROM buttons WHERE id = $1";
    LIST = "SELECT id, app_id, scopes, theme, size, created_at FROM buttons WHERE (app_id = $1 OR $1 IS NULL) \
            AND ((created_at, id) > (SELECT created_at, id FROM buttons WHERE id = $2) OR $2 IS NULL) \
            ORDER BY created_at, id LIMIT $3";
    LIST_OF_ORIGIN = "SELECT b.id, b.app_id, b.scopes, b.theme, b.size, b.created_at FROM button_origins o \
                      JOIN buttons b ON b.id = o.button_id WHERE o.origin = $1 ORDER BY b.created_at, b.id LIMIT $2";
    ORIGINS = "SELECT origin AS value FROM button_origins WHERE button_id = $1 ORDER BY origin";
    RETURN_URLS = "SELECT url AS value FROM button_return_urls WHERE button_id = $1 ORDER BY url";
    INSERT = "INSERT INTO buttons (id, app_id, scopes, created_at, theme, size) \
              VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE buttons SET app_id = $2, scopes = $3, theme = $4, size = $5 WHERE id = $1";
    ADD_ORIGIN = "INSERT INTO button_origins (button_id, origin) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    ADD_RETURN_URL = "INSERT INTO button_return_urls (button_id, url) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    CLEAR_ORIGINS = "DELETE FROM button_origins WHERE button_id = $1";
    CLEAR_RETURN_URLS = "DELETE FROM button_return_urls WHERE button_id = $1";
    COUNT_OF_APP = "SELECT COUNT(*) FROM buttons WHERE app_id = $1";
    DELETE = "DELETE FROM buttons WHERE id = $1";
}

row! {
    struct Row {
        id: String,
        app_id: String,
        scopes: Option<String>,
        theme: String,
        size: String,
        created_at: i64,
    }
}

row! {
    struct ValueRow {
        value: String,
    }
}

async fn complete(conn: &mut Conn, row: Row) -> Result<Button, StoreError> {
    let origins = fetch_all!(conn, ValueRow, ORIGINS, row.id.as_str())?;
    let return_urls = fetch_all!(conn, ValueRow, RETURN_URLS, row.id.as_str())?;
    Ok(Button {
        id: ButtonId::parse(&row.id).map_err(corrupt("buttons.id"))?,
        app: AppId::parse(&row.app_id).map_err(corrupt("buttons.app_id"))?,
        origins: origins
            .iter()
            .map(|row| Origin::parse(&row.value))
            .collect::<Result<_, _>>()
            .map_err(corrupt("button_origins.origin"))?,
        return_urls: return_urls
            .iter()
            .map(|row| ReturnUrl::parse(&row.value))
            .collect::<Result<_, _>>()
            .map_err(corrupt("button_return_urls.url"))?,
        scopes: row.scopes.as_deref().map(ScopeSet::parse).transpose().map_err(corrupt("buttons.scopes"))?,
        theme: Theme::parse(&row.theme).ok_or_else(|| StoreError::Corrupt("buttons.theme".to_owned()))?,
        size: Size::parse(&row.size).ok_or_else(|| StoreError::Corrupt("buttons.size".to_owned()))?,
        created_at: time(row.created_at),
    })
}

async fn complete_all(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Button>, StoreError> {
    let mut buttons = Vec::with_capacity(rows.len());
    for row in rows {
        buttons.push(complete(conn, row).await?);
    }
    Ok(buttons)
}

pub async fn find(conn: &mut Conn, id: &ButtonId) -> Result<Option<Button>, StoreError> {
    match fetch_optional!(conn, Row, FIND, id.as_str())? {
        Some(row) => complete(conn, row).await.map(Some),
        None => Ok(None),
    }
}

/// The oldest `limit` buttons, of those of an application, and of those after this one.
pub async fn list(
    conn: &mut Conn,
    app: Option<&AppId>,
    after: Option<&ButtonId>,
    limit: i64,
) -> Result<Vec<Button>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST, app.map(AppId::as_str), after.map(ButtonId::as_str), limit)?;
    complete_all(conn, rows).await
}

/// The oldest `limit` buttons that may be used on an origin.
pub async fn list_of_origin(conn: &mut Conn, origin: &Origin, limit: i64) -> Result<Vec<Button>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST_OF_ORIGIN, origin.as_str(), limit)?;
    complete_all(conn, rows).await
}

/// Whether any button may be used on this origin.
pub async fn is_origin_listed(conn: &mut Conn, origin: &Origin) -> Result<bool, StoreError> {
    Ok(!fetch_all!(conn, Row, LIST_OF_ORIGIN, origin.as_str(), 1_i64)?.is_empty())
}

pub async fn count_of_app(conn: &mut Conn, app: &AppId) -> Result<i64, StoreError> {
    let counted: Option<(i64,)> = fetch_optional!(conn, (i64,), COUNT_OF_APP, app.as_str())?;
    Ok(counted.map_or(0, |(count,)| count))
}

/// `false` where the id is taken.
pub async fn insert(conn: &mut Conn, button: &Button) -> Result<bool, StoreError> {
    let rows = execute!(
        conn,
        INSERT,
        button.id.as_str(),
        button.app.as_str(),
        button.scopes.as_ref().map(ScopeSet::to_string),
        button.created_at.as_micros(),
        button.theme.as_str(),
        button.size.as_str(),
    )?;
    if rows == 1 {
        write_addresses(conn, button).await?;
    }
    Ok(rows == 1)
}

/// `false` where the button is gone.
pub async fn update(conn: &mut Conn, button: &Button) -> Result<bool, StoreError> {
    let scopes = button.scopes.as_ref().map(ScopeSet::to_string);
    let (id, app, theme, size) = (&button.id, &button.app, button.theme.as_str(), button.size.as_str());
    if execute!(conn, UPDATE, id.as_str(), app.as_str(), scopes.as_deref(), theme, size)? == 0 {
        return Ok(false);
    }
    execute!(conn, CLEAR_ORIGINS, button.id.as_str())?;
    execute!(conn, CLEAR_RETURN_URLS, button.id.as_str())?;
    write_addresses(conn, button).await?;
    Ok(true)
}

async fn write_addresses(conn: &mut Conn, button: &Button) -> Result<(), StoreError> {
    for origin in &button.origins {
        execute!(conn, ADD_ORIGIN, button.id.as_str(), origin.as_str())?;
    }
    for url in &button.return_urls {
        execute!(conn, ADD_RETURN_URL, button.id.as_str(), url.as_str())?;
    }
    Ok(())
}

pub async fn delete(conn: &mut Conn, id: &ButtonId) -> Result<bool, StoreError> {
    Ok(execute!(conn, DELETE, id.as_str())? == 1)
}

/// The ids of at most `limit` buttons.
pub async fn ids(conn: &mut Conn, limit: i64) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> = fetch_all!(conn, (String,), IDS, limit)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// At most `limit` of the origins that some button may be used on.
pub async fn origins(conn: &mut Conn, limit: i64) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> = fetch_all!(conn, (String,), LISTED_ORIGINS, limit)?;
    Ok(rows.into_iter().map(|(origin,)| origin).collect())
}
