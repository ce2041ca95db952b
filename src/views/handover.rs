//! What a dialog page tells `dialog.js`: where the partner's page is, and with what result to go back.

use serde::Serialize;

/// How the dialog was opened, and so how it hands its result over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// In a pop-up: by a message to the opener.
    Popup,
    /// In the partner's own tab: by a fragment at the registered return address.
    Redirect,
}

/// The end of a flow. Never a token: the partner's page swaps the code for the result itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DialogResult {
    /// The user allowed it.
    Code { iss: String, code: String },
    /// The user refused, or the flow failed after its origin had been verified.
    Error { iss: String, error: String, error_description: String },
}

/// The content of the page's JSON element. Exists only where the target origin was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handover {
    pub mode: Mode,
    /// The registered origin that messages go to; never one taken from the request.
    pub target: String,
    /// The partner page's state, byte for byte.
    pub state: String,
    /// Present on the last page of the flow.
    pub result: Option<DialogResult>,
    /// The registered return address, where the page has one.
    pub return_to: Option<String>,
}

impl Handover {
    /// A flow in a pop-up that is not over yet.
    #[must_use]
    pub fn sample() -> Self {
        Self {
            mode: Mode::Popup,
            target: "http://localhost:9001".to_owned(),
            state: "pX2sN8c3kq0v7JmT4r1uYw".to_owned(),
            result: None,
            return_to: None,
        }
    }

    /// The JSON text, safe to stand inside a script element.
    #[must_use]
    pub fn json(&self) -> String {
        script_json(self)
    }
}

/// Bytes that most of them fit into.
const ORDINARY: usize = 512;

/// JSON that cannot end the script element it stands in, nor a JavaScript string or line.
///
/// `<`, `>` and `&` keep an HTML parser from seeing markup or entities; U+2028 and U+2029 were line ends in
/// JavaScript strings before ES2019. All of them can only occur inside JSON strings, where an escape
/// means the same character.
///
/// # Panics
/// Never for the values of this module: they have string keys and no custom serializer that fails.
#[must_use]
pub fn script_json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut json = Vec::with_capacity(ORDINARY);
    serde_json::to_writer(&mut json, value).expect("strings, options and structs of them always serialize");
    let json = String::from_utf8(json).expect("JSON is text");
    // Hardly ever is there anything to escape: 0xE2 is the first byte of the two line ends.
    if !json.bytes().any(|byte| matches!(byte, b'<' | b'>' | b'&' | 0xe2)) {
        return json;
    }
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            c => safe.push(c),
        }
    }
    safe
}
