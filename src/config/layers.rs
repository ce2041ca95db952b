//! Where a setting comes from: a flag, else an environment variable, else `leadgate.toml`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::document::{Document, Section};
use super::error::{ConfigError, Fault, Faults, Place};
use super::nearest::suggestion;

/// One setting and its three names.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Dotted path in `leadgate.toml`.
    pub key: &'static str,
    pub variable: &'static str,
    /// A secret has no flag: every user of the machine can read a command line.
    pub flag: Option<&'static str>,
    form: Form,
}

/// How a value is written in `leadgate.toml`. Elsewhere all are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Number,
    Switch,
}

const fn setting(key: &'static str, variable: &'static str, flag: &'static str) -> Setting {
    Setting { key, variable, flag: Some(flag), form: Form::Text }
}

impl Setting {
    const fn written_as(self, form: Form) -> Self {
        Self { form, ..self }
    }
}

pub const LISTEN: Setting = setting("listen", "LEADGATE_LISTEN", "--listen");
pub const ISSUER: Setting = setting("issuer", "LEADGATE_ISSUER", "--issuer");
pub const DATABASE_URL: Setting = setting("database_url", "LEADGATE_DATABASE_URL", "--database-url");
pub const DATABASE_URL_FILE: Setting =
    setting("database_url_file", "LEADGATE_DATABASE_URL_FILE", "--database-url-file");
pub const SEED: Setting = setting("seed", "LEADGATE_SEED", "--seed");
pub const MODE: Setting = setting("mode", "LEADGATE_MODE", "--mode");
pub const PASSWORD_GRANT: Setting =
    setting("password_grant", "LEADGATE_PASSWORD_GRANT", "--password-grant").written_as(Form::Switch);
pub const OUTGOING_ALLOW: Setting = setting("outgoing_allow", "LEADGATE_OUTGOING_ALLOW", "--outgoing-allow");
pub const TRUSTED_PROXIES: Setting = setting("trusted_proxies", "LEADGATE_TRUSTED_PROXIES", "--trusted-proxies");
pub const PROXY_HEADER: Setting = setting("proxy_header", "LEADGATE_PROXY_HEADER", "--proxy-header");
pub const SANDBOX_TOKEN: Setting = setting("sandbox_token", "LEADGATE_SANDBOX_TOKEN", "--sandbox-token");
pub const SANDBOX_TOKEN_FILE: Setting =
    setting("sandbox_token_file", "LEADGATE_SANDBOX_TOKEN_FILE", "--sandbox-token-file");
pub const MASTER_KEY: Setting =
    Setting { key: "master_key", variable: "LEADGATE_MASTER_KEY", flag: None, form: Form::Text };
pub const MASTER_KEY_FILE: Setting = setting("master_key_file", "LEADGATE_MASTER_KEY_FILE", "--master-key-file");
pub const LOG_FORMAT: Setting = setting("log.format", "LEADGATE_LOG_FORMAT", "--log-format");
pub const LOG_LEVEL: Setting = setting("log.level", "LEADGATE_LOG_LEVEL", "--log-level");

pub const LOGINS_PER_MINUTE: Setting =
    setting("limits.logins_per_minute", "LEADGATE_LIMITS_LOGINS_PER_MINUTE", "--logins-per-minute")
        .written_as(Form::Number);
pub const REFUSALS_PER_MINUTE: Setting =
    setting("limits.refusals_per_minute", "LEADGATE_LIMITS_REFUSALS_PER_MINUTE", "--refusals-per-minute")
        .written_as(Form::Number);
pub const OPENINGS_PER_MINUTE: Setting =
    setting("limits.openings_per_minute", "LEADGATE_LIMITS_OPENINGS_PER_MINUTE", "--openings-per-minute")
        .written_as(Form::Number);

pub const CONNECTIONS: Setting =
    setting("limits.connections", "LEADGATE_LIMITS_CONNECTIONS", "--connections").written_as(Form::Number);
pub const SHUTDOWN_DELAY: Setting = setting("shutdown_delay", "LEADGATE_SHUTDOWN_DELAY", "--shutdown-delay");

pub const METRICS_LISTEN: Setting = setting("metrics_listen", "LEADGATE_METRICS_LISTEN", "--metrics-listen");

