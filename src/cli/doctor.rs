//! `leadgate doctor`: looks at everything that a server stands on, says what is wrong and what to do about it, and changes
//! nothing. What partners' buttons are checked with is another doctor: docs/button-doctor.md.

mod disk;
mod reach;

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::error::CliError;
use super::output;
use crate::boot::{self, Examination, ExaminedKeys, Schema};
use crate::config::database_url::DatabaseUrl;
use crate::config::{Flags, LogLevel, MasterKeySource, Mode, SecretSource, Settings};
use crate::domain::timestamp::Timestamp;
use crate::services::{keys, master_keys};

/// By how much two clocks may differ before it matters: codes live for a minute.
const SKEW: Duration = Duration::from_secs(5);
/// Connections that one server opens to PostgreSQL, with some for commands and for who looks after it.
const CONNECTIONS: i64 = 20;
/// A signing key that is older is due.
const KEY_AGE: Duration = Duration::from_secs(400 * 24 * 3_600);

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Ok,
    Warning,
    Problem,
}

/// What was looked at, how it is, and what to do.
#[derive(Debug, Serialize)]
struct Finding {
    area: &'static str,
    level: Level,
    found: String,
    /// Null: nothing.
    advice: Option<String>,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, area: &'static str, found: impl ToString) {
        self.0.push(Finding { area, level: Level::Ok, found: found.to_string(), advice: None });
    }

    fn warn(&mut self, area: &'static str, found: impl ToString, advice: impl ToString) {
        let advice = Some(advice.to_string());
        self.0.push(Finding { area, level: Level::Warning, found: found.to_string(), advice });
    }

    fn problem(&mut self, area: &'static str, found: impl ToString, advice: impl ToString) {
        let advice = Some(advice.to_string());
        self.0.push(Finding { area, level: Level::Problem, found: found.to_string(), advice });
    }

    /// An error of ours says what to do itself.
    fn error(&mut self, area: &'static str, error: impl ToString) {
        self.0.push(Finding { area, level: Level::Problem, found: error.to_string(), advice: None });
    }

    fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }
}

pub async fn run(flags: &Flags, args: &DoctorArgs) -> Result<(), CliError> {
    let mut findings = Findings::default();
    match Settings::of_process(flags) {
        // The rest would be of settings that nobody meant.
        Err(error) => error.faults().iter().for_each(|fault| findings.error("configuration", fault)),
        Ok(settings) => look(&settings, &mut findings).await,
    }
    let (problems, warnings) = (findings.count(Level::Problem), findings.count(Level::Warning));
    if args.json {
        output::json(&serde_json::json!({ "problems": problems, "warnings": warnings, "findings": findings.0 }))?;
    } else {
        show(&findings)?;
        output::line(&format!("{problems} problems, {warnings} warnings"))?;
    }
    if problems == 0 { Ok(()) } else { Err(CliError::failure("there are problems; each says what to do")) }
}

fn show(findings: &Findings) -> Result<(), CliError> {
    for finding in &findings.0 {
        let mark = match finding.level {
            Level::Ok => "ok     ",
            Level::Warning => "WARNING",
            Level::Problem => "PROBLEM",
        };
        output::line(&format!("{mark} {:<13} {}", finding.area, finding.found))?;
        if let Some(advice) = &finding.advice {
            output::line(&format!("{:21} -> {advice}", ""))?;
        }
    }
    Ok(())
}

async fn look(settings: &Settings, findings: &mut Findings) {
    configuration(settings, findings);
    if let Some(path) = settings.database_url.file() {
        disk::look(path, findings);
    }
    match boot::examine(settings).await {
        Err(error) => findings.error("database", error),
        Ok(examination) => {
            database(&examination, findings);
            clock(settings, &examination, findings);
            if master_key(settings, &examination, findings) {
                sealed(settings, findings).await;
            }
        }
    }
    reach::look(settings, findings).await;
}

fn configuration(settings: &Settings, findings: &mut Findings) {
    const AREA: &str = "configuration";
    let before = findings.0.len();
    for warning in settings.warnings() {
        findings.warn(AREA, warning, "listen on 127.0.0.1, or use `mode = \"production\"`");
    }
    if settings.database_url == DatabaseUrl::SqliteMemory {
        findings.warn(AREA, "the database is in memory: nothing outlives the server", "name a file in `database_url`");
    }
    if settings.mode == Mode::Production {
        production(settings, findings);
    }
    if findings.0.len() == before {
        let mode = if settings.mode == Mode::Production { "production" } else { "sandbox" };
        findings.ok(AREA, format!("{mode} mode, {}, {}", settings.issuer, settings.database_url));
    }
}

