//! The keys that a client proves itself with: its JWK Set by value (RFC 7591 section 2, `jwks`), and the assertions that
//! it signs with them (RFC 7523).

use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::jws::{Jws, JwtError};
use super::numeric_date::NumericDate;
use super::public_key::{PublicKey, PublicKeyError};

/// Keys of one client: some to come, some to go, and no more work than this for one assertion.
const MAX_KEYS: usize = 10;
/// Bytes of a set in its written form; ten of the longest keys take less.
const MAX_TEXT: usize = 16 * 1024;
/// Bytes of a `jti`.
const MAX_JWT_ID: usize = 256;
/// What an assertion may say of its own type; most say nothing.
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// Why a JWK Set is not a client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeysError {
    #[error("not a JWK Set: a JSON object with `keys`, a list of 1 to {MAX_KEYS} keys")]
    Form,
    #[error("two keys have the same `kid`")]
    SameKeyId,
    #[error(transparent)]
    Key(#[from] PublicKeyError),
}

/// A client's public keys; never empty.
#[derive(Clone)]
pub struct ClientKeys(Vec<PublicKey>);

impl ClientKeys {
    pub fn parse(text: &str) -> Result<Self, ClientKeysError> {
        if text.len() > MAX_TEXT {
            return Err(ClientKeysError::Form);
        }
        Self::from_json(&serde_json::from_str(text).map_err(|_| ClientKeysError::Form)?)
    }

    pub fn from_json(set: &Value) -> Result<Self, ClientKeysError> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(ClientKeysError::Form)?;
        if keys.is_empty() || keys.len() > MAX_KEYS {
            return Err(ClientKeysError::Form);
        }
        let keys = keys.iter().map(PublicKey::parse).collect::<Result<Vec<_>, _>>()?;
        let mut ids: Vec<&str> = keys.iter().filter_map(PublicKey::id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ClientKeysError::SameKeyId);
        }
        Ok(Self(keys))
    }

    /// The set with the members that are used: `parse` reads it back.
    pub fn to_json(&self) -> Value {
        let set = JwkSet { keys: self.0.iter().map(|key| key.jwk.clone()).collect() };
        serde_json::to_value(set).expect("a JWK Set has nothing in it that JSON cannot write")
    }
}

impl std::fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientKeys({})", self.0.len())
    }
}

/// What a client says of itself, with its signature under it. None of it has been judged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AssertionClaims {
    pub iss: String,
    pub sub: String,
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    pub exp: NumericDate,
    pub iat: Option<NumericDate>,
    pub nbf: Option<NumericDate>,
    /// At most 256 bytes.
    pub jti: String,
}

/// `aud` is a text or a list of texts (RFC 7519 section 4.1.3).
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Audience::deserialize(deserializer)? {
        Audience::One(one) => vec![one],
        Audience::Many(many) => many,
    })
}

/// The client that an assertion claims to be of, without a proof: whose keys to look up. `None` where it is no JWT.
pub fn claimed_client(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    Jws::parse(text).ok()?.unverified().ok().map(|Subject { sub }| sub)
}

/// The claims of an assertion that one of the client's keys signed. Audience, times and single use are the caller's.
pub fn verify_assertion(keys: &ClientKeys, text: &str) -> Result<AssertionClaims, JwtError> {
    let jws = Jws::parse(text)?;
    if jws.jwk.is_some() {
        return Err(JwtError::Header("jwk"));
    }
    if jws.typ.as_ref().is_some_and(|typ| !TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ))) {
        return Err(JwtError::Type);
    }
    let named: Vec<&PublicKey> =
        keys.0.iter().filter(|key| jws.kid.as_deref().is_none_or(|id| key.id() == Some(id))).collect();
    if named.is_empty() {
        return Err(JwtError::UnknownKey);
    }
    let fitting: Vec<_> = named.into_iter().filter(|key| key.fits(jws.algorithm)).map(|key| &key.verifier).collect();
    if fitting.is_empty() {
        return Err(JwtError::Algorithm);
    }
    let claims: AssertionClaims = jws.claims(fitting)?;
    if claims.jti.is_empty() || claims.jti.len() > MAX_JWT_ID {
        return Err(JwtError::Claims);
    }
    Ok(claims)
}
