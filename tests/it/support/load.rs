//! A load on the real program that notes what was acknowledged: refreshes (wire.md A2), disconnects (A3), and refresh tokens
//! of the standard class that are rotated.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread::Scope;
use std::time::Duration;

use serde_json::Value;

use super::http::form;
use super::program::Server;

pub const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";
const BUTTON: &str = "btn-demonstration";
/// For one more request of the load.
const PATIENCE: Duration = Duration::from_secs(60);
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// What the server said that it did.
#[derive(Debug, Clone, Default)]
pub struct Acknowledged {
    /// Access tokens that were issued.
    pub issued: Vec<String>,
    /// Refresh and access tokens of connections that were ended.
    pub ended: Vec<(String, String)>,
    /// Access tokens of a grant whose refresh token is rotated.
    pub rotated: Vec<String>,
    /// Requests that should have been served, and were not.
    pub refused: Vec<String>,
}

fn text(value: &Value, member: &str) -> Option<String> {
    value[member].as_str().map(str::to_owned)
}

pub struct Load<'l> {
    pub server: &'l Server,
    pub token: &'l str,
    done: Mutex<Acknowledged>,
    /// Told of each that is done.
    more: Condvar,
    is_over: AtomicBool,
}

impl<'l> Load<'l> {
    pub fn on(server: &'l Server, token: &'l str) -> Self {
        Self { server, token, done: Mutex::default(), more: Condvar::new(), is_over: AtomicBool::new(false) }
    }

    pub fn so_far(&self) -> Acknowledged {
        self.done.lock().unwrap().clone()
    }

    /// Waits until this much more was acknowledged of each kind.
    pub fn go_on(&self) {
        let counts = |of: &Acknowledged| [of.issued.len(), of.ended.len(), of.rotated.len()];
        let mut done = self.done.lock().unwrap();
        let before = counts(&done);
        while counts(&done).iter().zip(before).any(|(now, before)| *now < before + 2) {
            assert!(done.refused.is_empty(), "{:?}", done.refused);
            let (now, waited) = self.more.wait_timeout(done, PATIENCE).unwrap();
            assert!(!waited.timed_out(), "the load stands still");
            done = now;
        }
    }

    pub fn end(&self) -> Acknowledged {
        self.is_over.store(true, Ordering::Relaxed);
        self.so_far()
    }

    fn note(&self, what: impl FnOnce(&mut Acknowledged)) {
        what(&mut self.done.lock().unwrap());
        self.more.notify_all();
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    fn refused(&self, what: &str, answer: impl std::fmt::Debug) {
        self.note(|done| done.refused.push(format!("{what}: {answer:?}")));
    }

    /// Begins; it ends with [`Load::end`].
    pub fn start<'s>(&'s self, scope: &'s Scope<'s, '_>) {
        scope.spawn(|| self.refresh());
        scope.spawn(|| self.disconnect());
        scope.spawn(|| self.rotate());
    }

    fn refresh(&self) {
        let connected = self.server.authorize(self.token, "grace@acme.test", BUTTON).unwrap().json();
        let refresh = text(&connected, "refreshToken").unwrap();
        while self.goes_on() {
            let answer = self.server.get(&format!("/authorize/refreshaccesstoken/{refresh}?appid={APP}"));
            match text(&answer.json(), "authToken") {
                Some(access) => self.note(|done| done.issued.push(access)),
                None => return self.refused("refresh", answer),
            }
        }
    }

    fn disconnect(&self) {
        while self.goes_on() {
            let connected = self.server.authorize(self.token, "ada@acme.test", BUTTON).unwrap();
            let Some((refresh, access)) =
                text(&connected.json(), "refreshToken").zip(text(&connected.json(), "authToken"))
            else {
                return self.refused("authorize", connected);
            };
            let answer = self.server.get(&format!("/authorize/disconnectapplicationtoken/{refresh}"));
            if answer.json()["valid"] != true {
                return self.refused("disconnect", answer);
            }
            self.note(|done| done.ended.push((refresh, access)));
        }
    }

    fn rotate(&self) {
        let mut refresh =
            match grant(self.server, &[("grant_type", "password"), ("username", "alma@acme.test"), PASSWORD]) {
                Ok((_, refresh)) => refresh,
                Err(answer) => return self.refused("password", answer),
            };
        while self.goes_on() {
            match grant(self.server, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]) {
                Ok((access, next)) => {
                    self.note(|done| done.rotated.push(access));
                    refresh = next;
                }
                Err(answer) => return self.refused("rotation", answer),
            }
        }
    }
}

pub const PASSWORD: (&str, &str) = ("password", "correct horse battery");

/// Asks the token endpoint; answers the access and the refresh token, or what came instead.
pub fn grant(server: &Server, fields: &[(&str, &str)]) -> Result<(String, String), String> {
    let client = [("client_id", APP), ("client_secret", "app-secret")];
    let body = form(&[fields, &client].concat());
    let answer = server.send("POST", "/oauth/token", &[FORM], &body).map_err(|error| error.to_string())?;
    let read = answer.json();
    text(&read, "access_token").zip(text(&read, "refresh_token")).ok_or_else(|| format!("{answer:?}"))
}

/// Looks whether a server has what was acknowledged.
pub fn assert_kept(server: &Server, of: &Acknowledged) {
    let newest = |tokens: &[String]| tokens.iter().rev().take(5).cloned().collect::<Vec<_>>();
    for access in newest(&of.issued).into_iter().chain(newest(&of.rotated)).chain(of.issued.first().cloned()) {
        assert_eq!(server.me(&access), 200, "an acknowledged token is lost");
    }
    for (refresh, access) in of.ended.iter().rev().take(5) {
        assert_eq!(server.me(access), 401, "an acknowledged disconnect is lost");
        let answer = server.get(&format!("/authorize/refreshaccesstoken/{refresh}?appid={APP}"));
        assert_eq!(answer.json()["valid"], false, "an acknowledged disconnect is lost");
    }
}
