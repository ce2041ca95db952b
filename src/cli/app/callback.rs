//! `leadgate app callback`: where an application's own server is asked before a user is connected.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::json;

use super::super::error::CliError;
use super::super::{acting, output};
use super::{AppArgs, failure, find};
use crate::config::expected;
use crate::domain::action_callback::{ActionCallback, CallResult, LastCall, OnFailure};
use crate::domain::ids::AppId;
use crate::domain::target_url::TargetUrl;
use crate::services::Context;
use crate::services::action_callback::{self, CallbackError};

#[derive(Debug, Subcommand)]
pub enum CallbackCommand {
    /// Show the call-back, and how the newest call went.
    Show(AppArgs),
    /// Have an application's own server asked before a user is connected; its signing secret is shown this once.
    Set(SetArgs),
    /// Make a new signing secret, shown this once; the old one signs no more.
    RotateSecret(AppArgs),
    /// Send the application's server a request that connects nobody, and show what it answers.
    Test(AppArgs),
    /// Ask nobody any more.
    Remove(AppArgs),
}

#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    app: AppArgs,
    /// Address that is asked, such as https://partner.example/callback; the server has to be allowed to call it
    /// (setting outgoing_allow)
    #[arg(value_name = "URL", value_parser = TargetUrl::parse)]
    url: TargetUrl,
    /// What happens where there is no answer in time: allow or refuse
    #[arg(long, value_name = "WHAT", default_value = "allow", value_parser = on_failure)]
    on_failure: OnFailure,
}

fn on_failure(text: &str) -> Result<OnFailure, String> {
    expected::on_failure(text)
}

pub async fn run(ctx: &Context, command: CallbackCommand) -> Result<(), CliError> {
    match command {
        CallbackCommand::Show(AppArgs { id, json }) => {
            let app = find(ctx, &id).await?.id;
            let callback = action_callback::find(ctx, &app).await.map_err(CliError::failure)?;
            show(&callback.ok_or_else(|| explain(&app, CallbackError::None))?, None, json)
        }
        CallbackCommand::Set(SetArgs { app: AppArgs { id, json }, url, on_failure }) => {
            let set = action_callback::set(&acting(ctx), &id, url, on_failure).await;
            let (callback, secret) = set.map_err(|error| explain(&id, error))?;
            show(&callback, secret.as_deref(), json)
        }
        CallbackCommand::RotateSecret(AppArgs { id, json }) => {
            let rotated = action_callback::rotate_secret(&acting(ctx), &id).await;
            let secret = rotated.map_err(|error| explain(&id, error))?;
            let callback = action_callback::find(ctx, &id).await.map_err(CliError::failure)?;
            show(&callback.ok_or_else(|| explain(&id, CallbackError::None))?, Some(&secret), json)
        }
        CallbackCommand::Test(AppArgs { id, json }) => {
            let last = action_callback::test(&acting(ctx), &id).await.map_err(|error| explain(&id, error))?;
            if last.result == CallResult::Failed && !json {
                return Err(CliError::failure(call_line(&last)));
            }
            if json {
                output::json(&call_json(&last))?
            } else {
                output::line(&call_line(&last))?
            }
            if last.result == CallResult::Failed { Err(CliError::failure(last.detail)) } else { Ok(()) }
        }
        CallbackCommand::Remove(AppArgs { id, json }) => {
            let removed = action_callback::remove(&acting(ctx), &id).await.map_err(|error| explain(&id, error))?;
            if json {
                return output::json(&json!({ "app": id, "removed": removed }));
            }
            output::line(if removed { "nobody is asked any more" } else { "nobody was asked" })
        }
    }
}

fn explain(id: &AppId, error: CallbackError) -> CliError {
    match error {
        CallbackError::Partner(error) => failure(id, error),
        CallbackError::None => CliError::failure(format!("the application {id} has no action call-back")),
        CallbackError::NotAllowed(why) => CliError::failure(why),
    }
}

fn call_json(last: &LastCall) -> serde_json::Value {
    json!({
        "at": last.at.to_rfc3339(),
        "duration_ms": u64::try_from(last.took.as_millis()).unwrap_or(u64::MAX),
        "result": last.result.as_str(),
        "detail": last.detail,
    })
}

fn call_line(last: &LastCall) -> String {
    let mut line = format!("{} at {}, after {} ms", last.result.as_str(), last.at.to_rfc3339(), last.took.as_millis());
    if !last.detail.is_empty() {
        let _ = write!(line, ": {}", last.detail);
    }
    line
}

fn show(callback: &ActionCallback, secret: Option<&str>, json: bool) -> Result<(), CliError> {
    let ActionCallback { app, url, on_failure, last } = callback;
    if json {
        let mut object = json!({
            "app": app, "url": url.as_str(), "on_failure": on_failure.as_str(), "last_call": last.as_ref().map(call_json),
        });
        if let Some(secret) = secret {
            object["secret"] = secret.into();
        }
        return output::json(&object);
    }
    let mut text = format!("asked          {url}\non failure     {}", on_failure.as_str());
    if let Some(last) = last {
        let _ = write!(text, "\nlast call      {}", call_line(last));
    }
    if let Some(secret) = secret {
        let _ = write!(text, "\nsigning secret {secret} (shown this once)");
    }
    output::line(&text)
}
