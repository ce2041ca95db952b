//! Requests that act with an access token: as a bearer (RFC 6750) or with a proof of a key (RFC 9449 section 7).

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::Web;
use super::error::oauth::{json as respond, store_failed, with_status};
use super::error::refused;
use super::extract::{self, Bearer, BodyError};
use crate::crypto::token::fingerprint;
use crate::domain::access_token::AccessToken;
use crate::domain::scope::Scope;
use crate::services::bearer::{self, BearerError, BearerRefusal, Scheme};
use crate::services::oauth::error::{ErrorCode, Invalid};

/// Algorithms of DPoP proofs that are taken (RFC 9449 section 5.1), as a challenge names them.
pub const DPOP_ALGORITHMS: [&str; 4] = ["ES256", "RS256", "PS256", "EdDSA"];

/// What a request brings.
pub struct Access<'r> {
    pub method: &'r Method,
    /// Its address below the issuer's, which a proof of a key names (RFC 9449 section 4.2).
    pub path: &'r str,
    pub headers: &'r HeaderMap,
    /// The body of a POST, which may hold the token (RFC 6750 section 2.2).
    pub form: Option<Result<Bytes, BytesRejection>>,
}

/// Why nothing is opened (RFC 6750 section 3.1).
struct Challenge {
    status: StatusCode,
    /// `None` where no token was presented.
    error: Option<ErrorCode>,
    description: &'static str,
    scope: Option<Scope>,
}

const MISSING: Challenge = Challenge {
    status: StatusCode::UNAUTHORIZED,
    error: None,
    description: "Send an access token: Authorization: Bearer TOKEN",
    scope: None,
};

impl Challenge {
    const fn malformed(description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: Some(ErrorCode::InvalidRequest), description, scope: None }
    }

    const fn unauthorized(error: ErrorCode, description: &'static str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, error: Some(error), description, scope: None }
    }

    /// In the scheme that the request tried; who tried none learns of the one that every token of LeadExec's takes.
    fn respond(&self, tried_dpop: bool) -> Response {
        let mut fields = vec!["realm=\"leadgate\"".to_owned()];
        if let Some(error) = self.error {
            fields.push(format!("error=\"{}\"", error.as_str()));
            fields.push(format!("error_description=\"{}\"", self.description));
        }
        if let Some(scope) = self.scope {
            fields.push(format!("scope=\"{scope}\""));
        }
        let fields = fields.join(", ");
        let error = self.error.map_or("unauthorized", ErrorCode::as_str);
        let mut response = respond(self.status, &json!({"error": error, "error_description": self.description}));
        let challenge = if tried_dpop {
            format!("DPoP {fields}, algs=\"{}\"", DPOP_ALGORITHMS.join(" "))
        } else {
            format!("Bearer {fields}")
        };
        if let Ok(value) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// An error with this status; a challenge where a status of the client's may have one.
pub fn failed(status: StatusCode, headers: &HeaderMap, invalid: Invalid) -> Response {
    if !matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return with_status(status, invalid);
    }
    let tried_dpop = matches!(Bearer::of(headers), Bearer::Dpop(_));
    Challenge { status, error: Some(invalid.code), description: invalid.description, scope: None }.respond(tried_dpop)
}

/// The token that a request acts with, if it lives and has the scope.
pub async fn authorized(
    web: &Web,
    endpoint: &'static str,
    access: Access<'_>,
    scope: Scope,
) -> Result<AccessToken, Box<Response>> {
    let bearer = Bearer::of(access.headers);
    let tried_dpop = matches!(bearer, Bearer::Dpop(_));
    let presented = Presented::of(bearer, &access).map_err(|challenge| Box::new(challenge.respond(tried_dpop)))?;
    let url;
    let scheme = match &presented.proof {
        Some(proof) => {
            url = web.urls.public(access.path);
            Scheme::Dpop { proof, method: access.method.as_str(), url: &url }
        }
        None => Scheme::Bearer,
    };
    let challenge = match bearer::authenticate(&web.ctx, &presented.token, scheme, scope).await {
        Ok(token) => return Ok(token),
        Err(why @ BearerError::Scope { .. }) => {
            refused(endpoint, &why, Some(fingerprint(&presented.token)));
            Challenge {
                status: StatusCode::FORBIDDEN,
                error: Some(ErrorCode::InsufficientScope),
                description: "The access token was not granted this scope",
                scope: Some(scope),
            }
        }
        Err(BearerError::Refused(why @ BearerRefusal::NotProved)) => {
            refused(endpoint, &why, Some(fingerprint(&presented.token)));
            let description = "The access token is bound to a key: send it with the scheme DPoP, and a proof";
            Challenge::unauthorized(ErrorCode::InvalidToken, description)
        }
        Err(BearerError::Refused(why)) => {
            refused(endpoint, &why, Some(fingerprint(&presented.token)));
            Challenge::unauthorized(ErrorCode::InvalidToken, "The access token is unknown, expired or revoked")
        }
        Err(BearerError::Dpop(why)) => {
            refused(endpoint, &why, Some(fingerprint(&presented.token)));
            let description = "The DPoP proof is not good for this request, or was used before";
            Challenge::unauthorized(ErrorCode::InvalidDpopProof, description)
        }
        Err(BearerError::Store(error)) => return Err(Box::new(store_failed(&error))),
    };
    Err(Box::new(challenge.respond(tried_dpop)))
}

/// A token, in the one place where it was.
struct Presented {
    token: String,
    /// With the DPoP scheme.
    proof: Option<String>,
}

impl Presented {
    fn of(bearer: Bearer, access: &Access<'_>) -> Result<Self, Challenge> {
        const SEVERAL: Challenge = Challenge::malformed("Send one access token, in one place");
        let in_form = token_in_form(access)?;
        match (bearer, in_form) {
            (Bearer::None, None) => Err(MISSING),
            (Bearer::None, Some(token)) | (Bearer::Token(token), None) => Ok(Self { token, proof: None }),
            (Bearer::Dpop(token), None) => {
                let mut proofs = access.headers.get_all("dpop").iter();
                match (proofs.next().and_then(|proof| proof.to_str().ok()), proofs.next()) {
                    (Some(proof), None) => Ok(Self { token, proof: Some(proof.to_owned()) }),
                    _ => Err(Challenge::unauthorized(
                        ErrorCode::InvalidDpopProof,
                        "Send one DPoP proof beside the token",
                    )),
                }
            }
            (Bearer::Malformed, _) => Err(Challenge::malformed("Send one Authorization header with one token")),
            (Bearer::Token(_) | Bearer::Dpop(_), Some(_)) => Err(SEVERAL),
        }
    }
}

/// Only in a form: other bodies are not looked at (RFC 6750 section 2.2).
fn token_in_form(access: &Access<'_>) -> Result<Option<String>, Challenge> {
    let Some(body) = &access.form else { return Ok(None) };
    let Ok(bytes) = body else {
        let too_large = Challenge::malformed("The body is too large, or cannot be read");
        return Err(Challenge { status: StatusCode::PAYLOAD_TOO_LARGE, ..too_large });
    };
    let form = match extract::exact_form(access.headers, Ok(bytes.clone())) {
        Ok(form) => form,
        Err(BodyError::WrongType) => return Ok(None),
        Err(BodyError::TooLarge | BodyError::Malformed | BodyError::Late) => {
            return Err(Challenge::malformed("The form cannot be read"));
        }
    };
    let token = form.get("access_token").map_err(|_| Challenge::malformed("A parameter is there more than once"))?;
    Ok(token.map(str::to_owned))
}
