//! How often somebody may try what a guess could get right: passwords, and tokens (rules C10, N12), and how often somebody
//! unknown may make us remember something. Real time, whatever the server's clock says: it is a guard against a flood, not
//! something to fast-forward.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::domain::sender::{is_shared, network};
use crate::telemetry::THROTTLED;

/// Attempts in a minute; zero: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Passwords that are tried for one login from one address.
    pub logins: u32,
    /// Refused tokens that one address presents for one application.
    pub refusals: u32,
    /// Sign-ins, pushed requests and device codes that one address begins for one application.
    pub openings: u32,
}

impl Limits {
    pub const NONE: Limits = Limits { logins: 0, refusals: 0, openings: 0 };
}

/// What pages may report to the button doctor from one address, in a minute: room for a machine that runs browser tests.
const REPORTS: u32 = 600;
/// Users that may be made from one address, in a minute. Each is a hash to compute and rows that stay.
const SIGN_UPS: u32 = 30;
/// Refused sign-ins that the event log takes from anywhere, in a minute: a flood of guesses is one fact, not a million rows.
const RECORDED_REFUSALS: u32 = 30;
/// Refused leads that are recorded of one delivery, in a minute: a flood is one fact here, too.
const RECORDED_LEADS: u32 = 600;
/// How many times the limit for one subject an address may use up over all subjects.
const SUBJECTS: u32 = 10;
/// How many times the limit for one address and subject all addresses together may open. It is what keeps the tables
/// bounded where somebody has addresses without end, and what some fifty who use up their own can close to all others.
const ADDRESSES: u32 = 500;
/// Stands for all addresses together.
const EVERYBODY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Longest subject that is told apart, in characters: memory is bounded.
const MAX_SUBJECT: usize = 254;
/// Senders that are told apart, and that are remembered as past their limit, by each meter. Of a sender that is not among
/// them the address alone is counted, and where there are as many addresses nothing is: a flood from so many does not keep
/// anybody else out.
const AT_MOST: usize = 100_000;
/// How often room is made at most, where there is none.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// Too many attempts; the next one is looked at after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; the next one is looked at in {} s", retry_after.as_secs())]
pub struct TooMany {
    pub retry_after: Duration,
}

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, MonotonicClock, NoOpMiddleware<Instant>>;

/// A limiter that holds no more than [`AT_MOST`] keys.
struct Bounded<K: Hash + Eq + Clone> {
    limiter: Keyed<K>,
    at_most: usize,
    tidied: Mutex<Option<Instant>>,
}

impl<K: Hash + Eq + Clone> Bounded<K> {
    fn new(quota: Quota, at_most: usize) -> Self {
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), MonotonicClock);
        Self { limiter, at_most, tidied: Mutex::default() }
    }

    /// `None` where it has no room, not even after those have gone who have been quiet.
    fn check(&self, key: &K) -> Option<Result<(), Duration>> {
        if self.limiter.len() >= self.at_most {
            self.tidy();
            if self.limiter.len() >= self.at_most {
                return None;
            }
        }
        Some(self.limiter.check_key(key).map_err(|until| until.wait_time_from(MonotonicClock.now())))
    }

    /// Looking through all of them for each attempt of a flood would do the flood's work.
    fn tidy(&self) {
        let now = MonotonicClock.now();
        let mut tidied = self.tidied.lock().unwrap_or_else(PoisonError::into_inner);
        if tidied.is_none_or(|at| now.duration_since(at) >= TIDY_EVERY) {
            *tidied = Some(now);
            self.limiter.retain_recent();
        }
    }
}

/// Who is past a limit, until when.
#[derive(Default)]
struct Blocked {
    until: HashMap<(IpAddr, String), Instant>,
    tidied: Option<Instant>,
}

impl Blocked {
    fn add(&mut self, key: (IpAddr, String), now: Instant, span: Duration, at_most: usize) {
        if self.until.len() >= at_most && self.tidied.is_none_or(|at| now.duration_since(at) >= TIDY_EVERY) {
            self.forget_over(now);
        }
        if self.until.len() < at_most {
            self.until.insert(key, now + span);
        }
    }

    fn forget_over(&mut self, now: Instant) {
        self.tidied = Some(now);
        self.until.retain(|_, until| *until > now);
    }
}

