//! Reading requests: queries, forms, JSON, bounded and without surprises.

use std::borrow::Cow;
use std::error::Error as _;
use std::net::IpAddr;

use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::domain::origin::Origin;
pub use crate::domain::pairs::{Pairs, Repeated, Unreadable, decoded};
use crate::socket::{LateBody, Peer};

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    TooLarge,
    WrongType,
    Malformed,
    /// It did not arrive in time.
    Late,
}

/// What a client is told whose body did not arrive in time.
pub const LATE_BODY: &str = "The body did not arrive in time.";

impl BodyError {
    pub fn status(self) -> StatusCode {
        match self {
            BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BodyError::Malformed => StatusCode::BAD_REQUEST,
            BodyError::Late => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

/// Whether the body says that it is of this media type.
pub fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
}

fn received(body: Result<Bytes, BytesRejection>) -> Result<Bytes, BodyError> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => BodyError::TooLarge,
        _ if is_late(&rejection) => BodyError::Late,
        _ => BodyError::Malformed,
    })
}

/// Whether a body was not read because it did not arrive in time.
pub fn is_late(rejection: &BytesRejection) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = rejection.source();
    while let Some(error) = cause {
        if error.is::<LateBody>() {
            return true;
        }
        cause = error.source();
    }
    false
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

/// Whether a page is wanted rather than JSON: browsers name HTML first, programs do not name it.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(',')).map(|part| part.split(';').next().unwrap_or_default());
    let first = types.find(|kind| ["text/html", "application/json", "*/*"].contains(&kind.trim()));
    first.is_some_and(|kind| kind.trim() == "text/html")
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

/// The address that a request came from: that of the connection, or what a proxy of the operator's own says (`sender.rs`).
/// `None` where the router is called without a connection.
pub fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| peer.address.ip().to_canonical())
}

/// A bearer's token: from one `Authorization` header (RFC 6750 section 2.1).
#[derive(Clone, PartialEq, Eq)]
pub enum Bearer {
    None,
    Token(String),
    /// The scheme of a token that is bound to a key (RFC 9449 section 7.1).
    Dpop(String),
    /// More than one header, or one that is no Bearer credential.
    Malformed,
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(…)",
            Self::Dpop(_) => "Dpop(…)",
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
        let kind: fn(String) -> Self = if scheme.eq_ignore_ascii_case("bearer") {
            Self::Token
        } else if scheme.eq_ignore_ascii_case("dpop") {
            Self::Dpop
        } else {
            // Another scheme is no attempt at these.
            return Self::None;
        };
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            Self::Malformed
        } else {
            kind(token.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(bearer("Bearer a\tb"), Bearer::Malformed);
        assert_eq!(bearer("Bearer"), Bearer::Malformed);
        assert_eq!(Bearer::of(&HeaderMap::new()), Bearer::None);
    }
}
