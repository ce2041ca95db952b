//! What use cases write down about the request that they serve. The notes hang on the task, as a tracing
//! span does, so that a use case need not be handed a place for them; outside a request they go nowhere.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::ids::{AppId, ConnectionId, FlowId};
use crate::domain::journal::Why;
use crate::domain::timestamp::Timestamp;

/// The rule by which a request has no answer.
pub const ABANDONED: &str = "request.abandoned";

/// What is known of a request by now.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    pub app: Option<AppId>,
    /// The e-mail address.
    pub user: Option<String>,
    pub button: Option<String>,
    pub flow: Option<FlowId>,
    pub connection: Option<ConnectionId>,
    pub why: Option<Why>,
    /// When what the reason tells of happened.
    pub why_at: Option<Timestamp>,
    pub fault: Option<String>,
    /// Whether the journal does not keep it.
    pub left_out: bool,
    /// Whether what the journal keeps is shown where the log is.
    pub is_shown: bool,
}

tokio::task_local! {
    static NOTES: Arc<Mutex<Notes>>;
}

/// Where the notes of one request are kept. Who holds it can read them also when the request was given up.
#[derive(Clone, Default)]
pub struct Slip(Arc<Mutex<Notes>>);

impl Slip {
    /// `is_shown`: what is noted here is shown where the log is.
    pub fn new(is_shown: bool) -> Self {
        Self(Arc::new(Mutex::new(Notes { is_shown, ..Notes::default() })))
    }

    /// Runs the request.
    pub async fn around<T>(&self, request: impl Future<Output = T>) -> T {
        NOTES.scope(self.0.clone(), request).await
    }

    /// That its client hung up. What had been noted as a reason stands.
    pub fn note_abandoned(&self) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let message = "the client hung up before it was answered; what had been done stands";
        notes.why.get_or_insert_with(|| Why::new(ABANDONED, message));
    }

    /// What was noted.
    pub fn take(&self) -> Notes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn write(change: impl FnOnce(&mut Notes)) {
    let _ = NOTES.try_with(|notes| change(&mut notes.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// What was noted so far; empty outside a request.
pub fn current() -> Notes {
    NOTES.try_with(|notes| notes.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default()
}

pub fn app(id: &AppId) {
    write(|notes| notes.app = Some(id.clone()));
}

/// `email` is the user's e-mail address.
pub fn user(email: &str) {
    write(|notes| notes.user = Some(email.to_owned()));
}

pub fn button(id: &str) {
    write(|notes| notes.button = Some(id.to_owned()));
}

pub fn flow(id: FlowId) {
    write(|notes| notes.flow = Some(id));
}

pub fn connection(id: ConnectionId) {
    write(|notes| notes.connection = Some(id));
}

/// The first reason stands: what comes after it is its consequence.
pub fn why(why: Why) {
    why_at(why, None);
}

/// The same for what happened at a moment, by the clock of the request's application.
pub fn why_at(why: Why, at: Option<Timestamp>) {
    write(|notes| {
        if notes.why.is_none() {
            (notes.why, notes.why_at) = (Some(why), at);
        }
    });
}

/// `rule` is the id of the fault rule that acted.
pub fn fault(rule: &str) {
    write(|notes| notes.fault = Some(rule.to_owned()));
}

/// Whether whoever reads the log sees what is noted, too.
pub fn is_shown() -> bool {
    NOTES.try_with(|notes| notes.lock().unwrap_or_else(PoisonError::into_inner).is_shown).unwrap_or_default()
}

/// Keeps the request out of the journal: one of too many that say what the journal has already.
pub fn leave_out() {
    write(|notes| notes.left_out = true);
}
