//! The settings of a server, typed and checked.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::database_url::{self, DatabaseUrl};
use super::error::{ConfigError, Fault, Faults, Place, read_text_file};
use super::issuer::{self, Issuer};
use super::layers::{self, Given, Layers, Setting};
use super::nearest::one_of;
use super::secret::{Secret, SecretSource};
use crate::domain::allow_list::{self, AllowList};
use crate::domain::duration::{self, DurationError};
use crate::domain::proxies::{self, ProxyHeader, TrustedProxies};

/// The configuration file that is read from the working directory where it exists.
pub const DEFAULT_FILE: &str = "leadgate.toml";

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const DEFAULT_DATABASE: &str = "data/leadgate.db";
const DEFAULT_KEY_FILE: &str = "data/leadgate.key";

/// What the command line gave, unchecked: every source is checked by the same code and words.
#[derive(Default, Clone)]
pub struct Flags {
    /// The issuer is a name that only this machine takes for its own.
    pub impersonates: bool,
    pub config: Option<PathBuf>,
    pub listen: Option<String>,
    pub issuer: Option<String>,
    pub database_url: Option<String>,
    pub database_url_file: Option<String>,
    pub seed: Option<String>,
    pub mode: Option<String>,
    pub password_grant: Option<String>,
    pub sandbox_token: Option<String>,
    pub sandbox_token_file: Option<String>,
    pub master_key_file: Option<String>,
    pub log_format: Option<String>,
    pub log_level: Option<String>,
    pub logins_per_minute: Option<String>,
    pub refusals_per_minute: Option<String>,
    pub openings_per_minute: Option<String>,
    pub connections: Option<String>,
    pub shutdown_delay: Option<String>,
    pub outgoing_allow: Option<String>,
    pub trusted_proxies: Option<String>,
    pub proxy_header: Option<String>,
    pub metrics_listen: Option<String>,
}

impl Flags {
    fn get(&self, key: &str) -> Option<String> {
        match key {
            "listen" => self.listen.clone(),
            "issuer" => self.issuer.clone(),
            "database_url" => self.database_url.clone(),
            "database_url_file" => self.database_url_file.clone(),
            "seed" => self.seed.clone(),
            "mode" => self.mode.clone(),
            "password_grant" => self.password_grant.clone(),
            "sandbox_token" => self.sandbox_token.clone(),
            "sandbox_token_file" => self.sandbox_token_file.clone(),
            "master_key_file" => self.master_key_file.clone(),
            "log.format" => self.log_format.clone(),
            "log.level" => self.log_level.clone(),
            "limits.logins_per_minute" => self.logins_per_minute.clone(),
            "outgoing_allow" => self.outgoing_allow.clone(),
            "limits.refusals_per_minute" => self.refusals_per_minute.clone(),
            "limits.openings_per_minute" => self.openings_per_minute.clone(),
            "trusted_proxies" => self.trusted_proxies.clone(),
            "proxy_header" => self.proxy_header.clone(),
            "limits.connections" => self.connections.clone(),
            "shutdown_delay" => self.shutdown_delay.clone(),
            "metrics_listen" => self.metrics_listen.clone(),
            _ => None,
        }
    }
}

/// Whether the control plane and the demonstration are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Sandbox,
    Production,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Mode {
    /// As it is written in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }
}

/// A setting that is one of a few words.
trait Word: Sized + Copy + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

impl Word for Mode {
    const WORDS: &'static [(&'static str, Self)] = &[("sandbox", Self::Sandbox), ("production", Self::Production)];
}

impl Word for ProxyHeader {
    const WORDS: &'static [(&'static str, Self)] =
        &[("x-forwarded-for", Self::XForwardedFor), ("forwarded", Self::Forwarded)];
}

impl Word for LogFormat {
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}

impl Word for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("off", Self::Off),
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

impl LogLevel {
    /// The level's name, as log filters write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    pub format: LogFormat,
    pub level: LogLevel,
}

/// How often somebody may try what a guess could get right, in a minute; zero: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// Passwords for one login from one address.
    pub logins_per_minute: u32,
    /// Refused tokens from one address for one application.
    pub refusals_per_minute: u32,
    /// Sign-ins, pushed requests and device codes that one address begins for one application.
    pub openings_per_minute: u32,
}

/// In a sandbox no limit fires unless it is configured: tests are allowed to be quick.
const fn default_limits(mode: Mode) -> LimitSettings {
    match mode {
        Mode::Sandbox => LimitSettings { logins_per_minute: 0, refusals_per_minute: 0, openings_per_minute: 0 },
        Mode::Production => LimitSettings { logins_per_minute: 10, refusals_per_minute: 60, openings_per_minute: 600 },
    }
}

