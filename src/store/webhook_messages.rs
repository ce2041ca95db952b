//! What webhooks are told, until it is delivered, and the log of it. A message is written in the transaction of what it
//! tells of; who sends it claims its row first, so that of two nodes one does.

use std::collections::HashSet;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, optional_time, time};
use super::error::StoreError;
use crate::domain::ids::{AppId, WebhookId, WebhookMessageId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{Attempt, Delivery, Message, Outcome, Sent, Topic};

statements! {
    /// Due at once, whatever is before it in its lane: who claims puts it off, and holds what it waits for meanwhile.
    TELL = "INSERT INTO webhook_messages (webhook_id, id, topic, lane, payload, state, attempts, attempts_before, \
            next_attempt_at, claimed_until, created_at) \
            SELECT w.id, $1, $2, $3, $4, 'pending', 0, 0, $5, 0, $5 FROM webhooks w \
            WHERE (w.app_id = $6 OR w.app_id IS NULL) AND w.topics & $7 <> 0 AND w.disabled_at IS NULL \
            ON CONFLICT DO NOTHING";
    TELL_ONE = "INSERT INTO webhook_messages (webhook_id, id, topic, lane, payload, state, attempts, attempts_before, \
                next_attempt_at, claimed_until, created_at) VALUES ($1, $2, $3, $4, $5, 'pending', 0, 0, $6, 0, $6)";
    /// Webhooks with messages that are due and room for more of them at once, the one that has waited longest first: one
    /// listener, or all endpoints. One that is claimed is not due before its lease is over.
    DUE_WEBHOOKS = "SELECT d.id, d.busy FROM \
                    (SELECT w.id, \
                     (SELECT m.next_attempt_at FROM webhook_messages m WHERE m.webhook_id = w.id \
                      AND m.state = 'pending' ORDER BY m.next_attempt_at LIMIT 1) AS due_at, \
                     (SELECT COUNT(*) FROM webhook_messages b WHERE b.webhook_id = w.id \
                      AND b.claimed_until > 0 AND b.claimed_until > $1) AS busy \
                     FROM webhooks w WHERE (w.id = $2 OR $2 IS NULL AND w.url IS NOT NULL) AND w.disabled_at IS NULL) d \
                    WHERE d.due_at <= $1 AND d.busy < $3 ORDER BY d.due_at LIMIT $4";
    /// Since when the message has been due that has been for longest.
    OLDEST_DUE = "SELECT MIN(d.due_at) FROM \
                  (SELECT (SELECT m.next_attempt_at FROM webhook_messages m WHERE m.webhook_id = w.id \
                   AND m.state = 'pending' ORDER BY m.next_attempt_at LIMIT 1) AS due_at \
                  FROM webhooks w WHERE w.url IS NOT NULL AND w.disabled_at IS NULL) d WHERE d.due_at <= $1";
    /// What is due of one webhook, each with the first of its lane. The lane is asked for as a range: for an equal one
    /// SQLite walks the webhook's whole history by its primary key.
    DUE = "SELECT m.id, m.lane, \
           (SELECT e.id FROM webhook_messages e WHERE e.webhook_id = m.webhook_id AND e.lane >= m.lane \
            AND e.lane <= m.lane AND e.state = 'pending' ORDER BY e.lane, e.id LIMIT 1) AS first_id, \
           (SELECT e.next_attempt_at FROM webhook_messages e WHERE e.webhook_id = m.webhook_id AND e.lane >= m.lane \
            AND e.lane <= m.lane AND e.state = 'pending' ORDER BY e.lane, e.id LIMIT 1) AS first_at \
           FROM webhook_messages m WHERE m.webhook_id = $1 AND m.state = 'pending' AND m.next_attempt_at <= $2 \
           ORDER BY m.next_attempt_at, m.id LIMIT $3";
    CLAIM = "UPDATE webhook_messages SET claimed_until = $4, next_attempt_at = $4, attempts = attempts + 1 \
             WHERE webhook_id = $1 AND id = $2 AND state = 'pending' AND next_attempt_at <= $3 AND claimed_until <= $3 \
             RETURNING webhook_id, id, topic, lane, payload, attempts, attempts_before, created_at";
    /// Holds the first of a lane, if it still is, so that whoever settles it does so before or after, and not while what
    /// follows is put off: it would miss that when it releases the lane.
    HOLD_FIRST = "UPDATE webhook_messages SET next_attempt_at = next_attempt_at \
                  WHERE webhook_id = $1 AND id = $2 AND state = 'pending'";
    /// What follows in a lane waits as long as its first, and is not looked at in between.
    HOLD_LANE = "UPDATE webhook_messages SET next_attempt_at = $5 WHERE webhook_id = $1 AND lane >= $2 AND lane <= $2 \
                 AND id <> $3 AND state = 'pending' AND next_attempt_at <= $4";
    TARGET = "SELECT url FROM webhooks WHERE id = $1";
    ADD_ATTEMPT = "INSERT INTO webhook_attempts (webhook_id, message_id, nr, at, took_us, request_headers, status, \
                   response_headers, response_body, error) \
                   SELECT webhook_id, id, $3, $4, $5, $6, $7, $8, $9, $10 FROM webhook_messages \
                   WHERE webhook_id = $1 AND id = $2 ON CONFLICT DO NOTHING";
    /// By whoever has it: not where its lease was over, and another has it now.
    SETTLE = "UPDATE webhook_messages SET state = $4, next_attempt_at = $5, claimed_until = 0 \
              WHERE webhook_id = $1 AND id = $2 AND attempts = $3 AND state = 'pending'";
    /// The next one of a lane is due.
    RELEASE_LANE = "UPDATE webhook_messages SET next_attempt_at = $3 WHERE webhook_id = $1 AND id = \
                    (SELECT e.id FROM webhook_messages e WHERE e.webhook_id = $1 AND e.lane >= $2 AND e.lane <= $2 \
                     AND e.state = 'pending' ORDER BY e.lane, e.id LIMIT 1) \
                    AND next_attempt_at > $3 AND claimed_until = 0";
    FIND = "SELECT id, topic, lane, payload, state, attempts, next_attempt_at, created_at FROM webhook_messages \
            WHERE webhook_id = $1 AND id = $2";
    /// Newest first; an empty text asks for any.
    LIST = "SELECT id, topic, lane, payload, state, attempts, next_attempt_at, created_at FROM webhook_messages \
            WHERE webhook_id = $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR topic = $3) \
            AND (id < $4 OR $4 IS NULL) ORDER BY id DESC LIMIT $5";
    COUNTS = "SELECT state, COUNT(*) FROM webhook_messages WHERE webhook_id = $1 GROUP BY state";
    /// The newest ones, oldest first.
    ATTEMPTS = "SELECT * FROM (SELECT nr, at, took_us, request_headers, status, response_headers, response_body, error \
                FROM webhook_attempts WHERE webhook_id = $1 AND message_id = $2 ORDER BY nr DESC LIMIT $3) a ORDER BY nr";
    PRUNE_ATTEMPTS = "DELETE FROM webhook_attempts WHERE webhook_id = $1 AND message_id = $2 AND nr <= $3";
    /// An attempt that is under way does not settle it any more: it counts one less than the message does.
    REPLAY = "UPDATE webhook_messages SET state = 'pending', next_attempt_at = $3, claimed_until = 0, \
              attempts = attempts + CASE WHEN claimed_until > 0 THEN 1 ELSE 0 END, \
              attempts_before = attempts + CASE WHEN claimed_until > 0 THEN 1 ELSE 0 END \
              WHERE webhook_id = $1 AND id = $2";
    REPLAY_SPAN = "UPDATE webhook_messages SET state = 'pending', next_attempt_at = $2, claimed_until = 0, \
                   attempts = attempts + CASE WHEN claimed_until > 0 THEN 1 ELSE 0 END, \
                   attempts_before = attempts + CASE WHEN claimed_until > 0 THEN 1 ELSE 0 END \
                   WHERE webhook_id = $1 AND created_at >= $3 AND created_at < $4 AND ($5 = '' OR state = $5)";
    SWEEP = "DELETE FROM webhook_messages WHERE (webhook_id, id) IN \
             (SELECT webhook_id, id FROM webhook_messages WHERE created_at < $1 LIMIT $2)";
    SWEEP_SURPLUS = "DELETE FROM webhook_messages WHERE (webhook_id, id) IN \
                     (SELECT n.webhook_id, n.id FROM (SELECT webhook_id, id, \
                      ROW_NUMBER() OVER (PARTITION BY webhook_id ORDER BY id DESC) AS place FROM webhook_messages \
                      WHERE state <> 'pending') n WHERE n.place > $1 LIMIT $2)";
    GIVE_UP_SURPLUS = "UPDATE webhook_messages SET state = 'failed', claimed_until = 0 WHERE (webhook_id, id) IN \
                       (SELECT n.webhook_id, n.id FROM (SELECT webhook_id, id, \
                        ROW_NUMBER() OVER (PARTITION BY webhook_id ORDER BY id DESC) AS place FROM webhook_messages \
                        WHERE state = 'pending') n WHERE n.place > $1 LIMIT $2)";
}

/// A message that is ours to send, until our lease is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub webhook: WebhookId,
    pub message: Message,
    /// Which attempt this is.
    pub nr: u32,
    /// Which one it is since the message was last begun with.
    pub nr_since_begun: u32,
}

