//! Bodies of the control plane's requests: JSON that is exactly what is asked for. Whatever else it is, the answer says
//! where (RFC 6901), what was expected there, and for an unknown member which one is nearest.
//!
//! A type that is read here denies unknown fields, and is no untagged enum: serde cannot say where one went wrong.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::super::error::problem::{Problem, sentence};
use super::super::extract::{LATE_BODY, is_late, is_type};
use super::strict::Strict;
use crate::config::nearest::{nearest, one_of};

/// Longest member name that is repeated in an answer, in bytes.
const MAX_SHOWN: usize = 64;

/// A body that has to be there.
pub struct Body<T>(pub T);

/// A body that may be left out, with its content type.
pub struct OptionalBody<T>(pub Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (headers, bytes) = receive(request, state).await?;
        read(&headers, &bytes).map(Body)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (headers, bytes) = receive(request, state).await?;
        if bytes.is_empty() { Ok(Self(None)) } else { read(&headers, &bytes).map(|body| Self(Some(body))) }
    }
}

async fn receive<S: Send + Sync>(request: Request, state: &S) -> Result<(HeaderMap, Bytes), Problem> {
    let headers = request.headers().clone();
    let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Body too large", "The body is longer than this address takes.")
        }
        _ if is_late(&rejection) => Problem::new(StatusCode::REQUEST_TIMEOUT, "Body too slow", LATE_BODY),
        _ => Problem::new(StatusCode::BAD_REQUEST, "Malformed body", "The body ended before it was whole."),
    })?;
    Ok((headers, bytes))
}

fn read<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    if !is_type(headers, "application/json") {
        let detail = "Send JSON, and say so: Content-Type: application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not JSON", detail));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Strict(&mut json)).map_err(|error| {
        let path = error.path().clone();
        explain(error.inner(), &path)
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail = format!("The body is no JSON from line {}, column {} on.", error.line(), error.column());
    Problem::new(StatusCode::BAD_REQUEST, "Malformed body", detail)
}

fn explain(error: &serde_json::Error, path: &Path) -> Problem {
    if error.classify() != Category::Data {
        return malformed(error);
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let said = Said::of(text);
    Problem::new(StatusCode::BAD_REQUEST, said.title(), said.detail("member")).at(said.pointer(path))
}

/// What serde says of a value, taken apart: its own words repeat what was sent, which may be a secret.
pub(super) enum Said<'t> {
    Unknown {
        name: &'t str,
        known: Vec<&'t str>,
    },
    Missing(&'t str),
    Twice(&'t str),
    /// What was expected, after "expected".
    Wrong(&'t str),
    /// The words of one of our own types.
    Own(&'t str),
}

impl<'t> Said<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let between_ticks = |text: &'t str| text.split('`').skip(1).step_by(2);
        let only = |rest: &'t str| rest.trim_end_matches('`');
        if let Some(rest) = text.strip_prefix("missing field `") {
            return Self::Missing(only(rest));
        }
        if let Some(rest) = text.strip_prefix("duplicate field `") {
            return Self::Twice(only(rest));
        }
        for unknown in ["unknown field `", "unknown variant `"] {
            // The name is the client's, and may hold anything; what follows is ours.
            if let Some((name, known)) = text.strip_prefix(unknown).and_then(|rest| rest.rsplit_once("`, expected ")) {
                return Self::Unknown { name, known: between_ticks(known).collect() };
            }
            if let Some(rest) = text.strip_prefix(unknown) {
                return Self::Unknown { name: rest.split('`').next().unwrap_or_default(), known: Vec::new() };
            }
        }
        for wrong in ["invalid type: ", "invalid value: ", "invalid length "] {
            if text.starts_with(wrong) {
                let expected = text.rsplit_once(", expected ").map_or("another value", |(_, expected)| expected);
                return Self::Wrong(expected);
            }
        }
        Self::Own(text)
    }

    /// The name that it is about.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Unknown { name, .. } | Self::Missing(name) | Self::Twice(name) => Some(name),
            Self::Wrong(_) | Self::Own(_) => None,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "Unknown name",
            Self::Missing(_) => "Missing member",
            Self::Twice(_) => "Repeated member",
            Self::Wrong(_) | Self::Own(_) => "Invalid value",
        }
    }

    /// `kind` says what the names are names of.
    pub(super) fn detail(&self, kind: &str) -> String {
        match self {
            Self::Unknown { name, known } => {
                let name = shown(name);
                match nearest(&name, known.iter().copied()) {
                    Some(meant) => format!("`{name}` is not known here; the nearest known name is `{meant}`."),
                    None if known.is_empty() => format!("`{name}` is not known here; nothing is."),
                    None => format!("`{name}` is not known here; send {}.", one_of(known)),
                }
            }
            Self::Missing(name) => format!("The {kind} `{name}` is missing."),
            Self::Twice(name) => format!("The {kind} `{name}` comes more than once."),
            Self::Wrong(expected) => format!("Expected {}.", in_json(expected)),
            Self::Own(text) => sentence(text),
        }
    }

    fn pointer(&self, path: &Path) -> String {
        let mut pointer = pointer(path);
        if let Self::Missing(name) | Self::Twice(name) = self
            && !pointer.ends_with(&format!("/{name}"))
        {
            pointer.push_str(&format!("/{}", escaped(name)));
        }
        pointer
    }
}

