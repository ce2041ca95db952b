//! What operators see of a server (wire.md part G, R13): metrics, traces, and the ids of requests.

mod documents;
mod metrics;
mod request_ids;
mod scraped;
mod traces;
