//! Logs go to the standard error stream, as text or as JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::{LogFormat, LogSettings};
use crate::telemetry::traces::{TARGET, Traces};

/// Starts logging, and sends spans to `traces` where there are any. A second call has no effect: a process has one log.
pub fn start(settings: LogSettings, traces: Option<&Traces>) {
    let level = settings.level.as_str().parse().unwrap_or(LevelFilter::INFO);
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
    // Colours are for people who look on, not for files.
    let layer = layer.with_ansi(std::io::stderr().is_terminal());
    let log: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    // Spans of traces are no part of the log, nor the other way round.
    let of_log = Targets::new().with_default(level).with_target(TARGET, LevelFilter::OFF);
    let started = match traces {
        // One filter for all costs less than one for each of two.
        None => Registry::default().with(log.and_then(of_log)).try_init(),
        Some(traces) => {
            let of_traces = Targets::new().with_target(TARGET, LevelFilter::INFO);
            Registry::default().with(log.with_filter(of_log)).with(traces.layer().with_filter(of_traces)).try_init()
        }
    };
    if started.is_err() {
        tracing::debug!("the log was started before");
    }
}
