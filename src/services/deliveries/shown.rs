//! What people are shown of an exchange. Of credentials their scheme and what is public in them; of header fields those that
//! are known to be harmless; and nowhere a secret of the settings, in any of the forms that it travels in.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::escapes;
use crate::domain::auth_params::AuthParams;
use crate::domain::delivery::Settings;

/// Stands for what is not shown.
const HIDDEN: &str = "***";
/// How much of a body is shown, in bytes.
const MAX_BODY: usize = 4 * 1024;
/// How much of a header field is shown, in characters.
const MAX_VALUE: usize = 300;
/// Shortest secret that is looked for in what others wrote, in bytes: a shorter one is in every text by chance.
const MIN_SECRET: usize = 4;
/// Header fields whose values are shown.
const SHOWN: [&str; 16] = [
    "accept",
    "allow",
    "cache-control",
    "content-length",
    "content-type",
    "date",
    "expect",
    "host",
    "origin",
    "pragma",
    "retry-after",
    "server",
    "user-agent",
    "vary",
    "www-authenticate",
    "x-content-type-options",
];
/// Of which is said that it was there.
const ACCESS_TOKEN: &str = "access_token";
/// What a token endpoint is asked and answers that is no secret (RFC 6749). Of the rest, nothing is known.
const SHOWN_OF_TOKENS: [&str; 9] = [
    "client_id",
    "error",
    "error_description",
    "error_uri",
    "expires_in",
    "grant_type",
    "scope",
    "token_type",
    "username",
];
/// Parameters of Digest that prove nothing to who reads them later (RFC 7616 section 3.4).
const PUBLIC: [&str; 11] =
    ["username", "username*", "realm", "uri", "algorithm", "nonce", "nc", "cnonce", "qop", "opaque", "userhash"];

/// What must not be seen, as bytes that are looked for.
pub struct Hidden(Vec<Vec<u8>>);

impl Hidden {
    pub fn of(settings: &Settings) -> Self {
        let mut hidden = Self(Vec::new());
        for secret in settings.secrets() {
            hidden.add(secret);
        }
        if let Settings::Basic(login) = settings {
            hidden.add(&format!("{}:{}", login.username, login.password.expose()));
        }
        hidden
    }

    /// Also hides what was learned on the way, such as a token.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < MIN_SECRET {
            return;
        }
        let encoded = [STANDARD.encode(secret), STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
        self.0.push(secret.into());
        self.0.extend(encoded.map(String::into_bytes));
    }

    /// A text without what is hidden, however it was escaped there.
    pub fn text(&self, text: &str) -> String {
        let readings = escapes::readings(text.as_bytes());
        let found = readings.iter().flat_map(|reading| self.0.iter().flat_map(|secret| reading.find(secret)));
        let mut spans: Vec<_> = found.collect();
        spans.sort_unstable_by_key(|span| span.start);
        let (mut shown, mut done) = (String::new(), 0);
        for span in spans {
            if span.start >= done {
                shown.push_str(text.get(done..span.start).unwrap_or_default());
                shown.push_str(HIDDEN);
            }
            done = done.max(span.end);
        }
        shown + text.get(done..).unwrap_or_default()
    }

    /// An answer's body, as far as it is text.
    pub fn body(&self, bytes: &[u8]) -> String {
        let Ok(text) = std::str::from_utf8(bytes) else { return format!("({} bytes)", bytes.len()) };
        cut(&self.text(text))
    }

    /// A form that a token endpoint is asked with.
    pub fn token_request(&self, form: &str) -> String {
        let shown = url::form_urlencoded::parse(form.as_bytes()).map(|(name, value)| {
            let value = if is_of_tokens(&name) { value } else { HIDDEN.into() };
            format!("{name}={value}")
        });
        cut(&self.text(&shown.collect::<Vec<_>>().join("&")))
    }

    /// A token endpoint's answer: what of it is no secret, and of one that is not JSON its size alone.
    pub fn token_answer(&self, bytes: &[u8]) -> String {
        let Ok(Value::Object(mut members)) = serde_json::from_slice(bytes) else {
            return if bytes.is_empty() { String::new() } else { format!("({} bytes)", bytes.len()) };
        };
        members.retain(|name, value| {
            let is_plain = is_of_tokens(name) && !value.is_object() && !value.is_array();
            if !is_plain {
                *value = HIDDEN.into();
            }
            is_plain || name == ACCESS_TOKEN
        });
        cut(&self.text(&Value::Object(members).to_string()))
    }

    pub fn headers(&self, headers: &[(String, String)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| (name.clone(), self.header(name, value))).collect()
    }

    fn header(&self, name: &str, value: &str) -> String {
        let shown = match name.to_ascii_lowercase().as_str() {
            "authorization" => authorization(value),
            "authentication-info" => {
                params(&format!("Info {value}")).map_or(HIDDEN.to_owned(), |text| text[5..].into())
            }
            name if SHOWN.contains(&name) => value.to_owned(),
            _ => HIDDEN.to_owned(),
        };
        self.text(&shown).chars().take(MAX_VALUE).collect()
    }
}

