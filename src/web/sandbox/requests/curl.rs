//! A request of the journal as a line for a POSIX shell. Where something is masked there is a variable, so that the
//! line can be read, kept and sent on as it is, and works once the secret is exported.

use crate::domain::journal::Message;
use crate::domain::pairs::Pairs;

/// Headers that make a difference to the server. The rest is the browser's or the library's own.
const KEPT: [&str; 8] =
    ["accept", "accept-language", "api-key", "authorization", "content-type", "cookie", "dpop", "origin"];

const FORM: &str = "application/x-www-form-urlencoded";
/// Stands for what is not shown; see `web/mask.rs`.
const HIDDEN: &str = "***";
/// Characters of the fingerprint that may follow.
const FINGERPRINT: usize = 12;

/// A part of a word of the line.
enum Piece {
    Text(String),
    /// A variable of ours. Never named by who sent the request: `path` or `home` would have the shell's.
    Gap(&'static str),
}

/// The line; `origin` is the server's.
pub fn line(origin: &str, request: &Message) -> String {
    let (method, target) = request.line.split_once(' ').unwrap_or((&request.line, "/"));
    let mut words = vec!["curl".to_owned(), if method == "HEAD" { "-I" } else { "-i" }.to_owned()];
    let usual = if request.body.is_empty() { ["GET", "HEAD"] } else { ["POST", "POST"] };
    if !usual.contains(&method) {
        words.push(format!("-X {}", quoted(&[Piece::Text(method.to_owned())])));
    }
    words.push(quoted(&address(origin, target)));
    let header =
        |wanted: &str| request.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let content_type = header("content-type").unwrap_or_default();
    let is_form = content_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(FORM));
    for (name, value) in request.headers.iter().filter(|(name, _)| KEPT.contains(&name.as_str())) {
        words.extend(header_word(name, value, is_form));
    }
    words.extend(body_words(&request.body, is_form));
    words.join(" ")
}

/// The path holds a token at its end, the query one in a parameter.
fn address(origin: &str, target: &str) -> Vec<Piece> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut pieces = vec![Piece::Text(origin.to_owned())];
    pieces.extend(pieces_of(path, "token"));
    let mut mark = '?';
    for parameter in query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        pieces.push(Piece::Text(format!("{mark}{name}=")));
        pieces.extend(pieces_of(value, name));
        mark = '&';
    }
    for piece in &mut pieces {
        if let Piece::Text(text) = piece {
            *text = in_address(text);
        }
    }
    pieces
}

/// What may stand in an address stays (RFC 3986); the rest, and what curl takes for a pattern, is escaped.
fn in_address(text: &str) -> String {
    let mut shown = String::new();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => shown.push(char::from(byte)),
            _ if b"-._~:/?@!$&'()*+,;=%".contains(&byte) => shown.push(char::from(byte)),
            _ => shown.push_str(&format!("%{byte:02X}")),
        }
    }
    shown
}

fn header_word(name: &str, value: &str, is_form: bool) -> Option<String> {
    if name == "cookie" {
        return Some(format!("-b {}", quoted(&[Piece::Gap("COOKIE")])));
    }
    // curl says so itself.
    if name == "content-type" && is_form {
        return None;
    }
    if name == "authorization"
        && let Some(id) = value.strip_prefix("Basic ").and_then(|rest| rest.strip_suffix(":***"))
    {
        return Some(format!("-u {}", quoted(&[Piece::Text(format!("{id}:")), Piece::Gap("CLIENT_SECRET")])));
    }
    let mut pieces = vec![Piece::Text(format!("{name}: "))];
    pieces.extend(pieces_of(value, name));
    Some(format!("-H {}", quoted(&pieces)))
}

fn body_words(body: &str, is_form: bool) -> Vec<String> {
    if body.is_empty() {
        return Vec::new();
    }
    // The journal only speaks of what is neither a form nor JSON.
    if body.starts_with('(') {
        return vec!["--data-binary @body".to_owned()];
    }
    if !is_form {
        return vec![format!("--data-raw {}", quoted(&json(body)))];
    }
    let pairs = Pairs::parse(body.as_bytes());
    let field = |(name, value): (&str, &str)| {
        let mut pieces = vec![Piece::Text(format!("{}=", in_address(name).replace('=', "%3D")))];
        pieces.extend(pieces_of(value, name));
        format!("--data-urlencode {}", quoted(&pieces))
    };
    pairs.iter().map(field).collect()
}

