//! How much an application is used, by days.

use super::timestamp::Timestamp;

const MICROS_A_DAY: i64 = 24 * 3_600 * 1_000_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UsageKind {
    /// Connections that users made.
    Connections,
    /// Access tokens that were issued for a refresh token of either class.
    Refreshes,
    /// Requests of the application, or for it, that were refused.
    Errors,
}

impl UsageKind {
    pub const ALL: [Self; 3] = [Self::Connections, Self::Refreshes, Self::Errors];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Refreshes => "refreshes",
            Self::Errors => "errors",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A day by UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i64);

impl Day {
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_micros().div_euclid(MICROS_A_DAY))
    }

    /// This many days before; negative: after.
    #[must_use]
    pub fn minus(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// Its first moment.
    pub fn start(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(MICROS_A_DAY))
    }

    /// `2026-11-22`.
    pub fn to_date(self) -> String {
        self.start().to_rfc3339().chars().take(10).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_its_moments() {
        let day = Day::of(Timestamp::from_micros(1_795_305_600_000_000));
        assert_eq!(day.to_date(), "2026-11-22");
        assert_eq!(Day::of(Timestamp::from_micros(day.minus(-1).start().as_micros() - 1)), day);
        assert_eq!(Day::of(Timestamp::from_micros(-1)), Day(-1));
    }
}
