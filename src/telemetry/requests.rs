//! Requests by their routes. Each route's handles are made once; what a request costs is an addition here and there.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use metrics::{Counter, Gauge, Histogram};

use super::catalogue::{HTTP_DURATION, HTTP_IN_FLIGHT, HTTP_REQUESTS};

pub(super) const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
/// The last: nobody waited for it.
const STATUSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "abandoned"];
const ABANDONED: usize = STATUSES.len() - 1;
/// Routes that are told apart: several times as many as there are. The rest is one, lest a mistake in what is handed in
/// here fills memory.
const AT_MOST: usize = 2_000;

static IN_FLIGHT: LazyLock<Gauge> = LazyLock::new(|| HTTP_IN_FLIGHT.of([]));

/// The metrics of one route.
pub struct RouteMeters {
    /// Its template.
    pub route: &'static str,
    requests: [[OnceLock<Counter>; STATUSES.len()]; METHODS.len()],
    duration: OnceLock<Histogram>,
}

impl RouteMeters {
    fn count(&self, method: usize, status: usize) {
        let made = || HTTP_REQUESTS.of([METHODS[method], self.route, STATUSES[status]]);
        self.requests[method][status].get_or_init(made).increment(1);
    }

    /// A request begins.
    pub fn begin(&'static self, method: &str) -> Answering {
        IN_FLIGHT.increment(1.0);
        let method = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        Answering { route: self, method, status: ABANDONED, began: Instant::now() }
    }
}

/// The metrics of the route with this template, which has nothing in it that a client sent.
pub fn route(template: &str) -> &'static RouteMeters {
    static ROUTES: LazyLock<Mutex<HashMap<&'static str, &'static RouteMeters>>> = LazyLock::new(Mutex::default);
    let mut routes = ROUTES.lock().unwrap_or_else(PoisonError::into_inner);
    let template = if routes.len() < AT_MOST || routes.contains_key(template) { template } else { "(more)" };
    if let Some(known) = routes.get(template) {
        return known;
    }
    let route: &'static str = Box::leak(template.into());
    let made = RouteMeters { route, requests: Default::default(), duration: OnceLock::new() };
    let made: &'static RouteMeters = Box::leak(Box::new(made));
    routes.insert(route, made);
    made
}

/// A request that is being answered. Dropped before it is, it counts as abandoned.
pub struct Answering {
    route: &'static RouteMeters,
    method: usize,
    status: usize,
    began: Instant,
}

impl Answering {
    /// It was answered with this status.
    pub fn answered(mut self, status: u16) {
        self.status = usize::from(status / 100).clamp(1, 5) - 1;
        let duration = self.route.duration.get_or_init(|| HTTP_DURATION.of([self.route.route]));
        duration.record(self.began.elapsed().as_secs_f64());
    }

    pub fn began(&self) -> Instant {
        self.began
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        IN_FLIGHT.decrement(1.0);
        self.route.count(self.method, self.status);
    }
}
