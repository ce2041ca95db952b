//! Kinds of leads and their rules, as seeded.

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::corrupt;
use super::error::StoreError;
use crate::domain::lead_type::LeadType;

statements! {
    LIST = "SELECT uid, name, required, unique_fields FROM lead_types ORDER BY uid";
    FIND = "SELECT uid, name, required, unique_fields FROM lead_types WHERE uid = $1";
    UPSERT = "INSERT INTO lead_types (uid, name, required, unique_fields) VALUES ($1, $2, $3, $4) \
              ON CONFLICT (uid) DO UPDATE SET name = $2, required = $3, unique_fields = $4 \
              WHERE lead_types.name <> $2 OR lead_types.required <> $3 OR lead_types.unique_fields <> $4";
}

row! {
    struct Row {
        uid: i64,
        name: String,
        required: String,
        unique_fields: String,
    }
}

impl TryFrom<Row> for LeadType {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            uid: row.uid,
            name: row.name,
            required: serde_json::from_str(&row.required).map_err(corrupt("lead_types.required"))?,
            unique: serde_json::from_str(&row.unique_fields).map_err(corrupt("lead_types.unique_fields"))?,
        })
    }
}

pub async fn list(conn: &mut Conn) -> Result<Vec<LeadType>, StoreError> {
    fetch_all!(conn, Row, LIST)?.into_iter().map(LeadType::try_from).collect()
}

pub async fn find(conn: &mut Conn, uid: i64) -> Result<Option<LeadType>, StoreError> {
    fetch_optional!(conn, Row, FIND, uid)?.map(LeadType::try_from).transpose()
}

/// `false` where nothing had to change.
pub async fn upsert(conn: &mut Conn, lead_type: &LeadType) -> Result<bool, StoreError> {
    let list = |names: &[String]| serde_json::Value::from(names.to_vec()).to_string();
    let rows = execute!(
        conn,
        UPSERT,
        lead_type.uid,
        lead_type.name.as_str(),
        list(&lead_type.required),
        list(&lead_type.unique),
    )?;
    Ok(rows > 0)
}
