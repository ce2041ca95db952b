//! What happened on the server, for who runs it: who did it, when, from where, and what it changed. Names are kept beside
//! ids, as they were then: what they name may be gone when somebody reads.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::email::Email;
use super::ids::{AccountId, AppId, ButtonId, ConnectionId, DeliveryId, EventId, SessionId, UserId, WebhookId};
use super::timestamp::Timestamp;

/// Longest value of a [`Change`] that is kept, in characters.
pub const MAX_CHANGE: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    /// By the server's clock.
    pub at: Timestamp,
    pub action: Action,
    pub actor: Actor,
    /// The address that the request came from; `None`: from this machine's command line, or from the server itself.
    pub from: Option<IpAddr>,
    pub target: Target,
    pub changes: Vec<Change>,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    User {
        id: UserId,
        email: Email,
    },
    /// Somebody without a session: who signs up, or fails to sign in.
    Anybody,
    /// Whoever may run `leadgate` on the server's machine, by the name of their login there.
    CommandLine {
        login: String,
    },
    /// Whoever has the sandbox's token.
    ControlPlane,
    /// A client that manages its own registration (RFC 7592), or that registers (RFC 7591).
    Client {
        id: Option<AppId>,
    },
    /// The server by itself.
    Server,
}

/// What it was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub kind: TargetKind,
    pub id: String,
    /// For people: an application's or account's name, a user's e-mail address.
    pub name: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it is stored, filtered by and written for programs.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

words! {
    /// The kind of thing that an event is about.
    TargetKind {
        Account = "account",
        App = "app",
        Button = "button",
        Connection = "connection",
        Delivery = "delivery",
        Keys = "keys",
        Leads = "leads",
        RegistrationToken = "registration_token",
        Session = "session",
        User = "user",
        Webhook = "webhook",
        World = "world",
    }
}

words! {
    /// What was done: the kind of thing, and the verb in the past.
    Action {
        AccountCreated = "account.created",
        AccountChanged = "account.changed",
        AccountDeleted = "account.deleted",
        AppCreated = "app.created",
        AppChanged = "app.changed",
        AppDeleted = "app.deleted",
        AppDisabled = "app.disabled",
        AppEnabled = "app.enabled",
        AppLogoSet = "app.logo_set",
        AppLogoRemoved = "app.logo_removed",
        AppCallbackSet = "app.callback_set",
        AppCallbackRemoved = "app.callback_removed",
        AppCallbackTested = "app.callback_tested",
        AppCallbackSecretRotated = "app.callback_secret_rotated",
        AppSecretRotated = "app.secret_rotated",
        AppSecretRevoked = "app.secret_revoked",
        ButtonCreated = "button.created",
        ButtonChanged = "button.changed",
        ButtonDeleted = "button.deleted",
        ConnectionCreated = "connection.created",
        ConnectionWidened = "connection.widened",
        ConnectionEnded = "connection.ended",
        DeliveryCreated = "delivery.created",
        DeliveryChanged = "delivery.changed",
        DeliveryDeleted = "delivery.deleted",
        DeliveryTested = "delivery.tested",
        KeysRotated = "keys.rotated",
        MasterKeyRotated = "keys.master_rotated",
        MasterKeyRetired = "keys.master_retired",
        LeadsDeleted = "leads.deleted",
        RegistrationTokenCreated = "registration_token.created",
        SessionOpened = "session.opened",
        SessionRefused = "session.refused",
        SessionEnded = "session.ended",
        SessionsEnded = "session.all_ended",
        UserInvited = "user.invited",
        UserInvitationRevoked = "user.invitation_revoked",
        UserSignedUp = "user.signed_up",
        UserCreated = "user.created",
        UserChanged = "user.changed",
        UserDeleted = "user.deleted",
        UserDisabled = "user.disabled",
        UserEnabled = "user.enabled",
        UserPasswordChanged = "user.password_changed",
        UserResetOffered = "user.reset_offered",
        UserExported = "user.exported",
        WebhookCreated = "webhook.created",
        WebhookChanged = "webhook.changed",
        WebhookDeleted = "webhook.deleted",
        WebhookSecretRotated = "webhook.secret_rotated",
        WebhookTested = "webhook.tested",
        WebhookReplayed = "webhook.replayed",
        WorldReset = "world.reset",
        WorldRestored = "world.restored",
        WorldRevoked = "world.revoked",
        WorldSeeded = "world.seeded",
    }
}

impl Action {
    /// Whether it changed something that an administrator looks after: those are the audit log. The others, of signing in
    /// and consenting, are the rest of the event log.
    pub const fn is_change(self) -> bool {
        !matches!(
            self,
            Self::SessionOpened
                | Self::SessionRefused
                | Self::SessionEnded
                | Self::ConnectionCreated
                | Self::ConnectionWidened
                | Self::ConnectionEnded
                | Self::AppCallbackTested
                | Self::DeliveryTested
                | Self::UserExported
        )
    }
}

