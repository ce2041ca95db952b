//! What the journal shows of an exchange. Only what is known to be harmless is shown as it came; of the rest
//! there is a fingerprint where that cannot be guessed from, so that two calls with one token can be told from
//! two tokens, and else nothing.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::basic::Basic;
use crate::crypto::token::fingerprint;
use crate::crypto::webhook_signature::SECRET_PREFIX;
use crate::domain::pairs::Pairs;

/// Stands for what is not shown.
const HIDDEN: &str = "***";
/// Characters of a shown value.
const MAX_VALUE: usize = 300;
/// Bytes of a body that is shown.
pub const MAX_BODY: usize = 16 * 1024;

/// Parameters and members whose values are shown, in any letter case.
const SHOWN: [&str; 91] = [
    "active",
    "acr_values",
    "appid",
    "aud",
    "auth_method",
    "auto",
    "btn",
    "btns",
    "buttonid",
    "callback",
    "client_assertion_type",
    "client_id",
    "client_name",
    "code_challenge_method",
    "count",
    "decision",
    "display",
    "email",
    "email_verified",
    "error",
    "error_description",
    "errormessage",
    "exp",
    "expiredate",
    "expires_in",
    "fact",
    "framed",
    "grant_type",
    "grant_types",
    "iat",
    "id",
    "interval",
    "iss",
    "issued_token_type",
    "kid",
    "lang",
    "leadtype",
    "login_hint",
    "max_age",
    "mode",
    "name",
    "nearest",
    "origin",
    "page",
    "problem",
    "prompt",
    "redirect_uri",
    "redirect_uris",
    "resource",
    "response_mode",
    "response_type",
    "response_types",
    "return_registered",
    "return_to",
    "role",
    "scope",
    "scopes",
    "status",
    "sub",
    "account",
    "title",
    "token_endpoint_auth_method",
    "token_type",
    "token_type_hint",
    "type",
    "ui_locales",
    "user",
    "username",
    "valid",
    "verification_uri",
    "_",
    "directive",
    "aid",
    "enddate",
    "isvalidpost",
    "leadidentifier",
    "lid",
    "nosell",
    "pendingqcreview",
    "postid",
    "receiveddate",
    "responsetype",
    "senddelay",
    "skip",
    "sortorder",
    "startdate",
    "take",
    "total",
    "uid",
    "vendoraccountassigned",
    "vid",
];
/// Parameters that are no secrets, but say nothing: a fingerprint shows whether they came back unchanged.
const COMPARED: [&str; 5] = ["state", "nonce", "code_challenge", "jti", "at_hash"];
/// Names that are shown though their values are not. Of a name that nobody knows nothing is shown: it may be the second
/// half of a password with an `&` in it.
const NAMED: [&str; 37] = [
    "access_token",
    "address",
    "api_key",
    "apikey",
    "assertion",
    "authtoken",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "connection",
    "continue_as",
    "csrf",
    "device_code",
    "dpop_jkt",
    "id_token",
    "id_token_hint",
    "nickname",
    "password",
    "post_logout_redirect_uri",
    "refresh_token",
    "refreshtoken",
    "registration_access_token",
    "request",
    "request_uri",
    "secret",
    "token",
    "user_code",
    "fields",
    "leads",
    "properties",
    "query",
    "reference",
    "responsedetail",
    "returnurl",
    "sortfields",
    "source",
];
/// Members that hold what is said of people: how much there is, and nothing of it.
const OF_PEOPLE: [&str; 2] = ["fields", "query"];
/// Headers of requests and answers whose values are shown.
const SHOWN_HEADERS: [&str; 39] = [
    "accept",
    "accept-language",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-request-headers",
    "access-control-request-method",
    "allow",
    "cache-control",
    "connection",
    "content-disposition",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "etag",
    "host",
    "if-none-match",
    "origin",
    "pragma",
    "purpose",
    "referrer-policy",
    "retry-after",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-purpose",
    "user-agent",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-moz",
    "x-requested-with",
    "x-robots-tag",
    "x-purpose",
];

/// What stands for a token: its kind and a fingerprint. Of anything else nothing: what a person chose could be found
/// from a fingerprint by trying.
pub fn token(value: &str) -> String {
    match prefix(value) {
        Some(prefix) => format!("{prefix}{HIDDEN}{}", fingerprint(value)),
        None => HIDDEN.to_owned(),
    }
}

