//! A span of time as people write it: `90s`, `1h30m`, `7d`.

use std::time::Duration;

/// A text that is no span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a duration is whole numbers, each with ms, s, m, h or d, such as 90s, 1h30m or 7d")]
pub struct DurationError;

/// Milliseconds of each unit. `ms` stands before those that it begins or ends with.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads `([0-9]+(ms|s|m|h|d))+`; the parts add up. Also refuses what is longer than 64 bits of milliseconds.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text;
    let mut millis: u64 = 0;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| DurationError)?;
        let (unit, after) =
            UNITS.iter().find_map(|(name, unit)| Some((unit, after.strip_prefix(name)?))).ok_or(DurationError)?;
        let part = number.checked_mul(*unit).ok_or(DurationError)?;
        millis = millis.checked_add(part).ok_or(DurationError)?;
        if after.is_empty() {
            return Ok(Duration::from_millis(millis));
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_parts_add_up() {
        for (text, millis) in [
            ("250ms", 250),
            ("0s", 0),
            ("59m59s", 3_599_000),
            ("1h30m", 5_400_000),
            ("1m1ms", 60_001),
            ("1s1s", 2_000),
            ("007d", 604_800_000),
            ("1d2h3m4s5ms", 93_784_005),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn e_all_else_is_refused() {
        for text in [
            "",
            "1",
            "s",
            "1 s",
            " 1s",
            "1s ",
            "-1s",
            "+1s",
            "1.5h",
            "1S",
            "1w",
            "1sm",
            "1ms1",
            "1h,1m",
            "١s",
            "1µs",
            "99999999999999999999s",
            "9999999999999999d",
            "18446744073709551615ms1ms",
        ] {
            assert_eq!(parse(text), Err(DurationError), "{text:?}");
        }
    }
}
