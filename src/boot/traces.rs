//! Traces, where OpenTelemetry's variables ask for them.

use std::sync::Arc;

use crate::outgoing::collector::Collector;
use crate::telemetry::traces::{self, Posted, Traces, TracesError};

/// `None` where nobody asks for them.
pub fn start() -> Result<Option<Traces>, TracesError> {
    if !traces::are_wanted(|name| std::env::var(name).ok())? {
        return Ok(None);
    }
    let collector = Collector::new().map_err(TracesError::Exporter)?;
    let post = move |Posted { url, headers, body }: Posted| -> futures_util::future::BoxFuture<'static, _> {
        Box::pin(collector.clone().post(url, headers, body))
    };
    Traces::start(Arc::new(post)).map(Some)
}

/// Sends the last of them. Off the runtime's threads, which do the sending.
pub async fn stop(traces: Option<Traces>) {
    if let Some(traces) = traces {
        let _ = tokio::task::spawn_blocking(move || traces.stop()).await;
    }
}
