//! The only place that puts the parts together: settings to a database, keys, a clock, and a router.

mod backup;
mod banner;
mod examine;
mod files;
mod flows;
pub mod impersonation;
mod logging;
mod master_key;
mod traces;

pub use crate::store::Schema;
pub use backup::{Planned, Restored, key_file, plan_backup, restore};
pub use examine::{Examination, MasterKeys as ExaminedKeys, examine, open_to_others};
pub use impersonation::Impersonation;
pub use master_key::LockedKeys;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::net::TcpListener;

use crate::clock::{SharedClock, SystemClock};
use crate::config::database_url::DatabaseUrl;
use crate::config::issuer::Issuer;
use crate::config::secret::Secret;
use crate::config::seed::{SeedFile, SeedPassword};
use crate::config::{ConfigError, LimitSettings, Mode, Settings, demonstration};
use crate::crypto::password::Passwords;
use crate::crypto::seal::{MasterKeyId, MasterKeys};
use crate::domain::allow_list::AllowList;
use crate::domain::proxies::Proxies;
use crate::entropy::{Entropy, SharedEntropy, SystemEntropy};
use crate::lifecycle::Serving;
use crate::outgoing::Outgoing;
use crate::services::audit::{By, EventIds};
use crate::services::clocks::{self, Clocks};
use crate::services::faults::Faults;
use crate::services::journal::Journal;
use crate::services::keys::KeysError;
use crate::services::sealed::Sealer;
use crate::services::seed::{self, Audience, Seed, SeedError, WorldSeed};
use crate::services::throttle::{Limits, Throttle};
use crate::services::webhooks::{self, Webhooks};
use crate::services::{Context, keys};
use crate::socket::{Bounds, Stopping};
use crate::store::backup::BackupError;
use crate::store::{Location, OpenError, Store, StoreError};
use crate::telemetry::traces::TracesError;
use crate::web::urls::Urls;
use crate::web::worlds::Namespaces;
use crate::web::{self, Demonstration, Web};
use crate::{lifecycle, telemetry, worker};
use impersonation::AuthorityError;

/// Why the server did not start, or stopped. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    MasterKey(#[from] master_key::MasterKeyFileError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("the seed could not be applied: {0}")]
    Seed(#[from] SeedError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{address} cannot be listened on: {why}. {}", next_step(*address, why))]
    Listen { address: SocketAddr, why: std::io::Error },
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(
        "this database has secrets that everybody can read in Leadgate's source: {}. In production mode that is \
         refused: give them others, delete them, or start with another database",
        holders.join(", ")
    )]
    Published { holders: Vec<String> },
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("{0}")]
    OnPostgres(String),
    #[error(
        "the master keys are in no file that this command could write: they are in LEADGATE_MASTER_KEY. Put `next NEW OLD` \
         there, with a new key that `openssl rand -base64 32` makes, and restart the servers one after another; then \
         `NEW OLD`, and restart them again; then run `leadgate keys master reseal`"
    )]
    NoKeyFile,
    #[error(
        "{address}, where metrics were to be served, cannot be listened on: {why}. Name another address with --metrics-listen"
    )]
    ListenForMetrics { address: SocketAddr, why: std::io::Error },
    #[error(transparent)]
    Traces(#[from] TracesError),
    #[error("the server stopped: {0}")]
    Serve(std::io::Error),
}

/// What a server is made of. Tests bring their own clock and randomness.
pub struct Parts {
    pub store: Store,
    pub master_key: MasterKeys,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub issuer: Issuer,
    pub limits: Limits,
    /// Whether clients may present users' passwords.
    pub password_grant: bool,
    /// What the server may call by itself.
    pub outgoing_allow: AllowList,
    /// Whose word about the address of a client is believed.
    pub proxies: Proxies,
    /// `Some` in sandbox mode: the token that guards its control plane.
    pub sandbox_token: Option<Secret>,
}

/// A server that is put together: what it answers with, and what has to run beside it.
pub struct App {
    pub router: Router,
    pub ctx: Arc<Context>,
    /// Begun when the server is told to stop.
    pub stopping: Stopping,
    namespaces: Option<Arc<Namespaces>>,
}

impl App {
    /// Ends answers that would go on for as long as somebody listens.
    pub fn wind_up(&self) {
        self.ctx.journal.close();
        self.ctx.webhooks.close();
        if let Some(namespaces) = &self.namespaces {
            namespaces.wind_up();
        }
    }
}