/// Most connections at once, unless another number is set.
const DEFAULT_CONNECTIONS: NonZeroU32 = NonZeroU32::new(10_000).expect("it is not zero");

/// Long enough for a load balancer to hear of it. Nobody waits for a sandbox.
const fn default_shutdown_delay(mode: Mode) -> Duration {
    match mode {
        Mode::Sandbox => Duration::ZERO,
        Mode::Production => Duration::from_secs(3),
    }
}

/// Longest delay of an end that is asked for.
const MAX_SHUTDOWN_DELAY: Duration = Duration::from_secs(600);

/// A span of time in a setting.
struct Span(Duration);

impl FromStr for Span {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let span = duration::parse(text)?;
        if span > MAX_SHUTDOWN_DELAY { Err(DurationError) } else { Ok(Self(span)) }
    }
}

/// Where the master key comes from, under which the other keys are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterKeySource {
    /// The operator's: it has to be there.
    Given(SecretSource),
    /// A file of ours: made at the first start, with mode 0600.
    Kept(PathBuf),
    /// Made at each start: the database does not outlive the process either.
    Ephemeral,
}

/// Everything that an operator can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub listen: SocketAddr,
    pub issuer: Issuer,
    /// Whether `issuer` is the default one, which follows the port that is listened on.
    issuer_is_default: bool,
    pub database_url: DatabaseUrl,
    pub seed: Option<PathBuf>,
    pub mode: Mode,
    /// Whether clients that are registered for it may present users' passwords (RFC 6749 section 4.3).
    pub password_grant: bool,
    /// What the server may call by itself: webhooks, call-backs and deliveries.
    pub outgoing_allow: AllowList,
    /// Whose word about the address of a client is believed.
    pub trusted_proxies: TrustedProxies,
    /// The header that they write it into.
    pub proxy_header: ProxyHeader,
    pub sandbox_token: Option<SecretSource>,
    pub master_key: MasterKeySource,
    pub log: LogSettings,
    pub limits: LimitSettings,
    /// Connections of clients that may be open at once.
    pub connections: NonZeroU32,
    /// How long requests are still taken once the server was told to stop.
    pub shutdown_delay: Duration,
    /// Where metrics are served, apart from all else.
    pub metrics_listen: Option<SocketAddr>,
}

impl Settings {
    /// Flags over environment over file over defaults. Beside its arguments it reads what `database_url_file` names.
    ///
    /// # Errors
    /// Everything that is wrong in any of the three, with its place.
    pub fn load(
        flags: &Flags,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        file: Option<(&Path, &str)>,
    ) -> Result<Self, ConfigError> {
        let mut faults = Faults::default();
        let layers = Layers::gather(|key| flags.get(key), environment, file, &mut faults)?;
        let mut reader = Reader { layers: &layers, faults };

        let listen = reader.parse(&layers::LISTEN, "an address and a port such as `127.0.0.1:8080`");
        let listen: SocketAddr = listen.unwrap_or(DEFAULT_LISTEN);
        let given_issuer = reader.parse_telling(&layers::ISSUER, issuer::EXPECTED);
        let issuer_is_default = layers.get(&layers::ISSUER).is_none();
        let issuer = given_issuer.unwrap_or_else(|| Issuer::localhost(listen.port()));
        let database_url = reader.database_url().unwrap_or_else(|| DatabaseUrl::SqliteFile(DEFAULT_DATABASE.into()));
        let mode =
            reader.word(&layers::MODE).unwrap_or(if issuer.is_loopback() { Mode::Sandbox } else { Mode::Production });
        // RFC 9700 section 2.4 forbids it; LeadExec's own clients use it.
        let password_grant =
            reader.parse(&layers::PASSWORD_GRANT, "`true` or `false`").unwrap_or(mode == Mode::Sandbox);
        // A developer's targets are on the developer's own machine; elsewhere it is the server's that would be open.
        let is_own = mode == Mode::Sandbox && (issuer.is_loopback() || flags.impersonates && listen.ip().is_loopback());
        let outgoing_allow = reader.parse_telling(&layers::OUTGOING_ALLOW, allow_list::EXPECTED);
        let outgoing_allow =
            outgoing_allow.unwrap_or_else(|| if is_own { AllowList::loopback() } else { AllowList::default() });
        let trusted_proxies = reader.parse_telling(&layers::TRUSTED_PROXIES, proxies::EXPECTED).unwrap_or_default();
        let proxy_header = reader.word(&layers::PROXY_HEADER).unwrap_or_default();
        let sandbox_token = reader.secret(&layers::SANDBOX_TOKEN, &layers::SANDBOX_TOKEN_FILE);
        let given_key = reader.secret(&layers::MASTER_KEY, &layers::MASTER_KEY_FILE);
        let log = LogSettings {
            format: reader.word(&layers::LOG_FORMAT).unwrap_or(LogFormat::Text),
            level: reader.word(&layers::LOG_LEVEL).unwrap_or(LogLevel::Info),
        };
        const LIMIT: &str = "a number of attempts such as 10, or 0 for no limit";
        let defaults = default_limits(mode);
        let limits = LimitSettings {
            logins_per_minute: reader.parse(&layers::LOGINS_PER_MINUTE, LIMIT).unwrap_or(defaults.logins_per_minute),
            refusals_per_minute: reader
                .parse(&layers::REFUSALS_PER_MINUTE, LIMIT)
                .unwrap_or(defaults.refusals_per_minute),
            openings_per_minute: reader
                .parse(&layers::OPENINGS_PER_MINUTE, LIMIT)
                .unwrap_or(defaults.openings_per_minute),
        };
        let connections =
            reader.parse(&layers::CONNECTIONS, "a number of connections such as 10000").unwrap_or(DEFAULT_CONNECTIONS);
        let shutdown_delay: Option<Span> =
            reader.parse(&layers::SHUTDOWN_DELAY, "a span of time such as `5s`, of 10 minutes at most");
        let shutdown_delay = shutdown_delay.map_or(default_shutdown_delay(mode), |Span(span)| span);
        let metrics_listen = reader.parse(&layers::METRICS_LISTEN, "an address and a port such as `127.0.0.1:9464`");
        let seed = reader.path(&layers::SEED);
        // A default that stands in for a faulty value must not be blamed for what the operator never said.
        if mode == Mode::Production && reader.faults.is_empty() {
            reader.refuse_in_production(&issuer, sandbox_token.is_some());
            reader.demand_shared_key(&database_url, given_key.is_some());
        }
        let master_key = match given_key {
            Some(source) => MasterKeySource::Given(source),
            None => default_master_key(&database_url),
        };
        reader.faults.into_result(Self {
            listen,
            issuer,
            issuer_is_default,
            database_url,
            seed,
            mode,
            password_grant,
            outgoing_allow,
            trusted_proxies,
            proxy_header,
            sandbox_token,
            master_key,
            log,
            limits,
            connections,
            shutdown_delay,
            metrics_listen,
        })
    }