/// Rust's words for types, in JSON's.
fn in_json(expected: &str) -> &str {
    match expected {
        "a sequence" => "an array",
        "a map" => "an object",
        "a boolean" => "true or false",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        _ if expected.starts_with("struct ") => "an object",
        _ if expected.contains("enum ") => "a string",
        _ => expected,
    }
}

/// A name that is short enough to repeat.
pub(super) fn shown(name: &str) -> String {
    let shown: String = name.chars().filter(|c| !c.is_control()).collect();
    match shown.char_indices().find(|(at, _)| *at >= MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

/// A JSON Pointer (RFC 6901 section 3). It ends where a name would be too long to repeat.
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } if key.len() <= MAX_SHOWN => escaped(key),
            Segment::Enum { variant } if variant.len() <= MAX_SHOWN => escaped(variant),
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => break,
        };
        pointer.push('/');
        pointer.push_str(&token);
    }
    pointer
}

fn escaped(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
#[expect(dead_code, reason = "only what is refused is looked at")]
mod tests {
    use axum::http::{HeaderValue, header};
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::origin::Origin;

    #[derive(Deserialize, Debug)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Allow,
        Deny,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(default)]
        delay_ms: Option<u32>,
        #[serde(default, rename = "a/b~c")]
        odd: Option<bool>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        #[serde(default)]
        word: Option<Word>,
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        origins: Vec<Origin>,
    }

    fn refused(body: &str) -> (String, String, String) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let problem: Value = serde_json::to_value(read::<Outer>(&headers, body.as_bytes()).unwrap_err()).unwrap();
        let text = |member: &str| problem[member].as_str().unwrap_or("none").to_owned();
        (text("title"), text("detail"), text("pointer"))
    }

    #[test]
    fn wire_e_a_problem_says_where_and_what_to_do() {
        let deep = "x".repeat(200);
        for (body, title, detail, pointer) in [
            (json!({"name": 7}), "Invalid value", "Expected a string.", "/name"),
            (json!({}), "Missing member", "The member `name` is missing.", "/name"),
            (
                json!({"name": "", "lsit": []}),
                "Unknown name",
                "`lsit` is not known here; the nearest known name is `list`.",
                "/lsit",
            ),
            (
                json!({"name": "", "list": [{}, {"delay": 1}]}),
                "Unknown name",
                "`delay` is not known here; the nearest known name is `delay_ms`.",
                "/list/1/delay",
            ),
            (
                json!({"name": "", "list": [{"delay_ms": -1}]}),
                "Invalid value",
                "Expected a whole number, not negative.",
                "/list/0/delay_ms",
            ),
            (
                json!({"name": "", "list": [{"a/b~c": 1}]}),
                "Invalid value",
                "Expected true or false.",
                "/list/0/a~1b~0c",
            ),
            (
                json!({"name": "", "word": "alow"}),
                "Unknown name",
                "`alow` is not known here; the nearest known name is `allow`.",
                "/word",
            ),
            (
                json!({"name": "", "origins": ["https://a.test/page"]}),
                "Invalid value",
                "Browsers send an origin in lower case, without a path and without a default port; the nearest valid \
                 form is https://a.test.",
                "/origins/0",
            ),
            (json!({"name": "", "list": {}}), "Invalid value", "Expected an array.", "/list"),
            (json!([]), "Invalid value", "Expected an object.", ""),
            (json!(["a name"]), "Invalid value", "Expected an object.", ""),
            (json!({"name": "", deep: 1}), "Unknown name", "", ""),
        ] {
            let found = refused(&body.to_string());
            if detail.is_empty() {
                assert_eq!(found.2, pointer, "{body}: {found:?}");
                continue;
            }
            assert_eq!(found, (title.to_owned(), detail.to_owned(), pointer.to_owned()), "{body}");
        }
    }

    #[test]
    fn wire_e_what_was_sent_is_not_repeated() {
        for body in [
            r#"{"name":["secret"]}"#,
            r#"{"name":"","list":"secret"}"#,
            r#"{"name":"","list":[{"delay_ms":"secret"}]}"#,
        ] {
            let (title, detail, pointer) = refused(body);
            assert!(!format!("{title}{detail}{pointer}").contains("secret"), "{detail}");
        }
        for body in ["", "{", "{\"name\":\"\"} x", "\u{feff}{}", "nul"] {
            assert_eq!(refused(body).0, "Malformed body", "{body:?}");
        }
        assert_eq!(refused(r#"{"name":"a","name":"b"}"#).0, "Repeated member");
    }
}
