//! An answer, with what tests look for in it.

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::Value;

use super::seen;

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub async fn of(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        for name in ["set-cookie", "location"] {
            parts.headers.get_all(name).iter().for_each(|value| seen::note(&String::from_utf8_lossy(value.as_bytes())));
        }
        seen::note(&String::from_utf8_lossy(&body));
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    /// A header that comes at most once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} came twice: {self:?}");
        value
    }

    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// Where a 303 leads.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("location").unwrap()
    }

    /// The same answer, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.headers, String::from_utf8_lossy(&self.body));
        self
    }

    /// The token of the page's forms.
    #[track_caller]
    pub fn csrf(&self) -> String {
        self.between("name=\"csrf\" value=\"", "\"").unwrap_or_else(|| panic!("no form: {}", self.text())).to_owned()
    }

    /// What lies between two texts, at the first occurrence.
    pub fn between(&self, before: &str, after: &str) -> Option<&str> {
        self.text().split_once(before)?.1.split_once(after).map(|(inside, _)| inside)
    }

    /// The dialog page's message to its script; `None` where there is none.
    pub fn handover(&self) -> Option<Value> {
        let element = self.between("id=\"le-dialog\"", "</script>")?;
        Some(serde_json::from_str(element.split_once('>').unwrap().1).unwrap())
    }

    /// The code that a finished dialog hands over.
    #[track_caller]
    pub fn code(&self) -> String {
        let handover = self.handover().unwrap_or_else(|| panic!("no hand-over: {}", self.text()));
        handover["result"]["code"].as_str().unwrap_or_else(|| panic!("no code: {handover}")).to_owned()
    }

    pub fn is_login_page(&self) -> bool {
        self.text().contains("name=\"password\"")
    }

    pub fn is_consent_page(&self) -> bool {
        self.text().contains("name=\"decision\"")
    }
}
