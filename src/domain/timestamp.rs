//! A moment: microseconds since the Unix epoch, UTC.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as JWTs count (RFC 7519 section 2); stays at the end of time past it.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole milliseconds since the epoch; 0 for a moment before it (RFC 9562 section 5.7 has no other).
    pub fn unix_millis(self) -> u64 {
        u64::try_from(self.0.div_euclid(1_000)).unwrap_or(0)
    }

    /// RFC 3339, UTC with `Z`, whole seconds (rounded down): the form of `expireDate`.
    pub fn to_rfc3339(self) -> String {
        self.written(SecondsFormat::Secs)
    }

    /// The same with milliseconds.
    pub fn to_rfc3339_millis(self) -> String {
        self.written(SecondsFormat::Millis)
    }

    /// Reads RFC 3339, with any offset and fraction.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|moment| Self(moment.timestamp_micros()))
    }

    fn written(self, precision: SecondsFormat) -> String {
        let moment = DateTime::<Utc>::from_timestamp_micros(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        moment.to_rfc3339_opts(precision, true)
    }

    /// The moment `span` later; stays at the end of time when it would go past it.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    /// The moment `span` earlier.
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros(span)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_in_whole_seconds_of_utc() {
        let t = Timestamp::from_micros(1_795_342_530_999_999);
        assert_eq!(t.to_rfc3339(), "2026-11-22T10:15:30Z");
        assert_eq!(t.plus(Duration::from_secs(3600)).to_rfc3339(), "2026-11-22T11:15:30Z");
        assert_eq!(t.to_rfc3339_millis(), "2026-11-22T10:15:30.999Z");
    }

    #[test]
    fn reads_what_it_writes_and_other_offsets() {
        let t = Timestamp::from_micros(1_795_342_530_250_000);
        assert_eq!(Timestamp::parse_rfc3339(&t.to_rfc3339_millis()), Some(t));
        assert_eq!(Timestamp::parse_rfc3339("2026-11-22T12:15:30.25+02:00"), Some(t));
        for wrong in ["", "2026-11-22", "2026-11-22 10:15", "2026-11-22T10:15:30", "1795342530", "2026-13-22T10:15:30Z"]
        {
            assert_eq!(Timestamp::parse_rfc3339(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn seconds_are_rounded_down() {
        assert_eq!(Timestamp::from_unix_seconds(7).plus(Duration::from_millis(999)).unix_seconds(), 7);
        assert_eq!(Timestamp::from_micros(-1).unix_seconds(), -1);
    }

    #[test]
    fn does_not_overflow() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert!(!end.to_rfc3339().is_empty());
        assert_eq!(Timestamp::from_micros(0).since(end), Duration::ZERO);
        assert_eq!(Timestamp::from_micros(-5).unix_millis(), 0);
        assert_eq!(Timestamp::from_unix_seconds(i64::MAX), end);
    }
}
