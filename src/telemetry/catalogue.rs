//! Every metric. docs/operations.md has the same table, and a test compares the two.

use super::meter::{Counters, Described, Family, Gauges, Histograms, Kind};

/// What takes milliseconds, in seconds.
const QUICK: &[f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// How many are served together.
const TOGETHER: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

macro_rules! catalogue {
    ($($family:ident $kind:ident $name:ident = $text:literal [$($label:literal),*] $(by $buckets:ident)? $help:literal;)+) => {
        $(
            #[doc = $help]
            pub static $name: $family<{ <[&str]>::len(&[$($label),*]) }> =
                Family::new(catalogue!(@ $kind $text [$($label),*] $($buckets)?, $help), [$($label),*]);
        )+

        /// Those that this program counts itself; of the process there are [`PROCESS`] besides.
        pub const ALL: &[Described] = &[$(catalogue!(@ $kind $text [$($label),*] $($buckets)?, $help)),+];
    };
    (@ $kind:ident $text:literal [$($label:literal),*], $help:literal) => {
        Described { name: $text, kind: Kind::$kind, labels: &[$($label),*], help: $help, buckets: &[] }
    };
    (@ $kind:ident $text:literal [$($label:literal),*] $buckets:ident, $help:literal) => {
        Described { name: $text, kind: Kind::$kind, labels: &[$($label),*], help: $help, buckets: $buckets }
    };
}

catalogue! {
    Counters Counter HTTP_REQUESTS = "leadgate_http_requests_total" ["method", "route", "status"]
        "Requests, by method, template of the route, and class of the answer; abandoned: the client left first";
    Histograms Histogram HTTP_DURATION = "leadgate_http_request_duration_seconds" ["route"] by QUICK
        "From a request's head to its answer's";
    Gauges Gauge HTTP_IN_FLIGHT = "leadgate_http_requests_in_flight" []
        "Requests that are being answered";
    Counters Counter CONNECTIONS_TAKEN = "leadgate_http_connections_total" []
        "Connections that were taken";
    Gauges Gauge CONNECTIONS_OPEN = "leadgate_http_connections_open" []
        "Connections that are open";
    Gauges Gauge CONNECTIONS_LIMIT = "leadgate_http_connections_limit" []
        "Connections that may be open at once";
    Counters Counter CONNECTIONS_CLOSED = "leadgate_http_connections_closed_total" ["reason"]
        "Connections that the server closed on its client: it took too long, or room was needed for others";
    Counters Counter TOKENS_ISSUED = "leadgate_tokens_issued_total" ["grant"]
        "Access tokens, by what was presented for them";
    Counters Counter REFUSALS = "leadgate_refusals_total" ["endpoint", "reason"]
        "Refusals, by the endpoint and the name of the reason";
    Counters Counter DISCONNECTS = "leadgate_disconnects_total" ["by"]
        "Connections that were ended one by one; not those that end with their user or application";
    Counters Counter SIGN_INS = "leadgate_sign_ins_total" ["kind", "outcome"]
        "Sign-ins of users to applications: begun, and what came of them";
    Counters Counter LOGINS = "leadgate_logins_total" ["outcome"]
        "Passwords that were presented";
    Counters Counter THROTTLED = "leadgate_throttled_total" ["limit"]
        "Attempts past a limit";
    Gauges Gauge PASSWORDS_WAITING = "leadgate_passwords_waiting" []
        "Passwords that wait to be looked at";
    Gauges Gauge PASSWORDS_LIMIT = "leadgate_passwords_waiting_limit" []
        "Passwords that may wait";
    Counters Counter PASSWORDS_TURNED_AWAY = "leadgate_passwords_turned_away_total" []
        "Passwords that were not looked at, because too many waited";
    Histograms Histogram PASSWORD_WAIT = "leadgate_password_wait_seconds" [] by QUICK
        "How long a password waited for its turn";
    Histograms Histogram PASSWORD_HASH = "leadgate_password_hash_seconds" [] by QUICK
        "How long a hash took";
    Gauges Gauge STORE_UP = "leadgate_store_up" []
        "Whether the database answered this scrape";
    Gauges Gauge STORE_WRITABLE = "leadgate_store_writable" []
        "0 while the last write failed for want of a working disk, or of a database that takes writes";
    Gauges Gauge STORE_WAITING = "leadgate_store_queue_depth" ["queue"]
        "Requests that wait for the writer (SQLite), or in a lane (PostgreSQL)";
    Gauges Gauge STORE_WAITING_LIMIT = "leadgate_store_queue_limit" ["queue"]
        "Requests that may wait there";
    Histograms Histogram STORE_BATCH = "leadgate_store_batch_size" ["queue"] by TOGETHER
        "Requests that one commit or statement served";
    Histograms Histogram STORE_COMMIT = "leadgate_store_commit_duration_seconds" ["queue"] by QUICK
        "From the beginning of a batch or transaction until its commit is durable";
    Counters Counter STORE_FAILURES = "leadgate_store_failures_total" ["queue"]
        "Batches and transactions that failed as a whole";
    Gauges Gauge STORE_CONNECTIONS = "leadgate_store_connections" ["state"]
        "Connections to the database: idle, or in use; on SQLite those that read";
    Gauges Gauge STORE_CONNECTIONS_LIMIT = "leadgate_store_connections_limit" []
        "Connections to the database that there may be";
    Histograms Histogram STORE_ACQUIRE = "leadgate_store_acquire_duration_seconds" [] by QUICK
        "How long a connection to the database was waited for";
    Gauges Gauge WEBHOOK_LAG = "leadgate_webhook_lag_seconds" []
        "For how long the message that has been due for longest has been; 0: none is";
    Counters Counter WEBHOOK_ATTEMPTS = "leadgate_webhook_attempts_total" ["outcome"]
        "Attempts to deliver a webhook's message, by what they came to";
    Counters Counter OUTGOING_CALLS = "leadgate_outgoing_calls_total" ["outcome"]
        "Calls to webhooks, call-backs and deliveries";
    Histograms Histogram OUTGOING_DURATION = "leadgate_outgoing_call_duration_seconds" [] by QUICK
        "How long such a call took";
    Counters Counter BACKGROUND_FAILURES = "leadgate_background_failures_total" []
        "Background work that failed, and is tried again";
    Counters Counter TRACE_EXPORTS = "leadgate_trace_exports_total" ["outcome"]
        "Batches of spans that were sent to the collector, and those that it did not take";
    Gauges Gauge BUILD_INFO = "leadgate_build_info" ["version", "database", "mode"]
        "Always 1; its labels say what runs";
}

/// What is read from the system at each scrape, where it is Linux. The names are those that every client library gives them.
pub const PROCESS: &[Described] = &[
    of_process("process_cpu_seconds_total", Kind::Counter, "Processor time that the process used"),
    of_process("process_start_time_seconds", Kind::Gauge, "When the process started, in Unix time"),
    of_process("process_resident_memory_bytes", Kind::Gauge, "Memory that the process holds"),
    of_process("process_threads", Kind::Gauge, "Threads of the process"),
    of_process("process_open_fds", Kind::Gauge, "Files and sockets that are open"),
    of_process("process_max_fds", Kind::Gauge, "Files and sockets that may be open"),
];

const fn of_process(name: &'static str, kind: Kind, help: &'static str) -> Described {
    Described { name, kind, labels: &[], help, buckets: &[] }
}

/// What presenting brings an access token.
pub const GRANTS: [&str; 9] = [
    "refreshaccesstoken",
    "button",
    "resume",
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "password",
    "device_code",
    "sandbox",
];
const SIGN_IN_KINDS: [&str; 3] = ["button", "authorization", "device"];
const SIGN_IN_OUTCOMES: [&str; 4] = ["begun", "allowed", "denied", "refused"];

pub(super) fn begin() {
    TOKENS_ISSUED.begin(GRANTS.map(|grant| [grant]));
    DISCONNECTS.begin([["partner"], ["user"], ["operator"]]);
    SIGN_INS.begin(SIGN_IN_KINDS.into_iter().flat_map(|kind| SIGN_IN_OUTCOMES.map(|outcome| [kind, outcome])));
    LOGINS.begin([["ok"], ["refused"]]);
    THROTTLED.begin([["logins"], ["refusals"], ["openings"], ["sign_ups"], ["reports"]]);
    CONNECTIONS_TAKEN.begin([[]]);
    CONNECTIONS_CLOSED.begin([["late"], ["room"]]);
    PASSWORDS_TURNED_AWAY.begin([[]]);
    WEBHOOK_ATTEMPTS.begin([["delivered"], ["again"], ["given_up"], ["gone"]]);
    OUTGOING_CALLS.begin([["answered"], ["not_allowed"], ["timed_out"], ["unreachable"]]);
    BACKGROUND_FAILURES.begin([[]]);
    TRACE_EXPORTS.begin([["ok"], ["failed"]]);
    for gauge in [&HTTP_IN_FLIGHT, &CONNECTIONS_OPEN, &STORE_UP, &STORE_WRITABLE, &WEBHOOK_LAG] {
        gauge.of([]).set(0.0);
    }
    for histogram in [&PASSWORD_WAIT, &PASSWORD_HASH, &STORE_ACQUIRE, &OUTGOING_DURATION] {
        drop(histogram.of([]));
    }
}
