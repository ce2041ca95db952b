//! A client's id and secret in the `Authorization` header: HTTP Basic (RFC 7617), as OAuth writes it (RFC 6749
//! section 2.3.1).

use std::fmt;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::extract::decoded;

/// Longest header value, in bytes.
const MAX_HEADER: usize = 8 * 1024;

/// What a request says in its `Authorization` header.
#[derive(Clone, PartialEq, Eq)]
pub enum Basic {
    /// No header, or one of another scheme, which is no attempt at this one.
    None,
    /// The id is not empty; the secret may be, and then belongs to nobody.
    Credentials { id: String, secret: String },
    /// More than one header, or one that cannot be read.
    Malformed,
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Credentials { .. } => "Credentials(…)",
            Self::Malformed => "Malformed",
        })
    }
}

impl Basic {
    pub fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::None,
            (Some(only), None) => Self::parse(only.as_bytes()),
            (Some(_), Some(_)) => Self::Malformed,
        }
    }

    /// The value of the only `Authorization` header.
    pub fn parse(value: &[u8]) -> Self {
        let scheme = value.split(|byte| *byte == b' ').next().unwrap_or_default();
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Self::None;
        }
        if value.len() > MAX_HEADER {
            return Self::Malformed;
        }
        match credentials(value[scheme.len()..].trim_ascii()) {
            Some((id, secret)) => Self::Credentials { id, secret },
            None => Self::Malformed,
        }
    }
}

/// The first colon divides, so that the secret may have some; one in the id is encoded (RFC 6749 appendix B).
fn credentials(base64: &[u8]) -> Option<(String, String)> {
    let pair = STANDARD.decode(base64).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let id = decoded(&pair[..colon]).ok()?;
    let secret = decoded(&pair[colon + 1..]).ok()?;
    let is_text = |text: &str| !text.contains(char::is_control);
    (!id.is_empty() && is_text(&id) && is_text(&secret)).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(pair: impl AsRef<[u8]>) -> Basic {
        Basic::parse(format!("Basic {}", STANDARD.encode(pair)).as_bytes())
    }

    fn credentials(id: &str, secret: &str) -> Basic {
        Basic::Credentials { id: id.into(), secret: secret.into() }
    }

    #[test]
    fn e1_both_parts_are_form_url_decoded() {
        assert_eq!(
            Basic::parse(b"Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"),
            credentials("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw")
        );
        assert_eq!(basic("a%3Ab:c%3Ad:e"), credentials("a:b", "c:d:e"));
        assert_eq!(basic("a+b%2B:50%25+off"), credentials("a b+", "50% off"));
        assert_eq!(basic("b%C3%BCcher:%E2%82%AC"), credentials("bücher", "€"));
        assert_eq!(basic("bücher:€"), credentials("bücher", "€"));
        assert_eq!(basic("a:"), credentials("a", ""));
        assert_eq!(Basic::parse(b"bAsIc   YTpi"), credentials("a", "b"));
    }

    #[test]
    fn e6_what_cannot_be_read_is_malformed() {
        for value in ["Basic", "basic ", "Basic YTpi YTpi", "Basic YTp", "Basic YTpi=", "Basic ****", "Basic \u{e9}"] {
            assert_eq!(Basic::parse(value.as_bytes()), Basic::Malformed, "{value}");
        }
        for pair in [
            "", "no colon", ":", ":secret", "a\0:b", "a:b\0", "a:%00", "a%0d:b", "a:%C2%85", "a:%", "a:%4", "a:%zz",
            "%ff:b",
        ] {
            assert_eq!(basic(pair), Basic::Malformed, "{pair:?}");
        }
        assert_eq!(basic(b"a:\xff"), Basic::Malformed);
        assert_eq!(basic(vec![b':'; 64 * 1024]), Basic::Malformed);
    }

    #[test]
    fn e6_one_header_and_of_this_scheme() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            Basic::of(&headers)
        };
        assert_eq!(of(&[]), Basic::None);
        assert_eq!(of(&["Bearer YTpi"]), Basic::None);
        assert_eq!(of(&["Basicer YTpi"]), Basic::None);
        assert_eq!(of(&[""]), Basic::None);
        assert_eq!(of(&["Basic YTpi"]), credentials("a", "b"));
        assert_eq!(of(&["Basic YTpi", "Basic YTpi"]), Basic::Malformed);
        assert_eq!(of(&["Bearer x", "Basic YTpi"]), Basic::Malformed);
    }

    #[test]
    fn debug_shows_no_credentials() {
        assert_eq!(format!("{:?}", credentials("hunter", "hunter2")), "Credentials(…)");
    }
}
