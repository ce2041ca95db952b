//! DPoP proofs (RFC 9449): that the sender has the private key of a public one that comes along.

use serde::Deserialize;

use super::jws::{Jws, JwtError};
use super::numeric_date::NumericDate;
use super::public_key::{PublicKey, PublicKeyError};
use crate::domain::timestamp::Timestamp;

/// The `typ` of a proof (section 4.2).
const TYPE: &str = "dpop+jwt";
/// Bytes of a `jti`.
const MAX_JWT_ID: usize = 256;

/// What a proof says. The signature is right; what it was made for, when, and whether once, is the caller's to judge
/// (section 4.3, steps 8 to 12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The key's RFC 7638 thumbprint: what a token is bound to (section 6.1).
    pub jkt: String,
    /// The method of the request.
    pub htm: String,
    /// The address of the request, without query and fragment.
    pub htu: String,
    pub iat: Timestamp,
    /// At most 256 bytes.
    pub jti: String,
    /// The hash of the access token that comes along.
    pub ath: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    iat: NumericDate,
    jti: String,
    ath: Option<String>,
}

/// Steps 2 to 7 of section 4.3.
pub fn verify_proof(text: &str) -> Result<Proof, JwtError> {
    let jws = Jws::parse(text)?;
    if jws.typ.as_deref() != Some(TYPE) {
        return Err(JwtError::Type);
    }
    let key = PublicKey::parse(jws.jwk.as_ref().ok_or(PublicKeyError::Missing)?)?;
    if !key.fits(jws.algorithm) {
        return Err(JwtError::Algorithm);
    }
    let Claims { htm, htu, iat, jti, ath } = jws.claims([&key.verifier])?;
    if jti.is_empty() || jti.len() > MAX_JWT_ID {
        return Err(JwtError::Claims);
    }
    Ok(Proof { jkt: key.thumbprint(), htm, htu, iat: iat.0, jti, ath })
}
