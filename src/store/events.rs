//! The event log: what happened, by whom, from where.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use crate::domain::event::{Action, Actor, Event, Target, TargetKind};
use crate::domain::ids::{EventId, UserId};
use crate::domain::timestamp::Timestamp;

statements! {
    INSERT = "INSERT INTO events (id, at, action, actor_kind, actor_id, actor_name, address, target_kind, target_id, \
              target_name, changes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// Newest first. An empty text, or a lowest id of nil, asks for anything.
    LIST = "SELECT id, at, action, actor_kind, actor_id, actor_name, address, target_kind, target_id, target_name, \
            changes FROM events WHERE ($1 = '' OR action = $1) AND ($2 = '' OR actor_name = $2) \
            AND ($3 = '' OR target_kind = $3) AND ($4 = '' OR target_id = $4 OR target_name = $4) \
            AND (id < $5 OR $5 IS NULL) AND (at >= $6) \
            AND ($7 = 0 OR action NOT IN ('session.opened', 'session.refused', 'session.ended', 'connection.created', \
                 'connection.widened', 'connection.ended', 'app.callback_tested', 'delivery.tested', 'user.exported')) \
            ORDER BY id DESC LIMIT $8";
    /// Newest first. By id alone: names are chosen by whom they name.
    LIST_OF_TARGET = "SELECT id, at, action, actor_kind, actor_id, actor_name, address, target_kind, target_id, \
                      target_name, changes FROM events WHERE target_kind = $1 AND target_id = $2 \
                      ORDER BY id DESC LIMIT $3";
    COUNT_SINCE = "SELECT COUNT(*) FROM events WHERE id >= $1";
    /// Newest first.
    LIST_OF_USER = "SELECT id, at, action, actor_kind, actor_id, actor_name, address, target_kind, target_id, target_name, \
                    changes FROM events WHERE actor_kind = 'user' AND actor_id = $1 ORDER BY id DESC LIMIT $2";
    /// By ids, which are in the order of time.
    SWEEP = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < $1 ORDER BY id LIMIT $2)";
    SWEEP_REFUSALS = "DELETE FROM events WHERE id IN \
                      (SELECT id FROM events WHERE action = 'session.refused' AND id < $1 ORDER BY id LIMIT $2)";
}

row! {
    struct Row {
        id: Uuid,
        at: i64,
        action: String,
        actor_kind: String,
        actor_id: String,
        actor_name: String,
        address: Option<String>,
        target_kind: String,
        target_id: String,
        target_name: String,
        changes: String,
    }
}

impl TryFrom<Row> for Event {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unknown = |what: &'static str, word: &str| StoreError::Corrupt(format!("{what}: {word}"));
        Ok(Self {
            id: EventId(row.id),
            at: time(row.at),
            action: Action::parse(&row.action).ok_or_else(|| unknown("events.action", &row.action))?,
            actor: Actor::read(&row.actor_kind, &row.actor_id, &row.actor_name)
                .ok_or_else(|| unknown("events.actor", &row.actor_kind))?,
            from: row.address.as_deref().map(str::parse).transpose().map_err(corrupt("events.address"))?,
            target: Target {
                kind: TargetKind::parse(&row.target_kind)
                    .ok_or_else(|| unknown("events.target_kind", &row.target_kind))?,
                id: row.target_id,
                name: row.target_name,
            },
            changes: serde_json::from_str(&row.changes).map_err(corrupt("events.changes"))?,
        })
    }
}

/// Which events are looked for; what is left out is anything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub action: Option<Action>,
    /// The name of who did it, whole.
    pub actor: Option<String>,
    pub kind: Option<TargetKind>,
    /// The id or the name of what it was done to, whole.
    pub target: Option<String>,
    /// Older ones than this.
    pub before: Option<EventId>,
    pub since: Option<Timestamp>,
    /// The audit log: leaves out signing in and consenting.
    pub changes_only: bool,
}

/// Writes an event down, in the transaction of what it tells of.
pub async fn record(conn: &mut Conn, event: &Event) -> Result<(), StoreError> {
    let changes = serde_json::to_string(&event.changes).map_err(|why| StoreError::Internal(why.to_string()))?;
    execute!(
        conn,
        INSERT,
        event.id.0,
        event.at.as_micros(),
        event.action.as_str(),
        event.actor.kind(),
        event.actor.id(),
        event.actor.name(),
        event.from.map(|address| address.to_string()),
        event.target.kind.as_str(),
        event.target.id.as_str(),
        event.target.name.as_str(),
        changes.as_str(),
    )
    .map(|_| ())
}

/// The newest `limit` that the filter is for.
pub async fn list(conn: &mut Conn, filter: &Filter, limit: i64) -> Result<Vec<Event>, StoreError> {
    let rows = fetch_all!(
        conn,
        Row,
        LIST,
        filter.action.map_or("", Action::as_str),
        filter.actor.as_deref().unwrap_or_default(),
        filter.kind.map_or("", TargetKind::as_str),
        filter.target.as_deref().unwrap_or_default(),
        filter.before.map(|id| id.0),
        filter.since.map_or(i64::MIN, Timestamp::as_micros),
        i64::from(filter.changes_only),
        limit,
    )?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// How many have this id or a later one.
pub async fn count_since(conn: &mut Conn, first: EventId) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT_SINCE, first.0)?.map_or(0, |(count,)| count))
}

/// The newest `limit` of what a user did. By id: an e-mail address may have been somebody else's before.
pub async fn list_of_user(conn: &mut Conn, user: UserId, limit: i64) -> Result<Vec<Event>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST_OF_USER, user.to_string(), limit)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// The newest `limit` of what was done to one thing.
pub async fn list_of_target(conn: &mut Conn, kind: TargetKind, id: &str, limit: i64) -> Result<Vec<Event>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST_OF_TARGET, kind.as_str(), id, limit)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// Deletes at most `limit` of those with a lower id.
pub async fn sweep(conn: &mut Conn, below: EventId, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, below.0, limit)
}

/// Deletes at most `limit` of the refused sign-ins with a lower id, which anybody can cause.
pub async fn sweep_refusals(conn: &mut Conn, below: EventId, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP_REFUSALS, below.0, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r14_the_audit_log_leaves_out_what_is_no_change() {
        for action in Action::ALL {
            let is_left_out = LIST.contains(&format!("'{}'", action.as_str()));
            assert_eq!(is_left_out, !action.is_change(), "{action:?}");
        }
    }
}
