//! What the Rust clients share: their world, the user's browser, and the report.

use std::error::Error;
use std::process::Command;

use oauth2::reqwest::blocking::Client;
use oauth2::reqwest::redirect::Policy;
use oauth2::{HttpRequest, HttpResponse, SyncHttpClient};
use serde_json::{Value, json};
use url::Url;

pub const WEB: &str = "web-app";
pub const SECRET: &str = "web-app-secret";
pub const NATIVE: &str = "native-app";
pub const REDIRECT_URI: &str = "http://127.0.0.1:9100/callback";
pub const SCOPES: [&str; 3] = ["email", "profile", "account_api"];

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A flow's name in the matrix, and what it does.
pub type Flow = (&'static str, fn() -> Outcome);

pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// An address of the server.
pub fn at(path: &str) -> String {
    variable("ISSUER") + path
}

pub fn http() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("a client without TLS")
}

/// The crates revoke over https only, but this server speaks plain http on a loopback address.
pub fn with_tls(address: &str) -> String {
    address.replacen("http:", "https:", 1)
}

/// Undoes [`with_tls`].
pub fn http_without_tls(request: HttpRequest) -> Result<HttpResponse, <Client as SyncHttpClient>::Error> {
    let (mut parts, body) = request.into_parts();
    parts.uri = parts.uri.to_string().replacen("https:", "http:", 1).parse().expect("an address still");
    SyncHttpClient::call(&http(), HttpRequest::from_parts(parts, body))
}

pub fn calls_api(access_token: &str) -> Outcome<bool> {
    Ok(http().get(at("/v1/me")).bearer_auth(access_token).send()?.status() == 200)
}

/// Sends the user to an address, and tells where that led.
pub fn browse(address: &str, options: &[&str]) -> Outcome<Url> {
    let browser = Command::new(variable("BROWSER")).args(options).arg(address).output()?;
    if !browser.status.success() {
        return Err(format!("browser: {}", String::from_utf8_lossy(&browser.stderr)).into());
    }
    let led: Value = serde_json::from_slice(&browser.stdout)?;
    Ok(led["url"].as_str().ok_or("an address")?.parse()?)
}

/// The code that the user comes back with, after a look at the state.
pub fn code_of(address: &Url, state: &str) -> Outcome<String> {
    let parameter = |name| address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(parameter("state").as_deref(), Some(state));
    assert_eq!(parameter("iss"), Some(variable("ISSUER")));
    parameter("code").ok_or_else(|| format!("no code: {address}").into())
}

/// Runs the flows in order.
pub fn report(flows: &[Flow], missing: &[(&str, &str)]) {
    for (flow, work) in flows {
        let failed = match std::panic::catch_unwind(work) {
            Ok(Ok(())) => {
                println!("{}", json!({"flow": flow}));
                continue;
            }
            Ok(Err(error)) => chain(&*error),
            Err(_) => "an assertion failed: see the standard error".to_owned(),
        };
        eprintln!("{flow}: {failed}");
        println!("{}", json!({"flow": flow, "failed": failed}));
    }
    for (flow, reason) in missing {
        println!("{}", json!({"flow": flow, "missing": reason}));
    }
}

/// An error with what it came from.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
