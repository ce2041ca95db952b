//! What the tests stand on: worlds on either database, people with browsers, and the program as a process.

pub mod actor;
pub mod answer;
pub mod database;
pub mod flow;
pub mod http;
pub mod jar;
pub mod load;
pub mod program;
pub mod proxy;
pub mod receiver;
pub mod search;
pub mod seen;
pub mod signer;
pub mod statements;
pub mod world;

pub use actor::Actor;
pub use answer::Answer;
pub use database::{Database, Kind};
pub use flow::{Click, Opened, Tokens, connect_by_api};
pub use program::Directory;
pub use world::{Setup, World};

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

pub const ADA: &str = "ada@acme.test";
pub const GRACE: &str = "grace@zenith.test";
pub const PASSWORD: &str = "correct horse battery";
pub const APP_ONE: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";
pub const APP_TWO: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0002";
pub const PARTNER: &str = "https://partner.test";
pub const OTHER: &str = "https://other.test";
pub const ISSUER: &str = "https://auth.test";
pub const SANDBOX_TOKEN: &str = "lgx_the-sandbox-token-of-the-tests";

/// Runs a test in a world of its own, which is gone afterwards whatever came of the test.
pub async fn run<F: Future<Output = ()>>(kind: Kind, setup: Setup, test: impl FnOnce(World) -> F) {
    let database = Database::make(kind).await;
    let world = World::start(database.clone(), &setup).await;
    let whole = async {
        test(world.clone()).await;
        nothing_is_left_behind(&world).await;
    };
    let outcome = AssertUnwindSafe(whole).catch_unwind().await;
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Whatever a test was about: no secret that it was given is in the database (R9) or in the journal (N5).
async fn nothing_is_left_behind(world: &World) {
    let mut seen = seen::search();
    seen.text("the users' password", PASSWORD);
    seen.text("the sandbox token", SANDBOX_TOKEN);
    if !world.database.db_is_shut().await {
        seen.assert_none_in("the database", &world.database.db_dump().await);
    }
    if world.setup.is_sandbox {
        let journal = world.control("GET", "/requests.har", &serde_json::Value::Null).await;
        seen.assert_none_in("the journal", &journal.body);
    }
}

/// Runs a test of the program's commands in a directory of its own, on a database of its own.
pub async fn run_commands(kind: Kind, test: impl FnOnce(&Directory)) {
    let database = Database::make(kind).await;
    let directory = Directory::seeded_on(Some(&database.url()));
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| test(&directory)));
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Makes each named function, which takes a [`World`], a test on SQLite and a test on PostgreSQL. A function
/// that is not named here is dead code, which the compiler tells.
macro_rules! both {
    (with $setup:expr; $($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::support;

            #[tokio::test]
            async fn sqlite() {
                support::run(support::Kind::Sqlite, $setup, super::$name).await;
            }

            #[tokio::test]
            async fn postgres() {
                support::run(support::Kind::Postgres, $setup, super::$name).await;
            }
        }
    )+};
    (on many threads; $($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::support;

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                support::run(support::Kind::Sqlite, support::Setup::default(), super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                support::run(support::Kind::Postgres, support::Setup::default(), super::$name).await;
            }
        }
    )+};
    (of commands; $($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::support;

            #[tokio::test]
            async fn sqlite() {
                support::run_commands(support::Kind::Sqlite, super::$name).await;
            }

            #[tokio::test]
            async fn postgres() {
                support::run_commands(support::Kind::Postgres, super::$name).await;
            }
        }
    )+};
    ($($name:ident),+ $(,)?) => { $crate::support::both! { with support::Setup::default(); $($name),+ } };
}
pub(crate) use both;
