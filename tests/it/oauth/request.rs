//! Authorization requests, the dialog that they open, and what comes back.

use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leadgate::crypto::token::sha256;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::support::{Client, assert_plain};
use crate::support::http::form;
use crate::support::{Actor, Answer, ISSUER, PASSWORD, World};

/// An authorization request, before it is one: each test changes what it is about.
#[derive(Debug, Clone)]
pub struct Ask {
    pub fields: Vec<(String, String)>,
    pub verifier: String,
}

impl Ask {
    /// What this client would ask for: a code, with PKCE, for whatever its scopes are.
    pub fn of(client: &Client) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let n = MADE.fetch_add(1, Ordering::Relaxed);
        let verifier = format!("verifier-{n:06}-abcdefghijklmnopqrstuvwxyz0123456789._~-");
        let state = format!("state-{n}");
        let fields = [
            ("response_type", "code"),
            ("client_id", client.id),
            ("redirect_uri", client.redirect_uri),
            ("state", &state),
            ("code_challenge", &challenge(&verifier)),
            ("code_challenge_method", "S256"),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { fields, verifier }
    }

    /// With this value instead of what it had.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(given, _)| given == name) {
            Some(field) => value.clone_into(&mut field.1),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// With one more parameter, whether or not it had it.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(given, _)| given != name);
        self
    }

    pub fn without_pkce(self) -> Self {
        self.without("code_challenge").without("code_challenge_method")
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub fn pairs(&self) -> Vec<(&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    pub fn address(&self) -> String {
        format!("/oauth/authorize?{}", form(&self.pairs()))
    }

    /// Where the request leads whom the server does not know: an error that it sends back at once.
    pub async fn refused(&self, world: &World) -> Landing {
        Landing::of(&world.get(&self.address()).await).unwrap_or_else(|| panic!("no error was sent back: {self:?}"))
    }

    /// The outcome where this user allows it (wire.md part E).
    pub async fn allowed(&self, world: &World, email: &str) -> Landing {
        self.decided(world, email, "allow").await
    }

    pub async fn decided(&self, world: &World, email: &str, decision: &str) -> Landing {
        let body = json!({"user": email, "decision": decision, "authorize_url": self.address()});
        let answer = world.sandbox_authorize(&body).await.expect(200).json();
        Landing::at(answer["redirect_to"].as_str().unwrap_or_else(|| panic!("{answer}")))
    }
}

pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}

/// How an answer got back to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// What a client gets at its redirect URI.
#[derive(Debug, Clone)]
pub struct Landing {
    /// The redirect URI, with the query that it was registered with.
    pub uri: String,
    pub mode: Mode,
    /// In the order in which they came.
    pub fields: Vec<(String, String)>,
}

impl Landing {
    /// Of a redirect to a client, or of a page that posts to one; `None` of anything else.
    pub fn of(answer: &Answer) -> Option<Self> {
        match answer.status {
            303 => Some(answer.location()).filter(|to| !to.starts_with('/')).map(Self::at),
            200 => Self::of_form(answer),
            _ => None,
        }
    }

    /// Of the address that a browser is sent to.
    pub fn at(to: &str) -> Self {
        let url = Url::parse(to).unwrap();
        let parse = |text: &str| form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        if let Some(fragment) = url.fragment() {
            let uri = to.split('#').next().unwrap().to_owned();
            return Self { uri, mode: Mode::Fragment, fields: parse(fragment) };
        }
        // The answer is appended: what stands before it was registered.
        let fields: Vec<(String, String)> = parse(url.query().unwrap_or_default());
        let is_answer = |name: &str| matches!(name, "code" | "error" | "error_description" | "state" | "iss");
        let own = fields.iter().take_while(|(name, _)| !is_answer(name)).count();
        let (base, query) = to.split_once('?').unwrap_or((to, ""));
        let kept: Vec<&str> = query.split('&').take(own).filter(|pair| !pair.is_empty()).collect();
        let uri = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
        Self { uri, mode: Mode::Query, fields: fields.into_iter().skip(own).collect() }
    }