row! {
    /// A message that is due.
    struct DueRow {
        id: Uuid,
        lane: String,
        first_id: Uuid,
        first_at: i64,
    }
}

row! {
    struct ClaimedRow {
        webhook_id: Uuid,
        id: Uuid,
        topic: String,
        lane: String,
        payload: String,
        attempts: i64,
        attempts_before: i64,
        created_at: i64,
    }
}

row! {
    struct Row {
        id: Uuid,
        topic: String,
        lane: String,
        payload: String,
        state: String,
        attempts: i64,
        next_attempt_at: i64,
        created_at: i64,
    }
}

row! {
    struct AttemptRow {
        nr: i64,
        at: i64,
        took_us: i64,
        request_headers: String,
        status: Option<i64>,
        response_headers: Option<String>,
        response_body: Option<String>,
        error: Option<String>,
    }
}

fn topic(word: &str) -> Result<Topic, StoreError> {
    Topic::parse(word).ok_or_else(|| StoreError::Corrupt(format!("webhook_messages.topic: {word}")))
}

fn state(word: &str) -> Result<Delivery, StoreError> {
    Delivery::parse(word).ok_or_else(|| StoreError::Corrupt(format!("webhook_messages.state: {word}")))
}

fn count(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn headers(text: &str) -> Result<Vec<(String, String)>, StoreError> {
    serde_json::from_str(text).map_err(corrupt("webhook_attempts: header fields"))
}

impl TryFrom<ClaimedRow> for Claimed {
    type Error = StoreError;
    fn try_from(row: ClaimedRow) -> Result<Self, StoreError> {
        Ok(Self {
            webhook: WebhookId(row.webhook_id),
            message: Message {
                id: WebhookMessageId(row.id),
                topic: topic(&row.topic)?,
                lane: row.lane,
                payload: row.payload,
                created_at: time(row.created_at),
            },
            nr: count(row.attempts),
            nr_since_begun: count(row.attempts.saturating_sub(row.attempts_before)),
        })
    }
}

impl TryFrom<Row> for Sent {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let state = state(&row.state)?;
        Ok(Self {
            message: Message {
                id: WebhookMessageId(row.id),
                topic: topic(&row.topic)?,
                lane: row.lane,
                payload: row.payload,
                created_at: time(row.created_at),
            },
            state,
            attempts: count(row.attempts),
            next_attempt_at: optional_time((state == Delivery::Pending).then_some(row.next_attempt_at)),
        })
    }
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;
    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        let outcome = match row.status {
            Some(status) => Outcome::Answered {
                status: u16::try_from(status).map_err(corrupt("webhook_attempts.status"))?,
                headers: headers(row.response_headers.as_deref().unwrap_or("[]"))?,
                body: row.response_body.unwrap_or_default(),
            },
            None => Outcome::Unanswered(row.error.unwrap_or_default()),
        };
        Ok(Self {
            nr: count(row.nr),
            at: time(row.at),
            took: Duration::from_micros(u64::try_from(row.took_us).unwrap_or(0)),
            headers: headers(&row.request_headers)?,
            outcome,
        })
    }
}