/// Opens the keys and the use cases.
async fn context(parts: Parts, seed: Seed) -> Result<Context, BootError> {
    let Parts {
        store,
        master_key,
        clock,
        entropy,
        issuer,
        limits,
        password_grant,
        outgoing_allow,
        sandbox_token,
        proxies: _,
    } = parts;
    let master_key = Arc::new(master_key);
    let keys = keys::open_or_make(&store, master_key.clone(), &*clock, &*entropy).await?;
    let ctx = Context {
        passwords: Passwords::new(entropy.clone()),
        throttle: Throttle::new(limits),
        journal: Journal::new(sandbox_token.is_some()),
        event_ids: EventIds::default(),
        faults: Faults::default(),
        seed: WorldSeed::new(seed),
        store,
        clocks: Clocks::new(clock),
        sealer: Sealer::new(master_key, entropy.clone()),
        outgoing: Outgoing::new(outgoing_allow, sandbox_token.is_none()),
        webhooks: Webhooks::default(),
        entropy,
        keys,
        issuer: issuer.as_str().to_owned(),
        password_grant,
        sandbox: sandbox_token.is_some(),
    };
    clocks::reload(&ctx).await?;
    webhooks::reload(&ctx).await?;
    Ok(ctx)
}

/// Puts a server together, seeded with `seed` where one is given.
pub async fn build(parts: Parts, seed: Option<(&SeedFile, Audience)>) -> Result<App, BootError> {
    let outside = Outside::of(&parts);
    let own = seed.map(|(file, audience)| Seed { file: file.clone(), audience }).unwrap_or_default();
    let ctx = Arc::new(context(parts, own).await?);
    seed::begin(&ctx).await?;
    let demonstration = shown_passwords(&ctx.seed.seed);
    Ok(assemble(ctx, outside, demonstration))
}

/// How the server is reached.
struct Outside {
    issuer: Issuer,
    proxies: Proxies,
    sandbox_token: Option<Secret>,
    /// Whether metrics are among the server's own routes: only where it is on this machine, for who develops (rule R13).
    has_metrics: bool,
}

impl Outside {
    fn of(parts: &Parts) -> Self {
        let (issuer, proxies) = (parts.issuer.clone(), parts.proxies.clone());
        let has_metrics = parts.sandbox_token.is_some() && issuer.is_loopback();
        Self { issuer, proxies, sandbox_token: parts.sandbox_token.clone(), has_metrics }
    }
}

fn assemble(ctx: Arc<Context>, outside: Outside, demonstration: Demonstration) -> App {
    let Outside { issuer, proxies, sandbox_token, has_metrics } = outside;
    let namespaces = sandbox_token.is_some().then(|| Namespaces::beside(ctx.clone(), worker::start_beside));
    let stopping = Stopping::default();
    let web = Web {
        ctx: ctx.clone(),
        urls: Urls::new(issuer.as_str(), issuer.base_path()),
        origin: issuer.origin(),
        namespaces: namespaces.clone(),
        // A sandbox may be under a name that is somebody else's, which the browser should not remember.
        is_only_https: issuer.is_https() && !issuer.is_loopback() && sandbox_token.is_none(),
        proxies,
        sandbox_token,
        has_metrics,
        demonstration,
        stopping: stopping.clone(),
    };
    App { router: web::router(web), ctx, stopping, namespaces }
}

/// The start page may show passwords that everybody can read in our source, and no others.
fn shown_passwords(seed: &Seed) -> Demonstration {
    if seed.audience == Audience::Ordinary {
        return Demonstration::default();
    }
    let published = |user: &&crate::config::seed::SeedUser| matches!(&user.password, SeedPassword::Plain(password) if password.expose() == demonstration::PASSWORD);
    Demonstration {
        emails: seed.file.users.iter().filter(published).map(|user| user.email.to_string()).collect(),
        password: demonstration::PASSWORD.to_owned(),
    }
}

fn location(url: &DatabaseUrl) -> Location {
    match url {
        DatabaseUrl::SqliteFile(path) => Location::SqliteFile(path.clone()),
        DatabaseUrl::SqliteMemory => Location::SqliteMemory,
        DatabaseUrl::Postgres(url) => Location::Postgres(url.as_str().to_owned()),
    }
}

/// Opens the database that the settings name, and brings it up to date.
pub async fn open_store(settings: &Settings) -> Result<Store, BootError> {
    Ok(Store::open(&location(&settings.database_url)).await?)
}

/// Opens what a command works with.
pub async fn open_context(settings: &Settings) -> Result<Context, BootError> {
    context(open_parts(settings).await?, Seed::default()).await
}

/// The file of master keys that the settings name, which no other command changes while this is held.
pub fn lock_master_keys(settings: &Settings) -> Result<LockedKeys, BootError> {
    Ok(LockedKeys::lock(writable_key_file(settings)?)?)
}

