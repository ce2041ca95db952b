//! Keys that sign tokens (RFC 7518 sections 3.3 and 3.4, RFC 8037), and their public halves as JWKs (RFC 7517).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, EllipticCurveKeyType, Jwk,
    OctetKeyPairParameters, OctetKeyPairType, PublicKeyUse, RSAKeyParameters, RSAKeyType,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use quick_cache::sync::Cache;

use super::public_key::thumbprint;
use super::token::sha256;
use crate::domain::signing_algorithm::SigningAlgorithm;

/// A signing key and what is published of it. Parsed once: that costs as much as a signature.
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    private: Private,
    public: Jwk,
    verifier: DecodingKey,
    /// Digests of messages with signatures of this key that were found good, which they are for ever. A resource server
    /// presents a token as often as it is used.
    good: Cache<[u8; 32], ()>,
}

/// About so many signatures are remembered of each key, some 100 bytes for each.
const REMEMBERED: usize = 1_024;

enum Private {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a private key of its algorithm in PKCS #8 form")]
pub struct SigningKeyError;

impl From<KeyRejected> for SigningKeyError {
    fn from(_: KeyRejected) -> Self {
        Self
    }
}

impl SigningKey {
    /// A fresh private key, PKCS #8 DER. The library draws from the operating system's generator itself. An RSA key
    /// takes some 100 ms: not on an async thread.
    pub fn generate(algorithm: SigningAlgorithm) -> Vec<u8> {
        generate(algorithm).expect("key generation fails only when the operating system has no randomness")
    }

    pub fn from_pkcs8(algorithm: SigningAlgorithm, der: &[u8]) -> Result<Self, SigningKeyError> {
        let private = match algorithm {
            SigningAlgorithm::Es256 => Private::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)?),
            SigningAlgorithm::Rs256 => Private::Rs256(RsaKeyPair::from_pkcs8(der)?),
            SigningAlgorithm::EdDsa => Private::EdDsa(Ed25519KeyPair::from_pkcs8(der)?),
        };
        let mut public = Jwk { common: CommonParameters::default(), algorithm: private.published() };
        let verifier = DecodingKey::from_jwk(&public).map_err(|_| SigningKeyError)?;
        public.common = CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(jose(algorithm).into()),
            key_id: Some(thumbprint(&public)),
            ..CommonParameters::default()
        };
        Ok(Self { algorithm, private, public, verifier, good: Cache::new(REMEMBERED) })
    }

    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key's RFC 7638 thumbprint.
    pub fn id(&self) -> &str {
        self.public.common.key_id.as_deref().expect("`from_pkcs8` gives each key its id")
    }

    /// The public half: has `kid`, `alg` and `use`, and no private member.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// The signature of a JWS (RFC 7515 section 5.1) with this key.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &self.private {
            Private::Es256(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Private::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
            Private::EdDsa(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
        }
    }

    /// Whether `signature`, in base64url, is of this key and the message.
    pub fn has_signed(&self, message: &[u8], signature: &str) -> bool {
        let digest = digest(message, signature);
        if self.good.get(&digest).is_some() {
            return true;
        }
        let is_good = self.verify(message, signature);
        if is_good {
            self.good.insert(digest, ());
        }
        is_good
    }

    /// The same, worked out. With EdDSA a key makes one signature of a message and no other (RFC 8032 section 5.1.6). To make it
    /// again takes less than to verify it by the public half.
    fn verify(&self, message: &[u8], signature: &str) -> bool {
        match &self.private {
            Private::EdDsa(pair) => {
                let (made, shown) = (pair.try_sign(message), URL_SAFE_NO_PAD.decode(signature));
                let (Ok(made), Ok(shown)) = (made, shown) else { return false };
                verify_slices_are_equal(made.as_ref(), &shown).is_ok()
            }
            Private::Es256(_) | Private::Rs256(_) => {
                let algorithm = jose(self.algorithm);
                jsonwebtoken::crypto::verify(signature, message, &self.verifier, algorithm).unwrap_or(false)
            }
        }
    }
}

/// Of both together: where one ends and the other begins is told apart.
fn digest(message: &[u8], signature: &str) -> [u8; 32] {
    sha256(&[&message.len().to_be_bytes(), message, signature.as_bytes()].concat())
}

fn generate(algorithm: SigningAlgorithm) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    Ok(match algorithm {
        SigningAlgorithm::Es256 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?.as_ref().to_vec()
        }
        SigningAlgorithm::Rs256 => {
            let der: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?;
            der.as_ref().to_vec()
        }
        SigningAlgorithm::EdDsa => Ed25519KeyPair::generate_pkcs8v1(&random)?.as_ref().to_vec(),
    })
}

