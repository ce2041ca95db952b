//! JSON Web Signatures in compact form (RFC 7515 section 7.1): taken apart here, and read only when the signature is
//! right. Times are not judged: the server's clock does that, where the claims are used.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::public_key::PublicKeyError;
use super::signing::SigningKey;

/// Bytes of a JWT that is looked at.
pub const MAX_JWT: usize = 8 * 1024;

/// Why a JWT is refused, for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    #[error("the text is not a signed JWT of at most {MAX_JWT} bytes")]
    Malformed,
    #[error("the JWT is signed with an algorithm that is not accepted, or that is not its key's")]
    Algorithm,
    #[error("the JWT's header has the parameter {0}, which is not accepted")]
    Header(&'static str),
    #[error("the JWT is of another type (typ)")]
    Type,
    #[error("the JWT names a key that is not known, or none")]
    UnknownKey,
    #[error("the JWT's header brings no acceptable key: {0}")]
    Key(#[from] PublicKeyError),
    #[error("the JWT's signature is wrong")]
    Signature,
    #[error("a claim of the JWT is missing, or not of its type")]
    Claims,
}

/// The header, as far as it is looked at. A parameter that stands in it twice makes it malformed.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    jwk: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    jku: bool,
    #[serde(default, deserialize_with = "present")]
    x5u: bool,
    #[serde(default, deserialize_with = "present")]
    x5c: bool,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// That a member is there, whatever it holds.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// A JWS whose signature nobody has looked at yet.
pub(super) struct Jws<'t> {
    pub algorithm: Algorithm,
    pub typ: Option<String>,
    pub kid: Option<String>,
    /// The key that the sender claims to have signed with (RFC 7515 section 4.1.3).
    pub jwk: Option<Value>,
    signed: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Jws<'t> {
    /// Refuses algorithms that are not signatures with a private key, and headers by which the sender would have us
    /// fetch a key (`jku`, `x5u`), trust a certificate (`x5c`) or follow an extension (`crit`; we know none).
    pub fn parse(text: &'t str) -> Result<Self, JwtError> {
        if text.len() > MAX_JWT {
            return Err(JwtError::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwtError::Malformed)?;
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| JwtError::Malformed)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| JwtError::Malformed)?;
        let unwanted = [(header.jku, "jku"), (header.x5u, "x5u"), (header.x5c, "x5c"), (header.crit, "crit")];
        if let Some((_, name)) = unwanted.into_iter().find(|(is_present, _)| *is_present) {
            return Err(JwtError::Header(name));
        }
        let algorithm = Algorithm::from_str(&header.alg).map_err(|_| JwtError::Algorithm)?;
        if !super::public_key::ALGORITHMS.contains(&algorithm) {
            return Err(JwtError::Algorithm);
        }
        Ok(Self { algorithm, typ: header.typ, kid: header.kid, jwk: header.jwk, signed, payload, signature })
    }

    /// The claims, if one of the keys made the signature.
    pub fn claims<'k, C: DeserializeOwned>(
        &self,
        keys: impl IntoIterator<Item = &'k DecodingKey>,
    ) -> Result<C, JwtError> {
        let is_signed_by = |key| {
            jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, self.algorithm).unwrap_or(false)
        };
        if !keys.into_iter().any(is_signed_by) {
            return Err(JwtError::Signature);
        }
        self.unverified()
    }

    /// The claims, if this key of ours made the signature.
    pub fn own_claims<C: DeserializeOwned>(&self, key: &SigningKey) -> Result<C, JwtError> {
        if !key.has_signed(self.signed.as_bytes(), self.signature) {
            return Err(JwtError::Signature);
        }
        self.unverified()
    }

    /// What anybody may have written: good for finding the key that is to be verified with, and for nothing else.
    pub fn unverified<C: DeserializeOwned>(&self) -> Result<C, JwtError> {
        let payload = URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| JwtError::Malformed)?;
        serde_json::from_slice(&payload).map_err(|_| JwtError::Claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Result<(), JwtError> {
        let text = format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(header));
        Jws::parse(&text).map(|_| ())
    }

    #[test]
    fn i3_only_signatures_and_only_headers_that_choose_nothing() {
        assert_eq!(parse(r#"{"alg":"ES256","cty":"JWT"}"#), Ok(()));
        for alg in ["none", "None", "HS256", "HS512", "ES384", "RS512", "PS384", "RSA-OAEP", "", "es256"] {
            assert_eq!(parse(&format!(r#"{{"alg":"{alg}"}}"#)), Err(JwtError::Algorithm), "{alg}");
        }
        for name in ["jku", "x5u", "x5c", "crit"] {
            for value in ["\"https://evil.test/\"", "[]", "null"] {
                let header = format!(r#"{{"alg":"ES256","{name}":{value}}}"#);
                assert_eq!(parse(&header), Err(JwtError::Header(name)), "{header}");
            }
        }
        for header in ["", "{}", "[]", r#"{"alg":7}"#, r#"{"alg":"ES256","alg":"RS256"}"#, r#"{"alg":"ES256"} x"#] {
            assert_eq!(parse(header), Err(JwtError::Malformed), "{header}");
        }
    }

    #[test]
    fn other_shapes_are_malformed() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#);
        let long = format!("{header}.{}.c2ln", "A".repeat(MAX_JWT));
        for text in ["", ".", "..", "a.b", "a.b.c.d.e", &format!("{header}=.e30.c2ln"), &format!("{header}.e30"), &long]
        {
            assert_eq!(Jws::parse(text).err(), Some(JwtError::Malformed), "{text:.40}");
        }
    }
}
