//! Sending a test lead with a delivery's settings: each request that it takes, and what came back.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use url::Url;

use super::shown::{Hidden, cut};
use super::{Context, DeliveryError, Opened, begin, find, receiver, record};
use crate::crypto::digest::{Digested, QOP};
use crate::domain::auth_params::AuthParams;
use crate::domain::delivery::{
    DigestAlgorithm, Exchange, ExchangeKind, Field, Login, Message, Settings, SettingsError, Step, TokenGrant, Wrong,
};
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::DeliveryId;
use crate::domain::target_url::{TargetUrl, origin};
use crate::outgoing::{Answered, Call};
use crate::services::audit::Acting;

/// Longest test lead, in bytes.
pub const MAX_TEST_LEAD: usize = 64 * 1024;
/// For each request. All that one lead takes is over before a page gives up.
const PATIENCE: Duration = Duration::from_secs(6);
const FORM: &str = "application/x-www-form-urlencoded";

/// A lead to be sent for a test.
pub struct TestLead {
    text: String,
    media_type: &'static str,
}

impl TestLead {
    /// The type is seen from the text: JSON begins with a brace, XML with an angle bracket; else it is a form.
    #[must_use]
    pub fn of(text: String) -> Option<Self> {
        if text.trim().is_empty() || text.len() > MAX_TEST_LEAD || text.contains('\0') {
            return None;
        }
        let media_type = match text.trim_start().chars().next() {
            Some('{' | '[') => "application/json",
            Some('<') => "application/xml",
            _ => FORM,
        };
        Some(Self { text, media_type })
    }
}

/// The lead that is sent where nobody wrote one.
#[must_use]
pub fn sample_lead() -> &'static str {
    "{\n  \"FirstName\": \"Test\",\n  \"LastName\": \"Lead\",\n  \"Email\": \"test.lead@example.com\",\n  \"Phone\": \
     \"555-0100\"\n}"
}

/// Sends a test lead to `url`, else to the delivery's own target, else to its own receiver, and records the exchange.
pub async fn send_test(
    ctx: &Acting<'_>,
    id: DeliveryId,
    url: Option<String>,
    lead: TestLead,
) -> Result<Exchange, DeliveryError> {
    let opened = find(ctx, ctx.owner(), id).await?;
    let text = url.or_else(|| opened.delivery.url.clone()).unwrap_or_else(|| receiver(ctx, id));
    let wrong = Wrong::Invalid("an address such as `https://leads.example.com/receive`");
    let target = TargetUrl::parse(&text).map(TargetUrl::into_url);
    let target = target.map_err(|_| SettingsError { field: Field::Url, wrong })?;
    let host = origin(&target);
    let mut sending =
        Sending { ctx, lead: &lead, target, steps: Vec::new(), hidden: Hidden::of(&opened.settings), status: None };
    let outcome = sending.run(&opened).await;
    let Sending { steps, status, hidden, .. } = sending;
    let mut exchange = begin(ctx, id, ExchangeKind::Sent, steps);
    exchange.status = status;
    exchange.why = outcome.err().map(|why| cut(&hidden.text(&why)));
    exchange.lead = Some(lead.text);
    exchange.lead_type = Some(lead.media_type.to_owned());
    let mut event = ctx.event(Action::DeliveryTested, Target::delivery(id, &opened.delivery.name));
    event.changes.extend(Change::of("target", "", host));
    Ok(record(ctx, exchange, Some(event)).await?)
}

struct Sending<'s> {
    ctx: &'s Context,
    lead: &'s TestLead,
    target: Url,
    steps: Vec<Step>,
    hidden: Hidden,
    /// Of the last answer.
    status: Option<u16>,
}

/// What a request is for.
#[derive(Clone, Copy)]
enum Asked {
    Lead,
    Token,
}

/// Why the lead was not taken, in one sentence.
type Outcome = Result<(), String>;