/// Tells every webhook that is for this, in the transaction of what it tells of; answers how many that are.
pub async fn tell(conn: &mut Conn, app: &AppId, message: &Message) -> Result<u64, StoreError> {
    execute!(
        conn,
        TELL,
        message.id.0,
        message.topic.as_str(),
        message.lane.as_str(),
        message.payload.as_str(),
        message.created_at.as_micros(),
        app.as_str(),
        message.topic.bit(),
    )
}

/// Tells one webhook, whatever it is for.
pub async fn tell_one(conn: &mut Conn, webhook: WebhookId, message: &Message) -> Result<(), StoreError> {
    execute!(
        conn,
        TELL_ONE,
        webhook.0,
        message.id.0,
        message.topic.as_str(),
        message.lane.as_str(),
        message.payload.as_str(),
        message.created_at.as_micros(),
    )
    .map(|_| ())
}

/// What is claimed.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    pub now: Timestamp,
    /// When the lease is over.
    pub until: Timestamp,
    /// One listener's; `None`: all endpoints'.
    pub listener: Option<WebhookId>,
    /// At most so many at once of one webhook.
    pub each: i64,
    /// At most so many.
    pub limit: i64,
}

/// Due messages that are looked at in one go, and how often in one transaction.
const LOOKED_AT: i64 = 64;
const LOOKS: usize = 8;