pub const ALL: [Setting; 22] = [
    LISTEN,
    ISSUER,
    DATABASE_URL,
    DATABASE_URL_FILE,
    SEED,
    MODE,
    PASSWORD_GRANT,
    OUTGOING_ALLOW,
    TRUSTED_PROXIES,
    PROXY_HEADER,
    SANDBOX_TOKEN,
    SANDBOX_TOKEN_FILE,
    MASTER_KEY,
    MASTER_KEY_FILE,
    LOG_FORMAT,
    LOG_LEVEL,
    LOGINS_PER_MINUTE,
    REFUSALS_PER_MINUTE,
    OPENINGS_PER_MINUTE,
    CONNECTIONS,
    SHUTDOWN_DELAY,
    METRICS_LISTEN,
];

/// The variable that names the configuration file itself.
pub const CONFIG_VARIABLE: &str = "LEADGATE_CONFIG";

const PREFIX: &str = "LEADGATE_";

/// A text that was given for a setting, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub text: String,
    pub place: Place,
}

/// What each source gives, strongest first.
#[derive(Debug)]
pub struct Layers {
    layers: [BTreeMap<&'static str, Given>; 3],
}

impl Layers {
    /// Reads all three sources. `flags` gives the text of a flag by its setting's key.
    ///
    /// # Errors
    /// A file that cannot be parsed. All other faults go to `faults`.
    pub fn gather(
        flags: impl Fn(&str) -> Option<String>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        file: Option<(&Path, &str)>,
        faults: &mut Faults,
    ) -> Result<Self, ConfigError> {
        let flags = ALL.into_iter().filter_map(|setting| {
            let flag = setting.flag?;
            Some((setting.key, Given { text: flags(setting.key)?, place: Place::Flag(flag) }))
        });
        let file = match file {
            Some((path, text)) => read_file(path, text, faults)?,
            None => BTreeMap::new(),
        };
        Ok(Self { layers: [flags.collect(), read_environment(environment, faults), file] })
    }

    /// What the strongest source gives for a setting.
    #[must_use]
    pub fn get(&self, setting: &Setting) -> Option<&Given> {
        self.layers.iter().find_map(|layer| layer.get(setting.key))
    }

    /// What the strongest source that knows either setting gives for it, and for which of the two.
    ///
    /// A source that gives both is at fault: nothing says which of them is meant.
    pub fn either<'s>(
        &self,
        first: &'s Setting,
        second: &'s Setting,
        faults: &mut Faults,
    ) -> Option<(&'s Setting, &Given)> {
        for layer in &self.layers {
            match (layer.get(first.key), layer.get(second.key)) {
                (Some(_), Some(given)) => {
                    let found = format!("found `{}` beside `{}`", second.key, first.key);
                    faults.push(Fault::new(given.place.clone(), second.key, found, "one of the two"));
                    return None;
                }
                (Some(given), None) => return Some((first, given)),
                (None, Some(given)) => return Some((second, given)),
                (None, None) => {}
            }
        }
        None
    }
}

fn read_file(path: &Path, text: &str, faults: &mut Faults) -> Result<BTreeMap<&'static str, Given>, ConfigError> {
    Document::read_noting(path, text, faults, |document, root| {
        let mut found = BTreeMap::new();
        let top: Vec<&str> = ALL.iter().map(|s| s.key.split_once('.').map_or(s.key, |(table, _)| table)).collect();
        root.refuse_unknown(document, &top);
        read_keys(document, root, "", &mut found);
        for name in ["log", "limits"] {
            if let Some(table) = root.table(document, name) {
                let keys = ALL.iter().filter_map(|setting| setting.key.strip_prefix(name)?.strip_prefix('.'));
                table.refuse_unknown(document, &keys.collect::<Vec<_>>());
                read_keys(document, &table, &format!("{name}."), &mut found);
            }
        }
        found
    })
}

fn read_keys<'t>(
    document: &mut Document<'t>,
    section: &Section<'_, 't>,
    prefix: &str,
    found: &mut BTreeMap<&'static str, Given>,
) {
    for setting in ALL {
        let Some(name) = setting.key.strip_prefix(prefix).filter(|name| !name.contains('.')) else { continue };
        let given = match setting.form {
            Form::Text => section.text(document, name),
            Form::Number => section.integer(document, name).map(|number| number.with(number.value.to_string())),
            Form::Switch => section.boolean(document, name).map(|switch| switch.with(switch.value.to_string())),
        };
        if let Some(text) = given {
            let place = document.place(text.offset);
            found.insert(setting.key, Given { text: text.value, place });
        }
    }
}