/// One kind of attempt: counted for each address and subject together, and for each address.
struct Meter {
    by_subject: Bounded<(IpAddr, String)>,
    by_address: Bounded<IpAddr>,
    blocked: Mutex<Blocked>,
    at_most: usize,
}

impl Meter {
    fn new(per_minute: u32) -> Option<Self> {
        Self::with_room(per_minute, AT_MOST)
    }

    fn with_room(per_minute: u32, at_most: usize) -> Option<Self> {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute)?);
        let wider = Quota::per_minute(NonZeroU32::new(per_minute.saturating_mul(SUBJECTS))?);
        Some(Self {
            by_subject: Bounded::new(quota, at_most),
            by_address: Bounded::new(wider, at_most),
            blocked: Mutex::default(),
            at_most,
        })
    }

    fn count(&self, address: IpAddr, subject: &str) -> Result<(), TooMany> {
        let key = key(address, subject);
        self.look(&key, is_shared(address)).map_err(|span| {
            // At least a second: zero would invite a loop.
            let retry_after = span.max(Duration::from_secs(1));
            let mut blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
            blocked.add(key, MonotonicClock.now(), retry_after, self.at_most);
            TooMany { retry_after }
        })
    }

    fn look(&self, key: &(IpAddr, String), is_shared: bool) -> Result<(), Duration> {
        let over_all = || self.by_address.check(&key.0).unwrap_or(Ok(()));
        if !is_shared {
            over_all()?;
        }
        match self.by_subject.check(key) {
            Some(looked) => looked,
            // Behind a proxy, too: or whoever makes up subjects would soon be counted no more.
            None if is_shared => over_all(),
            None => Ok(()),
        }
    }

    /// Whether the time is still running that the last refusal named. Counts nothing.
    fn check(&self, address: IpAddr, subject: &str) -> Result<(), TooMany> {
        let blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        if blocked.until.is_empty() {
            return Ok(());
        }
        let now = MonotonicClock.now();
        match blocked.until.get(&key(address, subject)).and_then(|until| until.checked_duration_since(now)) {
            Some(left) if !left.is_zero() => Err(TooMany { retry_after: left.max(Duration::from_secs(1)) }),
            _ => Ok(()),
        }
    }

    fn forget_idle(&self) {
        self.by_subject.limiter.retain_recent();
        self.by_address.limiter.retain_recent();
        let mut blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        blocked.forget_over(MonotonicClock.now());
    }
}

fn key(address: IpAddr, subject: &str) -> (IpAddr, String) {
    (network(address), subject.chars().take(MAX_SUBJECT).collect::<String>().to_lowercase())
}

/// The limits of a server. In a sandbox none fires unless it is configured, but for those that keep pages from filling the
/// journal, and anybody from making users without end.
pub struct Throttle {
    limits: Limits,
    meters: RwLock<Arc<Meters>>,
}

struct Meters {
    logins: Option<Meter>,
    refusals: Option<Meter>,
    reports: Option<Meter>,
    sign_ups: Option<Meter>,
    openings: Option<Meter>,
    openings_anywhere: Option<Meter>,
    recorded: Option<Meter>,
    recorded_leads: Option<Meter>,
}

impl Meters {
    fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            logins: Meter::new(limits.logins),
            refusals: Meter::new(limits.refusals),
            reports: Meter::new(REPORTS),
            sign_ups: Meter::new(SIGN_UPS),
            openings: Meter::new(limits.openings),
            openings_anywhere: Meter::new(limits.openings.saturating_mul(ADDRESSES)),
            recorded: Meter::new(RECORDED_REFUSALS),
            recorded_leads: Meter::new(RECORDED_LEADS),
        })
    }
}

