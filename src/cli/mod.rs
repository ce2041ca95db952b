//! The command line: one file for each command.
//!
//! A command reads the settings, opens what it needs, calls a use case and prints. People get text and tables,
//! programs get JSON with `--json`. Errors go to the standard error stream as one paragraph, with exit code 1, or 2
//! where the command line itself is wrong.

mod account;
mod app;
mod args;
mod backup;
mod bench;
mod button;
mod completions;
mod connection;
mod deletion;
mod delivery;
mod doctor;
mod error;
mod event;
mod global;
mod healthcheck;
mod help;
mod impersonate;
mod init;
mod invitation;
mod keys;
mod lead;
mod listen;
mod man;
mod migrate;
mod output;
mod plane;
mod progress;
mod restore;
mod revoke_all;
mod seed;
mod serve;
mod tail;
mod user;
mod webhook;

use std::process::ExitCode;

use clap::{FromArgMatches as _, Parser, Subcommand};

use crate::boot;
use crate::config::{Flags, Settings};
use crate::services::Context;
use crate::services::audit::{Acting, By};
use error::CliError;
use global::GlobalArgs;

/// An OAuth 2.0 authorization server that emulates LeadExec's app-partner sign-in.
///
/// Without a command it serves. An independent emulator for development and tests; not affiliated with ClickPoint
/// Software. LeadExec is a trademark of its owner.
#[derive(Debug, Parser)]
#[command(name = "leadgate", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default).
    Serve(serve::ServeArgs),
    /// Serve as apps.leadexec.net, for this machine alone: for pages and back ends that name it.
    ///
    /// A sandbox with TLS under that name, and what makes this machine take it for the real one. It passes nothing on.
    /// It listens on 127.0.0.1:443, unless --listen names another address, and its issuer is https://apps.leadexec.net.
    Impersonate(impersonate::ImpersonateArgs),
    /// Bring the database up to date, and stop.
    Migrate,
    /// Put what a seed file describes into the database.
    Seed(seed::SeedArgs),
    /// Write a commented leadgate.toml and seed.toml.
    Init(init::InitArgs),
    /// Ask the server on the configured address whether it is ready.
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Check configuration, keys, database, clock, disk and reachability, and change nothing.
    Doctor(doctor::DoctorArgs),
    /// Copy an SQLite database, while servers run on it.
    Backup(backup::BackupArgs),
    /// Put a back-up in the place of an SQLite database that no server has open.
    Restore(restore::RestoreArgs),
    /// End every connection, grant and session, and withdraw every invitation.
    ///
    /// For after an older database was restored, or when secrets may have got out.
    RevokeAll(revoke_all::RevokeAllArgs),
    /// Customer accounts that users belong to.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// People with a LeadExec login.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Links for a password that were not used yet.
    #[command(subcommand)]
    Invitation(invitation::InvitationCommand),
    /// Partner applications.
    #[command(subcommand)]
    App(app::AppCommand),
    /// Sign-in buttons of applications.
    #[command(subcommand)]
    Button(button::ButtonCommand),
    /// Users' consents to applications.
    #[command(subcommand)]
    Connection(connection::ConnectionCommand),
    /// Leads that the lead receiver took.
    #[command(subcommand)]
    Lead(lead::LeadCommand),
    /// How leads are delivered and protected, and test leads.
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
    /// Who is told what happens, and what was sent.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Bring a sandbox's messages to this machine, without any public address.
    Listen(listen::ListenArgs),
    /// Show the requests of a running sandbox as they come, with the reason for each refusal.
    Tail(tail::TailArgs),
    /// Measure a running sandbox: requests in a second, and how long they take.
    Bench(bench::BenchArgs),
    /// The keys that tokens are signed with.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// What happened, by whom, from where.
    #[command(subcommand)]
    Event(event::EventCommand),
    /// Print a script with which a shell completes commands and options.
    ///
    /// For bash: source <(leadgate completions bash)
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write all of them.
    Man(man::ManArgs),
}