fn read_environment(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    faults: &mut Faults,
) -> BTreeMap<&'static str, Given> {
    let mut found = BTreeMap::new();
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let place = Place::Variable(name.to_owned());
        let setting = ALL.into_iter().find(|setting| setting.variable == name);
        match (setting, value.into_string()) {
            // Compose files and CI systems pass on an unset variable as an empty one.
            (_, Ok(text)) if text.is_empty() => {}
            (Some(setting), Ok(text)) => {
                found.insert(setting.key, Given { text, place });
            }
            (Some(setting), Err(_)) => {
                faults.push(Fault::new(place, setting.key, "found what is not UTF-8", "UTF-8 text"));
            }
            (None, value) => {
                if name != CONFIG_VARIABLE && !is_foreign(name, value.as_deref().unwrap_or_default()) {
                    let known = ALL.map(|setting| setting.variable);
                    faults.push(Fault::new(place, "", "unknown setting", suggestion(name, &known)));
                }
            }
        }
    }
    found
}

/// Whether somebody else's tool owns a variable with our prefix.
///
/// Kubernetes sets `LEADGATE_SERVICE_HOST`, `LEADGATE_PORT=tcp://…`, `LEADGATE_PORT_8080_TCP_ADDR` and the like
/// in every pod beside a service named `leadgate` (or `leadgate-…`). The project's own tests and bench use
/// `LEADGATE_TEST_…`, `LEADGATE_BENCH_…` and `LEADGATE_BIN`, which a server that they start inherits; the packages in
/// `sdk/` take the server that `LEADGATE_URL` names.
fn is_foreign(name: &str, value: &str) -> bool {
    let is_link = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let is_port_detail = || {
        name.split_once("_PORT_")
            .and_then(|(_, rest)| rest.split_once('_'))
            .is_some_and(|(port, _)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name.starts_with("LEADGATE_TEST_")
        || name.starts_with("LEADGATE_BENCH_")
        || name == "LEADGATE_BIN"
        || name == "LEADGATE_URL"
        || name.starts_with("LEADGATE_SERVICE_")
        || name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && is_link)
        || is_port_detail()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> (BTreeMap<&'static str, Given>, Vec<String>) {
        let mut faults = Faults::default();
        let found = read_environment(variables.iter().map(|(n, v)| (n.into(), v.into())), &mut faults);
        let faults = match faults.into_result(()) {
            Ok(()) => Vec::new(),
            Err(error) => error.faults().iter().map(ToString::to_string).collect(),
        };
        (found, faults)
    }

    #[test]
    fn an_unknown_variable_names_the_nearest_known_one() {
        let (_, faults) = environment(&[("LEADGATE_DATABSE_URL", "postgres://u:hunter2@h/d")]);
        assert_eq!(
            faults,
            ["environment variable LEADGATE_DATABSE_URL: unknown setting; \
              expected `LEADGATE_DATABASE_URL`, which is the nearest known"]
        );
    }

    #[test]
    fn variables_of_other_tools_are_let_be() {
        let (found, faults) = environment(&[
            ("LEADGATE_SERVICE_HOST", "10.0.0.1"),
            ("LEADGATE_SERVICE_PORT_HTTP", "8080"),
            ("LEADGATE_PORT", "tcp://10.0.0.1:8080"),
            ("LEADGATE_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("LEADGATE_POSTGRES_SERVICE_HOST", "10.0.0.2"),
            ("LEADGATE_POSTGRES_PORT", "tcp://10.0.0.2:5432"),
            ("LEADGATE_POSTGRES_PORT_5432_TCP_PROTO", "tcp"),
            ("LEADGATE_TEST_POSTGRES_URL", "postgres://x"),
            ("LEADGATE_BENCH_POSTGRES_URL", "postgres://x"),
            ("LEADGATE_BIN", "target/debug/leadgate"),
            ("LEADGATE_URL", "http://localhost:8080"),
            ("LEADGATE_CONFIG", "x.toml"),
            ("LEADGATE_SEED", ""),
            ("PATH", "/bin"),
        ]);
        assert!(found.is_empty() && faults.is_empty(), "{found:?} {faults:?}");
    }

    #[test]
    fn a_port_that_a_person_set_is_not_taken_for_a_service_link() {
        let (_, faults) = environment(&[("LEADGATE_PORT", "9000")]);
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}
