//! What a person is shown when the server is ready: what there is to try, and with what.

use std::io::Write as _;

use crate::config::issuer::Issuer;
use crate::config::secret::Secret;
use crate::config::{Mode, Settings, demonstration};
use crate::domain::ids::AccountId;
use crate::services::{Context, login, partner};
use crate::store::StoreError;

/// Users that the banner lists; a terminal is no directory.
const SHOWN_USERS: usize = 10;

/// Prints the banner. Its last line ends with the issuer. `token` is the sandbox token where it was made
/// at this start and nobody knows it yet.
pub async fn print(ctx: &Context, settings: &Settings, token: Option<&Secret>) -> Result<(), StoreError> {
    let mut lines = vec![String::new()];
    let mode = settings.mode.as_str();
    lines.push(format!("Leadgate {}, {mode} mode, {}", env!("CARGO_PKG_VERSION"), settings.database_url));
    if settings.mode == Mode::Sandbox {
        sandbox(ctx, settings, token, &mut lines).await?;
    }
    if settings.issuer != Issuer::localhost(settings.listen.port()) {
        // What a proxy has to be told.
        lines.push(format!("  {:<14} {}", "Listening on", settings.listen));
    }
    lines.push(format!("Ready at {}", settings.issuer));
    print_lines(&lines);
    Ok(())
}

async fn sandbox(
    ctx: &Context,
    settings: &Settings,
    token: Option<&Secret>,
    lines: &mut Vec<String>,
) -> Result<(), StoreError> {
    let mut row = |name: &str, value: &str| lines.push(format!("  {name:<14} {value}"));
    if let Some((button, app)) = partner::find_button_of_origin(ctx, &settings.issuer.origin(), None).await? {
        row("Try it", &format!("{}/", settings.issuer));
        row("App ID", app.id.as_str());
        row("Button id", button.id.as_str());
    }
    let users = login::offered_users(ctx).await?;
    for (i, user) in users.iter().take(SHOWN_USERS).enumerate() {
        row(if i == 0 { "Users" } else { "" }, &format!("{:<32} {}", user.email, user.name));
    }
    if users.len() > SHOWN_USERS {
        row("", &format!("and {} more", users.len() - SHOWN_USERS));
    }
    if settings.seed.is_none() && users.iter().any(|user| user.magic.is_some()) {
        row("Password", &format!("{}, of each user of the demonstration", demonstration::PASSWORD));
    }
    row("OAuth", &format!("{}/.well-known/openid-configuration", settings.issuer));
    let inspector = format!("{}/inspector", settings.issuer);
    match token {
        // Behind the `#`, where no server and no log sees it; the page takes it out of the address at once.
        Some(token) => {
            row("Inspector", &format!("{inspector}#token={}", token.expose()));
            row("Sandbox token", token.expose());
        }
        None => row("Inspector", &inspector),
    }
    Ok(())
}

/// A key that was made while seeding: this is the only time that anybody sees it.
pub fn print_api_key(account: &AccountId, key: &str) {
    print_lines(&[format!("API key of account {account}, shown this once: {key}")]);
}

/// A closed standard output stream is no reason to stop serving.
fn print_lines(lines: &[String]) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", lines.join("\n")).and_then(|()| out.flush());
}
