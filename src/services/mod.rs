//! Use cases. A public function here is one thing that somebody wants done, with a typed outcome or an
//! error enum of its own, whose text is the reason that operators (and not clients) are shown.

pub mod account;
pub mod accounts;
pub mod action_callback;
pub mod administration;
pub mod audit;
pub mod bearer;
pub mod changes;
pub mod checks;
pub mod clocks;
pub mod connections;
pub mod consent;
pub mod console;
pub mod csrf;
pub mod deliveries;
pub mod dialog;
pub mod disconnect;
pub mod doctor;
pub mod endings;
pub mod faults;
pub mod invitations;
pub mod journal;
pub mod keys;
pub mod leads;
pub mod login;
pub mod logos;
pub mod master_keys;
pub mod metrics;
pub mod namespaces;
pub mod oauth;
pub mod once;
pub mod partner;
pub mod progress;
pub mod reason;
pub mod redeem;
pub mod refresh;
pub mod resume;
pub mod revoke_all;
pub mod sandbox;
pub mod sealed;
pub mod seed;
pub mod sign_in;
pub mod sign_up;
pub mod throttle;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod webhooks;
pub mod worlds;

use crate::crypto::password::Passwords;
use crate::crypto::token::Handle;
use crate::domain::ids::{AccessTokenId, AppId, ConnectionId};
use crate::domain::timestamp::Timestamp;
use crate::entropy::{SharedEntropy, time_ordered_id};
use crate::outgoing::Outgoing;
use crate::store::Store;
use crate::store::access_tokens::{Issue, IssueKind};
use audit::EventIds;
use clocks::Clocks;
use faults::Faults;
use journal::Journal;
use keys::Keys;
use sealed::Sealer;
use seed::WorldSeed;
use throttle::Throttle;
use webhooks::Webhooks;

/// What every use case works with. One for each world that the process serves.
pub struct Context {
    pub store: Store,
    pub clocks: Clocks,
    pub entropy: SharedEntropy,
    pub keys: Keys,
    pub sealer: Sealer,
    /// Calls to others, as far as the operator lets them be made.
    pub outgoing: Outgoing,
    pub webhooks: Webhooks,
    pub passwords: Passwords,
    pub throttle: Throttle,
    pub journal: Journal,
    pub event_ids: EventIds,
    /// What goes wrong on purpose; empty but in a sandbox.
    pub faults: Faults,
    /// What the world begins with, and with again at each reset. Empty outside sandbox mode, which has no reset.
    pub seed: WorldSeed,
    /// The public base URL, without a slash at its end: our identifier (RFC 8414 section 2).
    pub issuer: String,
    /// Whether clients may present users' passwords (RFC 6749 section 4.3); each has to be registered for it besides.
    pub password_grant: bool,
    /// Whether seeded users may be chosen without a password and flows be decided over the API.
    pub sandbox: bool,
}

impl Context {
    /// The server's clock.
    pub fn now(&self) -> Timestamp {
        self.clocks.server()
    }

    /// An application's clock: for what is issued to it, checked and shown for it.
    pub fn now_for(&self, app: &AppId) -> Timestamp {
        self.clocks.of(app)
    }

    /// The machine's clock, which no test moves.
    pub fn real_now(&self) -> Timestamp {
        self.clocks.machine()
    }

    /// A fresh handle whose row will be keyed by our time.
    pub fn mint(&self, now: Timestamp) -> Handle {
        Handle::mint(time_ordered_id(&*self.entropy, now), &*self.entropy)
    }

    /// An opaque access token to be recorded, and the handle that its bearer will hold.
    pub fn mint_access_token(&self, connection: ConnectionId, app: AppId, now: Timestamp) -> (Handle, Issue) {
        let handle = self.mint(now);
        let issue = opaque_issue(&handle, connection, app, now);
        (handle, issue)
    }
}

/// What is recorded of an opaque access token.
fn opaque_issue(handle: &Handle, connection: ConnectionId, app: AppId, now: Timestamp) -> Issue {
    let kind = IssueKind::Opaque { secret_hash: handle.hash(), connection };
    Issue { id: AccessTokenId(handle.id), app, now, kind }
}

/// What a successful sign-in gives to the partner's page.
#[derive(Clone, PartialEq, Eq)]
pub struct Granted {
    pub connection: ConnectionId,
    pub refresh_token: String,
    pub access_token: String,
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Granted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Granted({})", self.connection)
    }
}
