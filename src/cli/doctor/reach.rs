//! Whether browsers and applications would find this server where its issuer says that it is.

use std::time::Duration;

use reqwest::{Client, redirect};
use serde_json::Value;

use super::super::healthcheck;
use super::Findings;
use crate::config::Settings;

const AREA: &str = "reachability";
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of metadata that are read: ours has fewer.
const LONGEST: usize = 256 * 1024;

/// What answers at the issuer.
enum Answer {
    Ours,
    Another(String),
}

pub async fn look(settings: &Settings, findings: &mut Findings) {
    let address = healthcheck::reachable(settings.listen);
    if let Err(why) = healthcheck::ask(address).await {
        let found = format!("no server is ready at {address}: {why}");
        let advice = "start it (`leadgate serve`); only then it can be told whether the issuer leads to it";
        return findings.warn(AREA, found, advice);
    }
    let issuer = &settings.issuer;
    match ask(issuer.as_str()).await {
        Ok(Answer::Ours) => findings.ok(AREA, format!("{issuer} leads to this server's metadata")),
        Ok(Answer::Another(what)) => findings.problem(
            AREA,
            format!("what answers at {issuer} is not this server: {what}"),
            "let the proxy in front hand requests on to `listen` with their path as it is, and set `issuer` to the public address",
        ),
        Err(why) => findings.problem(
            AREA,
            format!("{issuer} does not answer from here, though a server is ready at {address}: {why}"),
            "check the name in DNS, the certificate, the proxy and the firewall; where this machine cannot call its own \
             public address, ask from another one",
        ),
    }
}

async fn ask(issuer: &str) -> Result<Answer, String> {
    let client = Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE).build();
    let client = client.map_err(|error| super::super::plane::deepest(&error))?;
    let away = |error: reqwest::Error| super::super::plane::deepest(&error);
    let mut response = client.get(format!("{issuer}/.well-known/openid-configuration")).send().await.map_err(away)?;
    if response.status() != 200 {
        return Ok(Answer::Another(format!("its metadata has status {}", response.status().as_u16())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(away)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Ok(Answer::Another("its metadata is too long".to_owned()));
        }
    }
    let metadata: Value = serde_json::from_slice(&body).unwrap_or_default();
    match metadata["issuer"].as_str() {
        Some(named) if named == issuer => Ok(Answer::Ours),
        Some(named) => Ok(Answer::Another(format!("its metadata names {named:?}"))),
        None => Ok(Answer::Another("it has no metadata".to_owned())),
    }
}
