//! Logs go to the standard error stream, as text or as JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogFormat, LogSettings};

/// Starts logging. A second call has no effect: a process has one log.
pub fn start(settings: LogSettings) {
    let level = settings.level.as_str().parse().unwrap_or(LevelFilter::INFO);
    let builder = fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    // Colours are for people who look on, not for files.
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    let started = match settings.format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    if started.is_err() {
        tracing::debug!("the log was started before");
    }
}
