//! The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2): checked against what the client
//! registered, before anybody is asked anything.

use std::time::Duration;

use serde::Deserialize;

use super::super::journal::note;
use super::super::keys::{self, VerifyError};
use super::super::reason::likest;
use super::super::{Context, partner};
use super::error::{ErrorCode, Invalid};
use super::pushed;
use crate::crypto::jwt::JwtType;
use crate::domain::app::{App, ClientType};
use crate::domain::authorization::{
    AuthorizationRequest, AuthorizationResponse, Interaction, MAX_FREE_TEXT, RedirectTarget, ResponseMode,
};
use crate::domain::email::MAX_EMAIL;
use crate::domain::grant_type::GrantType;
use crate::domain::journal::Why;
use crate::domain::pairs::Pairs;
use crate::domain::pkce::CodeChallenge;
use crate::domain::resource::Resource;
use crate::domain::scope::{RequestedScopeError, ScopeSet};
use crate::domain::timestamp::Timestamp;
use crate::store::StoreError;

/// The parameters that mean something here, each of which may come once (RFC 6749 section 3.1).
const PARAMETERS: [&str; 22] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "ui_locales",
    "resource",
    "dpop_jkt",
    "request",
    "request_uri",
    "registration",
    "acr_values",
    "display",
    "claims",
];

/// Why no dialog is opened.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizationError {
    /// There is no address that an error could be sent to: only the person in front of the browser learns of it.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// The client learns of it.
    #[error("{invalid}")]
    Sendable { target: Box<RedirectTarget>, app: Box<App>, invalid: Invalid },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// RFC 6749 section 4.1.2.1: no redirect where the client or its address is not known for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    #[error("client_id is missing, is there twice, or is no application's")]
    Client,
    #[error("the application is disabled")]
    Disabled,
    #[error("redirect_uri is there twice")]
    RedirectUriTwice,
    #[error("redirect_uri is not registered for the application; it is compared exactly")]
    RedirectUri,
    #[error("redirect_uri is missing, and the application has not registered exactly one")]
    NoRedirectUri,
    #[error("request_uri is unknown, was used, has expired, or is another application's")]
    RequestUri,
}

/// An error response (RFC 6749 section 4.1.2.1).
pub fn error_response(target: RedirectTarget, issuer: &str, invalid: Invalid) -> AuthorizationResponse {
    let own = [("error", invalid.code.as_str().to_owned()), ("error_description", invalid.description.to_owned())];
    AuthorizationResponse::new(target, issuer, own)
}

/// Checks the request of a browser, which may stand for one that was pushed before (RFC 9126 section 4).
pub async fn check(ctx: &Context, parameters: &Pairs) -> Result<(App, AuthorizationRequest), AuthorizationError> {
    let client = parameters.get("client_id").ok().flatten().ok_or(Unsendable::Client)?;
    let Some(app) = partner::app_by(ctx, client).await? else {
        let nearest = partner::nearest_app(ctx, client).await?;
        note::why(Why { nearest, ..Why::new("client.unknown", "no application has this client_id") });
        return Err(Unsendable::Client.into());
    };
    note::app(&app.id);
    if !app.is_active() {
        return Err(Unsendable::Disabled.into());
    }
    let by_reference = parameters.get("request_uri").map_err(|_| Unsendable::RequestUri)?;
    if let Some(uri) = by_reference {
        let request = pushed::take(ctx, &app, uri).await?.ok_or(Unsendable::RequestUri)?;
        return Ok((app, request));
    }
    let request = check_for(ctx, &app, parameters, Channel::Front).await?;
    Ok((app, request))
}

/// Which way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Through the browser.
    Front,
    /// From the client itself, authenticated (RFC 9126).
    Pushed,
}

/// Checks the parameters of a client's request.
pub async fn check_for(
    ctx: &Context,
    app: &App,
    parameters: &Pairs,
    channel: Channel,
) -> Result<AuthorizationRequest, AuthorizationError> {
    let (mut target, redirect_uri_given) = redirect_target(app, parameters)?;
    let checked = Check { ctx, app, parameters, channel };
    let sendable = |target: RedirectTarget, invalid| AuthorizationError::Sendable {
        target: Box::new(target),
        app: Box::new(app.clone()),
        invalid,
    };
    if let Err(invalid) = checked.state_and_mode(&mut target) {
        return Err(sendable(target, invalid));
    }
    let subject_hint = match checked.subject_hint().await {
        Ok(hint) => hint,
        Err(SubjectHintError::Invalid(invalid)) => {
            return Err(sendable(target, invalid));
        }
        Err(SubjectHintError::Store(error)) => return Err(error.into()),
    };
    match checked.rest(target.clone(), redirect_uri_given, subject_hint) {
        Ok(request) => Ok(request),
        Err(invalid) => Err(sendable(target, invalid)),
    }
}

