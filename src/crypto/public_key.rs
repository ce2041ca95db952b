//! Other parties' public keys, as JWKs (RFC 7517; members by RFC 7518 section 6 and RFC 8037 section 2).

use std::str::FromStr as _;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, EllipticCurveKeyType, Jwk,
    OctetKeyPairParameters, OctetKeyPairType, PublicKeyUse, RSAKeyParameters, RSAKeyType, ThumbprintHash,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::jws::present;

/// What others may sign with: a client its assertions, the holder of a DPoP key its proofs.
pub const ALGORITHMS: [Algorithm; 4] = [Algorithm::ES256, Algorithm::RS256, Algorithm::PS256, Algorithm::EdDSA];
/// Bytes of an RSA modulus: 2048 to 4096 bits. A longer one would make each verification dear.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=512;
/// Characters of a `kid`.
const MAX_KEY_ID: usize = 256;

/// Why a JWK is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    #[error("a key is a JSON object with text members")]
    Form,
    #[error("the key is not a public one: it has private members, or is a shared secret")]
    Private,
    #[error("the key is of another type than EC with P-256, RSA, and OKP with Ed25519")]
    Type,
    #[error("the coordinates are not of a point on the curve")]
    Point,
    #[error("an RSA key has a modulus of 2048 to 4096 bits and an odd exponent of at most 32 bits, above 1")]
    Rsa,
    #[error("`use` is `sig`, and `alg` is ES256, RS256, PS256 or EdDSA as the key's type has it")]
    Use,
    #[error("a `kid` has 1 to {MAX_KEY_ID} characters")]
    KeyId,
    #[error("there is no key")]
    Missing,
}

/// A JWK as it comes in. What is not named here is neither looked at nor kept.
#[derive(Deserialize)]
struct Members {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    #[serde(default, deserialize_with = "present")]
    d: bool,
    #[serde(default, deserialize_with = "present")]
    p: bool,
    #[serde(default, deserialize_with = "present")]
    q: bool,
    #[serde(default, deserialize_with = "present")]
    dp: bool,
    #[serde(default, deserialize_with = "present")]
    dq: bool,
    #[serde(default, deserialize_with = "present")]
    qi: bool,
    #[serde(default, deserialize_with = "present")]
    oth: bool,
    #[serde(default, deserialize_with = "present")]
    k: bool,
}

impl Members {
    fn is_private(&self) -> bool {
        self.kty == "oct" || [self.d, self.p, self.q, self.dp, self.dq, self.qi, self.oth, self.k].contains(&true)
    }

    fn parameters(&self) -> Result<AlgorithmParameters, PublicKeyError> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => self.point(),
            ("RSA", _) => self.modulus(),
            ("OKP", Some("Ed25519")) => {
                let (x, _) = member(&self.x).filter(|(_, bytes)| bytes.len() == 32).ok_or(PublicKeyError::Point)?;
                Ok(AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                    key_type: OctetKeyPairType::OctetKeyPair,
                    curve: EllipticCurve::Ed25519,
                    x,
                }))
            }
            _ => Err(PublicKeyError::Type),
        }
    }

    fn point(&self) -> Result<AlgorithmParameters, PublicKeyError> {
        let coordinate = |text| member(text).filter(|(_, bytes)| bytes.len() == 32).ok_or(PublicKeyError::Point);
        let ((x, x_bytes), (y, y_bytes)) = (coordinate(&self.x)?, coordinate(&self.y)?);
        let point = [&[4], x_bytes.as_slice(), &y_bytes].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).parse().map_err(|_| PublicKeyError::Point)?;
        Ok(AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
            key_type: EllipticCurveKeyType::EC,
            curve: EllipticCurve::P256,
            x,
            y,
        }))
    }

    fn modulus(&self) -> Result<AlgorithmParameters, PublicKeyError> {
        let (n, n_bytes) = member(&self.n).ok_or(PublicKeyError::Rsa)?;
        let (e, e_bytes) = member(&self.e).ok_or(PublicKeyError::Rsa)?;
        let is_odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last % 2 == 1);
        // No byte of a number is wasted (RFC 7518 section 2, Base64urlUInt), so that a key has one thumbprint.
        let is_large = RSA_MODULUS.contains(&n_bytes.len())
            && (n_bytes.len() > *RSA_MODULUS.start() || n_bytes[0] >= 0x80)
            && n_bytes[0] != 0;
        let is_exponent = (1..=4).contains(&e_bytes.len()) && e_bytes[0] != 0 && e_bytes != [1];
        if !is_large || !is_exponent || !is_odd(&n_bytes) || !is_odd(&e_bytes) {
            return Err(PublicKeyError::Rsa);
        }
        Ok(AlgorithmParameters::RSA(RSAKeyParameters { key_type: RSAKeyType::RSA, n, e }))
    }

    fn common(&self, family: AlgorithmFamily) -> Result<CommonParameters, PublicKeyError> {
        let algorithm = self.alg.as_deref().map(|name| Algorithm::from_str(name).map_err(|_| PublicKeyError::Use));
        let algorithm = algorithm.transpose()?;
        if algorithm.is_some_and(|known| known.family() != family || !ALGORITHMS.contains(&known)) {
            return Err(PublicKeyError::Use);
        }
        if self.usage.as_ref().is_some_and(|usage| usage != "sig") {
            return Err(PublicKeyError::Use);
        }
        if self.kid.as_ref().is_some_and(|kid| kid.is_empty() || kid.chars().count() > MAX_KEY_ID) {
            return Err(PublicKeyError::KeyId);
        }
        Ok(CommonParameters {
            public_key_use: self.usage.as_ref().map(|_| PublicKeyUse::Signature),
            key_algorithm: algorithm.map(Into::into),
            key_id: self.kid.clone(),
            ..CommonParameters::default()
        })
    }
}

