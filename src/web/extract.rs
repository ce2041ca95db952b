//! Reading requests: queries, forms, JSON, bounded and without surprises.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, header};
use percent_encoding::{percent_decode, percent_decode_str};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::domain::origin::Origin;

/// Name-value pairs of a query or a form (`application/x-www-form-urlencoded`), decoded once.
#[derive(Default)]
pub struct Pairs(Vec<(String, String)>);

/// A name that may come once came again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated;

/// A `%` without two hexadecimal digits, or bytes that are no UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// A form-url-encoded name or value as text (RFC 6749 appendix B), where there is but one way to read it.
pub fn decoded(encoded: &[u8]) -> Result<String, Unreadable> {
    let is_digit = |at: usize| encoded.get(at).is_some_and(u8::is_ascii_hexdigit);
    let is_stray = |(at, byte): (usize, &u8)| *byte == b'%' && !(is_digit(at + 1) && is_digit(at + 2));
    if encoded.iter().enumerate().any(is_stray) {
        return Err(Unreadable);
    }
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&spaced).collect()).map_err(|_| Unreadable)
}

impl Pairs {
    /// Takes any bytes, as browsers do: a stray `%` stands for itself, and what is no UTF-8 becomes U+FFFD.
    pub fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// Refuses what could only be read by a guess, so that a value goes back to its sender as it came.
    pub fn exact(bytes: &[u8]) -> Result<Self, Unreadable> {
        let decode = |pair: &[u8]| {
            let equals = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = equals.map_or((pair, &pair[..0]), |at| (&pair[..at], &pair[at + 1..]));
            Ok((decoded(name)?, decoded(value)?))
        };
        bytes
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(decode)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub fn of_query(query: Option<&str>) -> Self {
        Self::parse(query.unwrap_or_default().as_bytes())
    }

    /// The value; an empty one counts as absent (RFC 6749 section 3.1).
    pub fn get(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Repeated),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// The first of `names` that comes more than once, with a value or without (RFC 6749 section 3.1). Names that a
    /// request has besides are nobody's business, and of some, as `resource` (RFC 8707), there may be several.
    pub fn repeated<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.get(name) == Err(Repeated))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    TooLarge,
    WrongType,
    Malformed,
}

impl BodyError {
    pub fn status(self) -> StatusCode {
        match self {
            BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BodyError::Malformed => StatusCode::BAD_REQUEST,
        }
    }
}

fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
}

fn received(body: Result<Bytes, BytesRejection>) -> Result<Bytes, BodyError> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => BodyError::TooLarge,
        _ => BodyError::Malformed,
    })
}

/// A JSON body. The type is looked at first: only `application/json` makes a browser ask in advance.
pub fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<T, BodyError> {
    if !is_type(headers, "application/json") {
        return Err(BodyError::WrongType);
    }
    serde_json::from_slice(&received(body)?).map_err(|_| BodyError::Malformed)
}

/// A form body, read as browsers read it.
pub fn form(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Pairs, BodyError> {
    Ok(Pairs::parse(&form_bytes(headers, body)?))
}

/// A form body that has one reading.
pub fn exact_form(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Pairs, BodyError> {
    Pairs::exact(&form_bytes(headers, body)?).map_err(|Unreadable| BodyError::Malformed)
}

fn form_bytes(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, BodyError> {
    if !is_type(headers, "application/x-www-form-urlencoded") {
        return Err(BodyError::WrongType);
    }
    received(body)
}

/// The `Origin` header, where it is one that a button could be listed for.
pub fn origin(headers: &HeaderMap) -> Option<Origin> {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let only = values.next()?;
    if values.next().is_some() {
        return None;
    }
    Origin::parse(only.to_str().ok()?).ok()
}

/// Whether a form post says itself that another site sent it (rule C7). Old browsers say nothing; they are
/// left to the CSRF token.
pub fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|value| value == "cross-site")
}

/// Whether a request must have no effect: HEAD, or a fetch that nobody may ever look at (wire.md A4).
pub fn is_effectless(method: &Method, headers: &HeaderMap) -> bool {
    let says_prefetch = |name: &str| {
        headers
            .get_all(name)
            .iter()
            .any(|value| value.to_str().is_ok_and(|text| text.to_lowercase().contains("prefetch")))
    };
    method == Method::HEAD || ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| says_prefetch(name))
}