/// One field that is different from then on. Never of a secret: that it changed is the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_CHANGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl Change {
    /// `None` where nothing is different. An empty text is no value.
    pub fn of(field: &str, before: impl ToString, after: impl ToString) -> Option<Self> {
        let (before, after) = (before.to_string(), after.to_string());
        let value = |text: String| Some(cut(text)).filter(|text| !text.is_empty());
        (before != after).then(|| Self { field: field.to_owned(), before: value(before), after: value(after) })
    }

    /// Something that was not there before.
    pub fn new(field: &str, value: impl ToString) -> Self {
        Self { field: field.to_owned(), before: None, after: Some(cut(value.to_string())) }
    }
}

impl Target {
    fn new(kind: TargetKind, id: impl ToString, name: &str) -> Self {
        Self { kind, id: id.to_string(), name: name.to_owned() }
    }

    pub fn account(id: &AccountId, name: &str) -> Self {
        Self::new(TargetKind::Account, id, name)
    }

    pub fn app(id: &AppId, name: &str) -> Self {
        Self::new(TargetKind::App, id, name)
    }

    /// A button is known by its id.
    pub fn button(id: &ButtonId) -> Self {
        Self::new(TargetKind::Button, id, id.as_str())
    }

    /// `app` is the name of its application.
    pub fn connection(id: ConnectionId, app: &str) -> Self {
        Self::new(TargetKind::Connection, id, app)
    }

    pub fn delivery(id: DeliveryId, name: &str) -> Self {
        Self::new(TargetKind::Delivery, id, name)
    }

    /// `email` is its user's.
    pub fn session(id: SessionId, email: &Email) -> Self {
        Self::new(TargetKind::Session, id, email.as_str())
    }

    pub fn user(id: UserId, email: &Email) -> Self {
        Self::new(TargetKind::User, id, email.as_str())
    }

    /// `host` is its target's.
    pub fn webhook(id: WebhookId, host: &str) -> Self {
        Self::new(TargetKind::Webhook, id, host)
    }

    /// Of a kind that there is one of, or whose ids say nothing.
    pub fn kind(kind: TargetKind, name: &str) -> Self {
        Self::new(kind, "", name)
    }
}

impl Actor {
    /// The kinds of actors, as they are stored and filtered by.
    pub const KINDS: [&'static str; 6] = ["user", "anybody", "command_line", "control_plane", "client", "server"];

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Anybody => "anybody",
            Self::CommandLine { .. } => "command_line",
            Self::ControlPlane => "control_plane",
            Self::Client { .. } => "client",
            Self::Server => "server",
        }
    }

    /// Empty where the kind says it all.
    pub fn id(&self) -> String {
        match self {
            Self::User { id, .. } => id.to_string(),
            Self::CommandLine { login } => login.clone(),
            Self::Client { id: Some(id) } => id.to_string(),
            Self::Anybody | Self::ControlPlane | Self::Client { id: None } | Self::Server => String::new(),
        }
    }

    /// For people; empty where the kind says it all.
    pub fn name(&self) -> String {
        match self {
            Self::User { email, .. } => email.to_string(),
            other => other.id(),
        }
    }

    /// The other way: from its kind, id and name. `None` for what [`Actor::kind`] does not write.
    pub fn read(kind: &str, id: &str, name: &str) -> Option<Self> {
        Some(match kind {
            "user" => Self::User { id: UserId(id.parse().ok()?), email: Email::parse(name).ok()? },
            "anybody" => Self::Anybody,
            "command_line" => Self::CommandLine { login: id.to_owned() },
            "control_plane" => Self::ControlPlane,
            "client" if id.is_empty() => Self::Client { id: None },
            "client" => Self::Client { id: Some(AppId::parse(id).ok()?) },
            "server" => Self::Server,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r14_an_actor_is_read_as_it_was_written() {
        let user = Actor::User {
            id: UserId("018f0000-0000-7000-8000-000000000001".parse().unwrap()),
            email: Email::parse("ada@acme.test").unwrap(),
        };
        let client = Actor::Client { id: Some(AppId::parse("finder").unwrap()) };
        let login = Actor::CommandLine { login: "root".to_owned() };
        for actor in
            [user, Actor::Anybody, login, Actor::ControlPlane, client, Actor::Client { id: None }, Actor::Server]
        {
            assert!(Actor::KINDS.contains(&actor.kind()));
            assert_eq!(Actor::read(actor.kind(), &actor.id(), &actor.name()), Some(actor));
        }
        assert_eq!(Actor::read("somebody", "", ""), None);
    }

    #[test]
    fn r14_a_change_is_of_what_is_different() {
        assert_eq!(Change::of("name", "a", "a"), None);
        let change = Change::of("homepage", "", "https://a.test").unwrap();
        assert_eq!((change.before, change.after.as_deref()), (None, Some("https://a.test")));
        let long = Change::new("redirect_uris", "ä".repeat(MAX_CHANGE + 1)).after.unwrap();
        assert_eq!(long.chars().count(), MAX_CHANGE + 1, "and an ellipsis");
    }

    #[test]
    fn r14_an_action_names_the_kind_of_thing_first() {
        for action in Action::ALL {
            let kind = action.as_str().split('.').next().unwrap();
            assert!(TargetKind::parse(kind).is_some(), "{kind}");
            assert_eq!(Action::parse(action.as_str()), Some(*action));
        }
    }
}