/// The registered redirect URI that the request is for. Until it is known nothing is sent anywhere.
fn redirect_target(app: &App, parameters: &Pairs) -> Result<(RedirectTarget, bool), Unsendable> {
    let asked = parameters.get("redirect_uri").map_err(|_| Unsendable::RedirectUriTwice)?;
    let uri = match asked {
        Some(asked) => app.redirect_uri(asked).ok_or_else(|| {
            let registered: Vec<String> = app.redirect_uris.iter().map(ToString::to_string).collect();
            // Where nothing is like it, one that would be taken.
            let nearest = likest(asked, registered.iter().map(String::as_str)).or_else(|| registered.first().cloned());
            let message = "this redirect_uri is not registered for the application; it is compared exactly";
            note::why(Why { nearest, ..Why::new("redirect_uri.not_registered", message) });
            Unsendable::RedirectUri
        })?,
        None => match app.redirect_uris.as_slice() {
            [only] => only.clone(),
            _ => return Err(Unsendable::NoRedirectUri),
        },
    };
    let is_verified = uri.is_verifiable();
    let target = RedirectTarget { uri: uri.into(), mode: ResponseMode::Query, state: None, is_verified };
    Ok((target, asked.is_some()))
}

struct Check<'c> {
    ctx: &'c Context,
    app: &'c App,
    parameters: &'c Pairs,
    channel: Channel,
}

enum SubjectHintError {
    Invalid(Invalid),
    Store(StoreError),
}

impl Check<'_> {
    fn get(&self, name: &str) -> Result<Option<&str>, Invalid> {
        Ok(self.parameters.get(name)?)
    }

    /// First of all how an answer is given: the errors that follow are given so.
    fn state_and_mode(&self, target: &mut RedirectTarget) -> Result<(), Invalid> {
        target.state = self.bounded("state")?;
        target.mode = match self.get("response_mode")? {
            None => ResponseMode::Query,
            Some(text) => {
                ResponseMode::parse(text).ok_or(Invalid::request("response_mode is query, fragment or form_post."))?
            }
        };
        if self.parameters.repeated(&PARAMETERS).is_some() {
            return Err(crate::domain::pairs::Repeated.into());
        }
        Ok(())
    }

    fn bounded(&self, name: &str) -> Result<Option<String>, Invalid> {
        let value = self.get(name)?;
        if value.is_some_and(|value| value.len() > MAX_FREE_TEXT) {
            return Err(Invalid::request("A parameter is longer than 4096 bytes."));
        }
        if value.is_some_and(|value| value.contains(char::is_control)) {
            return Err(Invalid::request("A parameter has a control character in it."));
        }
        Ok(value.map(str::to_owned))
    }

    /// Whom an ID token of ours names. It may have expired (OpenID Connect Core 3.1.2.1).
    async fn subject_hint(&self) -> Result<Option<String>, SubjectHintError> {
        #[derive(Deserialize)]
        struct Hint {
            iss: String,
            sub: String,
            aud: String,
        }
        let invalid = Invalid::request("id_token_hint is not an ID token of this server for this client.");
        let hint = self.get("id_token_hint").map_err(SubjectHintError::Invalid)?;
        let Some(hint) = hint else { return Ok(None) };
        match keys::verify::<Hint>(self.ctx, hint, JwtType::IdToken).await {
            Ok(hint) if hint.iss == self.ctx.issuer && hint.aud == self.app.id.as_str() => Ok(Some(hint.sub)),
            Ok(_) | Err(VerifyError::Refused(_)) => Err(SubjectHintError::Invalid(invalid)),
            Err(VerifyError::Keys(error)) => Err(SubjectHintError::Store(error.into())),
        }
    }

    fn rest(
        &self,
        target: RedirectTarget,
        redirect_uri_given: bool,
        subject_hint: Option<String>,
    ) -> Result<AuthorizationRequest, Invalid> {
        if self.channel == Channel::Front && self.app.requires_par {
            return Err(Invalid::request("This client has to push its authorization requests (RFC 9126)."));
        }
        if self.get("request")?.is_some() {
            let description = "Request objects are not supported: send plain parameters, or push them.";
            return Err(Invalid::new(ErrorCode::RequestNotSupported, description));
        }
        if self.get("registration")?.is_some() {
            let description = "Clients are registered beforehand: registration is not a parameter here.";
            return Err(Invalid::new(ErrorCode::RegistrationNotSupported, description));
        }
        match self.get("response_type")? {
            Some("code") => {}
            None => return Err(Invalid::request("response_type is missing.")),
            Some(_) => {
                return Err(Invalid::new(ErrorCode::UnsupportedResponseType, "The only response_type is code."));
            }
        }
        if !self.app.has_grant(GrantType::AuthorizationCode) {
            let description = "This client is not registered for the authorization_code grant.";
            return Err(Invalid::new(ErrorCode::UnauthorizedClient, description));
        }
        Ok(AuthorizationRequest {
            client: self.app.id.clone(),
            target,
            redirect_uri_given,
            scopes: requested_scopes(self.app, self.get("scope")?)?,
            nonce: self.bounded("nonce")?,
            code_challenge: self.code_challenge()?,
            resource: requested_resource(self.ctx, self.app, self.get("resource")?)?.into_resource(),
            dpop_jkt: self.dpop_jkt()?,
            interaction: self.interaction(self.ctx.now())?,
            // Longer than an address it is no hint at all.
            login_hint: self.bounded("login_hint")?.filter(|hint| hint.len() <= MAX_EMAIL),
            subject_hint,
            lang: self
                .get("ui_locales")?
                .and_then(|tags| tags.split(' ').next())
                .map(|tag| tag.chars().take(35).collect()),
        })
    }

    /// S256 only, and always for a public client (RFC 9700 section 2.1.1).
    fn code_challenge(&self) -> Result<Option<String>, Invalid> {
        let (challenge, method) = (self.get("code_challenge")?, self.get("code_challenge_method")?);
        let Some(challenge) = challenge else {
            return match (self.app.client_type(), method) {
                (ClientType::Public, _) => {
                    Err(Invalid::request("A public client has to send a code_challenge (PKCE)."))
                }
                (_, Some(_)) => Err(Invalid::request("code_challenge_method is there without a code_challenge.")),
                (ClientType::Confidential, None) => Ok(None),
            };
        };
        if method != Some("S256") {
            return Err(Invalid::request("The only code_challenge_method is S256."));
        }
        let description = "A code_challenge is the base64url SHA-256 of the verifier: 43 characters.";
        let challenge = CodeChallenge::parse(challenge).map_err(|_| Invalid::request(description))?;
        Ok(Some(challenge.as_str().to_owned()))
    }

    fn dpop_jkt(&self) -> Result<Option<String>, Invalid> {
        let jkt = self.get("dpop_jkt")?;
        // A SHA-256 in base64url, as a code challenge is.
        if jkt.is_some_and(|jkt| CodeChallenge::parse(jkt).is_err()) {
            return Err(Invalid::request("dpop_jkt is the SHA-256 thumbprint of a key: 43 characters."));
        }
        Ok(jkt.map(str::to_owned))
    }

    fn interaction(&self, now: Timestamp) -> Result<Interaction, Invalid> {
        let mut interaction = Interaction { silent: false, consent: false, signed_in_since: None };
        let prompt = self.get("prompt")?.unwrap_or_default();
        let values: Vec<&str> = prompt.split(' ').filter(|value| !value.is_empty()).collect();
        for value in &values {
            match *value {
                "none" if values.len() == 1 => interaction.silent = true,
                "none" => return Err(Invalid::request("prompt=none stands alone.")),
                // Another account is another sign-in: this server keeps one for each browser.
                "login" | "select_account" => interaction.signed_in_since = Some(now),
                "consent" => interaction.consent = true,
                _ => return Err(Invalid::request("prompt is none, login, consent or select_account.")),
            }
        }
        if let Some(text) = self.get("max_age")? {
            let seconds: u32 = text
                .parse()
                .ok()
                .filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
                .ok_or(Invalid::request("max_age is a number of seconds."))?;
            let since = now.minus(Duration::from_secs(u64::from(seconds)));
            interaction.signed_in_since = interaction.signed_in_since.max(Some(since));
        }
        Ok(interaction)
    }
}