/// What follows `prefix` in a path, percent-decoded once; bytes that are no UTF-8 become U+FFFD.
pub fn rest_of_path<'p>(path: &'p str, prefix: &str) -> Cow<'p, str> {
    let at = path.find(prefix).map_or(path.len(), |at| at + prefix.len());
    let rest = path[at..].strip_prefix('/').unwrap_or(&path[at..]);
    percent_decode_str(rest).decode_utf8_lossy()
}

/// The address that a request came from. Headers that name another are not believed: anybody can send them.
/// `None` where the router is called without a connection.
pub fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip().to_canonical())
}

/// A bearer's token: from one `Authorization` header (RFC 6750 section 2.1).
#[derive(Clone, PartialEq, Eq)]
pub enum Bearer {
    None,
    Token(String),
    /// More than one header, or one that is no Bearer credential.
    Malformed,
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(…)",
            Self::Malformed => "Malformed",
        })
    }
}

impl Bearer {
    pub fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(only) = values.next() else { return Self::None };
        if values.next().is_some() {
            return Self::Malformed;
        }
        let Some((scheme, token)) = only.to_str().ok().and_then(|text| text.split_once(' ')) else {
            return Self::Malformed;
        };
        let token = token.trim_matches(' ');
        if !scheme.eq_ignore_ascii_case("bearer") {
            // Another scheme is no attempt at this one.
            return Self::None;
        }
        if token.is_empty() || token.contains(' ') { Self::Malformed } else { Self::Token(token.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_comes_once_or_not_at_all() {
        let pairs = Pairs::parse(b"a=1&b=&c=x+y%26&c=z&%ff=1");
        assert_eq!(pairs.get("a"), Ok(Some("1")));
        assert_eq!(pairs.get("b"), Ok(None));
        assert_eq!(pairs.get("c"), Err(Repeated));
        assert_eq!(pairs.get("d"), Ok(None));
    }

    #[test]
    fn b9_d12_a_repeated_name_is_told() {
        let pairs = Pairs::exact(b"a=1&b=1&b=2&c=&c=&x=1&x=2").unwrap();
        assert_eq!(pairs.repeated(&["a", "d"]), None);
        assert_eq!(pairs.repeated(&["a", "b", "c"]), Some("b"));
        assert_eq!(pairs.repeated(&["c"]), Some("c"));
    }

    #[test]
    fn an_exact_form_has_one_reading() {
        let pairs = Pairs::exact(b"&a=%C3%BC+%2b=%00&&b&=c&").unwrap();
        assert_eq!(pairs.get("a"), Ok(Some("\u{fc} +=\0")));
        assert_eq!(pairs.names().collect::<Vec<_>>(), ["a", "b", ""]);
        assert_eq!(pairs.get(""), Ok(Some("c")));
        for unreadable in ["%", "a=%", "a=%f", "a=%%41", "a=%zz", "%ff=1", "a=%c3", "a=%+1", "a=b&c=%"] {
            assert!(Pairs::exact(unreadable.as_bytes()).is_err(), "{unreadable}");
        }
        assert!(Pairs::exact(b"a=\xff").is_err());
    }

    #[test]
    fn n7_a_path_is_decoded_once() {
        let rest = |path: &str| rest_of_path(path, "/authorize/x").into_owned();
        assert_eq!(rest("/authorize/x/abc"), "abc");
        assert_eq!(rest("/authorize/x/%255B"), "%5B");
        assert_eq!(rest("/authorize/x/[object%20Object]"), "[object Object]");
        assert_eq!(rest("/authorize/x/%ff%00"), "\u{fffd}\0");
        assert_eq!(rest("/authorize/x/a%2Fb/"), "a/b/");
        assert_eq!(rest("/authorize/x"), "");
    }

    #[test]
    fn h4_the_scheme_is_case_insensitive_and_the_token_is_one_word() {
        let bearer = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            Bearer::of(&headers)
        };
        assert_eq!(bearer("bEaReR abc"), Bearer::Token("abc".into()));
        assert_eq!(bearer("Basic abc"), Bearer::None);
        assert_eq!(bearer("Bearer a b"), Bearer::Malformed);
        assert_eq!(bearer("Bearer"), Bearer::Malformed);
        assert_eq!(Bearer::of(&HeaderMap::new()), Bearer::None);
    }
}