    /// [`Settings::load`] for this process: its environment, and the file that flags or environment name, else
    /// `leadgate.toml` where that exists.
    ///
    /// # Errors
    /// As for [`Settings::load`], and when a file that was named cannot be read.
    pub fn of_process(flags: &Flags) -> Result<Self, ConfigError> {
        let variable = std::env::var_os(layers::CONFIG_VARIABLE).filter(|path| !path.is_empty());
        let named = flags.config.clone().or_else(|| variable.map(PathBuf::from));
        let path = named.or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists()));
        let text = match &path {
            Some(path) => Some(read_text_file(path, "", "a readable configuration file, as `leadgate init` writes")?),
            None => None,
        };
        Self::load(flags, std::env::vars_os(), path.as_deref().zip(text.as_deref()))
    }

    /// These settings once the port is known, for a server that was told to listen on any free one (port 0).
    #[must_use]
    pub fn bound_to(self, address: SocketAddr) -> Self {
        let issuer = if self.issuer_is_default { Issuer::localhost(address.port()) } else { self.issuer };
        Self { listen: address, issuer, ..self }
    }

    /// What an operator may not have meant, though it is allowed.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.mode == Mode::Sandbox && !self.listen.ip().is_loopback() {
            warnings.push(format!(
                "sandbox mode is open to every machine that can reach {}: anyone there can sign in as any user",
                self.listen
            ));
        }
        // It speaks plain HTTP, so that in production something is in front of it.
        if self.mode == Mode::Production && self.trusted_proxies.is_empty() {
            warnings.push(
                "no reverse proxy is trusted: behind one, all clients have its address, and whoever keeps guessing slows \
                 down the others. Name it with --trusted-proxies"
                    .to_owned(),
            );
        }
        warnings
    }
}

fn default_master_key(database: &DatabaseUrl) -> MasterKeySource {
    match database {
        DatabaseUrl::SqliteFile(path) => MasterKeySource::Kept(path.with_extension("key")),
        DatabaseUrl::SqliteMemory => MasterKeySource::Ephemeral,
        DatabaseUrl::Postgres(_) => MasterKeySource::Kept(DEFAULT_KEY_FILE.into()),
    }
}

struct Reader<'l> {
    layers: &'l Layers,
    faults: Faults,
}

