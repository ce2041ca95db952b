//! A delivery's receiver: whether who sends a lead may, and whether it is one.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Context, DeliveryError, Opened, begin, find, record, shown};
use crate::crypto::digest::{self, Credentials, Digested, ForgedNonce, NONCE_LIFETIME, QOP};
use crate::crypto::token::sha256;
use crate::domain::delivery::{DigestAlgorithm, Exchange, ExchangeKind, Login, Message, Settings, Step};
use crate::domain::ids::{AppId, DeliveryId};
use crate::domain::pairs::Pairs;
use crate::domain::scope::Scope;
use crate::domain::user::User;
use crate::services::bearer::{self, BearerError, Scheme};
use crate::services::throttle::TooMany;
use crate::store::{StoreError, deliveries as rows, users};

/// Longest `Authorization` field, in bytes.
const MAX_FIELD: usize = 8 * 1024;

/// What a request brings to a receiver.
pub struct Presented<'r> {
    /// Each `Authorization` field.
    pub authorization: Vec<&'r [u8]>,
    pub method: &'r str,
    /// Path and query, as they were sent.
    pub target: &'r str,
    pub address: Option<IpAddr>,
}

/// Why a lead is not taken. Who sends it is told the status and the challenge alone.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverRefusal {
    #[error("no credentials were sent")]
    Missing,
    #[error("the credentials are of another scheme than the delivery's settings demand")]
    OtherScheme,
    #[error("the Authorization field cannot be read, or comes more than once")]
    Malformed,
    #[error("the user name or the password is wrong")]
    WrongLogin,
    #[error("the token is wrong")]
    WrongToken,
    #[error("the delivery is not configured for the algorithm of the response")]
    Algorithm,
    #[error("the realm is not the receiver's")]
    Realm,
    #[error("the opaque value is not the one that was sent with the challenge")]
    Opaque,
    #[error("the response is not of qop=auth, or has no nc or cnonce")]
    Qop,
    #[error("the uri is not the address that was asked for")]
    Uri,
    #[error("the nonce is none of this receiver's")]
    Nonce,
    #[error("the response is wrong: another user name, password, method or nonce")]
    WrongResponse,
    #[error("the response is right, but its nonce has expired")]
    Stale,
    #[error("the nonce was used with this count, or a higher one, before")]
    Replayed,
    #[error(transparent)]
    Token(BearerError),
    #[error("the access token is that of another client than the delivery's")]
    OtherClient { client: AppId },
    #[error(transparent)]
    TooMany(TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReceiverRefusal {
    /// Whether somebody may have guessed.
    const fn is_guess(&self) -> bool {
        !matches!(self, Self::Missing | Self::OtherScheme | Self::Stale | Self::TooMany(_) | Self::Store(_))
    }
}

/// The protection space of a delivery's receiver (RFC 9110 section 11.5).
pub(super) fn realm(id: DeliveryId) -> String {
    format!("deliveries/{id}")
}

pub(super) fn moment(ctx: &Context) -> digest::Moment {
    digest::Moment { server: ctx.now(), machine: ctx.real_now() }
}

/// The delivery, of an owner who is not disabled, and whether its receiver lets who sends the request in. The inner `Ok` has the response of Digest, of
/// which the server proves itself in turn.
pub async fn admit(
    ctx: &Context,
    id: DeliveryId,
    presented: &Presented<'_>,
) -> Result<(Opened, Result<Option<Credentials>, ReceiverRefusal>), DeliveryError> {
    let opened = find(ctx, None, id).await?;
    if let Some(owner) = opened.delivery.owner {
        let found = ctx.store.read(move |conn| Box::pin(users::find(conn, owner))).await?;
        found.filter(User::is_active).ok_or(DeliveryError::Unknown)?;
    }
    let subject = id.to_string();
    if let Err(too_many) = ctx.throttle.admit(presented.address, &subject) {
        return Ok((opened, Err(ReceiverRefusal::TooMany(too_many))));
    }
    let mut judged = judge(ctx, &opened, presented).await;
    if let Err(why) = &judged
        && why.is_guess()
        && let Err(too_many) = ctx.throttle.refusal(presented.address, &subject)
    {
        judged = Err(ReceiverRefusal::TooMany(too_many));
    }
    Ok((opened, judged))
}

async fn judge(
    ctx: &Context,
    opened: &Opened,
    presented: &Presented<'_>,
) -> Result<Option<Credentials>, ReceiverRefusal> {
    let field = match presented.authorization.as_slice() {
        [] => return Err(ReceiverRefusal::Missing),
        [only] if only.len() <= MAX_FIELD => *only,
        _ => return Err(ReceiverRefusal::Malformed),
    };
    let end = field.iter().position(|byte| *byte == b' ').unwrap_or(field.len());
    let (scheme, rest) = (&field[..end], field[end..].trim_ascii());
    let is_scheme = |wanted: &str| scheme.eq_ignore_ascii_case(wanted.as_bytes());
    match &opened.settings {
        Settings::Basic(login) if is_scheme("Basic") => basic(login, rest).map(|()| None),
        Settings::Digest { login, algorithms } if is_scheme("Digest") => {
            let credentials = Credentials::parse(field).map_err(|_| ReceiverRefusal::Malformed)?;
            digest(ctx, opened.delivery.id, login, algorithms, &credentials, presented).await?;
            Ok(Some(credentials))
        }
        Settings::Bearer { prefix, token } if is_scheme(prefix) => {
            if is_same(rest, token.expose().as_bytes()) {
                Ok(None)
            } else {
                Err(ReceiverRefusal::WrongToken)
            }
        }
        Settings::OAuth2 { client_id, .. } if is_scheme("Bearer") => {
            access_token(ctx, rest, client_id.as_deref()).await.map(|()| None)
        }
        _ => Err(ReceiverRefusal::OtherScheme),
    }
}

/// Constant time, whatever the lengths.
fn is_same(given: &[u8], secret: &[u8]) -> bool {
    verify_slices_are_equal(&sha256(given), &sha256(secret)).is_ok()
}

/// RFC 7617 section 2, in UTF-8: the first colon divides.
fn basic(login: &Login, base64: &[u8]) -> Result<(), ReceiverRefusal> {
    let pair = STANDARD.decode(base64).map_err(|_| ReceiverRefusal::Malformed)?;
    if !pair.contains(&b':') {
        return Err(ReceiverRefusal::Malformed);
    }
    let right = format!("{}:{}", login.username, login.password.expose());
    if is_same(&pair, right.as_bytes()) { Ok(()) } else { Err(ReceiverRefusal::WrongLogin) }
}

async fn access_token(ctx: &Context, token: &[u8], client: Option<&str>) -> Result<(), ReceiverRefusal> {
    let token = std::str::from_utf8(token).ok().filter(|token| !token.is_empty() && !token.contains(' '));
    let token = token.ok_or(ReceiverRefusal::Malformed)?;
    let found = bearer::authenticate(ctx, token, Scheme::Bearer, Scope::LeadReceiver).await;
    let found = found.map_err(|error| match error {
        BearerError::Store(error) => ReceiverRefusal::Store(error),
        refused => ReceiverRefusal::Token(refused),
    })?;
    match client {
        Some(wanted) if found.app.as_str() != wanted => Err(ReceiverRefusal::OtherClient { client: found.app }),
        _ => Ok(()),
    }
}

/// RFC 7616 section 3.4. A nonce costs no memory until somebody has proved themselves with it.
async fn digest(
    ctx: &Context,
    id: DeliveryId,
    login: &Login,
    algorithms: &[DigestAlgorithm],
    credentials: &Credentials,
    presented: &Presented<'_>,
) -> Result<(), ReceiverRefusal> {
    let what = id.to_string();
    let ring = ctx.keys.ring();
    let key = ring.newest_mac().1;
    let offered = credentials.algorithm.filter(|algorithm| algorithms.contains(algorithm));
    let algorithm = offered.ok_or(ReceiverRefusal::Algorithm)?;
    let realm = realm(id);
    if credentials.realm != realm {
        return Err(ReceiverRefusal::Realm);
    }
    // A client should send it back (RFC 7616 section 3.4), and may not.
    if credentials.opaque.as_ref().is_some_and(|given| *given != digest::opaque(key, &what)) {
        return Err(ReceiverRefusal::Opaque);
    }
    let count = credentials.nc.as_deref().and_then(digest::nonce_count);
    let (Some(QOP), Some(count), Some(nc), Some(cnonce)) =
        (credentials.qop.as_deref(), count, credentials.nc.as_deref(), credentials.cnonce.as_deref())
    else {
        return Err(ReceiverRefusal::Qop);
    };
    if credentials.uri != presented.target {
        return Err(ReceiverRefusal::Uri);
    }
    let made_at = digest::nonce_made_at(key, &what, &credentials.nonce);
    let made_at = made_at.map_err(|ForgedNonce| ReceiverRefusal::Nonce)?;
    let right = Digested {
        algorithm,
        username: &login.username,
        realm: &realm,
        password: login.password.expose(),
        method: presented.method,
        uri: presented.target,
        nonce: &credentials.nonce,
        nc,
        cnonce,
    };
    let is_user = is_same(credentials.username.as_bytes(), login.username.as_bytes());
    // Both are looked at, so that the time tells nothing of the first.
    if !(right.is_response(&credentials.response) & is_user) {
        return Err(ReceiverRefusal::WrongResponse);
    }
    if !digest::is_fresh(made_at, moment(ctx)) {
        return Err(ReceiverRefusal::Stale);
    }
    let nonce = sha256(credentials.nonce.as_bytes());
    // Past that, the nonce is refused for its age by the machine's clock, whatever the server's shows.
    let until = made_at.machine.plus(NONCE_LIFETIME);
    let used = ctx.store.write(move |conn| Box::pin(async move { rows::use_nonce(conn, &nonce, count, until).await }));
    if used.await? { Ok(()) } else { Err(ReceiverRefusal::Replayed) }
}

/// The value of `Authentication-Info` (RFC 7616 section 3.5), once a response was right.
#[must_use]
pub fn authentication_info(opened: &Opened, credentials: &Credentials) -> Option<String> {
    let Settings::Digest { login, .. } = &opened.settings else { return None };
    let (nc, cnonce) = (credentials.nc.as_deref()?, credentials.cnonce.as_deref()?);
    let proof = Digested {
        algorithm: credentials.algorithm?,
        username: &login.username,
        realm: &credentials.realm,
        password: login.password.expose(),
        method: "",
        uri: &credentials.uri,
        nonce: &credentials.nonce,
        nc,
        cnonce,
    };
    let cnonce = crate::domain::auth_params::quoted(cnonce);
    Some(format!("rspauth=\"{}\", qop={QOP}, nc={nc}, cnonce={cnonce}", proof.rspauth()))
}

/// A lead, kept as it was sent.
pub struct Lead {
    pub text: String,
    /// The media type that it said it was of, without parameters.
    pub media_type: String,
}

/// Why a body is no lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoLead {
    #[error("a lead is JSON, a form or XML, and its Content-Type says so")]
    MediaType,
    #[error("a lead in JSON is an object that has members")]
    Json,
    #[error("a lead in a form has at least one named field")]
    Form,
    #[error("a lead in XML is UTF-8 text that begins with an element or a declaration")]
    Xml,
    #[error("the lead is larger than a receiver takes")]
    TooLarge,
}

