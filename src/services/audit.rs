//! Who changes something, and what is written down of it. Whatever a person or an operator can change takes an [`Acting`],
//! so that nothing can be changed without saying who does it; the event is recorded in the transaction of the change.

use std::net::IpAddr;
use std::ops::Deref;

use super::Context;
use crate::domain::event::{Action, Actor, Event, Target};
use crate::domain::ids::{AppId, EventId};
use crate::domain::user::User;
use crate::entropy::time_ordered_id;
use crate::store::{StoreError, events};

/// Longest login name of a command line that is kept, in characters.
const MAX_LOGIN: usize = 64;

/// Who acts, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    /// The address of the request's sender; `None`: there was no request.
    pub from: Option<IpAddr>,
}

impl By {
    pub fn user(user: &User, from: Option<IpAddr>) -> Self {
        Self { actor: Actor::User { id: user.id, email: user.email.clone() }, from }
    }

    pub fn anybody(from: Option<IpAddr>) -> Self {
        Self { actor: Actor::Anybody, from }
    }

    /// `login` is the name that who runs the command is logged in by.
    pub fn command_line(login: &str) -> Self {
        Self { actor: Actor::CommandLine { login: login.chars().take(MAX_LOGIN).collect() }, from: None }
    }

    pub fn control_plane(from: Option<IpAddr>) -> Self {
        Self { actor: Actor::ControlPlane, from }
    }

    /// A client that manages itself; `None`: one that is only about to be.
    pub fn client(id: Option<AppId>, from: Option<IpAddr>) -> Self {
        Self { actor: Actor::Client { id }, from }
    }

    pub fn server() -> Self {
        Self { actor: Actor::Server, from: None }
    }
}

/// A [`Context`], and who uses it to change something.
pub struct Acting<'c> {
    ctx: &'c Context,
    by: By,
}

impl Deref for Acting<'_> {
    type Target = Context;
    fn deref(&self) -> &Context {
        self.ctx
    }
}

impl Context {
    /// To change something in somebody's name.
    pub fn acting(&self, by: By) -> Acting<'_> {
        Acting { ctx: self, by }
    }

    /// An event of now, to be recorded in the transaction of what it tells of.
    pub fn event(&self, by: By, action: Action, target: Target) -> Event {
        let at = self.now();
        let id = EventId(time_ordered_id(&*self.entropy, self.real_now()));
        Event { id, at, action, actor: by.actor, from: by.from, target, changes: Vec::new() }
    }
}

impl Acting<'_> {
    pub fn by(&self) -> &By {
        &self.by
    }

    /// An event of now, in the name of who acts.
    pub fn event(&self, action: Action, target: Target) -> Event {
        self.ctx.event(self.by.clone(), action, target)
    }
}

/// The newest `limit` events that the filter is for.
pub async fn list(ctx: &Context, filter: events::Filter, limit: i64) -> Result<Vec<Event>, StoreError> {
    ctx.store
        .read(move |conn| {
            let filter = filter.clone();
            Box::pin(async move { events::list(conn, &filter, limit).await })
        })
        .await
}