/// The beginning of a token of ours (`lga_`, `lgr_`, …), of a JWT, or of a webhook's secret.
fn prefix(value: &str) -> Option<&str> {
    let bytes = value.as_bytes();
    match bytes {
        [b'l', b'g', kind, b'_', ..] if kind.is_ascii_lowercase() => value.get(..4),
        [b'e', b'y', b'J', ..] => value.get(..3),
        _ if value.starts_with(SECRET_PREFIX) => Some(SECRET_PREFIX),
        _ => None,
    }
}

/// Where in a word a token begins.
fn token_in(word: &str) -> Option<usize> {
    word.char_indices().map(|(at, _)| at).find(|at| prefix(&word[*at..]).is_some() && word.len() - at > 12)
}

/// A value that is shown, but for what in it looks like a token, and bounded.
pub fn scrub(value: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~');
    let mut shown = String::new();
    let mut rest = value;
    while !rest.is_empty() && shown.len() < MAX_VALUE {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        // A webhook's secret is in base64, which has more characters than a word.
        let is_base64 = |c: char| is_word(c) || matches!(c, '+' | '/' | '=');
        let is_secret = rest[..end].contains(SECRET_PREFIX);
        let end = if is_secret { rest.find(|c| !is_base64(c)).unwrap_or(rest.len()) } else { end };
        let (word, after) = rest.split_at(end);
        match token_in(word) {
            Some(at) => {
                shown.push_str(&word[..at]);
                shown.push_str(&token(&word[at..]));
            }
            None => shown.push_str(word),
        }
        let other = after.find(is_word).unwrap_or(after.len());
        shown.push_str(&after[..other]);
        rest = &after[other..];
    }
    if let Some((cut, _)) = shown.char_indices().nth(MAX_VALUE) {
        shown.truncate(cut);
        shown.push('…');
    }
    shown
}

fn is_among(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_shown(name: &str) -> bool {
    is_among(&SHOWN, name)
}

/// A parameter's name, if it is one that is known.
fn known(name: &str) -> &str {
    let is_known = is_shown(name) || is_among(&COMPARED, name) || is_among(&NAMED, name);
    if is_known { name } else { HIDDEN }
}

/// What a value is once everything in it is decoded that was encoded more than once.
fn plain(value: &str) -> Cow<'_, str> {
    let mut value = Cow::Borrowed(value);
    for _ in 0..3 {
        let decoded = percent_decode_str(&value).decode_utf8_lossy().into_owned();
        if decoded == value {
            break;
        }
        value = Cow::Owned(decoded);
    }
    value
}

/// The value of a parameter or a member.
fn value(name: &str, value: &str) -> String {
    if COMPARED.contains(&name) {
        return format!("{HIDDEN}{}", fingerprint(value));
    }
    if !is_shown(name) {
        return token(value);
    }
    let value = plain(value);
    if value.contains("://") || value.contains(['?', '#']) && !value.contains(' ') {
        return address(&value);
    }
    scrub(&value)
}

/// A query or a form. It can be read as one again, so that what a value holds is not taken for another parameter.
pub fn pairs(encoded: &[u8]) -> String {
    let pairs = Pairs::parse(encoded);
    let shown = pairs.iter().map(|(name, given)| format!("{}={}", known(name), escaped(&value(name, given))));
    shown.collect::<Vec<_>>().join("&")
}

/// A query of which the names alone are shown.
pub fn names(query: &str) -> String {
    let pairs = Pairs::parse(query.as_bytes());
    pairs.iter().map(|(name, _)| format!("{}={HIDDEN}", known(name))).collect::<Vec<_>>().join("&")
}

/// As form-encoded as it has to be, and otherwise legible.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' => shown.push('+'),
            '%' | '&' | '+' | '#' => shown.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| shown.push_str(&format!("%{byte:02X}")));
            }
            c => shown.push(c),
        }
    }
    shown
}

/// An address: its query and its fragment may hold tokens.
pub fn address(text: &str) -> String {
    let (rest, fragment) = text.split_once('#').map_or((text, None), |(rest, fragment)| (rest, Some(fragment)));
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let mut shown = scrub(&without_userinfo(place));
    for (mark, part) in [('?', query), ('#', fragment)] {
        if let Some(part) = part {
            shown.push(mark);
            shown.push_str(&pairs(part.as_bytes()));
        }
    }
    shown
}