impl Reader<'_> {
    fn parse<T: FromStr>(&mut self, setting: &Setting, expected: &str) -> Option<T> {
        let given = self.layers.get(setting)?;
        let parsed = given.text.parse().ok();
        if parsed.is_none() {
            self.fault(setting, given, format!("found {:?}", given.text), expected);
        }
        parsed
    }

    /// As [`Reader::parse`], where the error alone tells what was found: the text itself may hold a password.
    fn parse_telling<T: FromStr<Err: fmt::Display>>(&mut self, setting: &Setting, expected: &str) -> Option<T> {
        let given = self.layers.get(setting)?;
        match given.text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(setting, given, error.to_string(), expected);
                None
            }
        }
    }

    fn word<T: Word>(&mut self, setting: &Setting) -> Option<T> {
        let given = self.layers.get(setting)?;
        let word = T::WORDS.iter().find(|(name, _)| *name == given.text).map(|(_, value)| *value);
        if word.is_none() {
            let names: Vec<&str> = T::WORDS.iter().map(|(name, _)| *name).collect();
            self.fault(setting, given, format!("found {:?}", given.text), &one_of(&names));
        }
        word
    }

    fn path(&mut self, setting: &Setting) -> Option<PathBuf> {
        let given = self.layers.get(setting)?;
        if given.text.is_empty() {
            self.fault(setting, given, "found an empty path", "the path of a file");
            return None;
        }
        Some(PathBuf::from(&given.text))
    }

    fn secret(&mut self, inline: &Setting, file: &Setting) -> Option<SecretSource> {
        let (setting, given) = self.layers.either(inline, file, &mut self.faults)?;
        let key = setting.key;
        if given.text.trim().is_empty() {
            let fault = Fault::new(given.place.clone(), key, "found nothing", "a secret, or a file that holds one");
            self.faults.push(fault);
            return None;
        }
        Some(if key == inline.key {
            SecretSource::Inline(Secret::new(given.text.clone()))
        } else {
            SecretSource::File { path: PathBuf::from(&given.text), key }
        })
    }

    /// Read here, because other settings follow from which database it is.
    fn database_url(&mut self) -> Option<DatabaseUrl> {
        let (setting, given) =
            self.layers.either(&layers::DATABASE_URL, &layers::DATABASE_URL_FILE, &mut self.faults)?;
        if setting == &layers::DATABASE_URL {
            return self.parse_telling(setting, database_url::EXPECTED);
        }
        let (path, key) = (PathBuf::from(&given.text), setting.key);
        match (SecretSource::File { path: path.clone(), key }).read() {
            Ok(text) => match text.expose().parse() {
                Ok(url) => return Some(url),
                Err(error) => {
                    let place = Place::WholeFile(path);
                    self.faults.push(Fault::new(place, key, error.to_string(), database_url::EXPECTED));
                }
            },
            Err(error) => error.faults().iter().for_each(|fault| self.faults.push(fault.clone())),
        }
        None
    }

    fn refuse_in_production(&mut self, issuer: &Issuer, has_token: bool) {
        if !issuer.is_https() {
            let found = format!("found `{issuer}` in production mode");
            self.fault_at(&layers::ISSUER, found, "an https URL (`mode = \"sandbox\"` accepts http)");
        }
        if has_token {
            let found = "found a sandbox token in production mode".to_owned();
            let setting = [layers::SANDBOX_TOKEN, layers::SANDBOX_TOKEN_FILE];
            let setting = setting.iter().find(|setting| self.layers.get(setting).is_some());
            let expected = "none: production mode has no control plane that it could open";
            self.fault_at(setting.unwrap_or(&layers::SANDBOX_TOKEN), found, expected);
        }
    }

    /// Several nodes on one PostgreSQL need one key; a file that each of them makes would differ.
    fn demand_shared_key(&mut self, database: &DatabaseUrl, has_key: bool) {
        if matches!(database, DatabaseUrl::Postgres(_)) && !has_key {
            let found = "found none in production mode on PostgreSQL".to_owned();
            let expected = "the key that all nodes share, in LEADGATE_MASTER_KEY or in the file that \
                            LEADGATE_MASTER_KEY_FILE names";
            self.fault_at(&layers::MASTER_KEY, found, expected);
        }
    }

    fn fault(&mut self, setting: &Setting, given: &Given, found: impl Into<String>, expected: &str) {
        self.faults.push(Fault::new(given.place.clone(), setting.key, found, expected));
    }

    fn fault_at(&mut self, setting: &Setting, found: String, expected: &str) {
        let place = self.layers.get(setting).map_or(Place::Default, |given| given.place.clone());
        self.faults.push(Fault::new(place, setting.key, found, expected));
    }
}

#[cfg(test)]
mod tests;