/// Webhooks that something can be claimed for, with how many messages each has at this moment: a look that costs the
/// writer nothing.
async fn due(conn: &mut Conn, claim: &Claim) -> Result<Vec<(Uuid, i64)>, StoreError> {
    let Claim { now, listener, each, limit, .. } = claim;
    fetch_all!(conn, (Uuid, i64), DUE_WEBHOOKS, now.as_micros(), listener.map(|id| id.0), *each, *limit)
}

/// Whether there is anything to claim.
pub async fn is_due(conn: &mut Conn, claim: Claim) -> Result<bool, StoreError> {
    Ok(!due(conn, &Claim { limit: 1, ..claim }).await?.is_empty())
}

/// Since when the message has been due that has been for longest; those of listeners, who come when they like, are left out.
pub async fn oldest_due(conn: &mut Conn, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let oldest = fetch_optional!(conn, (Option<i64>,), OLDEST_DUE, now.as_micros())?;
    Ok(oldest.and_then(|(since,)| since).map(Timestamp::from_micros))
}

/// Takes messages that are due and the first of their lane.
pub async fn claim(conn: &mut Conn, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
    let mut claimed = Vec::new();
    for (webhook, busy) in due(conn, &claim).await? {
        let left = claim.limit - i64::try_from(claimed.len()).unwrap_or(i64::MAX);
        let room = usize::try_from(left.min(claim.each - busy)).unwrap_or(0);
        claimed.extend(claim_of(conn, webhook, &claim, room).await?);
    }
    claimed.sort_by_key(|one: &Claimed| one.message.id);
    Ok(claimed)
}

/// The same of one webhook. What waits for another message is put off, so that the next look does not find it again.
async fn claim_of(conn: &mut Conn, webhook: Uuid, claim: &Claim, room: usize) -> Result<Vec<Claimed>, StoreError> {
    let (now, until) = (claim.now.as_micros(), claim.until.as_micros());
    let mut claimed = Vec::new();
    for _ in 0..LOOKS {
        let found = fetch_all!(conn, DueRow, DUE, webhook, now, LOOKED_AT)?;
        let is_all = i64::try_from(found.len()).is_ok_and(|count| count < LOOKED_AT);
        let mut held = HashSet::new();
        for row in found {
            if claimed.len() >= room {
                return Ok(claimed);
            }
            if row.id == row.first_id {
                let taken = fetch_optional!(conn, ClaimedRow, CLAIM, webhook, row.id, now, until)?;
                claimed.extend(taken.map(Claimed::try_from).transpose()?);
            } else if held.insert(row.lane.clone()) && execute!(conn, HOLD_FIRST, webhook, row.first_id)? == 1 {
                execute!(conn, HOLD_LANE, webhook, row.lane, row.first_id, now, until.max(row.first_at))?;
            }
        }
        if is_all {
            break;
        }
    }
    Ok(claimed)
}

/// Where a webhook's messages go now. `None`: it is gone, or a listener.
pub async fn target(conn: &mut Conn, webhook: WebhookId) -> Result<Option<Url>, StoreError> {
    let row: Option<(Option<String>,)> = fetch_optional!(conn, (Option<String>,), TARGET, webhook.0)?;
    row.and_then(|(url,)| url).map(|url| Url::parse(&url).map_err(corrupt("webhooks.url"))).transpose()
}

/// Attempts of one message that are kept: replays may make any number.
pub const KEPT_ATTEMPTS: i64 = 100;