pub(super) const fn jose(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

impl Private {
    fn published(&self) -> AlgorithmParameters {
        match self {
            Private::Es256(pair) => {
                // An uncompressed point: 4, then the two coordinates (SEC 1 section 2.3.3).
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                    key_type: EllipticCurveKeyType::EC,
                    curve: EllipticCurve::P256,
                    x: URL_SAFE_NO_PAD.encode(x),
                    y: URL_SAFE_NO_PAD.encode(y),
                })
            }
            Private::Rs256(pair) => {
                let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                AlgorithmParameters::RSA(RSAKeyParameters {
                    key_type: RSAKeyType::RSA,
                    n: URL_SAFE_NO_PAD.encode(n),
                    e: URL_SAFE_NO_PAD.encode(e),
                })
            }
            Private::EdDsa(pair) => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: EllipticCurve::Ed25519,
                x: URL_SAFE_NO_PAD.encode(pair.public_key()),
            }),
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn key(algorithm: SigningAlgorithm) -> SigningKey {
        SigningKey::from_pkcs8(algorithm, &SigningKey::generate(algorithm)).unwrap()
    }

    #[test]
    fn what_it_signs_its_published_half_verifies() {
        for algorithm in SigningAlgorithm::ALL {
            let key = key(algorithm);
            let signature = URL_SAFE_NO_PAD.encode(key.sign(b"message").unwrap());
            let verifier = DecodingKey::from_jwk(key.public()).unwrap();
            let verify = |message| jsonwebtoken::crypto::verify(&signature, message, &verifier, jose(algorithm));
            assert!(verify(b"message").unwrap(), "{algorithm:?}");
            assert!(!verify(b"massage").unwrap(), "{algorithm:?}");
        }
    }

    #[test]
    fn a_key_knows_what_it_has_signed() {
        for algorithm in SigningAlgorithm::ALL {
            let (other, key) = (key(algorithm), key(algorithm));
            let signature = URL_SAFE_NO_PAD.encode(key.sign(b"message").unwrap());
            for time in ["first", "again"] {
                assert!(key.has_signed(b"message", &signature), "{algorithm:?}, {time}");
                assert!(!key.has_signed(b"massage", &signature), "{algorithm:?}, {time}");
            }
            assert!(!other.has_signed(b"message", &signature), "{algorithm:?}");
            let last = signature.len() - 8;
            let bent = format!(
                "{}{}",
                &signature[..last],
                if signature.ends_with("AAAAAAAA") { "BBBBBBBA" } else { "AAAAAAAA" }
            );
            for wrong in ["", "A", &signature[..last], &format!("{signature}AA"), &format!("{signature}="), &bent] {
                assert!(!key.has_signed(b"message", wrong), "{algorithm:?}: {wrong}");
            }
            assert_eq!(key.good.len(), 1, "{algorithm:?}: what is wrong takes no room");
            key.good.insert(digest(b"message", &bent), ());
            assert!(key.has_signed(b"message", &bent), "{algorithm:?}: what was found good is asked first");
            assert!(!key.has_signed(b"messag", &format!("e{bent}")), "{algorithm:?}");
        }
    }

    #[test]
    fn a8_only_the_public_half_is_published() {
        for (algorithm, members) in [
            (SigningAlgorithm::Es256, &["alg", "crv", "kid", "kty", "use", "x", "y"][..]),
            (SigningAlgorithm::Rs256, &["alg", "e", "kid", "kty", "n", "use"]),
            (SigningAlgorithm::EdDsa, &["alg", "crv", "kid", "kty", "use", "x"]),
        ] {
            let key = key(algorithm);
            let json = serde_json::to_value(key.public()).unwrap();
            let mut names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, members);
            assert_eq!(json["alg"], algorithm.as_str());
            assert_eq!(json["use"], "sig");
            assert_eq!(json["kid"], key.id());
        }
    }

    #[test]
    fn a_key_of_another_algorithm_is_none_of_this_one() {
        for algorithm in SigningAlgorithm::ALL {
            let der = SigningKey::generate(algorithm);
            for other in SigningAlgorithm::ALL {
                assert_eq!(SigningKey::from_pkcs8(other, &der).is_ok(), other == algorithm, "{other:?}");
            }
            assert!(SigningKey::from_pkcs8(algorithm, b"not a key").is_err());
        }
    }
}