/// Judges a body by the type that it says it is of.
pub fn read_lead(content_type: &str, body: &[u8]) -> Result<Lead, NoLead> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let text = match media_type.as_str() {
        "application/json" => {
            let read: serde_json::Map<String, serde_json::Value> =
                serde_json::from_slice(body).map_err(|_| NoLead::Json)?;
            if read.is_empty() { None } else { std::str::from_utf8(body).ok() }.ok_or(NoLead::Json)?
        }
        "application/x-www-form-urlencoded" => {
            let has_name = Pairs::exact(body).is_ok_and(|pairs| pairs.iter().any(|(name, _)| !name.is_empty()));
            std::str::from_utf8(body).ok().filter(|_| has_name).ok_or(NoLead::Form)?
        }
        "application/xml" | "text/xml" => {
            let text = std::str::from_utf8(body).map_err(|_| NoLead::Xml)?;
            let trimmed = text.trim_start_matches('\u{feff}').trim();
            let begins = |c: char| c.is_alphabetic() || matches!(c, '_' | '?' | '!');
            let is_element = trimmed.strip_prefix('<').is_some_and(|rest| rest.starts_with(begins));
            if is_element && trimmed.ends_with('>') { text } else { return Err(NoLead::Xml) }
        }
        _ => return Err(NoLead::MediaType),
    };
    // No database keeps it in a text.
    if text.contains('\0') {
        return Err(NoLead::MediaType);
    }
    Ok(Lead { text: text.to_owned(), media_type })
}

