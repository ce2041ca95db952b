//! `leadgate user sessions`, `leadgate user end-sessions`: where a user is signed in.

use serde::Serialize;

use super::super::error::CliError;
use super::super::{acting, args, output};
use super::{UserArgs, find};
use crate::domain::session::Session;
use crate::services::account::sessions;
use crate::services::{Context, administration};

/// Without an id, which is half of a cookie.
#[derive(Serialize)]
struct SessionJson<'a> {
    opened_at: String,
    expires_at: String,
    address: Option<String>,
    user_agent: Option<&'a str>,
}

impl<'a> From<&'a Session> for SessionJson<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            opened_at: session.created_at.to_rfc3339(),
            expires_at: session.expires_at.to_rfc3339(),
            address: session.address.map(|address| address.to_string()),
            user_agent: session.user_agent.as_deref(),
        }
    }
}

pub async fn list(ctx: &Context, UserArgs { email, json }: UserArgs) -> Result<(), CliError> {
    let user = find(ctx, &email).await?;
    let found = sessions::list(ctx, user.id, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
    let found: Vec<SessionJson<'_>> = found.iter().map(SessionJson::from).collect();
    if json {
        return output::json(&found);
    }
    let row = |one: &SessionJson<'_>| {
        let (address, browser) = (one.address.clone().unwrap_or_default(), one.user_agent.unwrap_or_default());
        [one.opened_at.clone(), one.expires_at.clone(), address, browser.to_owned()]
    };
    let rows: Vec<[String; 4]> = found.iter().map(row).collect();
    output::table(["OPENED", "EXPIRES", "FROM", "BROWSER"], &rows)
}

pub async fn end(ctx: &Context, UserArgs { email, json }: UserArgs) -> Result<(), CliError> {
    let user = find(ctx, &email).await?;
    let ended = administration::end_sessions(&acting(ctx), &user).await.map_err(CliError::failure)?;
    if json {
        return output::json(&serde_json::json!({ "email": email.as_str(), "sessions_ended": ended }));
    }
    output::line(&format!("sessions of {email} that were ended: {ended}"))
}