/// What is allowed in production, and not what most people want there.
fn production(settings: &Settings, findings: &mut Findings) {
    const AREA: &str = "configuration";
    if settings.issuer.is_loopback() {
        findings.warn(
            AREA,
            format!("only this machine can reach {}", settings.issuer),
            "set `issuer` to the public address",
        );
    }
    for (limit, key, unlimited) in [
        (settings.limits.logins_per_minute, "limits.logins_per_minute", "guesses have"),
        (settings.limits.refusals_per_minute, "limits.refusals_per_minute", "guesses have"),
        (settings.limits.openings_per_minute, "limits.openings_per_minute", "what one address begins has"),
    ] {
        if limit == 0 {
            findings.warn(AREA, format!("`{key}` is 0: {unlimited} no limit"), "leave it out, for its default");
        }
    }
    if settings.password_grant {
        let found = "`password_grant` lets applications take users' passwords, which RFC 9700 section 2.4 forbids";
        findings.warn(AREA, found, "leave it out, unless a client knows no other way");
    }
    if matches!(settings.log.level, LogLevel::Debug | LogLevel::Trace) {
        findings.warn(AREA, format!("`log.level` is {}: logs grow fast", settings.log.level.as_str()), "use `info`");
    }
    if let DatabaseUrl::Postgres(url) = &settings.database_url {
        let is_near = url.host_str().is_none_or(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host));
        let mode = url.query_pairs().find(|(name, _)| name == "sslmode").map(|(_, mode)| mode.into_owned());
        let is_encrypted = mode.is_some_and(|mode| ["require", "verify-ca", "verify-full"].contains(&mode.as_str()));
        if !is_near && !is_encrypted {
            let found = "the way to PostgreSQL may be unencrypted";
            findings.warn(AREA, found, "add `?sslmode=verify-full` to `database_url`, or at least `sslmode=require`");
        }
    }
}

fn database(examination: &Examination, findings: &mut Findings) {
    const AREA: &str = "database";
    let Some(found) = &examination.database else {
        return findings.ok(AREA, "there is none yet: the first start makes it");
    };
    match &found.schema {
        Schema::None => findings.ok(AREA, "it is empty: the first start makes its tables"),
        Schema::Current => findings.ok(AREA, "its schema is up to date"),
        schema @ Schema::Older { .. } => {
            let advice = "make a back-up, then run `leadgate migrate`, or start the server, which does the same";
            findings.warn(AREA, format!("it {schema}"), advice);
        }
        schema @ (Schema::Newer { .. } | Schema::Different { .. } | Schema::Dirty { .. }) => {
            findings.error(AREA, format!("it {schema}"));
        }
    }
    for setting in &found.unsafe_settings {
        let found = format!("PostgreSQL's `{setting}` is off: a crash of its machine may lose what was acknowledged");
        findings.problem(AREA, found, format!("set `{setting} = on` in postgresql.conf"));
    }
    if let Some(connections) = found.connections.filter(|connections| *connections < CONNECTIONS) {
        let found = format!("PostgreSQL has {connections} connections for everybody; one server needs {CONNECTIONS}");
        findings.warn(AREA, found, "raise `max_connections` in postgresql.conf");
    }
}

fn clock(settings: &Settings, examination: &Examination, findings: &mut Findings) {
    const AREA: &str = "clock";
    let (before, now) = (findings.0.len(), examination.at);
    let sync = "set the clock, and let it be kept by NTP (chrony, systemd-timesyncd)";
    let apart = |a: Timestamp, b: Timestamp| a.since(b).max(b.since(a));
    let (clock, newest) = examination.database.as_ref().map_or((None, None), |found| (found.clock, found.newest_event));
    if let Some(clock) = clock.filter(|clock| apart(*clock, now) > SKEW) {
        let found = format!("this machine's clock and PostgreSQL's are {} s apart", apart(clock, now).as_secs());
        findings.problem(AREA, found, sync);
    }
    if let Some(newest) = newest.filter(|newest| newest.since(now) > SKEW) {
        let found = format!("an event was recorded {} s after now: the clock went back", newest.since(now).as_secs());
        findings.problem(AREA, found, sync);
    }
    if let Some(written) = settings.database_url.file().and_then(disk::written_at)
        && written.since(now) > SKEW
    {
        let found =
            format!("the database was written {} s after now: the clock went back", written.since(now).as_secs());
        findings.problem(AREA, found, sync);
    }
    if findings.0.len() == before {
        findings.ok(AREA, format!("it is {} here", now.to_rfc3339()));
    }
}