/// A request to a receiver and its answer, as they were.
pub struct Witnessed {
    /// Method and path.
    pub line: String,
    pub request: Vec<(String, String)>,
    /// The bytes of the body.
    pub size: usize,
    /// With its phrase.
    pub status: (u16, &'static str),
    pub response: Vec<(String, String)>,
    pub answer: String,
    pub took: Duration,
}

impl Witnessed {
    /// For people: without what is secret.
    fn step(self, opened: &Opened, body: &str) -> Step {
        let hidden = shown::Hidden::of(&opened.settings);
        let (status, phrase) = self.status;
        Step {
            request: Message {
                line: self.line,
                headers: hidden.headers(&self.request),
                body: shown::cut(&hidden.text(body)),
            },
            response: Some(Message {
                line: format!("{status} {phrase}"),
                headers: hidden.headers(&self.response),
                body: hidden.text(&self.answer),
            }),
            duration_ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Records a lead that was taken.
pub async fn keep_received(
    ctx: &Context,
    opened: &Opened,
    lead: Lead,
    mut exchange: Exchange,
    witnessed: Witnessed,
) -> Result<(), StoreError> {
    exchange.status = Some(witnessed.status.0);
    exchange.steps = vec![witnessed.step(opened, &lead.text)];
    exchange.lead_type = Some(lead.media_type);
    exchange.lead = Some(lead.text);
    record(ctx, exchange, None).await.map(|_| ())
}

/// An exchange of a lead that is taken: its id is the lead's.
#[must_use]
pub fn begin_received(ctx: &Context, opened: &Opened) -> Exchange {
    begin(ctx, opened.delivery.id, ExchangeKind::Received, Vec::new())
}

/// Records a lead that was refused, of which nothing is kept: anybody can send one.
pub async fn keep_refused(ctx: &Context, opened: &Opened, why: String, witnessed: Witnessed) -> Result<(), StoreError> {
    if !ctx.throttle.takes_refused_lead(&opened.delivery.id.to_string()) {
        return Ok(());
    }
    let mut exchange = begin(ctx, opened.delivery.id, ExchangeKind::Refused, Vec::new());
    exchange.status = Some(witnessed.status.0);
    exchange.why = Some(why);
    let body = if witnessed.size == 0 { String::new() } else { format!("({} bytes)", witnessed.size) };
    exchange.steps = vec![witnessed.step(opened, &body)];
    record(ctx, exchange, None).await.map(|_| ())
}
