//! `leadgate user consents`: what a user has allowed, and what became of it.

use serde::Serialize;

use super::super::error::CliError;
use super::super::{args, output};
use super::{UserArgs, find};
use crate::services::Context;
use crate::services::account::history::{self, Outcome, Remembered};

/// The members are those of the export.
#[derive(Serialize)]
struct ConsentJson<'a> {
    app: &'a str,
    /// Of that time.
    app_name: &'a str,
    connection: String,
    scopes: Vec<&'static str>,
    through: &'static str,
    given_at: String,
    ended_at: Option<String>,
    ended_by: Option<&'static str>,
}

impl<'a> From<&'a Remembered> for ConsentJson<'a> {
    fn from(remembered: &'a Remembered) -> Self {
        let consent = &remembered.consent;
        let (ended_at, ended_by) = match remembered.now {
            Outcome::Lives => (None, None),
            Outcome::Ended { at, by } => (Some(at.to_rfc3339()), Some(by.as_str())),
            Outcome::Gone => (None, Some("app")),
        };
        Self {
            app: consent.app.as_str(),
            app_name: &consent.app_name,
            connection: consent.connection.to_string(),
            scopes: args::scope_names(&consent.scopes),
            through: consent.through.as_str(),
            given_at: consent.given_at.to_rfc3339(),
            ended_at,
            ended_by,
        }
    }
}

impl ConsentJson<'_> {
    fn state(&self) -> String {
        match (&self.ended_at, self.ended_by) {
            (Some(at), Some(by)) => format!("ended by the {by}, {at}"),
            (None, Some(_)) => "gone with the application".to_owned(),
            (_, None) => "connected".to_owned(),
        }
    }
}

pub async fn list(ctx: &Context, UserArgs { email, json }: UserArgs) -> Result<(), CliError> {
    let user = find(ctx, &email).await?;
    let found = history::list(ctx, user.id, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
    let found: Vec<ConsentJson<'_>> = found.iter().map(ConsentJson::from).collect();
    if json {
        return output::json(&found);
    }
    let row = |one: &ConsentJson<'_>| {
        [one.given_at.clone(), one.app_name.to_owned(), one.scopes.join(" "), one.through.to_owned(), one.state()]
    };
    let rows: Vec<[String; 5]> = found.iter().map(row).collect();
    output::table(["GIVEN", "APPLICATION", "SCOPES", "THROUGH", "STATE"], &rows)
}
