//! The JWTs that this server signs, and reads again (RFC 7519): access tokens (RFC 9068) and ID tokens.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

pub use super::jws::{JwtError, MAX_JWT};

use super::jws::Jws;
use super::keyring::KeyRing;
use super::signing::{SigningKey, jose};
use crate::domain::signing_algorithm::SigningAlgorithm;

/// What a JWT is, so that one is not taken for another (RFC 8725 section 3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtType {
    /// RFC 9068 section 2.1.
    AccessToken,
    /// OpenID Connect names no type; where one is given it is `JWT`.
    IdToken,
}

impl JwtType {
    /// The `typ` that we write.
    pub const fn as_str(self) -> &'static str {
        match self {
            JwtType::AccessToken => "at+jwt",
            JwtType::IdToken => "JWT",
        }
    }

    fn accepts(self, typ: Option<&str>) -> bool {
        typ.map_or(self == JwtType::IdToken, |typ| typ == self.as_str())
    }
}

/// Only a mistake of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token could not be signed")]
pub struct SignError;

pub fn sign(key: &SigningKey, typ: JwtType, claims: &impl Serialize) -> Result<String, SignError> {
    let header = json!({"typ": typ.as_str(), "alg": key.algorithm().as_str(), "kid": key.id()});
    let claims = serde_json::to_vec(claims).map_err(|_| SignError)?;
    let mut text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
    let signature = key.sign(text.as_bytes()).map_err(|_| SignError)?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(text)
}

/// The `at_hash` of an access token (OpenID Connect Core 3.1.3.6): the left half of its hash, by the hash function of
/// the ID token's algorithm; that of EdDSA on Curve25519 is SHA-512.
pub fn half_hash(algorithm: SigningAlgorithm, access_token: &str) -> String {
    let function = match algorithm {
        SigningAlgorithm::Es256 | SigningAlgorithm::Rs256 => &SHA256,
        SigningAlgorithm::EdDsa => &SHA512,
    };
    let hash = digest(function, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

/// The claims of a token that a key of ours signed. Says nothing about whether it still lives, nor for whom it is.
pub fn verify<C: DeserializeOwned>(keys: &KeyRing, text: &str, typ: JwtType) -> Result<C, JwtError> {
    let jws = Jws::parse(text)?;
    if jws.jwk.is_some() {
        return Err(JwtError::Header("jwk"));
    }
    if !typ.accepts(jws.typ.as_deref()) {
        return Err(JwtError::Type);
    }
    let key = jws.kid.as_deref().and_then(|id| keys.verification_key(id)).ok_or(JwtError::UnknownKey)?;
    if jose(key.algorithm()) != jws.algorithm {
        return Err(JwtError::Algorithm);
    }
    jws.claims([&key.verifier])
}
