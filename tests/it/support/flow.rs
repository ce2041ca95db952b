//! The sign-in flow, step by step, as the button's script and a person take it.

use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leadgate::crypto::token::sha256;
use serde_json::{Value, json};

use super::http::form;
use super::{Actor, Answer, PASSWORD, World};

/// A click on a button, before it is one: each test changes what it is about.
#[derive(Clone)]
pub struct Click {
    pub btn: String,
    pub origin: String,
    pub state: String,
    pub verifier: String,
    /// `mode`, `return_to`, `lang`.
    pub more: Vec<(&'static str, String)>,
}

/// An opened dialog.
#[derive(Clone)]
pub struct Opened {
    pub path: String,
    pub click: Click,
}

/// What a partner got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    pub refresh: String,
    pub access: String,
    pub expires: String,
}

impl Click {
    pub fn on(btn: &str, origin: &str) -> Self {
        static CLICKS: AtomicU32 = AtomicU32::new(0);
        let n = CLICKS.fetch_add(1, Ordering::Relaxed);
        Self {
            btn: btn.to_owned(),
            origin: origin.to_owned(),
            state: format!("state-{n}-of-the-partners-page"),
            verifier: format!("verifier-{n:06}-abcdefghijklmnopqrstuvwxyz0123456789._~-"),
            more: Vec::new(),
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.more.push((name, value.to_owned()));
        self
    }

    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(self.verifier.as_bytes()))
    }

    pub fn address(&self) -> String {
        let challenge = self.challenge();
        let mut fields = vec![
            ("btn", self.btn.as_str()),
            ("origin", &self.origin),
            ("state", &self.state),
            ("code_challenge", &challenge),
        ];
        fields.extend(self.more.iter().map(|(name, value)| (*name, value.as_str())));
        format!("/button/authorize?{}", form(&fields))
    }
}

impl Tokens {
    #[track_caller]
    pub fn of(result: &Value) -> Self {
        assert_eq!(result["valid"], true, "{result}");
        let text = |key: &str| result[key].as_str().unwrap_or_else(|| panic!("{key}: {result}")).to_owned();
        Self { refresh: text("refreshToken"), access: text("authToken"), expires: text("expireDate") }
    }
}

impl Actor {
    /// Clicks, and has a dialog.
    pub async fn open(&mut self, click: Click) -> Opened {
        let answer = self.get(&click.address()).await;
        let path = answer.location().to_owned();
        assert!(path.contains("/dialog/"), "{path}");
        Opened { path, click }
    }

    /// Posts the login form, and answers what came back.
    pub async fn post_login(&mut self, opened: &Opened, email: &str, password: &str) -> Answer {
        let csrf = self.get(&opened.path).await.expect(200).csrf();
        let fields = [("csrf", csrf.as_str()), ("email", email), ("password", password)];
        self.post(&format!("{}/login", opened.path), &fields).await
    }

    /// Signs in, and answers the next page.
    pub async fn log_in(&mut self, opened: &Opened, email: &str) -> Answer {
        let answer = self.post_login(opened, email, PASSWORD).await;
        self.follow(&answer).await
    }

    /// Answers a consent page.
    pub async fn decide(&mut self, opened: &Opened, consent: &Answer, decision: &str) -> Answer {
        let csrf = consent.csrf();
        self.post(&format!("{}/decision", opened.path), &[("csrf", &csrf), ("decision", decision)]).await
    }

    /// Goes through a whole dialog: signs in and consents where that is asked for.
    pub async fn code(&mut self, click: Click, email: &str) -> (Opened, String) {
        let opened = self.open(click).await;
        let mut page = self.get(&opened.path).await.expect(200);
        if page.is_login_page() {
            page = self.log_in(&opened, email).await.expect(200);
        }
        if page.is_consent_page() {
            page = self.decide(&opened, &page, "allow").await.expect(200);
        }
        let code = page.code();
        (opened, code)
    }

    /// What the script does with a code.
    pub async fn redeem(&mut self, opened: &Opened, code: &str) -> Answer {
        let Click { btn, origin, verifier, .. } = &opened.click;
        self.fetch(origin, "/button/token", &json!({"btn": btn, "code": code, "code_verifier": verifier})).await
    }

    /// A whole sign-in.
    pub async fn connect(&mut self, btn: &str, origin: &str, email: &str) -> Tokens {
        let (opened, code) = self.code(Click::on(btn, origin), email).await;
        Tokens::of(&self.redeem(&opened, &code).await.expect(200).json())
    }

    /// What the script does when a page is loaded.
    pub async fn resume(&mut self, page: &str, btns: &[&str]) -> Value {
        let body = json!({"btns": btns, "return_to": format!("{page}/signin")});
        self.fetch(page, "/button/resume", &body).await.expect(200).json()["results"].clone()
    }
}

/// A connection, and tokens of it, without a browser.
pub async fn connect_by_api(world: &World, user: &str, button: &str) -> Tokens {
    let body = json!({"user": user, "button": button, "decision": "allow"});
    Tokens::of(&world.sandbox_authorize(&body).await.expect(200).json())
}
