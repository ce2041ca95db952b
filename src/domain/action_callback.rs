//! An action call-back: the address at which an application's own server is asked before a connection is made, and may
//! refuse it.

use std::time::Duration;

use serde_json::Value;

use super::ids::AppId;
use super::target_url::TargetUrl;
use super::timestamp::Timestamp;

/// How long the application's server has for a whole answer: a person waits for it.
pub const TIME_LIMIT: Duration = Duration::from_secs(3);
/// Longest message to the user, in characters.
pub const MAX_MESSAGE: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionCallback {
    pub app: AppId,
    pub url: TargetUrl,
    pub on_failure: OnFailure,
    pub last: Option<LastCall>,
}

/// What holds where the application's server gives no answer that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Signing in goes on, as if there were no call-back.
    #[default]
    Allow,
    Refuse,
}

impl OnFailure {
    pub const ALL: [OnFailure; 2] = [OnFailure::Allow, OnFailure::Refuse];

    pub const fn as_str(self) -> &'static str {
        match self {
            OnFailure::Allow => "allow",
            OnFailure::Refuse => "refuse",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// How the newest call went, for who looks why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCall {
    /// Real time.
    pub at: Timestamp,
    pub took: Duration,
    pub result: CallResult,
    /// A sentence; of a refusal the message to the user.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    Allowed,
    Refused,
    /// There was no answer that can be read.
    Failed,
}

impl CallResult {
    pub const ALL: [CallResult; 3] = [CallResult::Allowed, CallResult::Refused, CallResult::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            CallResult::Allowed => "allowed",
            CallResult::Refused => "refused",
            CallResult::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// What an application's server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    Refuse {
        /// For the user, as plain text.
        message: Option<String>,
    },
}

/// An answer that says nothing that we understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerdictError {
    #[error("it answered {0}, which is no success")]
    Status(u16),
    #[error("its answer is longer than is read")]
    TooLong,
    #[error("its answer is no JSON object")]
    NotJson,
    #[error("its answer has no member \"allow\" that is true or false")]
    NoAllow,
    #[error("the member \"message\" of its answer is no text")]
    Message,
}

impl Verdict {
    /// Reads an answer: a success without a body allows, else the body says `{"allow": true}` or
    /// `{"allow": false, "message": "…"}`. Other members are let be.
    pub fn read(status: u16, body: &[u8], is_cut: bool) -> Result<Self, VerdictError> {
        if !(200..300).contains(&status) {
            return Err(VerdictError::Status(status));
        }
        if is_cut {
            return Err(VerdictError::TooLong);
        }
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::Allow);
        }
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return Err(VerdictError::NotJson) };
        match members.get("allow").and_then(Value::as_bool) {
            Some(true) => Ok(Self::Allow),
            Some(false) => Ok(Self::Refuse { message: message(members.get("message"))? }),
            None => Err(VerdictError::NoAllow),
        }
    }
}

/// What is fit to be shown: one paragraph, not longer than a person reads.
fn message(given: Option<&Value>) -> Result<Option<String>, VerdictError> {
    let text = match given {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err(VerdictError::Message),
    };
    // Neither line breaks nor the characters that turn the direction of what follows.
    let is_odd = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let plain: String = text.chars().map(|c| if is_odd(c) { ' ' } else { c }).take(MAX_MESSAGE).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Some(plain).filter(|plain| !plain.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Verdict, VerdictError> {
        Verdict::read(200, body.as_bytes(), false)
    }

    #[test]
    fn a_verdict_is_read_strictly() {
        for allowed in ["", " \n", r#"{"allow":true}"#, r#"{"allow":true,"message":"hello","more":[1]}"#] {
            assert_eq!(read(allowed), Ok(Verdict::Allow), "{allowed}");
        }
        assert_eq!(read(r#"{"allow":false}"#), Ok(Verdict::Refuse { message: None }));
        assert_eq!(read(r#"{"allow":false,"message":null}"#), Ok(Verdict::Refuse { message: None }));
        let told = r#"{"allow":false,"message":" Your trial\r\nis \u202eover. "}"#;
        assert_eq!(read(told), Ok(Verdict::Refuse { message: Some("Your trial is over.".to_owned()) }));
        for (bad, why) in [
            ("ok", VerdictError::NotJson),
            ("[true]", VerdictError::NotJson),
            ("true", VerdictError::NotJson),
            ("{}", VerdictError::NoAllow),
            (r#"{"allow":"no"}"#, VerdictError::NoAllow),
            (r#"{"allow":0}"#, VerdictError::NoAllow),
            (r#"{"allow":false,"message":{"en":"no"}}"#, VerdictError::Message),
        ] {
            assert_eq!(read(bad), Err(why), "{bad}");
        }
        assert_eq!(Verdict::read(302, b"", false), Err(VerdictError::Status(302)));
        assert_eq!(Verdict::read(500, br#"{"allow":false}"#, false), Err(VerdictError::Status(500)));
        assert_eq!(Verdict::read(200, br#"{"allow":false}"#, true), Err(VerdictError::TooLong));
    }

    #[test]
    fn a_message_is_bounded_and_one_paragraph() {
        let long = format!(r#"{{"allow":false,"message":"{}"}}"#, "ä".repeat(MAX_MESSAGE + 1));
        let Ok(Verdict::Refuse { message: Some(message) }) = read(&long) else { panic!("no refusal") };
        assert_eq!(message.chars().count(), MAX_MESSAGE);
    }
}
