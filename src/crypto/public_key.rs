//! Other parties' public keys, as JWKs (RFC 7517; members by RFC 7518 section 6 and RFC 8037 section 2).

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
        let algorithm = match &self.alg {
            None => None,
            Some(name) => {
                let fits = |known: &Algorithm| known.family() == family && format!("{known:?}") == *name;
                Some(ALGORITHMS.into_iter().find(fits).ok_or(PublicKeyError::Use)?)
            }
        };
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
