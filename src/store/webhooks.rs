//! Webhooks: who is told.

use url::Url;
use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, optional_time, time};
use super::error::StoreError;
use crate::domain::ids::{AppId, WebhookId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{DisabledWhy, Target, Topic, Topics, Webhook, WebhookState};

statements! {
    FIND = "SELECT id, app_id, url, topics, disabled_at, disabled_why, failing_since, previous_until, polled_at, \
            created_at FROM webhooks WHERE id = $1";
    /// Endpoints of an application, or of all (an empty text), oldest first.
    LIST = "SELECT id, app_id, url, topics, disabled_at, disabled_why, failing_since, previous_until, polled_at, \
            created_at FROM webhooks WHERE ($1 = '' OR app_id = $1) AND url IS NOT NULL AND (id > $2 OR $2 IS NULL) \
            ORDER BY id LIMIT $3";
    SECRETS = "SELECT secret, previous_secret, previous_until FROM webhooks WHERE id = $1";
    COUNT_OF_APP = "SELECT COUNT(*) FROM webhooks WHERE app_id = $1 AND url IS NOT NULL";
    COUNT_LISTENERS = "SELECT COUNT(*) FROM webhooks WHERE url IS NULL";
    INSERT = "INSERT INTO webhooks (id, app_id, url, topics, secret, polled_at, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE webhooks SET url = $2, topics = $3 WHERE id = $1";
    /// Of one that goes on, what went wrong before is forgotten.
    SET_DISABLED = "UPDATE webhooks SET disabled_at = $2, disabled_why = $3, failing_since = NULL WHERE id = $1";
    ROTATE = "UPDATE webhooks SET previous_secret = secret, previous_until = $3, secret = $2 WHERE id = $1";
    DELETE = "DELETE FROM webhooks WHERE id = $1";
    IS_WANTED = "SELECT 1 FROM webhooks WHERE (app_id = $1 OR app_id IS NULL) AND topics & $2 <> 0 \
                 AND disabled_at IS NULL LIMIT 1";
    /// Each application with what any of its webhooks is for.
    WANTED = "SELECT DISTINCT app_id, topics FROM webhooks WHERE disabled_at IS NULL";
    NOTE_POLL = "UPDATE webhooks SET polled_at = $2 WHERE id = $1 AND url IS NULL";
    SWEEP_LISTENERS = "DELETE FROM webhooks WHERE url IS NULL AND polled_at < $1";
    NOTE_FAILURE = "UPDATE webhooks SET failing_since = COALESCE(failing_since, $2) WHERE id = $1 \
                    RETURNING failing_since";
    NOTE_SUCCESS = "UPDATE webhooks SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL";
    /// Not a listener: nobody could enable it again.
    DISABLE_BROKEN = "UPDATE webhooks SET disabled_at = $2, disabled_why = $3 \
                      WHERE id = $1 AND disabled_at IS NULL AND url IS NOT NULL";
}

row! {
    struct Row {
        id: Uuid,
        app_id: Option<String>,
        url: Option<String>,
        topics: i64,
        disabled_at: Option<i64>,
        disabled_why: Option<String>,
        failing_since: Option<i64>,
        previous_until: Option<i64>,
        polled_at: Option<i64>,
        created_at: i64,
    }
}

impl TryFrom<Row> for Webhook {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let target = match (row.url, row.polled_at) {
            (Some(url), _) => Target::Endpoint(Url::parse(&url).map_err(corrupt("webhooks.url"))?),
            (None, Some(polled_at)) => Target::Listener { polled_at: time(polled_at) },
            (None, None) => return Err(StoreError::Corrupt("webhooks: neither an endpoint nor a listener".into())),
        };
        let state = match (row.disabled_at, row.disabled_why.as_deref().map(DisabledWhy::parse)) {
            (None, _) => WebhookState::Active,
            (Some(since), Some(Some(why))) => WebhookState::Disabled { since: time(since), why },
            (Some(_), _) => return Err(StoreError::Corrupt("webhooks.disabled_why".into())),
        };
        Ok(Self {
            id: WebhookId(row.id),
            app: row.app_id.as_deref().map(AppId::parse).transpose().map_err(corrupt("webhooks.app_id"))?,
            target,
            topics: Topics::from_bits(row.topics),
            state,
            failing_since: optional_time(row.failing_since),
            previous_until: optional_time(row.previous_until),
            created_at: time(row.created_at),
        })
    }
}

row! {
    /// The secrets of a webhook, sealed.
    pub struct Secrets {
        pub secret: Vec<u8>,
        previous_secret: Option<Vec<u8>>,
        previous_until: Option<i64>,
    }
}

impl Secrets {
    /// The one that was replaced, while it signs too.
    pub fn previous(&self, now: Timestamp) -> Option<&[u8]> {
        let is_over = self.previous_until.is_none_or(|until| now.as_micros() >= until);
        self.previous_secret.as_deref().filter(|_| !is_over)
    }
}

