//! A signing key's life. Whoever verifies our tokens keeps our key set for a while (RFC 7517 section 5), so a key is
//! published before it signs, and stays published until the last token that it signed is over.

use std::time::Duration;

use super::connection::ACCESS_TOKEN_LIFETIME;
use super::timestamp::Timestamp;

/// How long a key is published before it signs; longer than the published set may be cached.
pub const KEY_LEAD: Duration = Duration::from_secs(10 * 60);
/// How long a key stays published after its successor took over: as long as the last token that it signed lives, and
/// a margin for clocks that differ and nodes that have not heard yet.
pub const KEY_KEPT: Duration = Duration::from_secs(ACCESS_TOKEN_LIFETIME.as_secs() + 10 * 60);

/// What a signing key is good for at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, and not used yet.
    Announced,
    Signing,
    /// What it signed may still live.
    Verifying,
    /// Nothing that it signed can still live.
    Retired,
}

impl KeyState {
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyState::Announced => "announced",
            KeyState::Signing => "signing",
            KeyState::Verifying => "verifying",
            KeyState::Retired => "retired",
        }
    }
}

/// Which of one algorithm's keys signs, oldest first, given when each was made: the newest whose lead is over. The oldest
/// needs none, for there was nothing to publish before it.
pub fn signing(created: impl DoubleEndedIterator<Item = Timestamp> + ExactSizeIterator, now: Timestamp) -> usize {
    created.enumerate().skip(1).rev().find(|(_, at)| now >= at.plus(KEY_LEAD)).map_or(0, |(nth, _)| nth)
}

/// The states of one algorithm's keys, oldest first, given when each was made. Exactly one of them signs.
pub fn states(created: &[Timestamp], now: Timestamp) -> Vec<KeyState> {
    let signing = signing(created.iter().copied(), now);
    let state = |i: usize| {
        if i > signing {
            return KeyState::Announced;
        }
        if i == signing {
            return KeyState::Signing;
        }
        let is_over = published_until(created, i).is_some_and(|at| now >= at);
        if is_over { KeyState::Retired } else { KeyState::Verifying }
    };
    (0..created.len()).map(state).collect()
}

/// From when on a key signs, or would: `nth` of one algorithm's keys, oldest first, given when each was made.
pub fn signs_from(created: &[Timestamp], nth: usize) -> Timestamp {
    if nth == 0 { created[0] } else { created[nth].plus(KEY_LEAD) }
}

/// Until when it is published; `None` where there is none that takes over. The earliest of those that do: a clock that
/// was set back may have made a later key seem older.
pub fn published_until(created: &[Timestamp], nth: usize) -> Option<Timestamp> {
    created[nth + 1..].iter().min().map(|at| at.plus(KEY_LEAD).plus(KEY_KEPT))
}

#[cfg(test)]
mod tests {
    use super::KeyState::{Announced, Retired, Signing, Verifying};
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minutes: u32) -> Timestamp {
        Timestamp::from_micros(0).plus(MINUTE * minutes)
    }

    #[test]
    fn the_first_signs_at_once_and_for_ever() {
        assert_eq!(states(&[], at(5)), []);
        for now in [at(0), at(5), at(1_000_000)] {
            assert_eq!(states(&[at(5)], now), [Signing], "even where a clock was set back");
        }
    }

    #[test]
    fn i5_a_successor_is_announced_before_it_signs_and_its_predecessor_outlives_its_tokens() {
        let created = [at(0), at(100)];
        for (now, expected) in [
            (at(100), [Signing, Announced]),
            (at(110).minus(Duration::from_micros(1)), [Signing, Announced]),
            (at(110), [Verifying, Signing]),
            (at(180).minus(Duration::from_micros(1)), [Verifying, Signing]),
            (at(180), [Retired, Signing]),
        ] {
            assert_eq!(states(&created, now), expected, "{now:?}");
        }
        assert!(KEY_KEPT > ACCESS_TOKEN_LIFETIME);
        assert_eq!((signs_from(&created, 0), signs_from(&created, 1)), (at(0), at(110)));
        assert_eq!((published_until(&created, 0), published_until(&created, 1)), (Some(at(180)), None));
    }

    #[test]
    fn of_two_successors_at_once_the_older_may_never_sign() {
        let created = [at(0), at(100), at(100)];
        assert_eq!(states(&created, at(105)), [Signing, Announced, Announced]);
        assert_eq!(states(&created, at(110)), [Verifying, Verifying, Signing]);
        assert_eq!(states(&created, at(180)), [Retired, Retired, Signing]);
    }
}