/// Writes a new master key there; see [`LockedKeys::add`].
pub fn add_master_key(keys: &LockedKeys, waits: bool) -> Result<(), BootError> {
    Ok(keys.add(waits, &SystemEntropy)?)
}

/// Takes a master key away from there.
pub fn remove_master_key(keys: &LockedKeys, id: MasterKeyId) -> Result<(), BootError> {
    Ok(keys.remove(id, &SystemEntropy)?)
}

fn writable_key_file(settings: &Settings) -> Result<&Path, BootError> {
    key_file(settings).ok_or(BootError::NoKeyFile)
}

/// As it is written for people.
pub fn master_key_id(text: &str) -> Result<MasterKeyId, String> {
    MasterKeyId::parse(text).map_err(|expected| format!("{text:?} is no master key's id: {expected}"))
}

async fn open_parts(settings: &Settings) -> Result<Parts, BootError> {
    let store = open_store(settings).await?;
    let entropy: SharedEntropy = Arc::new(SystemEntropy);
    let LimitSettings { logins_per_minute, refusals_per_minute, openings_per_minute } = settings.limits;
    Ok(Parts {
        master_key: master_key::obtain(&settings.master_key, &store, &*entropy).await?,
        store,
        clock: Arc::new(SystemClock),
        sandbox_token: sandbox_token(&*entropy, settings)?,
        entropy,
        issuer: settings.issuer.clone(),
        limits: Limits { logins: logins_per_minute, refusals: refusals_per_minute, openings: openings_per_minute },
        password_grant: settings.password_grant,
        outgoing_allow: settings.outgoing_allow.clone(),
        proxies: Proxies { trusted: settings.trusted_proxies.clone(), header: settings.proxy_header },
    })
}

/// What to do about an address that is not to be had.
fn next_step(address: SocketAddr, why: &std::io::Error) -> String {
    match why.kind() {
        std::io::ErrorKind::AddrInUse => {
            let port = address.port();
            format!(
                "Another server runs there (`ss -ltnp sport = :{port}` tells which): stop it, or name another address with --listen"
            )
        }
        std::io::ErrorKind::PermissionDenied => format!(
            "Ports below 1024 are not everybody's: let this program have them (`sudo setcap cap_net_bind_service=+ep {}`), \
             or name another address such as --listen {}:8443",
            std::env::current_exe().map_or_else(|_| "/path/to/leadgate".to_owned(), |own| own.display().to_string()),
            address.ip(),
        ),
        std::io::ErrorKind::AddrNotAvailable => {
            "This machine has no such address: `ip address` lists those that it has; 127.0.0.1 \
             is for itself alone, 0.0.0.0 for all. Name another with --listen"
                .to_owned()
        }
        _ => "Name another address with --listen".to_owned(),
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, BootError> {
    TcpListener::bind(address).await.map_err(|why| BootError::Listen { address, why })
}

/// How a server shows itself, beside what the settings say.
#[derive(Default)]
pub struct Manner {
    /// A line for each sign-in, each token and each refusal, where somebody looks on.
    pub shows_flows: bool,
    /// Answers under the name that partners' pages are written for.
    pub impersonation: Option<Impersonation>,
}

/// Runs the server that the settings describe, until it is told to stop.
pub async fn serve(settings: Settings, manner: Manner) -> Result<(), BootError> {
    let traces = traces::start()?;
    logging::start(settings.log, traces.as_ref());
    let served = serve_until_told(settings, manner).await;
    traces::stop(traces).await;
    served
}

async fn serve_until_told(settings: Settings, manner: Manner) -> Result<(), BootError> {
    let Manner { shows_flows, impersonation } = manner;
    let shows_flows = shows_flows && flows::is_watched();
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let listener = bind(settings.listen).await?;
    let plain = match impersonation.as_ref().and_then(|name| name.plain) {
        Some(address) => Some((bind(address).await?, web::plain::router(settings.issuer.as_str()))),
        None => None,
    };
    let tls = impersonation.map(|name| impersonation::acceptor(name.authority)).transpose()?;
    let address = listener.local_addr().map_err(BootError::Serve)?;
    let settings = settings.bound_to(address);
    let metrics = metrics_listener(&settings).await?;
    telemetry::begin(database_kind(&settings), settings.mode.as_str());
    let parts = open_parts(&settings).await?;
    let mut outside = Outside::of(&parts);
    outside.has_metrics &= metrics.is_none() && settings.listen.ip().is_loopback();
    let ctx = Arc::new(context(parts, world_seed(&settings)?).await?);
    let seeded = put_seed(&ctx, &settings).await?;
    if settings.mode == Mode::Production {
        refuse_published_secrets(&ctx, &settings).await?;
    }
    let token_shown = outside.sandbox_token.clone().filter(|_| settings.sandbox_token.is_none());
    let app = assemble(ctx.clone(), outside, seeded);
    banner::print(&ctx, &settings, token_shown.as_ref()).await?;
    if shows_flows {
        flows::show(ctx.clone());
    }
    let background = worker::start(ctx.clone());
    let serving = Serving {
        router: app.router.clone(),
        tls,
        plain,
        metrics: metrics.map(|listener| (listener, web::scrape::alone(ctx.clone()))),
        bounds: Bounds { connections: files::room_for(settings.connections), ..Bounds::default() },
        stopping: app.stopping.clone(),
        delay: settings.shutdown_delay,
    };
    let served = lifecycle::serve(listener, serving, background, || app.wind_up()).await;
    ctx.store.close().await;
    served.map_err(BootError::Serve)
}

async fn metrics_listener(settings: &Settings) -> Result<Option<TcpListener>, BootError> {
    let Some(address) = settings.metrics_listen else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|why| BootError::ListenForMetrics { address, why })?;
    let address = listener.local_addr().map_err(BootError::Serve)?;
    tracing::info!("metrics are at http://{address}{}", web::urls::route::METRICS);
    Ok(Some(listener))
}

fn database_kind(settings: &Settings) -> &'static str {
    match settings.database_url {
        DatabaseUrl::SqliteFile(_) | DatabaseUrl::SqliteMemory => "sqlite",
        DatabaseUrl::Postgres(_) => "postgresql",
    }
}