pub async fn find(conn: &mut Conn, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.0)?.map(Webhook::try_from).transpose()
}

/// The oldest `limit` endpoints, of those after this one.
pub async fn list(
    conn: &mut Conn,
    app: Option<&AppId>,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<Vec<Webhook>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST, app.map_or("", AppId::as_str), after.map(|id| id.0), limit)?;
    rows.into_iter().map(Webhook::try_from).collect()
}

pub async fn secrets(conn: &mut Conn, id: WebhookId) -> Result<Option<Secrets>, StoreError> {
    fetch_optional!(conn, Secrets, SECRETS, id.0)
}

pub async fn count_of_app(conn: &mut Conn, app: &AppId) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT_OF_APP, app.as_str())?.map_or(0, |(count,)| count))
}

pub async fn count_listeners(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT_LISTENERS)?.map_or(0, |(count,)| count))
}

/// `false` where it is there already.
pub async fn insert(conn: &mut Conn, webhook: &Webhook, secret: &[u8]) -> Result<bool, StoreError> {
    let polled_at = match webhook.target {
        Target::Endpoint(_) => None,
        Target::Listener { polled_at } => Some(polled_at.as_micros()),
    };
    let rows = execute!(
        conn,
        INSERT,
        webhook.id.0,
        webhook.app.as_ref().map(AppId::as_str),
        webhook.url().map(Url::as_str),
        webhook.topics.bits(),
        secret,
        polled_at,
        webhook.created_at.as_micros(),
    )?;
    Ok(rows == 1)
}

/// Writes where it goes and what it is for.
pub async fn update(conn: &mut Conn, webhook: &Webhook) -> Result<(), StoreError> {
    execute!(conn, UPDATE, webhook.id.0, webhook.url().map(Url::as_str), webhook.topics.bits()).map(|_| ())
}

pub async fn set_state(conn: &mut Conn, id: WebhookId, state: WebhookState) -> Result<(), StoreError> {
    let (at, why) = match state {
        WebhookState::Active => (None, None),
        WebhookState::Disabled { since, why } => (Some(since.as_micros()), Some(why.as_str())),
    };
    execute!(conn, SET_DISABLED, id.0, at, why).map(|_| ())
}

/// The secret that there was signs too until then.
pub async fn rotate(conn: &mut Conn, id: WebhookId, secret: &[u8], until: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, ROTATE, id.0, secret, until.as_micros())? == 1)
}

pub async fn delete(conn: &mut Conn, id: WebhookId) -> Result<bool, StoreError> {
    Ok(execute!(conn, DELETE, id.0)? == 1)
}

/// Whether anybody is told of this: of what nobody is, nothing has to be looked up.
pub async fn is_wanted(conn: &mut Conn, app: &AppId, topic: Topic) -> Result<bool, StoreError> {
    let row: Option<(i32,)> = fetch_optional!(conn, (i32,), IS_WANTED, app.as_str(), topic.bit())?;
    Ok(row.is_some())
}

/// What is told of at all: applications (`None`: each) with the kinds of messages.
pub async fn wanted(conn: &mut Conn) -> Result<Vec<(Option<AppId>, Topics)>, StoreError> {
    let rows = fetch_all!(conn, (Option<String>, i64), WANTED)?;
    let read = |(app, topics): (Option<String>, i64)| {
        let app = app.as_deref().map(AppId::parse).transpose().map_err(corrupt("webhooks.app_id"))?;
        Ok((app, Topics::from_bits(topics)))
    };
    rows.into_iter().map(read).collect()
}

/// `false` where there is no such listener any more.
pub async fn note_poll(conn: &mut Conn, id: WebhookId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, NOTE_POLL, id.0, at.as_micros())? == 1)
}

/// Deletes listeners that have not asked since.
pub async fn sweep_listeners(conn: &mut Conn, before: Timestamp) -> Result<u64, StoreError> {
    execute!(conn, SWEEP_LISTENERS, before.as_micros())
}

/// Notes that an attempt failed; answers since when all have.
pub async fn note_failure(conn: &mut Conn, id: WebhookId, at: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let row: Option<(i64,)> = fetch_optional!(conn, (i64,), NOTE_FAILURE, id.0, at.as_micros())?;
    Ok(row.map(|(since,)| time(since)))
}

pub async fn note_success(conn: &mut Conn, id: WebhookId) -> Result<(), StoreError> {
    execute!(conn, NOTE_SUCCESS, id.0).map(|_| ())
}

/// Disables an endpoint that does not take anything. `false` where it is disabled.
pub async fn disable_broken(
    conn: &mut Conn,
    id: WebhookId,
    at: Timestamp,
    why: DisabledWhy,
) -> Result<bool, StoreError> {
    Ok(execute!(conn, DISABLE_BROKEN, id.0, at.as_micros(), why.as_str())? == 1)
}