/// A member's text and the bytes that it stands for.
fn member(text: &Option<String>) -> Option<(String, Vec<u8>)> {
    let text = text.as_ref()?;
    Some((text.clone(), URL_SAFE_NO_PAD.decode(text).ok()?))
}

/// A public key that signatures may be verified with.
#[derive(Clone)]
pub struct PublicKey {
    /// Public members only.
    pub jwk: Jwk,
    pub(super) verifier: DecodingKey,
}

impl PublicKey {
    pub fn parse(json: &Value) -> Result<Self, PublicKeyError> {
        let members = Members::deserialize(json).map_err(|_| PublicKeyError::Form)?;
        if members.is_private() {
            return Err(PublicKeyError::Private);
        }
        let mut jwk = Jwk { common: CommonParameters::default(), algorithm: members.parameters()? };
        let verifier = DecodingKey::from_jwk(&jwk).map_err(|_| PublicKeyError::Form)?;
        jwk.common = members.common(verifier.family())?;
        Ok(Self { jwk, verifier })
    }

    /// Whether the key may be used with an algorithm.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        algorithm.family() == self.verifier.family()
            && self.jwk.common.key_algorithm.is_none_or(|own| own == algorithm.into())
    }

    pub fn id(&self) -> Option<&str> {
        self.jwk.common.key_id.as_deref()
    }

    /// SHA-256, base64url (RFC 7638 section 3).
    pub fn thumbprint(&self) -> String {
        thumbprint(&self.jwk)
    }
}

