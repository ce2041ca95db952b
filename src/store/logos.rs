//! The logos of applications: PNG, as we wrote it.

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::error::StoreError;
use crate::domain::app::LogoId;
use crate::domain::ids::AppId;

statements! {
    FIND = "SELECT l.image FROM app_logos l JOIN apps a ON a.id = l.app_id WHERE a.id = $1 AND a.logo = $2";
    NAME = "UPDATE apps SET logo = $2 WHERE id = $1";
    KEEP = "INSERT INTO app_logos (app_id, image) VALUES ($1, $2) \
            ON CONFLICT (app_id) DO UPDATE SET image = excluded.image";
    DROP = "DELETE FROM app_logos WHERE app_id = $1";
}

row! {
    struct Row {
        image: Vec<u8>,
    }
}

/// The application's present logo, if this is it.
pub async fn find(conn: &mut Conn, app: &AppId, logo: &LogoId) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(fetch_optional!(conn, Row, FIND, app.as_str(), logo.as_str())?.map(|row| row.image))
}

/// `false` where the application is gone.
pub async fn set(conn: &mut Conn, app: &AppId, logo: &LogoId, image: &[u8]) -> Result<bool, StoreError> {
    if execute!(conn, NAME, app.as_str(), logo.as_str())? == 0 {
        return Ok(false);
    }
    execute!(conn, KEEP, app.as_str(), image)?;
    Ok(true)
}

/// `false` where there was none.
pub async fn remove(conn: &mut Conn, app: &AppId) -> Result<bool, StoreError> {
    execute!(conn, NAME, app.as_str(), None::<&str>)?;
    Ok(execute!(conn, DROP, app.as_str())? == 1)
}
