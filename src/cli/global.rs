//! Flags that every command takes.

use std::fmt;
use std::path::PathBuf;

use clap::Args;

use crate::config::Flags;

/// They are checked with the other sources of settings, so that all are refused in the same words.
#[derive(Args)]
#[command(next_help_heading = "Settings (flags are stronger than LEADGATE_… variables, and those than leadgate.toml)")]
pub struct GlobalArgs {
    /// Configuration file [default: leadgate.toml, where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<String>,
    /// Public base URL [default: http://localhost:PORT]
    #[arg(long, global = true, value_name = "URL")]
    issuer: Option<String>,
    /// sqlite://PATH, sqlite::memory: or postgres://… [default: sqlite://data/leadgate.db]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// File that holds the database's URL
    #[arg(long, global = true, value_name = "FILE")]
    database_url_file: Option<String>,
    /// Seed file to apply at start [default: in an empty sandbox, the demonstration]
    #[arg(long = "seed", id = "seed_flag", global = true, value_name = "FILE")]
    seed: Option<String>,
    /// sandbox or production [default: sandbox where the issuer's host is this machine]
    #[arg(long, global = true, value_name = "MODE")]
    mode: Option<String>,
    /// true or false: whether applications may present users' passwords [default: true in sandbox mode]
    #[arg(long, global = true, value_name = "BOOL")]
    password_grant: Option<String>,
    /// Hosts that the server may call by itself, for webhooks, call-backs and deliveries [default: loopback where the issuer is on this machine]
    #[arg(long, global = true, value_name = "LIST")]
    outgoing_allow: Option<String>,
    /// Addresses or networks of your own reverse proxies, whose word about a client's address is believed [default: none]
    #[arg(long, global = true, value_name = "LIST")]
    trusted_proxies: Option<String>,
    /// The header that they write it into: x-forwarded-for or forwarded [default: x-forwarded-for]
    #[arg(long, global = true, value_name = "NAME")]
    proxy_header: Option<String>,
    /// Bearer token of the sandbox's control plane [default: made and printed at each start]
    #[arg(long, global = true, value_name = "TOKEN")]
    sandbox_token: Option<String>,
    /// File that holds the sandbox token
    #[arg(long, global = true, value_name = "FILE")]
    sandbox_token_file: Option<String>,
    /// File that holds the master key [default: made beside the database]
    #[arg(long, global = true, value_name = "FILE")]
    master_key_file: Option<String>,
    /// text or json [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
    /// off, error, warn, info, debug or trace [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Passwords tried for one login from one address; 0: no limit [default: 10 in production mode, else 0]
    #[arg(long, global = true, value_name = "N")]
    logins_per_minute: Option<String>,
    /// Refused tokens from one address for one application; 0: no limit [default: 60 in production mode, else 0]
    #[arg(long, global = true, value_name = "N")]
    refusals_per_minute: Option<String>,
    /// Sign-ins, pushed requests and device codes that one address begins for one application; 0: no limit [default: 600 in production mode, else 0]
    #[arg(long, global = true, value_name = "N")]
    openings_per_minute: Option<String>,
    /// Connections of clients that may be open at once [default: 10000]
    #[arg(long, global = true, value_name = "N")]
    connections: Option<String>,
    /// How long requests are still taken once the server was told to stop [default: 3s in production mode, else 0s]
    #[arg(long, global = true, value_name = "SPAN")]
    shutdown_delay: Option<String>,
    /// Address to serve metrics on, apart from all else [default: in a sandbox on this machine, beside all else at /metrics; elsewhere none]
    #[arg(long, global = true, value_name = "ADDR")]
    metrics_listen: Option<String>,
}

impl GlobalArgs {
    pub fn flags(&self) -> Flags {
        Flags {
            impersonates: false,
            config: self.config.clone(),
            listen: self.listen.clone(),
            issuer: self.issuer.clone(),
            database_url: self.database_url.clone(),
            database_url_file: self.database_url_file.clone(),
            seed: self.seed.clone(),
            mode: self.mode.clone(),
            password_grant: self.password_grant.clone(),
            outgoing_allow: self.outgoing_allow.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            proxy_header: self.proxy_header.clone(),
            sandbox_token: self.sandbox_token.clone(),
            sandbox_token_file: self.sandbox_token_file.clone(),
            master_key_file: self.master_key_file.clone(),
            log_format: self.log_format.clone(),
            log_level: self.log_level.clone(),
            logins_per_minute: self.logins_per_minute.clone(),
            refusals_per_minute: self.refusals_per_minute.clone(),
            openings_per_minute: self.openings_per_minute.clone(),
            connections: self.connections.clone(),
            shutdown_delay: self.shutdown_delay.clone(),
            metrics_listen: self.metrics_listen.clone(),
        }
    }
}

impl fmt::Debug for GlobalArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A token and a database's password may be among them.
        f.write_str("GlobalArgs(…)")
    }
}