/// A text that is short enough to be shown whole, or its beginning.
pub fn cut(text: &str) -> String {
    match text.char_indices().find(|(at, _)| *at >= MAX_BODY) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn is_of_tokens(name: &str) -> bool {
    SHOWN_OF_TOKENS.contains(&name)
}

fn authorization(value: &str) -> String {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = STANDARD.decode(rest.trim()).ok().and_then(|pair| String::from_utf8(pair).ok());
        let name = pair.as_deref().and_then(|pair| pair.split_once(':')).map(|(name, _)| name);
        return name.map_or_else(|| format!("Basic {HIDDEN}"), |name| format!("Basic {name}:{HIDDEN}"));
    }
    if scheme.eq_ignore_ascii_case("digest") {
        return params(value).unwrap_or_else(|| format!("Digest {HIDDEN}"));
    }
    // A scheme of nothing else may be the secret itself.
    if rest.is_empty() { HIDDEN.to_owned() } else { format!("{scheme} {HIDDEN}") }
}

/// A scheme with those of its parameters that are public.
fn params(value: &str) -> Option<String> {
    let read = AuthParams::credentials(value.as_bytes()).ok()?;
    let shown = |(name, value): (&str, &str)| {
        let is_public = PUBLIC.iter().any(|public| public.eq_ignore_ascii_case(name));
        format!("{name}=\"{}\"", if is_public { value } else { HIDDEN })
    };
    Some(format!("{} {}", read.scheme, read.iter().map(shown).collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::{Credential, Login};

    fn hidden() -> Hidden {
        let login = Login { username: "ada".to_owned(), password: Credential::new("p@ss \"word\"") };
        Hidden::of(&Settings::Basic(login))
    }

    #[test]
    fn q11_a_secret_is_seen_in_no_form() {
        let hidden = hidden();
        let echoed = r#"{"got":"p@ss \"word\"","form":"p%40ss+%22word%22","raw":"p@ss "word""}"#;
        assert_eq!(hidden.body(echoed.as_bytes()), r#"{"got":"***","form":"***","raw":"***"}"#);
        assert_eq!(hidden.body(b"\xff\xfe"), "(2 bytes)");
        assert!(hidden.body("ä".repeat(MAX_BODY).as_bytes()).len() <= MAX_BODY + "…".len());
    }

    #[test]
    fn q11_a_secret_is_seen_in_no_escape_of_another_language() {
        let login = Login { username: "zoë".to_owned(), password: Credential::new("a/b>ü€😀<?c") };
        let hidden = Hidden::of(&Settings::Basic(login));
        let pair = STANDARD.encode("zoë:a/b>ü€😀<?c");
        assert!(pair.contains('/') && pair.contains('+'), "both are escaped by somebody: {pair}");
        for echoed in [
            r"a\/b>\u00fc\u20ac\ud83d\ude00<?c",
            r"a/b\u003E\u00FC\u20AC\uD83D\uDE00\u003c?c",
            r"\u0061\u002fb>ü€😀<\u003fc",
            "a%2fb%3e%c3%bc%e2%82%ac%f0%9f%98%80%3c%3fc",
            r"a\\\/b>\\u00fc\\u20ac\\ud83d\\ude00<?c",
            "a&#x2F;b&gt;&#252;&#8364;&#128512;&lt;?c",
            &pair,
            &pair.replace('/', r"\/"),
            &pair.replace('+', r"\u002B"),
            &pair.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D"),
            &pair.replace('/', "_").replace('+', "-"),
        ] {
            assert_eq!(hidden.text(&format!("[{echoed}] ä")), "[***] ä", "{echoed}");
        }
        assert_eq!(hidden.text(r"nothing \u00fc of %c3 it \u12"), r"nothing \u00fc of %c3 it \u12");
    }

    #[test]
    fn q11_of_a_token_endpoint_what_is_harmless_is_shown() {
        let hidden = hidden();
        let answered = |body: &str| hidden.token_answer(body.as_bytes());
        let whole = r#"{"access_token":"abc","token_type":"Bearer","x":"abc","scope":{"access_token":"abc"}}"#;
        assert_eq!(answered(whole), r#"{"access_token":"***","token_type":"Bearer"}"#);
        assert_eq!(answered(r#"{"error":"invalid_grant"}"#), r#"{"error":"invalid_grant"}"#);
        for unread in ["access_token=abc", r#"{"access_token":"abc"#, r#"[{"access_token":"abc"}]"#] {
            assert_eq!(answered(unread), format!("({} bytes)", unread.len()));
        }
        let asked = hidden.token_request("grant_type=password&username=ada&password=abc&client_secret=x&scope=a+b");
        assert_eq!(asked, "grant_type=password&username=ada&password=***&client_secret=***&scope=a b");
    }

    #[test]
    fn q11_credentials_show_what_is_public() {
        let hidden = hidden();
        let shown = |name: &str, value: &str| hidden.headers(&[(name.to_owned(), value.to_owned())]).remove(0).1;
        assert_eq!(shown("Authorization", "Basic YWRhOmh1bnRlcjI="), "Basic ada:***");
        assert_eq!(shown("authorization", "Token hunter2"), "Token ***");
        assert_eq!(shown("authorization", "hunter2"), "***");
        let digest = shown("authorization", "Digest username=\"ada\", response=\"hunter2\", other=\"hunter2\", nc=1");
        assert_eq!(digest, "Digest username=\"ada\", response=\"***\", other=\"***\", nc=\"1\"");
        assert_eq!(shown("authorization", "Digest response=\"hunter2"), "Digest ***");
        assert_eq!(shown("authentication-info", "rspauth=\"hunter2\", nc=1"), "rspauth=\"***\", nc=\"1\"");
        assert_eq!(shown("x-api-key", "hunter2"), "***");
        assert_eq!(shown("www-authenticate", "Basic realm=\"x\""), "Basic realm=\"x\"");
    }
}