/// Adds one to the log; the oldest make room.
pub async fn add_attempt(
    conn: &mut Conn,
    webhook: WebhookId,
    message: WebhookMessageId,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    let written = |headers: &Vec<(String, String)>| {
        serde_json::to_string(headers).map_err(|why| StoreError::Internal(why.to_string()))
    };
    let (status, headers, body, error) = match &attempt.outcome {
        Outcome::Answered { status, headers, body } => {
            (Some(i64::from(*status)), Some(written(headers)?), Some(body.as_str()), None)
        }
        Outcome::Unanswered(why) => (None, None, None, Some(why.as_str())),
    };
    execute!(
        conn,
        ADD_ATTEMPT,
        webhook.0,
        message.0,
        i64::from(attempt.nr),
        attempt.at.as_micros(),
        i64::try_from(attempt.took.as_micros()).unwrap_or(i64::MAX),
        written(&attempt.headers)?,
        status,
        headers.as_deref(),
        body,
        error,
    )?;
    let pruned = i64::from(attempt.nr) - KEPT_ATTEMPTS;
    if pruned > 0 {
        execute!(conn, PRUNE_ATTEMPTS, webhook.0, message.0, pruned)?;
    }
    Ok(())
}

/// Writes what the attempt came to. `false` where the message is somebody else's by now, or settled.
pub async fn settle(
    conn: &mut Conn,
    claimed: &Claimed,
    state: Delivery,
    next_attempt_at: Timestamp,
) -> Result<bool, StoreError> {
    let (webhook, id, nr) = (claimed.webhook.0, claimed.message.id.0, i64::from(claimed.nr));
    let rows = execute!(conn, SETTLE, webhook, id, nr, state.as_str(), next_attempt_at.as_micros())?;
    let lane = claimed.message.lane.as_str();
    if rows == 1 && state != Delivery::Pending {
        execute!(conn, RELEASE_LANE, webhook, lane, next_attempt_at.as_micros())?;
    }
    Ok(rows == 1)
}

pub async fn find(conn: &mut Conn, webhook: WebhookId, id: WebhookMessageId) -> Result<Option<Sent>, StoreError> {
    fetch_optional!(conn, Row, FIND, webhook.0, id.0)?.map(Sent::try_from).transpose()
}

/// Which messages of a webhook are looked for; what is left out is any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub state: Option<Delivery>,
    pub topic: Option<Topic>,
    /// Older ones than this.
    pub before: Option<WebhookMessageId>,
}

/// The newest `limit` of those.
pub async fn list(conn: &mut Conn, webhook: WebhookId, filter: &Filter, limit: i64) -> Result<Vec<Sent>, StoreError> {
    let (state, topic) = (filter.state.map_or("", Delivery::as_str), filter.topic.map_or("", Topic::as_str));
    let rows = fetch_all!(conn, Row, LIST, webhook.0, state, topic, filter.before.map(|id| id.0), limit)?;
    rows.into_iter().map(Sent::try_from).collect()
}

/// How many messages of a webhook are in each state.
pub async fn counts(conn: &mut Conn, webhook: WebhookId) -> Result<Vec<(Delivery, i64)>, StoreError> {
    let rows = fetch_all!(conn, (String, i64), COUNTS, webhook.0)?;
    rows.into_iter().map(|(word, count)| Ok((state(&word)?, count))).collect()
}

/// The newest `limit` attempts of a message, oldest first.
pub async fn attempts(
    conn: &mut Conn,
    webhook: WebhookId,
    message: WebhookMessageId,
    limit: i64,
) -> Result<Vec<Attempt>, StoreError> {
    let rows = fetch_all!(conn, AttemptRow, ATTEMPTS, webhook.0, message.0, limit)?;
    rows.into_iter().map(Attempt::try_from).collect()
}

/// Begins with a message anew. `false` where there is none.
pub async fn replay(
    conn: &mut Conn,
    webhook: WebhookId,
    id: WebhookMessageId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(execute!(conn, REPLAY, webhook.0, id.0, now.as_micros())? == 1)
}

/// Begins anew with those of a span, its end left out; answers how many they are.
pub async fn replay_span(
    conn: &mut Conn,
    webhook: WebhookId,
    now: Timestamp,
    span: (Timestamp, Timestamp),
    state: Option<Delivery>,
) -> Result<u64, StoreError> {
    let (since, until) = (span.0.as_micros(), span.1.as_micros());
    execute!(conn, REPLAY_SPAN, webhook.0, now.as_micros(), since, until, state.map_or("", Delivery::as_str))
}

/// Deletes at most `limit` of those made before.
pub async fn sweep(conn: &mut Conn, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, before.as_micros(), limit)
}

/// Deletes at most `limit` of those settled that a webhook has more than `most`, the oldest.
pub async fn sweep_surplus(conn: &mut Conn, most: i64, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP_SURPLUS, most, limit)
}

/// Gives up at most `limit` of those that wait beyond `most` of a webhook, the oldest.
pub async fn give_up_surplus(conn: &mut Conn, most: i64, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, GIVE_UP_SURPLUS, most, limit)
}