/// The name of what is masked is the member before it.
fn json(body: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find(HIDDEN) {
        let name =
            rest[..at].rsplit_once("\":").map_or("", |(before, _)| before.rsplit('"').next().unwrap_or_default());
        let end = at + HIDDEN.len();
        let end = end + fingerprint(&rest[end..]);
        pieces.extend(pieces_of(&rest[..end], name));
        rest = &rest[end..];
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}

/// A masked text in pieces; `name` is what the masked thing is called.
fn pieces_of(text: &str, name: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(HIDDEN) {
        let (before, prefix) = without_prefix(&rest[..at]);
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Gap(variable(prefix, name)));
        let after = &rest[at + HIDDEN.len()..];
        rest = &after[fingerprint(after)..];
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}

/// Bytes of the fingerprint that a text begins with.
fn fingerprint(text: &str) -> usize {
    let is_there = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
    if is_there >= FINGERPRINT { FINGERPRINT } else { 0 }
}

/// The kind that a masked token shows, cut off: `lgr_`, or `eyJ` of a JWT.
fn without_prefix(text: &str) -> (&str, &str) {
    for length in [4, 3] {
        if let Some(at) = text.len().checked_sub(length)
            && let Some((before, prefix)) = text.split_at_checked(at)
            && (prefix == "eyJ" || prefix.starts_with("lg") && prefix.ends_with('_'))
        {
            return (before, prefix);
        }
    }
    (text, "")
}

fn variable(prefix: &str, name: &str) -> &'static str {
    match (prefix, name.to_ascii_lowercase().as_str()) {
        (_, "id_token_hint") => "ID_TOKEN",
        (_, "client_assertion") => "CLIENT_ASSERTION",
        ("lgr_" | "lgf_", _) | (_, "refresh_token" | "refreshtoken") => "REFRESH_TOKEN",
        ("lgi_" | "lgm_", _) => "REGISTRATION_TOKEN",
        ("lga_" | "eyJ", _) | (_, "access_token" | "authorization") => "ACCESS_TOKEN",
        ("lgc_" | "lgo_", _) | (_, "code") => "CODE",
        ("lgd_", _) | (_, "device_code") => "DEVICE_CODE",
        ("lgp_", _) => "PUSHED_REQUEST",
        (_, "request_uri") => "REQUEST_URI",
        (_, "user_code") => "USER_CODE",
        (_, "client_secret") => "CLIENT_SECRET",
        (_, "password") => "PASSWORD",
        (_, "code_verifier") => "CODE_VERIFIER",
        (_, "code_challenge") => "CODE_CHALLENGE",
        (_, "state") => "STATE",
        (_, "nonce") => "NONCE",
        (_, "csrf") => "CSRF",
        (_, "api-key") => "API_KEY",
        (_, "dpop") => "DPOP_PROOF",
        (_, "token") => "TOKEN",
        _ => "VALUE",
    }
}

/// One word: text in single quotes, where nothing is special but they themselves; variables in double ones. A control
/// character could act on the terminal that the line is pasted into, and is left out.
fn quoted(pieces: &[Piece]) -> String {
    let mut word = String::new();
    let mut is_text = false;
    for piece in pieces {
        let opens = match piece {
            Piece::Text(text) if text.is_empty() => continue,
            piece => matches!(piece, Piece::Text(_)),
        };
        if opens != is_text {
            word.push('\'');
        }
        is_text = opens;
        match piece {
            Piece::Text(text) => {
                let text: String = text.chars().filter(|c| !c.is_control()).collect();
                word.push_str(&text.replace('\'', r"'\''"));
            }
            Piece::Gap(name) => word.push_str(&format!("\"${name}\"")),
        }
    }
    if is_text {
        word.push('\'');
    }
    if word.is_empty() { "''".to_owned() } else { word }
}

#[cfg(test)]
mod tests;
