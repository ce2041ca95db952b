//! What the process counts and measures of itself, and the traces that it sends.
//!
//! Of the process and not of a world, as the log is: whoever counts needs no handle that is passed along, and the namespaces of
//! a sandbox count together. No label has a value that a client makes up, and none has a token: [`catalogue`] lists the
//! labels, and what they may say comes from this program's own words.

pub mod catalogue;
mod meter;
mod process;
mod requests;
pub mod traces;

pub use catalogue::*;
pub use meter::{Counter, Counters, Described, Gauges, Histogram, Histograms, Kind};
pub use requests::{Answering, RouteMeters, route};

/// All metrics as Prometheus reads them (text format 0.0.4).
pub fn render() -> String {
    let mut text = meter::render();
    process::render(&mut text);
    text
}

/// What a server counts from zero, so that a first occurrence is an increase; and the version that it is.
pub fn begin(database: &'static str, mode: &'static str) {
    BUILD_INFO.of([env!("CARGO_PKG_VERSION"), database, mode]).set(1.0);
    catalogue::begin();
}

/// Merges what was measured since the last time, which otherwise waits in memory until somebody scrapes.
pub fn tidy() {
    meter::tidy();
}
