//! What people are shown of an exchange. Of credentials their scheme and what is public in them; of header fields those that
//! are known to be harmless; and nowhere a secret of the settings, in any of the forms that it travels in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

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
/// Members of a token endpoint's answer that are not shown.
const TOKENS: [&str; 3] = ["access_token", "refresh_token", "id_token"];
/// Parameters of Digest that prove nothing to who reads them later (RFC 7616 section 3.4).
const PUBLIC: [&str; 11] =
    ["username", "username*", "realm", "uri", "algorithm", "nonce", "nc", "cnonce", "qop", "opaque", "userhash"];

/// What must not be seen.
pub struct Hidden(Vec<String>);

impl Hidden {
    pub fn of(settings: &Settings) -> Self {
        let mut hidden = Self(Vec::new());
        for secret in settings.secrets() {
            hidden.add(secret);
        }
        hidden
    }

    /// Also hides what was learned on the way, such as a token.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < MIN_SECRET {
            return;
        }
        let json = Value::from(secret).to_string();
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let percent = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
        let forms = [secret.to_owned(), json[1..json.len() - 1].to_owned(), form, percent, STANDARD.encode(secret)];
        self.0.extend(forms);
        // The longest first: one may be part of another.
        self.0.sort_unstable_by_key(|form| std::cmp::Reverse(form.len()));
        self.0.dedup();
    }

    /// A text without what is hidden.
    pub fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
    }

    /// An answer's body, as far as it is text.
    pub fn body(&self, bytes: &[u8]) -> String {
        let Ok(text) = std::str::from_utf8(bytes) else { return format!("({} bytes)", bytes.len()) };
        cut(&self.text(&without_tokens(text)))
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

fn without_tokens(text: &str) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else { return text.to_owned() };
    let mut had_one = false;
    for name in TOKENS {
        if let Some(value) = members.get_mut(name) {
            *value = HIDDEN.into();
            had_one = true;
        }
    }
    if had_one { Value::Object(members).to_string() } else { text.to_owned() }
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
        let token = hidden.body(br#"{"access_token":"abc","token_type":"Bearer"}"#);
        assert_eq!(token, r#"{"access_token":"***","token_type":"Bearer"}"#);
        assert_eq!(hidden.body(b"\xff\xfe"), "(2 bytes)");
        assert!(hidden.body("ä".repeat(MAX_BODY).as_bytes()).len() <= MAX_BODY + "…".len());
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
