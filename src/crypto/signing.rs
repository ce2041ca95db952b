//! Keys that sign tokens: ES256 (RFC 7518 section 3.4), and their public half as a JWK (RFC 7517).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};

/// A signing key and what is published of it.
pub struct SigningKey {
    pub encoding: EncodingKey,
    /// Has `kid` (its RFC 7638 thumbprint), `alg` and `use`, and no private member.
    pub public: Jwk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a P-256 private key in PKCS #8 form")]
pub struct SigningKeyError;

impl SigningKey {
    /// A fresh private key, PKCS #8 DER. The library draws from the operating system's generator itself.
    pub fn generate() -> Vec<u8> {
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .expect("key generation fails only when the operating system has no randomness")
            .as_ref()
            .to_vec()
    }

    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SigningKeyError> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| SigningKeyError)?;
        let encoding = EncodingKey::from_ec_der(der);
        let mut public = Jwk::from_encoding_key(&encoding, Algorithm::ES256).map_err(|_| SigningKeyError)?;
        public.common.key_id = Some(public.thumbprint(ThumbprintHash::SHA256).map_err(|_| SigningKeyError)?);
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { encoding, public })
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_signs_its_published_half_verifies() {
        let key = SigningKey::from_pkcs8(&SigningKey::generate()).unwrap();
        let claims = serde_json::json!({"sub": "ada"});
        let jwt = jsonwebtoken::encode(&jsonwebtoken::Header::new(Algorithm::ES256), &claims, &key.encoding).unwrap();
        let mut validation = jsonwebtoken::Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        let verifier = jsonwebtoken::DecodingKey::from_jwk(&key.public).unwrap();
        assert!(jsonwebtoken::decode::<serde_json::Value>(&jwt, &verifier, &validation).is_ok());
    }

    #[test]
    fn a8_only_the_public_half_is_published() {
        let key = SigningKey::from_pkcs8(&SigningKey::generate()).unwrap();
        let json = serde_json::to_value(&key.public).unwrap();
        let mut names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        assert!(SigningKey::from_pkcs8(b"not a key").is_err());
    }
}
