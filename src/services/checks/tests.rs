use super::*;
use crate::domain::app::App;
use crate::domain::auth_method::AuthMethod;
use crate::domain::button::{Size, Theme};
use crate::domain::doctor::Finding;
use crate::domain::ids::{ButtonId, ConnectionId};
use crate::domain::journal::{Message, Outcome, Why};
use crate::domain::origin::Origin;

const APP: &str = "app-1";
const BUTTON: &str = "btn-1";
const PAGE: &str = "https://partner.test";

fn subject() -> Subject {
    let app = App::new(AppId::parse(APP).unwrap(), "Rate Finder".into(), Timestamp::from_micros(0));
    let button = Button {
        id: ButtonId::parse(BUTTON).unwrap(),
        app: app.id.clone(),
        origins: vec![Origin::parse(PAGE).unwrap()],
        return_urls: Vec::new(),
        scopes: None,
        theme: Theme::default(),
        size: Size::default(),
        created_at: app.created_at,
    };
    Subject { app, buttons: vec![button] }
}

/// A request of the application that was served: each test changes what it is about.
fn entry(method: &str, route: &str) -> Entry {
    Entry { app: AppId::parse(APP).ok(), ..Entry::sample(method, route) }
}

impl Entry {
    fn refused(mut self, rule: &'static str) -> Self {
        self.outcome = Outcome::Refused;
        self.why = Some(Why::new(rule, "the reason"));
        self
    }

    /// Of this connection.
    fn of(mut self, nth: u128) -> Self {
        self.connection = Some(ConnectionId(Uuid::from_u128(nth)));
        self
    }

    /// So many seconds after the beginning, by either clock.
    fn after(mut self, seconds: i64) -> Self {
        self.at = Timestamp::from_unix_seconds(seconds);
        self.app_at = self.at;
        self.real_at = self.at;
        self
    }

    fn query(mut self, query: &str) -> Self {
        self.request.line.push_str(&format!("?{query}"));
        self
    }

    fn form(mut self, body: &str) -> Self {
        self.request.body = body.into();
        self
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.push((name.into(), value.into()));
        self
    }

    fn failed(mut self, outcome: Outcome) -> Self {
        (self.outcome, self.status) = (outcome, 503);
        self.why = Some(Why::new("server.failed", "the request failed on the server"));
        self
    }

    fn stranger(mut self) -> Self {
        self.app = None;
        self
    }
}

fn report(finding: Finding) -> Entry {
    report_of(finding, "said.")
}

fn report_of(finding: Finding, message: &str) -> Entry {
    let outcome = if finding.is_fact() { Outcome::Ok } else { Outcome::Refused };
    Entry { outcome, why: Some(Why::new(finding.rule(), message)), ..entry("POST", "/button/report") }
}

fn refresh() -> Entry {
    entry("GET", "/authorize/refreshaccesstoken/{*token}").of(1)
}

fn disconnect() -> Entry {
    entry("GET", "/authorize/disconnectapplicationtoken/{*token}").of(1)
}

fn swap() -> Entry {
    entry("POST", "/button/token").of(1)
}

fn resume() -> Entry {
    Entry { button: Some(BUTTON.into()), ..entry("POST", "/button/resume") }
}

fn me() -> Entry {
    entry("GET", "/v1/me").of(1)
}

fn authorize() -> Entry {
    entry("GET", "/oauth/authorize").query("client_id=app-1&state=***a&code_challenge=***b&code_challenge_method=S256")
}

fn redirect() -> Entry {
    entry("GET", "/button/authorize").query("btn=btn-1&mode=redirect")
}

fn token(grant: &str) -> Entry {
    entry("POST", "/oauth/token").form(&format!("grant_type={grant}")).header("authorization", "Basic app-1:***").of(1)
}

fn decision(decision: &str) -> Entry {
    entry("POST", "/dialog/{flow}/decision").form(&format!("csrf=***&decision={decision}"))
}

fn account() -> Entry {
    entry("POST", "/account/connections/{connection}/disconnect").of(1)
}

/// Gives the entries the ids that they would have, in their order.
fn journal(entries: Vec<Entry>) -> Vec<Arc<Entry>> {
    let number = |(nth, entry)| Arc::new(Entry { id: Uuid::from_u128(nth), ..entry });
    (1..).zip(entries).map(number).collect()
}