    fn of_form(answer: &Answer) -> Option<Self> {
        let action = unescape(answer.between("action=\"", "\"")?);
        if action.starts_with('/') {
            return None;
        }
        let inputs = answer.text().split("<input").skip(1).map(|input| input.split('>').next().unwrap());
        let attribute = |input: &str, name: &str| {
            let value = input.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
            Some(unescape(value))
        };
        let fields = inputs.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?))).collect();
        Some(Self { uri: action, mode: Mode::FormPost, fields })
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert!(values.next().is_none(), "{name} came twice: {self:?}");
        value
    }

    #[track_caller]
    pub fn code(&self) -> String {
        self.value("code").unwrap_or_else(|| panic!("no code: {self:?}")).to_owned()
    }

    /// The error, of an answer that has what every one has (RFC 6749 section 4.1.2.1, RFC 9207).
    #[track_caller]
    pub fn error(&self) -> &str {
        assert!(self.value("code").is_none(), "{self:?}");
        assert_eq!(self.value("iss"), Some(ISSUER), "{self:?}");
        if let Some(description) = self.value("error_description") {
            assert_plain(description);
        }
        self.value("error").unwrap_or_else(|| panic!("no error: {self:?}"))
    }
}

/// The text of an attribute.
fn unescape(text: &str) -> String {
    [("&#38;", "&"), ("&#39;", "'"), ("&#34;", "\""), ("&#60;", "<"), ("&#62;", ">")]
        .into_iter()
        .chain([("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&#x27;", "'"), ("&amp;", "&")])
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl Actor {
    /// Goes through the dialog that an answer opens, as this user, up to the client; or to the page that is no
    /// part of it.
    pub async fn go_on(&mut self, mut answer: Answer, email: &str, decision: &str) -> Result<Landing, Answer> {
        let mut path = String::new();
        for _ in 0..8 {
            if let Some(landing) = Landing::of(&answer) {
                return Ok(landing);
            }
            answer = if answer.status == 303 {
                answer.location().clone_into(&mut path);
                self.get(&path).await
            } else if answer.is_login_page() {
                let csrf = answer.csrf();
                let fields = [("csrf", csrf.as_str()), ("email", email), ("password", PASSWORD)];
                self.post(&format!("{path}/login"), &fields).await
            } else if answer.is_consent_page() {
                let csrf = answer.csrf();
                self.post(&format!("{path}/decision"), &[("csrf", &csrf), ("decision", decision)]).await
            } else {
                return Err(answer);
            };
        }
        panic!("the dialog does not end: {answer:?}");
    }

    /// Answers a whole authorization request.
    pub async fn decide_on(&mut self, ask: &Ask, email: &str, decision: &str) -> Landing {
        let answer = self.get(&ask.address()).await;
        self.go_on(answer, email, decision).await.unwrap_or_else(|page| panic!("{ask:?}: {page:?}"))
    }

    pub async fn allow(&mut self, ask: &Ask, email: &str) -> Landing {
        self.decide_on(ask, email, "allow").await
    }

    /// Signs in on the account page.
    pub async fn sign_in(&mut self, email: &str) {
        let csrf = self.get("/account").await.expect(200).csrf();
        let fields = [("csrf", csrf.as_str()), ("email", email), ("password", PASSWORD)];
        self.post("/account/login", &fields).await.expect(303);
    }

    /// Ends the connection to the application of this name on the account page (wire.md A5).
    pub async fn disconnect(&mut self, app: &str) {
        let page = self.get("/account").await.expect(200);
        let entry = page.text().split("<li class=\"panel app\">").find(|entry| entry.contains(app)).unwrap();
        let action = entry.split("action=\"").skip(1).find(|action| action.contains("/disconnect")).unwrap();
        self.post(action.split('"').next().unwrap(), &[("csrf", &page.csrf())]).await.expect(303);
    }

    /// The first page that an authorization request shows.
    pub async fn first_page(&mut self, ask: &Ask) -> Answer {
        let answer = self.get(&ask.address()).await;
        let path = answer.location().to_owned();
        assert!(path.contains("/dialog/") && path.starts_with('/'), "{path}");
        self.get(&path).await.expect(200)
    }
}
