//! What clients send.

use std::borrow::Cow;

/// What one client sends, and where it is in that.
pub struct Traffic {
    requests: Requests,
    turn: usize,
    /// What is in the body of every success.
    sign: &'static str,
}

enum Requests {
    /// The same requests, in turn.
    Fixed(Vec<Vec<u8>>),
    /// Each of them once.
    Once(Vec<Vec<u8>>),
    /// Refresh tokens that rotate: each answer brings the next (RFC 6749 section 6).
    Rotating { authorization: String, tokens: Vec<String> },
}

impl Traffic {
    pub fn fixed(requests: Vec<Vec<u8>>, sign: &'static str) -> Self {
        Self { requests: Requests::Fixed(requests), turn: 0, sign }
    }

    pub fn once(requests: Vec<Vec<u8>>, sign: &'static str) -> Self {
        Self { requests: Requests::Once(requests), turn: 0, sign }
    }

    pub fn rotating(authorization: String, tokens: Vec<String>) -> Self {
        Self { requests: Requests::Rotating { authorization, tokens }, turn: 0, sign: "\"access_token\":" }
    }

    pub fn sign(&self) -> &'static str {
        self.sign
    }

    pub fn next_request(&mut self) -> Option<Cow<'_, [u8]>> {
        let turn = self.turn;
        self.turn += 1;
        match &self.requests {
            Requests::Fixed(requests) => Some(requests[turn % requests.len()].as_slice().into()),
            Requests::Once(requests) => Some(requests.get(turn)?.as_slice().into()),
            Requests::Rotating { authorization, tokens } => {
                let token = &tokens[turn % tokens.len()];
                let form = format!("grant_type=refresh_token&refresh_token={token}");
                Some(post("/oauth/token", authorization, &form).into())
            }
        }
    }

    /// Takes from the answer what the requests to come need.
    pub fn answered(&mut self, body: &str) {
        let Requests::Rotating { tokens, .. } = &mut self.requests else { return };
        let at = (self.turn - 1) % tokens.len();
        member(body, "refresh_token").clone_into(&mut tokens[at]);
    }
}

/// The text that a member of a JSON object has; one without escapes.
pub fn member<'b>(body: &'b str, name: &str) -> &'b str {
    let (_, rest) = body.split_once(&format!("\"{name}\":\"")).expect("the member is there");
    rest.split_once('"').expect("a whole text").0
}

/// A GET without a body.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// The same with an access token.
pub fn get_with(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// A POST of nothing, with a token.
pub fn post_with(path: &str, token: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n")
        .into_bytes()
}

/// A form with credentials.
pub fn post(path: &str, authorization: &str, form: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}
