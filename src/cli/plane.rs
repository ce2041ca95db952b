//! The control plane of a running sandbox, as commands use it.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::Value;
use url::Url;

use super::error::CliError;
use crate::config::Settings;
use crate::domain::target_url::{TargetUrl, TargetUrlError};

/// How long an answer may take: longer than one is held back.
const PATIENCE: Duration = Duration::from_secs(40);

/// An address; without a scheme it is http.
pub fn address(text: &str) -> Result<Url, TargetUrlError> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    TargetUrl::parse(&whole).map(TargetUrl::into_url)
}

#[derive(Clone)]
pub struct Plane {
    pub client: Client,
    /// The server's public base URL, without a trailing slash.
    pub server: String,
    token: String,
}

/// Why the server did not do what it was asked to.
#[derive(Debug)]
pub enum Trouble {
    /// It may be on its way back.
    Away(String),
    /// It does not know what was named, or any more.
    Unknown(String),
    /// It does not take this token.
    Token,
    /// It never will.
    Refused(String),
}

impl Plane {
    /// Of the server that is named, else the one that the settings describe, with their token.
    pub fn of(settings: &Settings, server: Option<&Url>) -> Result<Self, CliError> {
        let Some(token) = &settings.sandbox_token else {
            return Err(CliError::usage(
                "the server's sandbox token is needed: give it with --sandbox-token, --sandbox-token-file or \
                 LEADGATE_SANDBOX_TOKEN. A server that has none of its own prints it when it starts",
            ));
        };
        let server = server.map_or_else(|| settings.issuer.as_str().to_owned(), Url::to_string);
        let client = Client::builder().redirect(redirect::Policy::none()).build().map_err(CliError::failure)?;
        Ok(Self { client, server: server.trim_end_matches('/').to_owned(), token: token.read()?.expose().to_owned() })
    }

    /// Makes a call; `path` is below `/_sandbox`.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Trouble> {
        let address = format!("{}/_sandbox{path}", self.server);
        let mut call = self.client.request(method, address).bearer_auth(&self.token).timeout(PATIENCE);
        if let Some(body) = body {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        let away = |error: reqwest::Error| Trouble::Away(deepest(&error));
        let response = call.send().await.map_err(away)?;
        let status = response.status();
        let text = response.text().await.map_err(away)?;
        let read: Option<Value> = serde_json::from_str(&text).ok();
        let detail = read.as_ref().and_then(|problem| problem["detail"].as_str());
        let told = || format!("{} ({})", detail.unwrap_or("no reason given").trim_end_matches('.'), status.as_u16());
        match status {
            _ if status.is_success() => Ok(read.unwrap_or(Value::Null)),
            StatusCode::UNAUTHORIZED => Err(Trouble::Token),
            // Without a detail it is no control plane of ours.
            StatusCode::NOT_FOUND if detail.is_some_and(|detail| !detail.contains("address")) => {
                Err(Trouble::Unknown(told()))
            }
            StatusCode::NOT_FOUND => Err(Trouble::Refused(
                "it has no control plane: it runs in production mode, or is no Leadgate. Name the server with --server"
                    .to_owned(),
            )),
            _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Trouble::Away(format!("status {}", status.as_u16())))
            }
            _ => Err(Trouble::Refused(told())),
        }
    }

    /// For the person who gave the command.
    pub fn refused(&self, trouble: Trouble) -> CliError {
        let server = &self.server;
        CliError::failure(match trouble {
            Trouble::Away(why) => format!(
                "{server} does not answer: {why}. Start it with `leadgate serve`, or name another server with --server"
            ),
            Trouble::Token => format!(
                "{server} refuses this sandbox token. It takes the one that it printed when it started, or was given \
                 with --sandbox-token, --sandbox-token-file or LEADGATE_SANDBOX_TOKEN"
            ),
            Trouble::Unknown(why) | Trouble::Refused(why) => format!("{server} refuses: {why}"),
        })
    }
}

/// The others say only that something below them failed.
pub fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// Ctrl-C at a terminal, SIGTERM from a supervisor.
pub async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
}
