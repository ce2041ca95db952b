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
const MAX_TEXT: usize = 32 * 1024;
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

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::crypto::jwt::tests::signed;
    use crate::crypto::signing::SigningKey;
    use crate::crypto::signing::tests::key;
    use crate::domain::signing_algorithm::SigningAlgorithm;
    use crate::domain::timestamp::Timestamp;

    const CLAIMS: &str = r#"{"iss":"app","sub":"app","aud":"https://auth.test","exp":1700000300,"jti":"one"}"#;

    fn set(keys: &[&SigningKey]) -> ClientKeys {
        let keys: Vec<Value> = keys.iter().map(|key| serde_json::to_value(key.public()).unwrap()).collect();
        ClientKeys::from_json(&json!({"keys": keys})).unwrap()
    }

    #[test]
    fn a_set_reads_back() {
        let keys = SigningAlgorithm::ALL.map(key);
        let set = set(&keys.each_ref());
        let again = ClientKeys::parse(&set.to_json().to_string()).unwrap();
        assert_eq!(again.to_json(), set.to_json());
        assert_eq!(set.to_json()["keys"][0]["kid"], keys[0].id());
        assert_eq!(format!("{set:?}"), "ClientKeys(3)");
    }

    #[test]
    fn a_set_is_of_few_public_keys() {
        let public = serde_json::to_value(key(SigningAlgorithm::EdDsa).public()).unwrap();
        let mut nameless = public.clone();
        nameless.as_object_mut().unwrap().remove("kid");
        let mut private = public.clone();
        private["d"] = json!("AAAA");
        let form = Some(ClientKeysError::Form);
        for (set, expected) in [
            (json!({"keys": vec![nameless.clone(); MAX_KEYS]}), None),
            (json!({"keys": vec![nameless; MAX_KEYS + 1]}), form),
            (json!({"keys": []}), form),
            (json!({"keys": public}), form),
            (json!([public]), form),
            (public.clone(), form),
            (json!({"keys": [public, public]}), Some(ClientKeysError::SameKeyId)),
            (json!({"keys": [public, private]}), Some(ClientKeysError::Key(PublicKeyError::Private))),
        ] {
            assert_eq!(ClientKeys::parse(&set.to_string()).err(), expected, "{set:.80}");
        }
        let long = format!("{{\"keys\":[{public}]{}}}", " ".repeat(MAX_TEXT));
        assert_eq!(ClientKeys::parse(&long).err(), form);
        assert_eq!(ClientKeys::parse("{").err(), form);
    }

    #[test]
    fn an_assertion_under_any_of_the_keys_is_read() {
        let keys = SigningAlgorithm::ALL.map(key);
        let set = set(&keys.each_ref());
        for key in &keys {
            let alg = key.algorithm().as_str();
            for header in [
                json!({"alg": alg, "kid": key.id()}),
                json!({"alg": alg}),
                json!({"alg": alg, "typ": "jwt"}),
                json!({"alg": alg, "typ": "client-authentication+jwt"}),
            ] {
                let claims = verify_assertion(&set, &signed(key, &header, CLAIMS)).unwrap();
                assert_eq!((claims.iss.as_str(), claims.sub.as_str(), claims.jti.as_str()), ("app", "app", "one"));
                assert_eq!(claims.aud, ["https://auth.test"]);
                assert_eq!(claims.exp.0, Timestamp::from_unix_seconds(1_700_000_300));
                assert_eq!((claims.iat, claims.nbf), (None, None));
            }
        }
    }

    #[test]
    fn an_rsa_key_signs_by_ps256_too_unless_it_says_otherwise() {
        let der = SigningKey::generate(SigningAlgorithm::Rs256);
        let mut public =
            serde_json::to_value(SigningKey::from_pkcs8(SigningAlgorithm::Rs256, &der).unwrap().public()).unwrap();
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"PS256"}"#), URL_SAFE_NO_PAD.encode(CLAIMS));
        let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        let text = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature));
        let verify = |public: &Value| {
            verify_assertion(&ClientKeys::from_json(&json!({"keys": [public]})).unwrap(), &text)
                .map(|claims| claims.sub)
        };
        assert_eq!(verify(&public), Err(JwtError::Algorithm));
        public["alg"] = json!("PS256");
        assert_eq!(verify(&public).as_deref(), Ok("app"));
        public.as_object_mut().unwrap().remove("alg");
        assert_eq!(verify(&public).as_deref(), Ok("app"));
    }

    #[test]
    fn another_assertion_is_refused() {
        let (ours, second, theirs) =
            (key(SigningAlgorithm::Es256), key(SigningAlgorithm::EdDsa), key(SigningAlgorithm::Es256));
        let set = set(&[&ours, &second]);
        let good = json!({"alg": "ES256"});
        let jwk = json!({"alg": "ES256", "jwk": theirs.public()});
        for (text, expected) in [
            (signed(&theirs, &good, CLAIMS), JwtError::Signature),
            (signed(&theirs, &json!({"alg": "ES256", "kid": ours.id()}), CLAIMS), JwtError::Signature),
            (signed(&ours, &json!({"alg": "ES256", "kid": second.id()}), CLAIMS), JwtError::Algorithm),
            (signed(&ours, &json!({"alg": "ES256", "kid": theirs.id()}), CLAIMS), JwtError::UnknownKey),
            (signed(&ours, &json!({"alg": "RS256"}), CLAIMS), JwtError::Algorithm),
            (signed(&ours, &json!({"alg": "HS256"}), CLAIMS), JwtError::Algorithm),
            (signed(&ours, &json!({"alg": "none"}), CLAIMS), JwtError::Algorithm),
            (signed(&theirs, &jwk, CLAIMS), JwtError::Header("jwk")),
            (signed(&ours, &json!({"alg": "ES256", "jku": "https://evil.test"}), CLAIMS), JwtError::Header("jku")),
            (signed(&ours, &json!({"alg": "ES256", "typ": "at+jwt"}), CLAIMS), JwtError::Type),
            (signed(&ours, &json!({"alg": "ES256", "typ": "dpop+jwt"}), CLAIMS), JwtError::Type),
        ] {
            assert_eq!(verify_assertion(&set, &text), Err(expected), "{text}");
        }
    }

    #[test]
    fn each_claim_is_there_once_and_of_its_type() {
        let key = key(SigningAlgorithm::Es256);
        let set = set(&[&key]);
        let verify = |claims: &str| verify_assertion(&set, &signed(&key, &json!({"alg": "ES256"}), claims));
        let many = verify(&CLAIMS.replace("\"https://auth.test\"", r#"["a","b"]"#)).unwrap();
        assert_eq!(many.aud, ["a", "b"]);
        for (from, to) in [
            ("\"iss\":\"app\",", ""),
            ("\"sub\":\"app\",", ""),
            ("\"sub\":\"app\"", "\"sub\":7"),
            ("\"aud\":\"https://auth.test\",", ""),
            ("\"https://auth.test\"", "[7]"),
            ("\"exp\":1700000300,", ""),
            ("1700000300", "\"1700000300\""),
            ("\"one\"", "\"\""),
            ("\"one\"", &format!("\"{}\"", "j".repeat(MAX_JWT_ID + 1))),
            (",\"jti\":\"one\"", ""),
            ("\"iss\":\"app\"", "\"iss\":\"app\",\"iss\":\"app\""),
        ] {
            let claims = CLAIMS.replace(from, to);
            assert_ne!(claims, CLAIMS, "{from}");
            assert_eq!(verify(&claims), Err(JwtError::Claims), "{claims}");
        }
    }

    #[test]
    fn tells_whose_keys_to_look_up() {
        let text = signed(&key(SigningAlgorithm::Es256), &json!({"alg": "ES256"}), CLAIMS);
        assert_eq!(claimed_client(&text).as_deref(), Some("app"));
        assert_eq!(claimed_client("lgf_x"), None);
    }
}
