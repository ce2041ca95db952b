//! Where a user types the code that a device shows (RFC 8628, section 3.3).

use askama::Template;

use super::messages::Lang;
use super::page::Page;

/// Why the form is shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceError {
    /// The code was left empty.
    CodeMissing,
    /// No such code, used up, or too old: one text for all, so that codes cannot be probed.
    CodeUnknown,
    /// Too many attempts; seconds until the next one is looked at.
    TooManyAttempts { retry_after_seconds: u64 },
    /// The form's token is not of this browser: the page was old, or cookies are off.
    FormOutdated,
}

/// The form for a device's code. Fields on the wire: `csrf`, `user_code`.
#[derive(Debug, Clone, Template)]
#[template(path = "device.html")]
pub struct Device {
    pub page: Page,
    /// Where the form posts to.
    pub action: String,
    pub csrf: String,
    /// What the address brought (`verification_uri_complete`), or what was typed before; empty otherwise.
    pub user_code: String,
    pub error: Option<DeviceError>,
}

impl Device {
    /// Opened by the address that holds the code.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            action: "/device".to_owned(),
            csrf: "b3n1q7".to_owned(),
            user_code: "BCDF-GHJK".to_owned(),
            error: None,
        }
    }

    /// Whether the code is somebody else's word so far: then the reader has to compare it with the device
    /// before going on (RFC 8628, section 3.3.1).
    fn is_to_compare(&self) -> bool {
        !self.user_code.is_empty() && self.error.is_none()
    }

    fn code_error(&self) -> Option<&'static str> {
        let text = &self.page.text().device;
        match self.error? {
            DeviceError::CodeMissing => Some(text.code_missing),
            DeviceError::CodeUnknown => Some(text.code_unknown),
            _ => None,
        }
    }

    fn form_error(&self) -> Option<String> {
        let text = &self.page.text().device;
        match self.error? {
            DeviceError::TooManyAttempts { retry_after_seconds } => {
                Some(text.too_many_attempts.with(&retry_after_seconds.to_string()))
            }
            DeviceError::FormOutdated => Some(text.form_outdated.to_owned()),
            _ => None,
        }
    }
}
