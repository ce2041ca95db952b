//! An event of the log as programs get it: a line of the exported file, an object of the control plane's list.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::event::Event;

/// What happened, by whom, from where.
#[derive(Serialize, ToSchema)]
pub struct EventObject {
    /// Of events, a later one has a greater id.
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = DateTime)]
    at: String,
    #[schema(example = "app.created")]
    action: &'static str,
    actor: ActorObject,
    /// The address that it came from; null: from the server itself, or its command line.
    #[schema(example = "192.0.2.1")]
    from: Option<String>,
    target: TargetObject,
    /// What is different since; never a secret.
    changes: Vec<ChangeObject>,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
struct ActorObject {
    /// `user`, `anybody`, `command_line`, `control_plane`, `client` or `server`.
    #[schema(example = "user")]
    kind: &'static str,
    /// Empty where the kind says it all.
    id: String,
    #[schema(example = "ada@acme.test")]
    name: String,
}

/// What it was done to. It may be gone by now; the name is that of then.
#[derive(Serialize, ToSchema)]
struct TargetObject {
    #[schema(example = "app")]
    kind: &'static str,
    id: String,
    name: String,
}

/// A field that is different since.
#[derive(Serialize, ToSchema)]
struct ChangeObject {
    #[schema(example = "name")]
    field: String,
    /// Null: there was none.
    before: Option<String>,
    /// Null: there is none any more.
    after: Option<String>,
}

impl From<Event> for EventObject {
    fn from(event: Event) -> Self {
        let changes = event.changes.into_iter();
        Self {
            id: event.id.to_string(),
            at: event.at.to_rfc3339(),
            action: event.action.as_str(),
            actor: ActorObject { kind: event.actor.kind(), id: event.actor.id(), name: event.actor.name() },
            from: event.from.map(|address| address.to_string()),
            target: TargetObject { kind: event.target.kind.as_str(), id: event.target.id, name: event.target.name },
            changes: changes
                .map(|change| ChangeObject { field: change.field, before: change.before, after: change.after })
                .collect(),
        }
    }
}
