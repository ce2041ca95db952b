//! The moments in a JWT (RFC 7519 section 2, NumericDate): seconds since the Unix epoch.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::timestamp::Timestamp;

/// Written in whole seconds; read with a fraction too, which the standard allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(pub Timestamp);

impl Serialize for NumericDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.unix_seconds())
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let moment = match (number.as_i64(), number.as_f64()) {
            (Some(seconds), _) => Timestamp::from_unix_seconds(seconds),
            // The cast stays at the ends of time.
            (None, Some(seconds)) => Timestamp::from_micros((seconds * 1e6) as i64),
            (None, None) => return Err(serde::de::Error::custom("not a moment")),
        };
        Ok(Self(moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_and_broken_seconds_and_writes_whole_ones() {
        for (text, micros) in [
            ("1562262616", 1_562_262_616_000_000),
            ("1562262616.25", 1_562_262_616_250_000),
            ("-1", -1_000_000),
            ("9223372036854775807", i64::MAX),
            ("18446744073709551615", i64::MAX),
            ("1e300", i64::MAX),
        ] {
            let date: NumericDate = serde_json::from_str(text).unwrap();
            assert_eq!(date.0.as_micros(), micros, "{text}");
        }
        for bad in ["\"1562262616\"", "null", "true", "[1]", "1e999"] {
            assert!(serde_json::from_str::<NumericDate>(bad).is_err(), "{bad}");
        }
        let written = serde_json::to_string(&NumericDate(Timestamp::from_micros(1_999_999))).unwrap();
        assert_eq!(written, "1");
    }
}
