//! One line for people who look on: who did what, what came of it, and why not.

use std::fmt::Write as _;
use std::time::Duration;

use super::journal::Outcome;
use super::timestamp::Timestamp;

/// What is left of an id that says nothing to people.
const SHORT_ID: usize = 8;

/// A request and what came of it, in a few words. Nothing in it is secret.
#[derive(Debug, Clone)]
pub struct FlowLine<'a> {
    /// Real time.
    pub at: Timestamp,
    /// What it is to people.
    pub what: &'a str,
    /// The user's e-mail address.
    pub user: Option<&'a str>,
    pub button: Option<&'a str>,
    pub app: Option<&'a str>,
    pub outcome: Outcome,
    /// What came of it, or why nothing did.
    pub said: &'a str,
    pub took: Duration,
}

/// What a request is to people, by its route. `None`: a step on the way, of which nobody wants to hear unless it fails.
pub fn story(route: &str) -> Option<&'static str> {
    let rest = |prefix: &str| route == prefix || route.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    Some(match route {
        "/button/token" => "sign-in",
        "/button/resume" => "resume",
        "/oauth/token" | "/v1/authorization/token" => "token",
        "/oauth/revoke" => "revoke",
        "/oauth/introspect" => "introspect",
        "/oauth/register" => "register",
        "/oauth/userinfo" => "userinfo",
        "/oauth/par" => "par",
        "/oauth/device_authorization" => "device",
        "/v1/me" => "me",
        "/v2/insert/general" => "leads",
        "/v1/leads/query/{lead_type}" => "lead query",
        "/deliveries/{delivery}/receive" => "delivery",
        _ if rest("/authorize/refreshaccesstoken") => "refresh",
        _ if rest("/authorize/disconnectapplicationtoken") || route == "/authorize/disconnect" => "disconnect",
        _ => return None,
    })
}

/// What would have been taken, or whose the presented thing is, to stand behind the reason of a refusal by this rule.
pub fn nearest(rule: &str, nearest: Option<&str>) -> String {
    match (rule, nearest) {
        (_, None) => String::new(),
        ("request.method", Some(methods)) => format!(" It takes {methods}."),
        ("request.no_such_address", Some(address)) => format!(" Nearest: {address}"),
        (_, Some(nearest)) => format!(" ({nearest})"),
    }
}

impl FlowLine<'_> {
    /// Without its end of line.
    pub fn render(&self, has_colours: bool) -> String {
        let paint = |text: &str, code: &str| {
            if has_colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
        };
        let colour = match self.outcome {
            Outcome::Ok => "32",
            Outcome::Refused => "33",
            Outcome::Error => "31",
            Outcome::Fault => "35",
        };
        let time = self.at.to_rfc3339();
        let time = time.get(11..19).unwrap_or(&time);
        let mut line = format!("{}  {}", paint(time, "2"), paint(&format!("{:10}", shown(self.what)), "1"));
        let whom = [self.user.map(shown), self.button.map(shown).or_else(|| self.app.map(|app| short(&shown(app))))];
        for who in whom.into_iter().flatten() {
            let _ = write!(line, "  {who}");
        }
        let _ = write!(line, "  {}", paint(&shown(self.said), colour));
        let _ = write!(line, "  {}", paint(&span(self.took), "2"));
        line
    }
}

/// A GUID's beginning; what people chose as an id stays.
fn short(id: &str) -> String {
    let is_guid = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_guid { format!("{}…", &id[..SHORT_ID]) } else { id.to_owned() }
}

/// How long something took, as people say it.
pub fn span(took: Duration) -> String {
    match took.as_millis() {
        0..1_000 => format!("{} ms", took.as_millis()),
        1_000..60_000 => format!("{:.1} s", took.as_secs_f64()),
        _ => format!("{} min", took.as_secs() / 60),
    }
}

/// Control characters could forge a line, or drive the terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> FlowLine<'static> {
        FlowLine {
            at: Timestamp::from_unix_seconds(1_795_342_530),
            what: "sign-in",
            user: Some("ada@acme.test"),
            button: Some("btn-demonstration"),
            app: Some("0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001"),
            outcome: Outcome::Ok,
            said: "allowed",
            took: Duration::from_millis(1_940),
        }
    }

    #[test]
    fn a_line_says_who_did_what_and_how_long_it_took() {
        assert_eq!(line().render(false), "10:15:30  sign-in     ada@acme.test  btn-demonstration  allowed  1.9 s");
        let refused = FlowLine {
            what: "refresh",
            button: None,
            outcome: Outcome::Refused,
            said: "the token was revoked, 12 s ago",
            took: Duration::from_micros(900),
            ..line()
        };
        assert_eq!(
            refused.render(false),
            "10:15:30  refresh     ada@acme.test  0c9a51ce…  the token was revoked, 12 s ago  0 ms"
        );
    }

    #[test]
    fn colours_are_for_terminals_and_nothing_else_drives_one() {
        assert!(line().render(true).contains("\u{1b}[32mallowed\u{1b}[0m"));
        let forged = FlowLine { user: Some("\u{1b}[2J\nx"), said: "a\rb", ..line() };
        assert!(!forged.render(false).contains(|c: char| c.is_control()));
    }

    #[test]
    fn what_would_have_been_taken_stands_behind_the_reason() {
        assert_eq!(nearest("request.method", Some("GET, HEAD")), " It takes GET, HEAD.");
        assert_eq!(nearest("request.no_such_address", Some("/oauth/token")), " Nearest: /oauth/token");
        assert_eq!(nearest("refresh_token.other_app", Some("application x")), " (application x)");
        assert_eq!(nearest("button.unknown", None), "");
    }

    #[test]
    fn steps_on_the_way_have_no_line_of_their_own() {
        assert_eq!(story("/authorize/refreshaccesstoken/{*token}"), Some("refresh"));
        assert_eq!(story("/authorize/disconnect"), Some("disconnect"));
        for step in ["/", "/dialog/{flow}", "/js/le-app-button.js", "/authorize/refreshaccesstokens", "(none)"] {
            assert_eq!(story(step), None, "{step}");
        }
    }
}