impl Sending<'_> {
    async fn run(&mut self, opened: &Opened) -> Outcome {
        match &opened.settings {
            Settings::Basic(login) => {
                let pair = format!("{}:{}", login.username, login.password.expose());
                let answer = self.send_lead(Some(format!("Basic {}", STANDARD.encode(pair)))).await?;
                judge(&answer)
            }
            Settings::Digest { login, algorithms } => self.digest(login, algorithms).await,
            Settings::Bearer { prefix, token } => {
                let answer = self.send_lead(Some(format!("{prefix} {}", token.expose()))).await?;
                judge(&answer)
            }
            settings @ Settings::OAuth2 { .. } => {
                let token = self.token(settings).await?;
                self.hidden.add(&token);
                let answer = self.send_lead(Some(format!("Bearer {token}"))).await?;
                judge(&answer)
            }
        }
    }

    /// Keeps what was asked and answered, or why there is no answer.
    async fn call(
        &mut self,
        what: Asked,
        url: &Url,
        mut headers: Vec<(String, String)>,
        body: &str,
    ) -> Result<Answered, String> {
        let request = Message {
            line: format!("POST {}", self.hidden.text(url.as_str())),
            headers: self.hidden.headers(&headers),
            body: match what {
                Asked::Lead => cut(&self.hidden.text(body)),
                Asked::Token => self.hidden.token_request(body),
            },
        };
        headers.push(("accept".to_owned(), "*/*".to_owned()));
        let call = Call { url: url.clone(), headers, body: body.as_bytes().to_vec(), timeout: PATIENCE };
        match self.ctx.outgoing.call(call).await {
            Ok(answer) => {
                self.status = Some(answer.status);
                let response = Message {
                    line: answer.status.to_string(),
                    headers: self.hidden.headers(&answer.headers),
                    body: match what {
                        Asked::Lead => self.hidden.body(&answer.body),
                        Asked::Token => self.hidden.token_answer(&answer.body),
                    },
                };
                let duration_ms = u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX);
                self.steps.push(Step { request, response: Some(response), duration_ms });
                Ok(answer)
            }
            Err(error) => {
                self.status = None;
                self.steps.push(Step { request, response: None, duration_ms: 0 });
                Err(error.to_string())
            }
        }
    }

    async fn send_lead(&mut self, authorization: Option<String>) -> Result<Answered, String> {
        let (lead, target) = (self.lead, self.target.clone());
        let mut headers = vec![("content-type".to_owned(), lead.media_type.to_owned())];
        headers.extend(authorization.map(|value| ("authorization".to_owned(), value)));
        self.call(Asked::Lead, &target, headers, &lead.text).await
    }

    /// The target says first what it wants to have proved (RFC 7616 section 3.3).
    async fn digest(&mut self, login: &Login, algorithms: &[DigestAlgorithm]) -> Outcome {
        let mut answer = self.send_lead(None).await?;
        if answer.status != 401 {
            judge(&answer)?;
            return Err("the target took the lead without asking for credentials".to_owned());
        }
        // A nonce that has expired meanwhile is worth another round, and no more than one.
        for _ in 0..2 {
            let challenge = Challenge::best(&answer, algorithms)?;
            let mut cnonce = [0; 16];
            self.ctx.entropy.fill(&mut cnonce);
            let cnonce = URL_SAFE_NO_PAD.encode(cnonce);
            let query = self.target.query().map(|query| format!("?{query}")).unwrap_or_default();
            let uri = format!("{}{query}", self.target.path());
            let digested = Digested {
                algorithm: challenge.algorithm,
                username: &login.username,
                realm: &challenge.realm,
                password: login.password.expose(),
                method: "POST",
                uri: &uri,
                nonce: &challenge.nonce,
                nc: "00000001",
                cnonce: &cnonce,
            };
            // Who has it can try passwords on it.
            self.hidden.add(&digested.response());
            answer = self.send_lead(Some(digested.authorization(challenge.opaque.as_deref()))).await?;
            if answer.status == 401 && Challenge::best(&answer, algorithms).is_ok_and(|next| next.is_stale) {
                continue;
            }
            judge(&answer)?;
            return check_server(&answer, &digested);
        }
        judge(&answer)
    }

    /// An access token for the lead (RFC 6749 sections 4.3 and 4.4). The client authenticates with HTTP Basic; where that
    /// is refused, in the form (section 2.3.1).
    async fn token(&mut self, settings: &Settings) -> Result<String, String> {
        let Settings::OAuth2 { token_url, grant, client_id, client_secret, scope, user } = settings else {
            return Err("the delivery is not configured for OAuth 2.0".to_owned());
        };
        let url = token_url.clone().unwrap_or_else(|| format!("{}/oauth/token", self.ctx.issuer));
        let url = TargetUrl::parse(&url).map(TargetUrl::into_url).map_err(|_| "the token URL cannot be called")?;
        let mut form = vec![("grant_type", grant.as_str())];
        form.extend(scope.as_deref().map(|scope| ("scope", scope)));
        if let (TokenGrant::Password, Some(user)) = (grant, user) {
            form.extend([("username", user.username.as_str()), ("password", user.password.expose())]);
        }
        let (id, secret) = (client_id.as_deref(), client_secret.as_ref().map(|secret| secret.expose()));
        let (Some(id), Some(secret)) = (id, secret) else {
            let id = id.ok_or("the delivery has no client id, without which it gets no token")?;
            form.push(("client_id", id));
            let answer = self.ask_for_token(&url, &form, None).await?;
            return read_token(&answer);
        };
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(id), encoded(secret));
        self.hidden.add(&pair);
        let basic = format!("Basic {}", STANDARD.encode(pair));
        let mut answer = self.ask_for_token(&url, &form, Some(basic)).await?;
        if answer.status == 401 {
            form.extend([("client_id", id), ("client_secret", secret)]);
            answer = self.ask_for_token(&url, &form, None).await?;
        }
        read_token(&answer)
    }

    async fn ask_for_token(
        &mut self,
        url: &Url,
        form: &[(&str, &str)],
        authorization: Option<String>,
    ) -> Result<Answered, String> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut headers = vec![("content-type".to_owned(), FORM.to_owned())];
        headers.extend(authorization.map(|value| ("authorization".to_owned(), value)));
        self.call(Asked::Token, url, headers, &body).await.map_err(|why| format!("no token: {why}"))
    }
}