pub(super) fn thumbprint(jwk: &Jwk) -> String {
    jwk.thumbprint(ThumbprintHash::SHA256).expect("the keys that exist here are of types that have a thumbprint")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crypto::jws::{Jws, JwtError};
    use crate::crypto::signing::tests::key;
    use crate::domain::signing_algorithm::SigningAlgorithm;

    /// The modulus of RFC 7638 section 3.1.
    const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
                     FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9\
                     c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1\
                     jF44-csFCur-kEgU8awapJzKnqDKgw";
    /// The key of RFC 8037 appendix A.2.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn error(json: &Value) -> Option<PublicKeyError> {
        PublicKey::parse(json).err()
    }

    #[test]
    fn the_thumbprints_of_rfc_7638_and_rfc_8037() {
        let rsa = json!({"kty": "RSA", "n": N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
        let rsa = PublicKey::parse(&rsa).unwrap();
        assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(rsa.id(), Some("2011-04-29"));
        assert!(rsa.fits(Algorithm::RS256) && !rsa.fits(Algorithm::PS256) && !rsa.fits(Algorithm::ES256));
        let ed = PublicKey::parse(&json!({"kty": "OKP", "crv": "Ed25519", "x": X})).unwrap();
        assert_eq!(ed.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_signature_of_rfc_8037_appendix_a_4() {
        let ed = PublicKey::parse(&json!({"kty": "OKP", "crv": "Ed25519", "x": X})).unwrap();
        let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR\
                    6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let claims = |text| Jws::parse(text).unwrap().claims::<Value>([&ed.verifier]);
        assert_eq!(claims(text), Err(JwtError::Claims), "it is signed well, and its payload is no JSON");
        assert_eq!(claims(&text.replace("RXhh", "RXhi")), Err(JwtError::Signature));
    }

    #[test]
    fn reads_what_we_publish_and_keeps_only_what_is_used() {
        for algorithm in SigningAlgorithm::ALL {
            let key = key(algorithm);
            let mut json = serde_json::to_value(key.public()).unwrap();
            assert_eq!(PublicKey::parse(&json).unwrap().jwk, *key.public());
            json["x5c"] = json!(["MIIB"]);
            json["colour"] = json!("red");
            let read = PublicKey::parse(&json).unwrap();
            assert_eq!(read.jwk, *key.public());
            assert_eq!(read.thumbprint(), key.id());
        }
    }

    #[test]
    fn private_members_are_refused_wherever_they_are() {
        let mut public = serde_json::to_value(key(SigningAlgorithm::Es256).public()).unwrap();
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for value in [json!("AQAB"), json!(null), json!([])] {
                let mut json = public.clone();
                json[name] = value;
                assert_eq!(error(&json), Some(PublicKeyError::Private), "{json}");
            }
        }
        assert_eq!(error(&json!({"kty": "oct"})), Some(PublicKeyError::Private));
        public["kty"] = json!("oct");
        assert_eq!(error(&public), Some(PublicKeyError::Private));
    }

    #[test]
    fn other_types_and_impossible_values_are_refused() {
        let ec = |x: &str, y: &str| json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
        let zero = URL_SAFE_NO_PAD.encode([0; 32]);
        let rsa =
            |n: &[u8], e: &[u8]| json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e)});
        let n = |bytes: usize, first: u8| {
            let mut n = vec![0x55; bytes];
            n[0] = first;
            n
        };
        let ours = serde_json::to_value(key(SigningAlgorithm::Es256).public()).unwrap();
        let with = |name: &str, value: Value| {
            let mut json = ours.clone();
            json[name] = value;
            json
        };
        for (json, expected) in [
            (json!("key"), PublicKeyError::Form),
            (json!({"crv": "P-256"}), PublicKeyError::Form),
            (with("x", json!(7)), PublicKeyError::Form),
            (with("kty", json!("AKP")), PublicKeyError::Type),
            (with("crv", json!("P-384")), PublicKeyError::Type),
            (with("crv", json!("secp256k1")), PublicKeyError::Type),
            (json!({"kty": "OKP", "crv": "X25519", "x": X}), PublicKeyError::Type),
            (json!({"kty": "OKP", "crv": "Ed25519", "x": &X[1..]}), PublicKeyError::Point),
            (ec(&zero, &zero), PublicKeyError::Point),
            (ec(X, X), PublicKeyError::Point),
            (with("x", json!(null)), PublicKeyError::Point),
            (rsa(&n(255, 0xff), &[3]), PublicKeyError::Rsa),
            (rsa(&n(256, 0x7f), &[3]), PublicKeyError::Rsa),
            (rsa(&n(257, 0), &[3]), PublicKeyError::Rsa),
            (rsa(&n(513, 1), &[3]), PublicKeyError::Rsa),
            (rsa(&[0x80; 256], &[3]), PublicKeyError::Rsa),
            (rsa(&n(256, 0x80), &[1]), PublicKeyError::Rsa),
            (rsa(&n(256, 0x80), &[2]), PublicKeyError::Rsa),
            (rsa(&n(256, 0x80), &[0, 3]), PublicKeyError::Rsa),
            (rsa(&n(256, 0x80), &[1, 0, 0, 0, 1]), PublicKeyError::Rsa),
            (rsa(&n(256, 0x80), &[]), PublicKeyError::Rsa),
            (rsa(&[], &[3]), PublicKeyError::Rsa),
            (with("alg", json!("RS256")), PublicKeyError::Use),
            (with("alg", json!("ES384")), PublicKeyError::Use),
            (with("use", json!("enc")), PublicKeyError::Use),
            (with("kid", json!("")), PublicKeyError::KeyId),
            (with("kid", json!("k".repeat(MAX_KEY_ID + 1))), PublicKeyError::KeyId),
        ] {
            assert_eq!(error(&json), Some(expected), "{json:.80}");
        }
        for good in [rsa(&n(256, 0x80), &[3]), rsa(&n(257, 1), &[1, 0, 1]), rsa(&n(512, 0xff), &[1, 0, 1])] {
            assert_eq!(error(&good), None, "{good:.80}");
        }
    }
}
