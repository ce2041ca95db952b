//! A whole server without a socket: its router is called as a function, its clock stands until it is moved.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use axum::Router;
use leadgate::boot::{App, Parts, build};
use leadgate::clock::ManualClock;
use leadgate::config::secret::Secret;
use leadgate::config::seed::SeedFile;
use leadgate::crypto::seal::MasterKey;
use leadgate::domain::email::Email;
use leadgate::domain::ids::AppId;
use leadgate::domain::proxies::Proxies;
use leadgate::domain::timestamp::Timestamp;
use leadgate::entropy::SystemEntropy;
use leadgate::services::Context;
use leadgate::services::audit::{Acting, By};
use leadgate::services::partner;
use leadgate::services::seed::{self, Audience};
use leadgate::services::throttle::Limits;
use leadgate::services::users;
use leadgate::store::Store;

use super::database::Database;
use super::{Actor, ISSUER, PASSWORD, SANDBOX_TOKEN, signer};

/// When every world begins: 2026-11-22T09:15:30Z, in microseconds.
pub const START: i64 = 1_795_338_930_000_000;

/// Costs next to nothing, so that a world is seeded at once.
static CHEAP_HASH: LazyLock<String> = LazyLock::new(|| {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash: phc::PasswordHash = argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"salt-of-the-tests").unwrap();
    hash.to_string()
});

/// What a world is made of.
#[derive(Clone)]
pub struct Setup {
    pub issuer: &'static str,
    pub is_sandbox: bool,
    /// TOML; `@HASH@` is a hash of [`PASSWORD`].
    pub seed: String,
    pub master_key: [u8; 32],
    pub start: Timestamp,
    pub limits: Limits,
    pub password_grant: bool,
    pub outgoing_allow: &'static str,
    /// They write `X-Forwarded-For`.
    pub trusted_proxies: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            issuer: ISSUER,
            is_sandbox: true,
            seed: include_str!("seed.toml").replace("@JWK@", &signer::KEYED.jwk().to_string()),
            master_key: [7; 32],
            start: Timestamp::from_micros(START),
            limits: Limits::NONE,
            password_grant: true,
            outgoing_allow: "loopback",
            trusted_proxies: "none",
        }
    }
}

impl Setup {
    /// What a sandbox begins with.
    pub fn demonstration() -> Self {
        Self { seed: include_str!("../../../src/config/demonstration.toml").to_owned(), ..Self::default() }
    }

    pub fn production() -> Self {
        Self { is_sandbox: false, password_grant: false, ..Self::default() }
    }

    /// Another public address.
    pub fn at(issuer: &'static str) -> Self {
        Self { issuer, ..Self::default() }
    }

    fn seed_file(&self) -> SeedFile {
        let text = self.seed.replace("@HASH@", &CHEAP_HASH);
        SeedFile::parse(Path::new("seed.toml"), &text).unwrap()
    }

    /// The seed with one text in it replaced, which has to be there.
    pub fn with(mut self, from: &str, to: &str) -> Self {
        assert!(self.seed.contains(from), "the seed has no {from}");
        self.seed = self.seed.replace(from, to);
        self
    }
}

#[derive(Clone)]
pub struct World {
    pub router: Router,
    pub ctx: Arc<Context>,
    pub clock: ManualClock,
    pub database: Arc<Database>,
    pub setup: Setup,
}

impl World {
    pub async fn start(database: Arc<Database>, setup: &Setup) -> Self {
        let store = Store::open(&database.location()).await.unwrap();
        Self::start_on(store, database, setup).await
    }

    pub async fn start_on(store: Store, database: Arc<Database>, setup: &Setup) -> Self {
        let seed = setup.seed_file();
        let clock = ManualClock::at(setup.start);
        let parts = Self::parts(store, &clock, setup);
        // For this audience the local part of an address makes a magic user.
        let App { router, ctx, .. } = build(parts, Some((&seed, Audience::Demonstration))).await.unwrap();
        Self { router, ctx, clock, database, setup: setup.clone() }
    }

    pub fn parts(store: Store, clock: &ManualClock, setup: &Setup) -> Parts {
        Parts {
            store,
            master_key: MasterKey::new(&setup.master_key).into(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SystemEntropy),
            issuer: setup.issuer.parse().unwrap(),
            limits: setup.limits,
            password_grant: setup.password_grant,
            outgoing_allow: setup.outgoing_allow.parse().unwrap(),
            proxies: Proxies { trusted: setup.trusted_proxies.parse().unwrap(), ..Proxies::default() },
            sandbox_token: setup.is_sandbox.then(|| Secret::new(SANDBOX_TOKEN)),
        }
    }

    /// Another process on the same database: a second node, or the same one after a restart.
    pub async fn another_node(&self) -> Self {
        self.node_at(self.clock.clone()).await
    }

    /// The same with another clock.
    pub async fn node_at(&self, clock: ManualClock) -> Self {
        let store = Store::open(&self.database.location()).await.unwrap();
        let App { router, ctx, .. } = build(Self::parts(store, &clock, &self.setup), None).await.unwrap();
        Self { router, ctx, clock, database: self.database.clone(), setup: self.setup.clone() }
    }

    /// What stands for [`PASSWORD`] in the seed.
    pub fn hash(&self) -> String {
        CHEAP_HASH.clone()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Whoever may run commands on the server's machine.
    pub fn operator(&self) -> Acting<'_> {
        self.ctx.acting(By::command_line("tests"))
    }

    /// Somebody with a fresh browser.
    pub fn actor(&self) -> Actor {
        Actor::new(self)
    }

    pub async fn delete_app(&self, id: &str) {
        partner::delete_app(&self.operator(), &AppId::parse(id).unwrap()).await.unwrap();
    }

    /// Applies the seed to what is there by now.
    pub async fn seed_again(&self) {
        seed::apply(&self.operator(), &self.setup.seed_file(), Audience::Demonstration).await.unwrap();
    }

    /// What only an operator can do.
    pub async fn disable(&self, email: &str) {
        users::disable(&self.operator(), &Email::parse(email).unwrap()).await.unwrap();
    }

    pub async fn enable(&self, email: &str) {
        users::enable(&self.operator(), &Email::parse(email).unwrap()).await.unwrap();
    }
}