fn read_token(answer: &Answered) -> Result<String, String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    if !(200..300).contains(&answer.status) {
        let said = text("error").unwrap_or("no error code");
        let more = text("error_description").map(|more| format!(": {more}")).unwrap_or_default();
        return Err(format!("no token: the token endpoint answered {} with {said}{more}", answer.status));
    }
    let token = text("access_token").filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()));
    let token = token.ok_or("no token: the token endpoint's answer has no access_token")?;
    // RFC 6749 section 7.1: a token of a kind that is not understood is not used.
    if text("token_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err("no token: the token endpoint's answer has a token_type other than Bearer".to_owned());
    }
    Ok(token.to_owned())
}

fn judge(answer: &Answered) -> Outcome {
    match answer.status {
        200..=299 => Ok(()),
        300..=399 => Err(format!("the target answered {}, a redirect, which is not followed", answer.status)),
        401 => {
            let asked: Vec<_> = asked_for(answer).collect();
            let asked = if asked.is_empty() { "nothing".to_owned() } else { asked.join(", ") };
            Err(format!("the target refused the credentials, and asks for: {asked}"))
        }
        403 => Err("the target knows who sent the lead, and does not let them (403)".to_owned()),
        status => Err(format!("the target answered {status}")),
    }
}

/// The schemes of a refusal's challenges.
fn asked_for(answer: &Answered) -> impl Iterator<Item = String> + '_ {
    challenges(answer).map(|challenge| match challenge.get("algorithm") {
        Some(algorithm) => format!("{} {algorithm}", challenge.scheme),
        None => challenge.scheme,
    })
}

fn challenges(answer: &Answered) -> impl Iterator<Item = AuthParams> + '_ {
    let fields = answer.headers.iter().filter(|(name, _)| name == "www-authenticate");
    fields.flat_map(|(_, value)| AuthParams::challenges(value.as_bytes()).unwrap_or_default())
}

/// What a target wants to have proved.
struct Challenge {
    algorithm: DigestAlgorithm,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    is_stale: bool,
}

impl Challenge {
    /// The strongest that the delivery is configured for.
    fn best(answer: &Answered, algorithms: &[DigestAlgorithm]) -> Result<Self, String> {
        let mut offered: Vec<_> = challenges(answer).filter_map(|one| Self::of(&one)).collect();
        offered.retain(|one| algorithms.contains(&one.algorithm));
        let best = offered.into_iter().min_by_key(|one| one.algorithm);
        best.ok_or_else(|| {
            let asked = asked_for(answer).collect::<Vec<_>>().join(", ");
            let configured = algorithms.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
            format!("the target asks for {asked}; the delivery is configured for Digest with qop=auth and {configured}")
        })
    }

    fn of(params: &AuthParams) -> Option<Self> {
        let has_qop = params.get("qop").is_some_and(|qop| qop.split(',').any(|one| one.trim() == QOP));
        let algorithm = params.get("algorithm").map_or(Some(DigestAlgorithm::Md5), DigestAlgorithm::parse)?;
        (params.is("Digest") && has_qop).then_some(())?;
        Some(Self {
            algorithm,
            realm: params.get("realm")?.to_owned(),
            nonce: params.get("nonce")?.to_owned(),
            opaque: params.get("opaque").map(str::to_owned),
            is_stale: params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

/// Whether the target knows the password too, where it says so (RFC 7616 section 3.5).
fn check_server(answer: &Answered, digested: &Digested<'_>) -> Outcome {
    let info = answer.headers.iter().find(|(name, _)| name == "authentication-info").map(|(_, value)| value);
    let Some(info) = info else { return Ok(()) };
    let read = AuthParams::credentials(format!("Info {info}").as_bytes()).ok();
    match read.as_ref().and_then(|read| read.get("rspauth")) {
        Some(given) if given != digested.rspauth() => {
            Err("the target took the lead, but its Authentication-Info is wrong".to_owned())
        }
        _ => Ok(()),
    }
}