impl Throttle {
    pub fn new(limits: Limits) -> Self {
        Self { limits, meters: RwLock::new(Meters::new(limits)) }
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Forgets every attempt.
    pub fn clear(&self) {
        *self.meters.write().unwrap_or_else(PoisonError::into_inner) = Meters::new(self.limits);
    }

    fn meters(&self) -> Arc<Meters> {
        self.meters.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts an attempt to sign in, before its password is looked at. A caller without an address (there is
    /// none in tests of the router alone) is not counted.
    pub fn login(&self, address: Option<IpAddr>, email: &str) -> Result<(), TooMany> {
        counted("logins", count(self.meters().logins.as_ref(), address, email.trim()))
    }

    /// Counts a token that was refused. Good ones are not counted: nobody can use up what a partner needs.
    pub fn refusal(&self, address: Option<IpAddr>, app: &str) -> Result<(), TooMany> {
        counted("refusals", count(self.meters().refusals.as_ref(), address, app))
    }

    /// Counts what a page reports.
    pub fn report(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        counted("reports", count(self.meters().reports.as_ref(), address, ""))
    }

    /// Counts who signs up.
    pub fn sign_up(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        counted("sign_ups", count(self.meters().sign_ups.as_ref(), address, ""))
    }

    /// Counts what anybody can have us remember for a while, before it is written down: a sign-in that is begun, a pushed
    /// request, a device code, a client that registers itself. `subject` is the application that it is for.
    pub fn opening(&self, address: Option<IpAddr>, subject: &str) -> Result<(), TooMany> {
        let meters = self.meters();
        counted("openings", count(meters.openings.as_ref(), address, subject))?;
        counted("openings", count(meters.openings_anywhere.as_ref(), address.map(|_| EVERYBODY), ""))
    }

    /// Whether the event log takes another refused sign-in.
    pub fn takes_refusal(&self) -> bool {
        count(self.meters().recorded.as_ref(), Some(EVERYBODY), "").is_ok()
    }

    /// Whether another refused lead of this delivery is recorded.
    pub fn takes_refused_lead(&self, delivery: &str) -> bool {
        count(self.meters().recorded_leads.as_ref(), Some(EVERYBODY), delivery).is_ok()
    }

    /// Whether what is presented is looked at: not while the time runs that the last refusal named, or a guess past the
    /// limit would still be served when it is right. Elsewhere the same client is not locked out (rule E10).
    pub fn admit(&self, address: Option<IpAddr>, app: &str) -> Result<(), TooMany> {
        match (&self.meters().refusals, address) {
            (Some(meter), Some(address)) => counted("refusals", meter.check(address, app)),
            _ => Ok(()),
        }
    }

    /// Frees the memory of addresses that have been quiet.
    pub fn forget_idle(&self) {
        let meters = self.meters();
        let all = [
            &meters.logins,
            &meters.refusals,
            &meters.reports,
            &meters.sign_ups,
            &meters.openings,
            &meters.openings_anywhere,
            &meters.recorded,
            &meters.recorded_leads,
        ];
        for meter in all.into_iter().flatten() {
            meter.forget_idle();
        }
    }
}

/// An attempt past a limit, for who runs the server.
fn counted(limit: &'static str, outcome: Result<(), TooMany>) -> Result<(), TooMany> {
    outcome.inspect_err(|_| THROTTLED.add([limit]))
}

fn count(meter: Option<&Meter>, address: Option<IpAddr>, subject: &str) -> Result<(), TooMany> {
    match (meter, address) {
        (Some(meter), Some(address)) => meter.count(address, subject),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c10_counts_for_each_address_and_login_and_never_locks_out_another() {
        let throttle = Throttle::new(Limits { logins: 3, ..Limits::NONE });
        let (here, there) = (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([192, 0, 2, 2])));
        for _ in 0..3 {
            assert_eq!(throttle.login(here, "ada@acme.test"), Ok(()));
        }
        let refused = throttle.login(here, " ADA@acme.test").unwrap_err();
        assert!((1..=60).contains(&refused.retry_after.as_secs()));
        assert_eq!(throttle.login(there, "ada@acme.test"), Ok(()), "the owner elsewhere is not locked out");
        assert_eq!(throttle.login(here, "grace@acme.test"), Ok(()));
        for _ in 0..100 {
            assert_eq!(throttle.refusal(here, "app"), Ok(()), "zero is no limit");
        }
    }

    #[test]
    fn wire_e_a_cleared_throttle_remembers_nobody() {
        let throttle = Throttle::new(Limits { logins: 1, refusals: 1, openings: 1 });
        let here = Some(IpAddr::from([192, 0, 2, 1]));
        let attempts =
            || (throttle.login(here, "ada@acme.test"), throttle.refusal(here, "app"), throttle.admit(here, "app"));
        assert_eq!(throttle.opening(here, "app"), Ok(()));
        assert!(throttle.opening(here, "app").is_err());
        assert_eq!(attempts(), (Ok(()), Ok(()), Ok(())));
        let (login, refusal, admit) = attempts();
        assert!(login.is_err() && refusal.is_err() && admit.is_err());
        throttle.clear();
        assert_eq!(throttle.opening(here, "app"), Ok(()));
        assert_eq!(attempts(), (Ok(()), Ok(()), Ok(())));
    }

    #[test]
    fn c10_behind_a_proxy_one_sender_does_not_use_up_the_limit_of_all() {
        let throttle = Throttle::new(Limits { logins: 2, ..Limits::NONE });
        let proxy = Some(IpAddr::from([10, 0, 0, 1]));
        for i in 0..1_000 {
            assert_eq!(throttle.login(proxy, &format!("made-up-{i}@acme.test")), Ok(()));
        }
        assert_eq!(throttle.login(proxy, "grace@acme.test"), Ok(()));
    }

    #[test]
    fn c10_a_customer_of_ipv6_is_one_sender() {
        let throttle = Throttle::new(Limits { logins: 2, ..Limits::NONE });
        let host = |host: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]));
        assert_eq!(throttle.login(host(1), "ada@acme.test"), Ok(()));
        assert_eq!(throttle.login(host(2), "ada@acme.test"), Ok(()));
        assert!(throttle.login(host(3), "ada@acme.test").is_err());
    }