/// Who stands before the `@` of an address is nobody's business (RFC 3986 section 3.2.1).
fn without_userinfo(place: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = place.split_once("://") else { return place.into() };
    let authority = rest.find('/').map_or(rest, |end| &rest[..end]);
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]).into(),
        None => place.into(),
    }
}

/// Who wrote a body. What the server's own members are called is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Client,
    Server,
}

fn json(by: Sender, name: &str, given: &Value) -> Value {
    match given {
        Value::Array(items) if is_among(&OF_PEOPLE, name) => Value::String(format!("({} members)", items.len())),
        Value::Object(members) if is_among(&OF_PEOPLE, name) => Value::String(format!("({} members)", members.len())),
        Value::String(text) => Value::String(value(name, text)),
        Value::Array(items) => Value::Array(items.iter().map(|item| json(by, name, item)).collect()),
        Value::Object(members) => {
            let member = |(name, member): (&String, &Value)| {
                let shown = if by == Sender::Server { scrub(name) } else { known(name).to_owned() };
                (shown, json(by, name, member))
            };
            Value::Object(members.iter().map(member).collect())
        }
        // A password may be one.
        Value::Number(_) if by == Sender::Client && !is_shown(name) => Value::String(HIDDEN.to_owned()),
        plain => plain.clone(),
    }
}

/// A body of this type. What is neither a form nor JSON is only spoken of.
pub fn body(content_type: Option<&HeaderValue>, bytes: &[u8], by: Sender) -> String {
    if bytes.is_empty() || bytes.len() > MAX_BODY {
        return outline(content_type, bytes);
    }
    let spoken_of = || outline(content_type, bytes);
    match essence(content_type).as_str() {
        "application/x-www-form-urlencoded" => pairs(bytes),
        "application/json" | "application/problem+json" => masked_json(by, bytes).unwrap_or_else(spoken_of),
        "application/javascript" | "text/javascript" => jsonp(by, bytes).unwrap_or_else(spoken_of),
        _ => spoken_of(),
    }
}

fn essence(content_type: Option<&HeaderValue>) -> String {
    let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// How large a body is and of which type, and nothing of it.
pub fn outline(content_type: Option<&HeaderValue>, bytes: &[u8]) -> String {
    match bytes.len() {
        0 => return String::new(),
        size if size > MAX_BODY => return format!("(more than {MAX_BODY} bytes)"),
        _ => {}
    }
    let essence = essence(content_type);
    let is_type = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'/' | b'+' | b'-' | b'.');
    let named = match essence.as_str() {
        "" => "no type",
        essence if essence.len() <= 60 && essence.bytes().all(is_type) && token_in(essence).is_none() => essence,
        _ => "another type",
    };
    format!("({} bytes of {named})", bytes.len())
}

fn masked_json(by: Sender, bytes: &[u8]) -> Option<String> {
    serde_json::from_slice(bytes).ok().map(|parsed| json(by, "", &parsed).to_string())
}

/// `callback({…});`
fn jsonp(by: Sender, bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (call, rest) = text.split_once('(')?;
    let argument = rest.trim_end().trim_end_matches(';').strip_suffix(')')?;
    Some(format!("{}({});", scrub(call), masked_json(by, argument.as_bytes())?))
}

/// The headers of one direction, in their order.
pub fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, given)| (name.as_str().to_owned(), header_value(name, given).into_owned())).collect()
}

fn header_value<'v>(name: &HeaderName, given: &'v HeaderValue) -> Cow<'v, str> {
    let Ok(text) = given.to_str() else { return HIDDEN.into() };
    match *name {
        header::AUTHORIZATION => authorization(text).into(),
        header::COOKIE => text.split(';').map(cookie).collect::<Vec<_>>().join("; ").into(),
        header::SET_COOKIE => {
            let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
            format!("{};{attributes}", cookie(pair)).into()
        }
        header::LOCATION => address(text).into(),
        // Its path may be a partner's own secret.
        header::REFERER => scrub(&text.split('/').take(3).collect::<Vec<_>>().join("/")).into(),
        _ if !SHOWN_HEADERS.contains(&name.as_str()) => HIDDEN.into(),
        _ if text.len() <= MAX_VALUE && !text.contains("lg") && !text.contains("eyJ") => text.into(),
        _ => scrub(text).into(),
    }
}