fn judge_one(check: Check, entries: Vec<Entry>) -> Checked {
    evaluate(&subject(), &journal(entries)).into_iter().find(|checked| checked.check == check).unwrap()
}

/// For each check a journal with which it passes, and one with which it fails.
fn cases(check: Check) -> (Vec<Entry>, Vec<Entry>) {
    use Finding as F;
    let code = || token("authorization_code");
    match check {
        Check::ScriptFromIssuer => {
            (vec![report(F::ScriptHost), swap()], vec![swap(), report(F::ScriptShadowed), report(F::CallbackFound)])
        }
        Check::StylesheetLoaded => (
            vec![report(F::CspStyle), report(F::StylesheetLoaded)],
            vec![report(F::StylesheetLoaded), report(F::StylesheetMissing)],
        ),
        Check::ButtonKnown => (vec![report(F::NoButton), resume()], vec![resume(), report(F::UnknownButton)]),
        Check::OriginListed => {
            (vec![report(F::OriginNotListed), resume()], vec![resume(), resume().refused("button.origin")])
        }
        Check::CallbackDefined => (
            vec![report(F::NoCallback), report(F::CallbackFound)],
            vec![report(F::CallbackFound), report(F::CallbackNotFunction)],
        ),
        Check::CallbackReturns => (
            vec![report(F::CallbackThrew), report(F::CallbackDenied)],
            vec![report(F::CallbackValid), report(F::CallbackThrew)],
        ),
        Check::PolicyFits => {
            (vec![report(F::CspConnect), resume()], vec![resume(), report(F::CspStyle), report(F::CallbackValid)])
        }
        Check::OpenerKept => (vec![report(F::OpenerSevered), swap()], vec![swap(), report(F::PopupBlocked)]),
        Check::ReturnAddressRegistered => (
            vec![redirect().refused("button.return_url"), redirect()],
            vec![redirect(), report(F::ReturnNotRegistered)],
        ),
        Check::SignInCompleted => {
            (vec![swap().refused("code.verifier"), code()], vec![swap(), code().refused("code.used")])
        }
        Check::CallbackGotResult => {
            (vec![report(F::CallbackValid)], vec![report(F::CallbackValid), report(F::NoCallback)])
        }
        Check::DenialHandled => (
            vec![
                decision("deny"),
                report(F::CallbackThrew),
                decision("deny"),
                report(F::CallbackDenied),
                report(F::CallbackThrew),
            ],
            vec![decision("deny"), report(F::CallbackDenied), decision("deny"), report(F::CallbackThrew)],
        ),
        Check::ClosedPopupHandled => (
            vec![report_of(F::CallbackFailed, "called. [popup_closed]")],
            vec![report(F::OpenerSevered), report_of(F::CallbackFailed, "called. [server_error]")],
        ),
        Check::ReturningUserSignedIn => (vec![report(F::Framed), resume().of(1)], vec![resume(), report(F::Framed)]),
        Check::RefreshWorks => (
            vec![refresh().refused("connection.gone"), refresh()],
            vec![refresh(), refresh().refused("refresh_token.unknown")],
        ),
        Check::AppIdRight => (
            vec![refresh().refused("appid.case"), refresh()],
            vec![refresh(), refresh().refused("refresh_token.other_app")],
        ),
        Check::RefreshInBackEnd => (
            // Node.js says this of itself; and the server's own page may.
            vec![refresh().header("sec-fetch-mode", "cors"), refresh().header("sec-fetch-site", "same-origin")],
            vec![refresh().header("origin", PAGE).header("sec-fetch-site", "cross-site"), refresh()],
        ),
        Check::RefreshedOnceAnHour => (
            vec![refresh(), refresh().after(3_000)],
            vec![refresh(), refresh().after(60), refresh().after(3_599), refresh().after(7_000)],
        ),
        Check::ExpiredTokenRefreshed => (
            vec![me().refused("access_token.expired"), me().refused("access_token.expired"), refresh(), me()],
            vec![
                me().refused("access_token.expired"),
                me().refused("access_token.expired"),
                me().refused("access_token.expired"),
                refresh(),
                me(),
            ],
        ),
        Check::TokensOutOfQueries => {
            (vec![refresh().query("appid=app-1")], vec![me().query("a=b&access_token=lga_***x"), me()])
        }
        Check::ScopeSuffices => {
            (vec![me().refused("access_token.scope"), me()], vec![me(), me().refused("access_token.scope")])
        }
        Check::NoProbing => {
            (vec![refresh()], vec![disconnect().header("sec-purpose", "prefetch;prerender"), refresh()])
        }
        Check::DisconnectCalled => (
            vec![disconnect().refused("refresh_token.unknown"), disconnect()],
            vec![disconnect().refused("connection.disconnected")],
        ),
        Check::DisconnectNamesToken => (
            vec![disconnect().refused("disconnect.object_object"), disconnect()],
            vec![disconnect().refused("disconnect.object_object").stranger().header("referer", PAGE)],
        ),
        Check::NothingAfterDisconnect => (
            vec![disconnect(), refresh().refused("connection.disconnected"), refresh().of(2), refresh().of(2)],
            vec![disconnect(), refresh().refused("connection.disconnected"), me().refused("connection.disconnected")],
        ),
        Check::RevocationNoticed => (
            vec![account(), refresh().refused("connection.ended_by_user"), me().refused("connection.ended_by_user")],
            vec![account(), refresh().refused("x"), refresh().refused("x"), refresh().refused("x")],
        ),
        Check::StateSent => (
            vec![entry("GET", "/oauth/authorize").query("client_id=app-1"), authorize()],
            vec![authorize(), entry("POST", "/oauth/par").form("client_id=app-1")],
        ),
        Check::PkceUsed => (
            vec![authorize(), entry("GET", "/oauth/authorize").query("request_uri=urn")],
            vec![authorize(), entry("GET", "/oauth/authorize").query("state=***a")],
        ),
        Check::VerifierMatches => {
            (vec![code().refused("code.verifier"), code()], vec![code(), code().refused("code.verifier_malformed")])
        }
        Check::RedirectUriRegistered => (
            vec![authorize().refused("redirect_uri.missing"), authorize()],
            vec![authorize(), code().refused("code.redirect_uri")],
        ),
        Check::CodeInTime => {
            (vec![code().refused("code.expired"), code()], vec![swap(), swap().refused("code.expired")])
        }
        Check::CodeOnce => (vec![swap()], vec![code(), code().refused("code.used"), code()]),
        Check::ClientAuthenticates => (
            vec![token("refresh_token").refused("client.secret"), token("refresh_token")],
            vec![
                code(),
                Entry {
                    request: Message { body: "grant_type=password&client_secret=***".into(), ..Message::default() },
                    ..code()
                },
            ],
        ),
        Check::NewestRefreshTokenUsed => (
            vec![token("refresh_token"), token("refresh_token")],
            vec![token("refresh_token").refused("refresh_token.reused"), token("refresh_token")],
        ),
        Check::TokensRevoked => {
            (vec![entry("POST", "/oauth/revoke")], vec![entry("POST", "/oauth/revoke").refused("client.secret")])
        }
        Check::RefusalAccepted => (
            // Four users' tokens, and one that may still be good.
            (0..4)
                .map(|nth| refresh().refused("connection.expired").query(&format!("t=lgr_***{nth}")))
                .chain((0..9).map(|_| me().refused("access_token.expired")))
                .collect(),
            (0..4).map(|_| refresh().refused("connection.gone").query("t=lgr_***x")).chain([refresh()]).collect(),
        ),
        Check::RetryWaits => {
            let told = || {
                let mut told = refresh().failed(Outcome::Error);
                told.response.headers.push(("retry-after".into(), "5".into()));
                told
            };
            (
                vec![told(), refresh().after(6), told().after(10), refresh().after(15)],
                vec![told().after(10), refresh().after(14), refresh().after(20)],
            )
        }
        Check::FaultSurvived => (
            vec![refresh().failed(Outcome::Fault), me(), refresh().failed(Outcome::Error), refresh()],
            vec![refresh(), refresh().failed(Outcome::Fault), refresh().refused("connection.gone")],
        ),
    }
}