    #[test]
    fn e_pages_cannot_fill_the_journal() {
        let throttle = Throttle::new(Limits::NONE);
        let here = Some(IpAddr::from([127, 0, 0, 1]));
        let heard = (0..2 * REPORTS).filter(|_| throttle.report(here).is_ok()).count();
        assert!((600..700).contains(&heard), "{heard}");
    }

    #[test]
    fn n12_an_address_cannot_escape_by_naming_other_applications() {
        let throttle = Throttle::new(Limits { refusals: 2, ..Limits::NONE });
        let here = Some(IpAddr::from([192, 0, 2, 1]));
        let refused = (0..50).filter(|i| throttle.refusal(here, &format!("app-{i}")).is_err()).count();
        assert_eq!(refused, 30);
    }

    /// What an attacker names is remembered, so it is bounded; and where there is no more room, the address is still counted.
    #[test]
    fn c10_made_up_names_fill_a_bounded_memory_and_escape_nothing() {
        let meter = Meter::with_room(3, 50).unwrap();
        for proxy in [[10, 0, 0, 1], [192, 0, 2, 1]] {
            let address = IpAddr::from(proxy);
            let counted = |i: u32| meter.count(address, &format!("made-up-{i}")).is_ok();
            let passed = (0..5_000).filter(|i| counted(*i)).count();
            assert!((30..=80).contains(&passed), "{passed} from {address}");
        }
        assert!(meter.by_subject.limiter.len() <= 50);
        assert!(meter.blocked.lock().unwrap().until.len() <= 50);
    }

    #[test]
    fn c10_a_flood_from_addresses_without_end_keeps_nobody_out() {
        let meter = Meter::with_room(1, 50).unwrap();
        for i in 0..5_000_u32 {
            let _ = meter.count(IpAddr::from(Ipv4Addr::from(0x0800_0000 + i)), "ada@acme.test");
        }
        assert!(meter.by_subject.limiter.len() <= 50 && meter.by_address.limiter.len() <= 50);
        let owner = IpAddr::from([9, 9, 9, 9]);
        assert_eq!(meter.count(owner, "ada@acme.test"), Ok(()));
        assert_eq!(meter.check(owner, "ada@acme.test"), Ok(()));
    }

    #[test]
    fn c10_what_all_addresses_open_together_is_bounded() {
        let throttle = Throttle::new(Limits { openings: 2, ..Limits::NONE });
        let opened = |i: u32| throttle.opening(Some(IpAddr::from(Ipv4Addr::from(0x0800_0000 + i))), "app").is_ok();
        let opened = (0..5_000).filter(|i| opened(*i)).count();
        assert!((1_000..1_300).contains(&opened), "{opened}");
    }
}