/// Answers whether what is sealed can be looked at without a change.
fn master_key(settings: &Settings, examination: &Examination, findings: &mut Findings) -> bool {
    const AREA: &str = "keys";
    if let MasterKeySource::Given(SecretSource::File { path, .. }) = &settings.master_key
        && let Some(mode) = boot::open_to_others(path)
    {
        let found = format!("the master key file {} may be read by other users (mode {mode:o})", path.display());
        findings.warn(AREA, found, format!("chmod 600 {}, unless those users are the server's own", path.display()));
    }
    let has_keys = examination.database.as_ref().is_some_and(|found| !found.keys.is_empty());
    match &examination.master_keys {
        ExaminedKeys::NotYet => findings.ok(AREA, "there is no master key yet: the first start makes one"),
        ExaminedKeys::Unfit(error) => findings.error(AREA, error),
        ExaminedKeys::Fit if has_keys => findings.ok(AREA, "the master key opens the server's keys"),
        ExaminedKeys::Fit => findings.ok(AREA, "there is a master key, and nothing yet that it has to open"),
    }
    let is_current = examination.database.as_ref().is_some_and(|found| found.schema == Schema::Current);
    has_keys && is_current && matches!(examination.master_keys, ExaminedKeys::Fit)
}

/// Opens the database as any command does; it is up to date, and its keys are there, so that this changes nothing.
async fn sealed(settings: &Settings, findings: &mut Findings) {
    const AREA: &str = "keys";
    let ctx = match boot::open_context(settings).await {
        Ok(ctx) => ctx,
        Err(error) => return findings.error(AREA, error),
    };
    match master_keys::list(&ctx).await {
        Err(error) => findings.error(AREA, error),
        Ok((_, lost)) if lost > 0 => findings.problem(
            AREA,
            format!("{lost} secrets of webhooks, deliveries or call-backs open under no master key that is here"),
            "put the master key that they were sealed under into the key file again, below the present one, and run \
             `leadgate keys master reseal`; without it, rotate those secrets",
        ),
        Ok((listed, _)) => {
            let old = listed.iter().filter(|key| key.state == master_keys::MasterKeyState::Old);
            let values: u64 = old.map(|key| key.values).sum();
            if values > 0 {
                let found = format!("{values} values are sealed under an old master key");
                findings.warn(AREA, found, "run `leadgate keys master reseal`");
            }
        }
    }
    let now = ctx.real_now();
    for key in keys::list(&ctx).into_iter().filter(|key| key.published_until.is_none()) {
        let age = now.since(key.signs_from);
        if age > KEY_AGE {
            let (algorithm, days) = (key.algorithm.as_str(), age.as_secs() / 86_400);
            findings.warn(AREA, format!("the {algorithm} key signs since {days} days"), "run `leadgate keys rotate`");
        }
    }
    ctx.store.close().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::examine::Examined;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn examination(clock: Timestamp, connections: i64) -> Examination {
        let database = Examined {
            schema: Schema::Current,
            keys: Vec::new(),
            newest_event: None,
            clock: Some(clock),
            unsafe_settings: vec!["fsync".to_owned()],
            connections: Some(connections),
        };
        Examination { database: Some(database), master_keys: ExaminedKeys::NotYet, at: NOW }
    }

    /// What no test can do to a PostgreSQL that others use.
    #[test]
    fn clocks_that_differ_and_settings_that_lose_are_told() {
        let settings = Settings::load(&Flags::default(), [], None).unwrap();
        for (clock_at, connections, told) in [
            (NOW.plus(SKEW), CONNECTIONS, vec![Level::Ok, Level::Problem, Level::Ok]),
            (NOW.plus(SKEW * 2), 3, vec![Level::Ok, Level::Problem, Level::Warning, Level::Problem]),
            (NOW.minus(SKEW * 2), CONNECTIONS, vec![Level::Ok, Level::Problem, Level::Problem]),
        ] {
            let mut findings = Findings::default();
            let examination = examination(clock_at, connections);
            database(&examination, &mut findings);
            clock(&settings, &examination, &mut findings);
            assert_eq!(findings.0.iter().map(|finding| finding.level).collect::<Vec<_>>(), told, "{:?}", findings.0);
            assert!(findings.0.iter().all(|finding| finding.level == Level::Ok || finding.advice.is_some()));
        }
    }
}
