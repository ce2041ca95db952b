//! The JWTs that this server signs, and reads again (RFC 7519): access tokens (RFC 9068) and ID tokens.

pub use super::jws::{JwtError, MAX_JWT};
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::jws::Jws;
use super::keyring::KeyRing;
use super::signing::{SigningKey, jose};
use crate::domain::signing_algorithm::SigningAlgorithm;

/// Bytes that most of ours fit into.
const ORDINARY: usize = 1024;

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
    // Three plain words: nothing in them needs an escape.
    let header = format!(r#"{{"typ":"{}","alg":"{}","kid":"{}"}}"#, typ.as_str(), key.algorithm().as_str(), key.id());
    let claims = serde_json::to_vec(claims).map_err(|_| SignError)?;
    let mut text = String::with_capacity(ORDINARY);
    URL_SAFE_NO_PAD.encode_string(header, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut text);
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
    jws.own_claims(key)
}

#[cfg(test)]
pub mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::crypto::keyring::tests::{START, ring_key, ring_of};
    use crate::crypto::signing::tests::key;
    use crate::domain::signing_algorithm::SigningAlgorithm;

    /// A JWS with any header and payload, under a key.
    pub fn signed(key: &SigningKey, header: &Value, payload: &str) -> String {
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).unwrap());
        format!("{text}.{signature}")
    }

    fn ring() -> KeyRing {
        ring_of(SigningAlgorithm::ALL.map(|algorithm| ring_key(algorithm, 1, START)).to_vec())
    }

    fn read(ring: &KeyRing, text: &str) -> Result<Value, JwtError> {
        verify(ring, text, JwtType::AccessToken)
    }

    #[test]
    fn reads_what_it_signed_whatever_the_times() {
        let ring = ring();
        let claims = json!({"sub": "ada", "exp": 1, "nbf": 9_999_999_999_i64, "aud": "another"});
        for algorithm in SigningAlgorithm::ALL {
            let key = ring.signing_key(algorithm, START).unwrap();
            let text = sign(&key, JwtType::AccessToken, &claims).unwrap();
            assert_eq!(read(&ring, &text), Ok(claims.clone()));
            let header = jsonwebtoken::decode_header(&text).unwrap();
            assert_eq!((header.alg, header.typ.as_deref()), (jose(algorithm), Some("at+jwt")));
            assert_eq!(header.kid.as_deref(), Some(key.id()));
        }
    }

    /// By a library that knows nothing of ours.
    #[test]
    fn others_verify_it_with_the_published_keys() {
        let ring = ring();
        for jwk in ring.jwks(START).keys {
            let key = ring.verification_key(jwk.common.key_id.as_deref().unwrap()).unwrap();
            let text =
                sign(key, JwtType::IdToken, &json!({"sub": "ada", "aud": "app", "exp": 9_999_999_999_i64})).unwrap();
            let mut validation = jsonwebtoken::Validation::new(jose(key.algorithm()));
            validation.set_audience(&["app"]);
            let verifier = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
            let read = jsonwebtoken::decode::<Value>(&text, &verifier, &validation).unwrap();
            assert_eq!(read.claims["sub"], "ada");
        }
    }

    #[test]
    fn i3_one_type_is_not_taken_for_another() {
        let ring = ring();
        let key = ring.signing_key(SigningAlgorithm::Es256, START).unwrap();
        let typed = |typ: Value| signed(&key, &json!({"alg": "ES256", "kid": key.id(), "typ": typ}), "{}");
        for (typ, access, id) in [
            (json!("at+jwt"), true, false),
            (json!("JWT"), false, true),
            (json!(null), false, true),
            (json!("dpop+jwt"), false, false),
            (json!(""), false, false),
        ] {
            let text = typed(typ);
            assert_eq!(read(&ring, &text) != Err(JwtError::Type), access, "{text}");
            assert_eq!(verify::<Value>(&ring, &text, JwtType::IdToken) != Err(JwtError::Type), id, "{text}");
        }
    }

    #[test]
    fn i3_only_a_known_key_with_its_own_algorithm() {
        let ring = ring();
        let (ours, theirs) = (ring.signing_key(SigningAlgorithm::Rs256, START).unwrap(), key(SigningAlgorithm::Rs256));
        let header = |alg: &str, kid: &str| json!({"typ": "at+jwt", "alg": alg, "kid": kid});
        for (text, expected) in [
            (signed(&ours, &header("RS256", ours.id()), "{}"), Ok(json!({}))),
            (signed(&theirs, &header("RS256", ours.id()), "{}"), Err(JwtError::Signature)),
            (signed(&theirs, &header("RS256", theirs.id()), "{}"), Err(JwtError::UnknownKey)),
            (signed(&ours, &json!({"typ": "at+jwt", "alg": "RS256"}), "{}"), Err(JwtError::UnknownKey)),
            (signed(&ours, &header("PS256", ours.id()), "{}"), Err(JwtError::Algorithm)),
            (signed(&ours, &header("ES256", ours.id()), "{}"), Err(JwtError::Algorithm)),
            (signed(&ours, &header("none", ours.id()), "{}"), Err(JwtError::Algorithm)),
            (signed(&ours, &header("RS256", ours.id()), "not JSON"), Err(JwtError::Claims)),
        ] {
            assert_eq!(read(&ring, &text), expected, "{text}");
        }
        let mut with_jwk = header("RS256", theirs.id());
        with_jwk["jwk"] = serde_json::to_value(theirs.public()).unwrap();
        assert_eq!(read(&ring, &signed(&theirs, &with_jwk, "{}")), Err(JwtError::Header("jwk")));
    }

    /// The oldest trick: the published key, taken for a shared secret.
    #[test]
    fn i3_a_mac_under_the_public_key_is_no_signature() {
        let ring = ring();
        let key = ring.signing_key(SigningAlgorithm::Rs256, START).unwrap();
        let secret = serde_json::to_vec(key.public()).unwrap();
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        header.typ = Some("at+jwt".into());
        header.kid = Some(key.id().into());
        let text = jsonwebtoken::encode(&header, &json!({}), &jsonwebtoken::EncodingKey::from_secret(&secret)).unwrap();
        assert_eq!(read(&ring, &text), Err(JwtError::Algorithm));
    }

    #[test]
    fn any_change_is_refused() {
        let ring = ring();
        let key = ring.signing_key(SigningAlgorithm::EdDsa, START).unwrap();
        let text = sign(&key, JwtType::AccessToken, &json!({"sub": "ada"})).unwrap();
        for i in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            assert!(read(&ring, std::str::from_utf8(&bytes).unwrap()).is_err(), "at {i}");
        }
        for bad in [&text[1..], &text[..text.len() - 1], &format!("{text}A"), &format!("{text}=")] {
            assert!(read(&ring, bad).is_err(), "{bad}");
        }
    }
}
