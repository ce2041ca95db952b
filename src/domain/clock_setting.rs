//! How a test clock differs from the one that it goes by: the server's from the machine's, an application's from the
//! server's (wire.md E).

use super::ids::AppId;
use super::timestamp::Timestamp;

/// An offset, and perhaps a moment at which the clock that it goes by was stopped. The default differs in nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockSetting {
    /// Microseconds that this clock is ahead; negative: behind.
    pub offset_us: i64,
    /// What the clock below showed when this one was stopped.
    pub frozen_at: Option<Timestamp>,
}

/// What the clocks show at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moments {
    /// The server's, and that of every application without one of its own.
    pub server: Timestamp,
    pub apart: Vec<(AppId, Timestamp)>,
}

impl Moments {
    pub fn of(&self, app: &AppId) -> Timestamp {
        self.apart.iter().find(|(other, _)| other == app).map_or(self.server, |(_, at)| *at)
    }
}

impl ClockSetting {
    /// What this clock shows when the one below shows `base`.
    pub fn now(&self, base: Timestamp) -> Timestamp {
        let base = self.frozen_at.unwrap_or(base);
        Timestamp::from_micros(base.as_micros().saturating_add(self.offset_us))
    }

    /// `by` microseconds later.
    #[must_use]
    pub fn advanced(self, by: i64) -> Self {
        Self { offset_us: self.offset_us.saturating_add(by), ..self }
    }

    /// Stopped at what it shows now.
    #[must_use]
    pub fn frozen(self, base: Timestamp) -> Self {
        Self { frozen_at: self.frozen_at.or(Some(base)), ..self }
    }

    /// Going on from what it shows.
    #[must_use]
    pub fn thawed(self, base: Timestamp) -> Self {
        let offset_us = self.now(base).as_micros().saturating_sub(base.as_micros());
        Self { offset_us, frozen_at: None }
    }

    /// Showing `moment` now.
    #[must_use]
    pub fn showing(self, moment: Timestamp, base: Timestamp) -> Self {
        self.advanced(moment.as_micros().saturating_sub(self.now(base).as_micros()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn e_an_offset_moves_with_the_clock_below() {
        let ahead = ClockSetting::default().advanced(50).advanced(-20);
        assert_eq!((ahead.now(at(100)), ahead.now(at(101))), (at(130), at(131)));
        assert_eq!(ClockSetting::default().now(at(7)), at(7));
    }

    #[test]
    fn e_a_frozen_clock_stands_can_be_moved_and_goes_on_from_where_it_stood() {
        let frozen = ClockSetting::default().advanced(50).frozen(at(100));
        assert_eq!(frozen.now(at(900)), at(150));
        assert_eq!(frozen.frozen(at(500)), frozen, "freezing it again changes nothing");
        assert_eq!(frozen.advanced(7).now(at(900)), at(157));
        let thawed = frozen.thawed(at(900));
        assert_eq!((thawed.now(at(900)), thawed.now(at(910))), (at(150), at(160)));
        assert_eq!(thawed.thawed(at(5)), thawed);
    }

    #[test]
    fn e_a_clock_can_be_set_to_a_moment_and_does_not_overflow() {
        let frozen = ClockSetting::default().frozen(at(100));
        assert_eq!(frozen.showing(at(400), at(250)).now(at(999)), at(400));
        assert_eq!(ClockSetting::default().advanced(i64::MAX).advanced(1).now(at(1)), at(i64::MAX));
    }
}