/// Opens what a command works with, as the settings say.
async fn open(flags: &Flags) -> Result<Context, CliError> {
    let settings = Settings::of_process(flags)?;
    let new = settings.database_url.file().filter(|path| matches!(path.try_exists(), Ok(false)));
    let ctx = boot::open_context(&settings).await.map_err(CliError::failure)?;
    if let Some(path) = new {
        // A slip in the name looks like a server without anything in it.
        eprintln!("leadgate: there was no database {}: a new one was made there", path.display());
    }
    Ok(ctx)
}

/// To change something in the name of who runs the command: the login of the shell, which is said and not proven.
fn acting(ctx: &Context) -> Acting<'_> {
    let login = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    ctx.acting(By::command_line(&login.unwrap_or_else(user_number)))
}

/// Where there is no login, as in a container: the number of the user that the process runs as.
fn user_number() -> String {
    #[cfg(unix)]
    if let Ok(own) = std::fs::metadata("/proc/self") {
        return format!("uid {}", std::os::unix::fs::MetadataExt::uid(&own));
    }
    "command line".to_owned()
}

/// Parses the command line, runs the command and prints its error, if any.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::from_arg_matches(&help::command().get_matches()).unwrap_or_else(|error| error.exit());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return CliError::failure(format!("the runtime could not be started: {error}")).report(),
    };
    match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

impl Cli {
    async fn run(self) -> Result<(), CliError> {
        let flags = self.global.flags();
        match self.command.unwrap_or_else(|| Command::Serve(serve::ServeArgs::default())) {
            Command::Serve(args) => serve::run(&flags, &args).await,
            Command::Impersonate(args) => impersonate::run(flags, &args).await,
            Command::Migrate => migrate::run(&flags).await,
            Command::Seed(args) => seed::run(&flags, &args).await,
            Command::Init(args) => init::run(&args),
            Command::Healthcheck(args) => healthcheck::run(&flags, &args).await,
            Command::Doctor(args) => doctor::run(&flags, &args).await,
            Command::Backup(args) => backup::run(&flags, &args).await,
            Command::Restore(args) => restore::run(&flags, args).await,
            Command::RevokeAll(args) => revoke_all::run(&flags, &args).await,
            Command::Account(command) => account::run(&flags, command).await,
            Command::User(command) => user::run(&flags, command).await,
            Command::Invitation(command) => invitation::run(&flags, command).await,
            Command::App(command) => app::run(&flags, command).await,
            Command::Button(command) => button::run(&flags, command).await,
            Command::Connection(command) => connection::run(&flags, command).await,
            Command::Lead(command) => lead::run(&flags, command).await,
            Command::Delivery(command) => delivery::run(&flags, command).await,
            Command::Webhook(command) => webhook::run(&flags, command).await,
            Command::Listen(args) => listen::run(&flags, args).await,
            Command::Tail(args) => tail::run(&flags, args).await,
            Command::Bench(args) => bench::run(&flags, args).await,
            Command::Keys(command) => keys::run(&flags, command).await,
            Command::Event(command) => event::run(&flags, command).await,
            Command::Completions(args) => completions::run(&args),
            Command::Man(args) => man::run(&args),
        }
    }
}

#[cfg(test)]
mod parity;
#[cfg(test)]
mod reference;

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in [
            ["leadgate", "--database-url", "sqlite::memory:", "seed", "x.toml"],
            ["leadgate", "seed", "x.toml", "--database-url", "sqlite::memory:"],
        ] {
            let flags = Cli::parse_from(line).global.flags();
            assert_eq!(flags.database_url.as_deref(), Some("sqlite::memory:"));
            assert_eq!(flags.seed, None, "the command's FILE is not the flag --seed");
        }
    }

    #[test]
    fn serving_is_the_default() {
        assert!(Cli::parse_from(["leadgate", "--listen", "127.0.0.1:1"]).command.is_none());
    }

    #[test]
    fn debug_of_the_command_line_hides_the_token() {
        let cli = Cli::parse_from(["leadgate", "--sandbox-token", "hunter2"]);
        assert!(!format!("{cli:?}").contains("hunter2"));
    }
}