/// What a sandbox begins with: the file that was named, else the demonstration.
fn world_seed(settings: &Settings) -> Result<Seed, ConfigError> {
    match (settings.mode, &settings.seed) {
        (Mode::Production, _) => Ok(Seed::default()),
        (Mode::Sandbox, Some(path)) => Ok(Seed { file: SeedFile::open(path)?, audience: Audience::Ordinary }),
        (Mode::Sandbox, None) => {
            Ok(Seed { file: demonstration::seed(&settings.issuer), audience: Audience::Demonstration })
        }
    }
}

/// A file that was named is applied at each start, the demonstration to an empty sandbox.
async fn put_seed(ctx: &Context, settings: &Settings) -> Result<Demonstration, BootError> {
    let applied = match (settings.mode, &settings.seed) {
        (Mode::Sandbox, Some(_)) => seed::begin(ctx).await?,
        (Mode::Sandbox, None) => {
            if seed::is_empty(ctx).await? {
                seed::begin(ctx).await?;
            } else {
                // The same database under another address: its button would not work on our own page.
                seed::list_issuer(ctx, &ctx.seed.seed.file, &settings.issuer.origin()).await?;
            }
            return Ok(shown_passwords(&ctx.seed.seed));
        }
        (Mode::Production, Some(path)) => {
            let file = SeedFile::open(path)?;
            file.refuse_published_secrets(path)?;
            seed::apply(&ctx.acting(By::server()), &file, Audience::Ordinary).await?
        }
        (Mode::Production, None) => return Ok(Demonstration::default()),
    };
    tracing::info!(made = applied.made, changed = applied.changed, unchanged = applied.unchanged, "seeded");
    for (account, key) in applied.api_keys {
        banner::print_api_key(&account, &key);
    }
    Ok(Demonstration::default())
}

/// Also where no seed file brought them: a sandbox may have run on this database before.
async fn refuse_published_secrets(ctx: &Context, settings: &Settings) -> Result<(), BootError> {
    let known = demonstration::seed(&settings.issuer);
    let emails: Vec<_> = known.users.into_iter().map(|user| user.email).collect();
    let holders = seed::holders_of(ctx, &emails, &demonstration::PUBLISHED).await?;
    if holders.is_empty() { Ok(()) } else { Err(BootError::Published { holders }) }
}

fn sandbox_token(entropy: &dyn Entropy, settings: &Settings) -> Result<Option<Secret>, BootError> {
    if settings.mode == Mode::Production {
        return Ok(None);
    }
    let token = match &settings.sandbox_token {
        Some(source) => source.read()?,
        None => Secret::new(format!("lgx_{}", URL_SAFE_NO_PAD.encode(crate::entropy::secret(entropy)))),
    };
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_port_that_takes_a_privilege_says_how_to_have_it() {
        let address: SocketAddr = "127.0.0.1:443".parse().unwrap();
        let told = BootError::Listen { address, why: Error::from(ErrorKind::PermissionDenied) }.to_string();
        for way in ["sudo setcap cap_net_bind_service=+ep ", "sudo", "--listen 127.0.0.1:8443"] {
            assert!(told.contains(way), "{way}: {told}");
        }
    }
}