/// What a request asks for; without a scope, each API scope of the client (RFC 6749 section 3.3 wants a documented
/// default).
pub(super) fn requested_scopes(app: &App, scope: Option<&str>) -> Result<ScopeSet, Invalid> {
    let asked = match scope {
        None => app.scopes.api_only(),
        Some(text) => ScopeSet::requested(text).map_err(|why| {
            let description = match why {
                RequestedScopeError::TooLong => "The scope is too long.",
                RequestedScopeError::Malformed => "The scope is not a list of names with spaces between them.",
                RequestedScopeError::Unknown => "The scope has a name that this server does not know.",
            };
            Invalid::new(ErrorCode::InvalidScope, description)
        })?,
    };
    if asked.is_empty() || !app.permits(&asked) {
        let description = "The scope has a name that is not registered for this client, or none.";
        return Err(Invalid::new(ErrorCode::InvalidScope, description));
    }
    Ok(asked)
}

/// The API that tokens are asked for (RFC 8707 section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedResource {
    /// The request names none: what was authorized before, or this server's own.
    Unnamed,
    /// This server's own.
    Own,
    Other(Resource),
}

impl RequestedResource {
    /// What a new authorization is for; this server's own APIs stay unnamed.
    pub fn into_resource(self) -> Option<Resource> {
        match self {
            Self::Unnamed | Self::Own => None,
            Self::Other(resource) => Some(resource),
        }
    }

    /// Whether it goes with what was authorized.
    pub fn fits(&self, authorized: Option<&Resource>) -> bool {
        match self {
            Self::Unnamed => true,
            Self::Own => authorized.is_none(),
            Self::Other(resource) => authorized == Some(resource),
        }
    }
}

pub(super) fn requested_resource(
    ctx: &Context,
    app: &App,
    resource: Option<&str>,
) -> Result<RequestedResource, Invalid> {
    let Some(text) = resource else { return Ok(RequestedResource::Unnamed) };
    if text == ctx.issuer {
        return Ok(RequestedResource::Own);
    }
    let registered = app.resources.iter().find(|resource| resource.as_str() == text).cloned();
    let description = "The resource is not registered for this client.";
    registered.map(RequestedResource::Other).ok_or(Invalid::new(ErrorCode::InvalidTarget, description))
}