fn cookie(pair: &str) -> String {
    format!("{}={HIDDEN}", scrub(pair.split('=').next().unwrap_or_default().trim()))
}

fn authorization(text: &str) -> String {
    match Basic::parse(text.as_bytes()) {
        Basic::Credentials { id, .. } => return format!("Basic {}:{HIDDEN}", scrub(&id)),
        Basic::Malformed => return format!("Basic {HIDDEN}"),
        Basic::None => {}
    }
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "dpop" | "digest" => format!("{scheme} {}", token(rest.trim())),
        _ => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: &str = "lgr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn e_a_form_shows_what_is_harmless_and_no_more() {
        let form = format!(
            "grant_type=refresh_token&refresh_token={REFRESH}&client_id=app&client_secret=hunter2&scope=a+b&x=hunter2\
             &username=ada%40acme.test&password=correct+horse&redirect_uri=https%3A%2F%2Fp.test%2Fcb%3Fkey%3Dhunter2%26lang%3Den&client_id={REFRESH}"
        );
        let shown = pairs(form.as_bytes());
        for secret in ["hunter2", "correct", "horse", &REFRESH[4..20]] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
        let same = format!("lgr_***{}", fingerprint(REFRESH));
        for plain in [
            "grant_type=refresh_token",
            "client_id=app",
            "scope=a+b",
            "username=ada@acme.test",
            "https://p.test/cb?***=***%26lang=en",
            &same,
        ] {
            assert!(shown.contains(plain), "{plain}: {shown}");
        }
    }

    #[test]
    fn e_what_is_shown_of_a_form_reads_as_the_form() {
        let form = "redirect_uri=https%3A%2F%2Fp.test%2F%3Fa%3D1%26b%3D2&page=%00%1B%5B31m%25+%2B%23%C3%A9&a%3Db%26c=1";
        let shown = pairs(form.as_bytes());
        assert_eq!(shown, "redirect_uri=https://p.test/?***=***%26***=***&page=%00%1B[31m%25+%2B%23é&***=***");
        let read = Pairs::parse(shown.as_bytes());
        assert_eq!(read.get("page"), Ok(Some("\0\u{1b}[31m% +#é")));
    }

    #[test]
    fn e_json_and_jsonp_are_walked() {
        let text = format!(
            r#"{{"valid":true,"refreshToken":"{REFRESH}","authToken":"x","expireDate":"2026-11-22T09:15:30Z","n":[{{"password":"p4ss"}},"{REFRESH}"],"{REFRESH}":1}}"#
        );
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        let shown = body(Some(&json), text.as_bytes(), Sender::Server);
        assert!(!shown.contains(&REFRESH[4..20]) && !shown.contains("p4ss"), "{shown}");
        assert!(shown.contains(r#""valid":true"#) && shown.contains("2026-11-22T09:15:30Z"), "{shown}");
        let script = HeaderValue::from_static("application/javascript");
        let shown = body(Some(&script), format!("/**/cb({text});").as_bytes(), Sender::Server);
        assert!(shown.starts_with("/**/cb({") && !shown.contains(&REFRESH[4..20]), "{shown}");
        let page = HeaderValue::from_static("text/html");
        assert_eq!(
            body(Some(&page), REFRESH.as_bytes(), Sender::Server),
            format!("({} bytes of text/html)", REFRESH.len())
        );
        assert_eq!(body(None, b"hunter2", Sender::Client), "(7 bytes of no type)");
        assert_eq!(body(Some(&json), b"{\"password\": \"hunter2\"", Sender::Client), "(22 bytes of application/json)");
    }

    #[test]
    fn part_c_of_leads_nothing_is_shown_that_people_said() {
        let json = HeaderValue::from_static("application/json");
        let sent = br#"{"Source":{"vid":1041,"returnURL":"https://p.test/ada"},"leads":[{"properties":{"reference":"ada","noSell":true},"FIELDS":{"Email":"ada@acme.test","name":"ada"}}]}"#;
        let shown = body(Some(&json), sent, Sender::Client);
        assert!(!shown.to_lowercase().contains("ada"), "{shown}");
        assert!(shown.contains(r#""vid":1041"#) && shown.contains(r#""FIELDS":"(2 members)""#), "{shown}");
        let asked = br#"{"Query":{"email":"ada@acme.test"},"Fields":["ada"],"Take":5}"#;
        let shown = body(Some(&json), asked, Sender::Client);
        assert!(!shown.contains("ada") && shown.contains(r#""Take":5"#), "{shown}");
        let found = br#"{"Total":1,"Leads":[{"UID":"u","Properties":{"reference":"ada"},"Fields":{"name":"ada"}}]}"#;
        let shown = body(Some(&json), found, Sender::Server);
        assert!(!shown.contains("ada") && shown.contains(r#""Total":1"#), "{shown}");
    }

    #[test]
    fn e_headers_show_who_and_not_with_what() {
        let mut given = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Basic YXBwOmh1bnRlcjI="),
            ("cookie", "leadgate_session=lgs_abcdefghijklmnop; theme=hunter2"),
            ("set-cookie", "a=hunter2; Path=/; HttpOnly"),
            ("location", "https://p.test/cb?code=hunter2&state=s&iss=https%3A%2F%2Fa.test"),
            ("referer", "https://p.test/hunter2?x=hunter2"),
            ("x-api-key", "hunter2"),
            ("user-agent", "curl/8 hunter-of-two"),
        ] {
            given.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let shown = headers(&given);
        let text = format!("{shown:?}");
        assert!(!text.contains("hunter2") && !text.contains("abcdefghijklmnop"), "{text}");
        for plain in [
            "Basic app:***",
            "leadgate_session=***; theme=***",
            "a=***; Path=/; HttpOnly",
            "https://p.test/cb?code=***&state=***",
            "iss=https://a.test",
            "curl/8 hunter-of-two",
        ] {
            assert!(text.contains(plain), "{plain}: {text}");
        }
        let mut bearer = HeaderMap::new();
        bearer.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {REFRESH}")).unwrap());
        assert_eq!(headers(&bearer)[0].1, format!("Bearer {}", token(REFRESH)));
    }

    #[test]
    fn e_a_secret_in_an_odd_place_is_not_shown() {
        let json = HeaderValue::from_static("application/json");
        let shown = body(Some(&json), br#"{"password":12345678,"hunter2":true,"max_age":5}"#, Sender::Client);
        assert_eq!(shown, r#"{"***":true,"max_age":5,"password":"***"}"#);
        assert_eq!(pairs(b"password=correct&horsehunter2"), "password=***&***=***");
        let key = "lgk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for form in [
            format!("client_id={key}"),
            format!("redirect_uri=https%253A%252F%252Fp.test%252F%253Ftoken%253D{REFRESH}"),
            format!("scope=3D{REFRESH}"),
            "redirect_uri=https%3A%2F%2Fada%3Ahunter2pw%40p.test%2F".to_owned(),
            "redirect_uri=com.example%3A%2Fcb%3Fcode%3Dhunter2".to_owned(),
        ] {
            let shown = pairs(form.as_bytes());
            for secret in [&REFRESH[4..20], &key[4..20], "hunter2"] {
                assert!(!shown.contains(secret), "{form}: {shown}");
            }
        }
        let odd = HeaderValue::from_static("hunter2;lgr_x");
        assert_eq!(body(Some(&odd), b"x", Sender::Client), "(1 bytes of hunter2)");
        let odd = HeaderValue::from_str(REFRESH).unwrap();
        assert_eq!(body(Some(&odd), b"x", Sender::Client), "(1 bytes of another type)");
    }

    #[test]
    fn part_f_a_webhooks_secret_is_masked_whole() {
        let shown = scrub("key=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2+aLa/w= next");
        assert!(shown.starts_with("key=whsec_***") && shown.ends_with(" next"), "{shown}");
        assert!(!shown.contains("aLa") && !shown.contains("MfKQ"), "{shown}");
    }

    #[test]
    fn e_values_are_bounded() {
        assert!(scrub(&"é ".repeat(2_000)).chars().count() <= MAX_VALUE + 1);
        let large = vec![b'a'; MAX_BODY + 1];
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        assert_eq!(body(Some(&form), &large, Sender::Client), "(more than 16384 bytes)");
    }
}
