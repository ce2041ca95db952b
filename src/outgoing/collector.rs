//! Posting traces to the operator's own collector. The allow-list is not asked: who names the collector is who would write the
//! list. No redirect is followed, so that what is posted goes nowhere else.

use std::time::Duration;

use reqwest::{Client, redirect};
use tokio::runtime::Handle;

use super::told;

/// What OpenTelemetry's own exporters wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Posts to a collector. The work is done on the runtime that it was made on, whoever asks for it.
#[derive(Clone)]
pub struct Collector {
    client: Client,
    runtime: Handle,
}

impl Collector {
    /// # Errors
    /// Where the system has no certificates of authorities, or those cannot be read.
    pub fn new() -> Result<Self, String> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .timeout(PATIENCE)
            .user_agent(concat!("Leadgate/", env!("CARGO_PKG_VERSION")));
        let client = client.build().map_err(|why| told(&why))?;
        Ok(Self { client, runtime: Handle::current() })
    }

    /// Answers the status.
    ///
    /// # Errors
    /// Why there was no answer.
    pub async fn post(self, url: String, headers: Vec<(String, String)>, body: Vec<u8>) -> Result<u16, String> {
        let sent = self.runtime.spawn(async move {
            let request =
                headers.iter().fold(self.client.post(url), |request, (name, value)| request.header(name, value));
            request.body(body).send().await.map(|answer| answer.status().as_u16()).map_err(|why| told(&why))
        });
        sent.await.unwrap_or_else(|crash| Err(crash.to_string()))
    }
}
