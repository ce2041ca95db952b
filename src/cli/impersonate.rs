//! `leadgate impersonate`: a sandbox under the name that LeadExec's partner pages are written for, on this machine, and what
//! makes the machine take it for the real one: a line for the hosts file, an authority for its certificate, and a route for
//! Playwright, which needs neither.

mod hosts;
mod trust;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::output;
use crate::boot::impersonation::{self, Authority, HOST, Impersonation};
use crate::boot::{self, Manner};
use crate::config::{Flags, Mode, Settings};

/// Where browsers look for https, on this machine alone.
const LISTEN: &str = "127.0.0.1:443";
const HTTPS_PORT: u16 = 443;
const HTTP_PORT: u16 = 80;

/// What a test with Playwright needs in the place of hosts and certificates.
const PLAYWRIGHT: &str = include_str!("impersonate/playwright.mjs");

#[derive(Debug, Args)]
pub struct ImpersonateArgs {
    #[command(flatten)]
    instead: Instead,
    /// Where the authority's key and certificate are kept [default: impersonation, beside the database]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Where pages on http fetch the button from, or none [default: port 80, where --listen has port 443]
    #[arg(long, value_name = "ADDR")]
    http_listen: Option<String>,
    /// The file in which this machine looks up names
    #[arg(long, value_name = "FILE", default_value = "/etc/hosts")]
    hosts_file: PathBuf,
    /// No line for each sign-in, token and refusal; a terminal shows them
    #[arg(long)]
    quiet: bool,
}

/// What to do in the place of serving.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Instead {
    /// Print the line that the hosts file needs
    #[arg(long)]
    hosts: bool,
    /// Write that line into the hosts file
    #[arg(long)]
    write_hosts: bool,
    /// Take it out of there
    #[arg(long)]
    remove_hosts: bool,
    /// Make the authority, and print how each system and program is told to trust it
    #[arg(long)]
    trust: bool,
    /// Delete the authority, and print how each forgets it
    #[arg(long)]
    untrust: bool,
    /// Print a module for Playwright that routes the name to a server, without hosts file and authority
    #[arg(long)]
    playwright: bool,
}

pub async fn run(flags: Flags, args: &ImpersonateArgs) -> Result<(), CliError> {
    let Instead { hosts, write_hosts, remove_hosts, trust, untrust, playwright } = args.instead;
    if hosts {
        return output::line(hosts::LINE);
    }
    if write_hosts {
        return output::line(&hosts::write(&args.hosts_file)?);
    }
    if remove_hosts {
        return output::line(&hosts::remove(&args.hosts_file)?);
    }
    if playwright {
        return output::bytes(PLAYWRIGHT.as_bytes());
    }
    let settings = settings(flags)?;
    let directory = args.directory.clone().unwrap_or_else(|| impersonation::directory(&settings));
    if untrust {
        let was_there = impersonation::remove(&directory).map_err(CliError::failure)?;
        let gone = if was_there { "The authority is deleted" } else { "There was no authority" };
        output::line(&format!("{gone} ({}). Whoever was told to trust it forgets it by:\n", directory.display()))?;
        return output::bytes(trust::undone().as_bytes());
    }
    let plain = args.plain(&settings)?;
    let authority = impersonation::authority(&directory).map_err(CliError::failure)?;
    let certificate = authority.certificate_file();
    // Other programs have other working directories.
    let certificate = certificate.canonicalize().unwrap_or(certificate);
    if trust {
        return output::bytes(trust::done(&certificate, authority.ends).as_bytes());
    }
    introduce(&authority, args, &settings, plain)?;
    let manner = Manner { shows_flows: !args.quiet, impersonation: Some(Impersonation { authority, plain }) };
    boot::serve(settings, manner).await.map_err(CliError::failure)
}

/// Those of a sandbox under that name; whatever a file or a variable says of issuer and address is of the ordinary server.
fn settings(mut flags: Flags) -> Result<Settings, CliError> {
    if flags.issuer.is_some() {
        return Err(CliError::usage(format!(
            "the issuer of this command is https://{HOST}: leave out --issuer, or run `leadgate serve --issuer …`"
        )));
    }
    // As it would be served without this command: nobody shall sign in as anybody on a server's own data.
    let is_told = flags.mode.as_deref() == Some(Mode::Production.as_str());
    if is_told || Settings::of_process(&flags)?.mode == Mode::Production {
        return Err(CliError::usage(
            "under somebody else's name there is a sandbox only, and these settings are of production mode: leave out \
             --mode production, or start it where no leadgate.toml and no LEADGATE_ variable asks for that",
        ));
    }
    flags.issuer = Some(format!("https://{HOST}"));
    flags.impersonates = true;
    flags.mode.get_or_insert_with(|| "sandbox".to_owned());
    flags.listen.get_or_insert_with(|| LISTEN.to_owned());
    Ok(Settings::of_process(&flags)?)
}

impl ImpersonateArgs {
    fn plain(&self, settings: &Settings) -> Result<Option<SocketAddr>, CliError> {
        match self.http_listen.as_deref() {
            Some("none") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| {
                let message = format!(
                    "--http-listen: found {text:?}; expected an address and a port such as `127.0.0.1:80`, or `none`"
                );
                CliError::usage(message)
            }),
            None if settings.listen.port() == HTTPS_PORT => Ok(Some(SocketAddr::new(settings.listen.ip(), HTTP_PORT))),
            None => Ok(None),
        }
    }
}

/// Says loudly what this is, and what is still missing.
fn introduce(
    authority: &Authority,
    args: &ImpersonateArgs,
    settings: &Settings,
    plain: Option<SocketAddr>,
) -> Result<(), CliError> {
    let mut rows = vec![
        format!(
            "This machine's own {HOST}: a sandbox of Leadgate's, which is not LeadExec and passes nothing on to it."
        ),
        format!("  https          {}", settings.listen),
        match plain {
            Some(address) => format!("  http           {address}, for pages on http: the way to https"),
            None => "  http           none: pages on http find no button (--http-listen)".to_owned(),
        },
    ];
    let certificate = authority.certificate_file();
    let (file, until) = (certificate.display(), authority.ends.to_rfc3339());
    let new =
        if authority.is_new { " New: `leadgate impersonate --trust` tells who has to be told of it." } else { "" };
    rows.push(format!("  authority      {file}, for this name only, until {until}.{new}"));
    rows.push(match hosts::address_in(&args.hosts_file) {
        Some(address) => format!("  name           {address}, as {} says", args.hosts_file.display()),
        None => format!(
            "  name           not in {}: `sudo leadgate impersonate --write-hosts`, or tell it the client, as with `curl --resolve`",
            args.hosts_file.display()
        ),
    });
    if settings.listen.port() != HTTPS_PORT {
        rows.push(format!(
            "  port           {}: what is unchanged asks port 443. Map it, as with Chromium's --host-resolver-rules=\"MAP {HOST}:443 {}\"",
            settings.listen.port(),
            settings.listen
        ));
    }
    rows.iter().try_for_each(|row| output::line(row))
}
