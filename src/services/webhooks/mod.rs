//! Webhooks (wire.md F): who is told, what, and how it gets there. `outbox` writes messages down with what they tell of;
//! `sender` brings them to endpoints, `listener` to developers' machines that ask; `log` is what is shown of both.

pub mod expiry;
pub mod listener;
pub mod log;
mod manage;
pub mod outbox;
pub mod sender;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use tokio::sync::watch;

use super::Context;
use super::sealed::Sealer;
use crate::crypto::seal::OpenError;
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::ids::{AppId, WebhookId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{Topic, Topics};
use crate::store::webhooks::Secrets;
use crate::store::{StoreError, webhooks};

pub use manage::{Change, New, WebhookError, change, create, delete, find, list, rotate, test};

/// What this node knows of a world's webhooks: which of the frequent things is told at all, and who waits for messages.
#[derive(Default)]
pub struct Webhooks {
    wanted: RwLock<Wanted>,
    written: watch::Sender<()>,
    closed: watch::Sender<bool>,
}

#[derive(Debug, Default, Clone)]
struct Wanted {
    /// By whoever hears of each application.
    everywhere: i64,
    of_app: HashMap<AppId, i64>,
}

impl Webhooks {
    /// Whether anybody is told of this, as far as this node knows: it is a second behind what others write.
    pub fn wants(&self, app: &AppId, topic: Topic) -> bool {
        let wanted = self.wanted.read().unwrap_or_else(PoisonError::into_inner);
        (wanted.everywhere | wanted.of_app.get(app).copied().unwrap_or(0)) & topic.bit() != 0
    }

    /// Whether anybody is told of anything, as far as this node knows.
    pub fn is_heard(&self) -> bool {
        let wanted = self.wanted.read().unwrap_or_else(PoisonError::into_inner);
        wanted.everywhere != 0 || !wanted.of_app.is_empty()
    }

    /// Whoever brings messages looks for them now: to be called after the commit of what may have written one.
    pub fn nudge(&self) {
        if self.is_heard() {
            self.written.send_replace(());
        }
    }

    /// The same, whatever this node knows.
    pub fn wake(&self) {
        self.written.send_replace(());
    }

    /// Is marked as changed whenever there may be messages.
    pub fn written(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }

    /// Whoever waits for messages is answered: the server stops.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    fn take(&self, rows: Vec<(Option<AppId>, Topics)>) {
        let mut wanted = Wanted::default();
        for (app, topics) in rows {
            match app {
                Some(app) => *wanted.of_app.entry(app).or_default() |= topics.bits(),
                None => wanted.everywhere |= topics.bits(),
            }
        }
        let was_heard = self.is_heard();
        *self.wanted.write().unwrap_or_else(PoisonError::into_inner) = wanted;
        if self.is_heard() != was_heard {
            // Who looks around only where somebody hears of it.
            self.wake();
        }
    }
}

/// Takes over what is stored: after a start, a change, a reset, and each second what other nodes changed.
pub async fn reload(ctx: &Context) -> Result<(), StoreError> {
    let rows = ctx.store.read(|conn| Box::pin(webhooks::wanted(conn))).await?;
    ctx.webhooks.take(rows);
    Ok(())
}

pub(super) fn row(id: WebhookId) -> String {
    format!("webhooks/{id}/secret")
}

fn seal(sealer: &Sealer, id: WebhookId, secret: &WebhookSecret) -> Vec<u8> {
    sealer.seal(&row(id), secret.as_bytes())
}

/// The secrets that sign now, the newest first.
fn open(sealer: &Sealer, id: WebhookId, sealed: &Secrets, now: Timestamp) -> Result<Vec<WebhookSecret>, OpenError> {
    let open = |sealed: &[u8]| {
        let bytes = sealer.open(&row(id), sealed)?;
        WebhookSecret::from_bytes(bytes).map_err(|_| OpenError)
    };
    std::iter::once(sealed.secret.as_slice()).chain(sealed.previous(now)).map(open).collect()
}

impl Context {
    /// Tells whoever brings messages, wherever they are waited for.
    pub(super) fn told(&self) {
        self.webhooks.nudge();
    }
}

/// For the lease of what is claimed.
fn lease_from(now: Timestamp) -> Timestamp {
    now.plus(crate::domain::webhook::LEASE)
}

/// A byte that no two pauses have in common.
fn jitter(ctx: &Context) -> u8 {
    let mut byte = [0];
    ctx.entropy.fill(&mut byte);
    byte[0]
}
