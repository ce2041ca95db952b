//! Moments of UTC as partners write them: a day, a second, or a fraction of one. Each stands for all the time that it does
//! not tell apart, so that an end which is included includes the whole of it.

use std::time::Duration;

use super::super::timestamp::Timestamp;

/// Time from a moment on, up to and without another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// Reads `2026-11-22`, `2026-11-22T10:15:30` and RFC 3339 in UTC (`Z` or `+00:00`).
pub fn span(text: &str) -> Option<Span> {
    if text.len() == "2026-11-22".len() {
        return of(&format!("{text}T00:00:00Z"), Duration::from_hours(24));
    }
    let local = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")).unwrap_or(text);
    let time = local.get("2026-11-22T".len()..)?;
    if time.contains(['+', '-', 'Z', 'z']) {
        return None;
    }
    let precision = match local.split_once('.') {
        None => Duration::from_secs(1),
        // Below a microsecond nothing is told apart.
        Some((_, fraction)) => {
            Duration::from_micros(10_u64.pow(6_u32.saturating_sub(u32::try_from(fraction.len()).ok()?)))
        }
    };
    of(&format!("{local}Z"), precision)
}

fn of(text: &str, precision: Duration) -> Option<Span> {
    let from = Timestamp::parse_rfc3339(text)?;
    Some(Span { from, until: from.plus(precision) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_c_a_moment_is_as_long_as_it_is_written() {
        let read = |text: &str| {
            span(text).map(|span| (span.from.to_rfc3339_millis(), span.until.since(span.from).as_micros()))
        };
        let ten = "2026-11-22T10:15:30.000Z".to_owned();
        for text in ["2026-11-22T10:15:30Z", "2026-11-22T10:15:30", "2026-11-22T10:15:30+00:00"] {
            assert_eq!(read(text), Some((ten.clone(), 1_000_000)), "{text}");
        }
        assert_eq!(read("2026-11-22"), Some(("2026-11-22T00:00:00.000Z".to_owned(), 86_400_000_000)));
        assert_eq!(read("2026-11-22T10:15:30.25Z"), Some(("2026-11-22T10:15:30.250Z".to_owned(), 10_000)));
        assert_eq!(read("2026-11-22T23:59:59.999999Z").map(|(_, span)| span), Some(1));
        assert_eq!(read("2026-11-22T23:59:59.1234567Z").map(|(_, span)| span), Some(1), "as .NET writes it");
        for wrong in [
            "",
            "2026-11-2",
            "2026-13-22",
            "2026-11-22T10:15",
            "2026-11-22T10:15:30+02:00",
            "2026-11-22T10:15:30-00:00",
            "22.11.2026",
            "2026-11-22T25:00:00Z",
            "2026-11-22T10:15:30ZZ",
            "2026-11-22T10:15:30.Z",
            "éééééééééé",
            "yesterday!",
            "2026-11-22T10:15:é0Z",
        ] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }
}