#[test]
fn wire_e_each_check_passes_fails_and_is_not_seen() {
    for check in Check::ALL {
        let (good, bad) = cases(*check);
        let length = |entries: &[Entry]| Uuid::from_u128(entries.len().try_into().unwrap());
        let last = length(&good);
        let passed = judge_one(*check, good);
        assert_eq!(passed.status, Status::Pass, "{check:?}");
        assert!(
            passed.evidence.as_ref().is_some_and(|found| found.request <= last && found.value.is_empty()),
            "{check:?}"
        );
        let failed = judge_one(*check, bad);
        assert_eq!(failed.status, Status::Fail, "{check:?}");
        assert!(failed.evidence.is_some(), "{check:?}");
        let nothing = judge_one(*check, vec![entry("GET", "/js/le-app-button.js")]);
        assert_eq!((nothing.status, nothing.evidence), (Status::NotSeen, None), "{check:?}");
    }
}

/// Another application's mistakes are its own; what names no application is told by button, page or token.
#[test]
fn wire_e_only_its_own_requests_count() {
    let other = |entry: Entry| Entry { app: AppId::parse("app-2").ok(), ..entry };
    for check in Check::ALL {
        let (_, bad) = cases(*check);
        let others = bad.into_iter().map(|entry| Entry { button: None, ..other(entry) }).collect();
        assert_eq!(judge_one(*check, others).status, Status::NotSeen, "{check:?}");
    }
    let status = |check, entries| judge_one(check, entries).status;
    assert_eq!(status(Check::ButtonKnown, vec![resume().stranger()]), Status::Pass, "by its button");
    let lost = resume().refused("button.unknown").stranger();
    let lost = Entry { button: Some("btn-2".into()), ..lost };
    assert_eq!(status(Check::ButtonKnown, vec![lost.clone().header("origin", PAGE)]), Status::Fail, "by its page");
    assert_eq!(status(Check::ButtonKnown, vec![lost.header("origin", "https://other.test")]), Status::NotSeen);
    let nameless = refresh().refused("appid.missing").stranger().query("t=lgr_***x");
    let signed_in =
        Entry { response: Message { body: r#"{"refreshToken":"lgr_***x"}"#.into(), ..Message::default() }, ..swap() };
    assert_eq!(status(Check::AppIdRight, vec![signed_in, nameless.clone()]), Status::Fail, "by its token");
    assert_eq!(status(Check::AppIdRight, vec![swap(), nameless]), Status::NotSeen);
    let mut wrong = other(refresh()).refused("refresh_token.other_app");
    wrong.why.as_mut().unwrap().nearest = Some(format!("application {APP}"));
    assert_eq!(status(Check::AppIdRight, vec![wrong]), Status::Fail, "by whose token it is");
    let shouted = Entry { app: AppId::parse("APP-1").ok(), ..refresh() }.refused("appid.case");
    assert_eq!(status(Check::AppIdRight, vec![shouted]), Status::Fail);
}

/// What is wrong is in the evidence: a number, a method, the reason with what would have matched.
#[test]
fn wire_e_the_evidence_says_what_was_wrong() {
    let value = |check: Check| judge_one(check, cases(check).1).evidence.unwrap().value;
    assert_eq!(value(Check::RefreshedOnceAnHour), "3");
    assert_eq!(value(Check::RetryWaits), "5");
    assert_eq!(value(Check::RefreshInBackEnd), PAGE);
    assert_eq!(value(Check::TokensOutOfQueries), "access_token");
    assert_eq!(value(Check::ClientAuthenticates), "client_secret_post (client_secret_basic)");
    let mut refused = refresh().refused("appid.case");
    refused.why.as_mut().unwrap().nearest = Some("application app-1".into());
    assert_eq!(judge_one(Check::AppIdRight, vec![refused]).evidence.unwrap().value, "the reason (application app-1)");
}

#[test]
fn wire_e_a_public_client_authenticates_with_its_id() {
    let mut public = subject();
    public.app.auth_method = AuthMethod::None;
    let asked = Entry { request: Message::default(), ..token("refresh_token") };
    let status = |entry: Entry| {
        let all = evaluate(&public, &journal(vec![entry]));
        all.into_iter().find(|checked| checked.check == Check::ClientAuthenticates).unwrap().status
    };
    assert_eq!(status(asked), Status::Pass);
    assert_eq!(status(token("refresh_token")), Status::Fail);
}

#[test]
fn wire_e_the_checks_have_names_of_their_own() {
    let mut names: Vec<&str> = Check::ALL.iter().map(|check| check.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Check::ALL.len());
    assert!(names.len() >= 20);
}
