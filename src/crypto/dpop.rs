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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::crypto::jwt::tests::signed;
    use crate::crypto::signing::SigningKey;
    use crate::crypto::signing::tests::key;
    use crate::domain::signing_algorithm::SigningAlgorithm;

    const CLAIMS: &str = r#"{"htm":"POST","htu":"https://auth.test/oauth/token","iat":1700000000,"jti":"one"}"#;

    /// A public key with nothing in it but what the algorithm needs.
    fn jwk(key: &SigningKey) -> Value {
        let mut jwk = serde_json::to_value(key.public()).unwrap();
        for name in ["kid", "alg", "use"] {
            jwk.as_object_mut().unwrap().remove(name);
        }
        jwk
    }

    fn header(key: &SigningKey) -> Value {
        json!({"typ": "dpop+jwt", "alg": key.algorithm().as_str(), "jwk": jwk(key)})
    }

    /// Section 4.2, and section 6.1 for the thumbprint.
    #[test]
    fn the_proof_of_rfc_9449() {
        let text = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZ\
                    OXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIs\
                    ImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmV\
                    yLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4Pt\
                    FLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
        let proof = Proof {
            jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into(),
            htm: "POST".into(),
            htu: "https://server.example.com/token".into(),
            iat: Timestamp::from_unix_seconds(1_562_262_616),
            jti: "-BwC3ESc6acc2lTc".into(),
            ath: None,
        };
        assert_eq!(verify_proof(text), Ok(proof));
    }

    #[test]
    fn a_proof_under_any_key_binds_to_its_thumbprint() {
        for algorithm in SigningAlgorithm::ALL {
            let key = key(algorithm);
            let proof = verify_proof(&signed(&key, &header(&key), CLAIMS)).unwrap();
            assert_eq!(proof.jkt, key.id());
            let with_ath = CLAIMS.replace("\"jti\"", "\"ath\":\"x\",\"jti\"");
            assert_eq!(verify_proof(&signed(&key, &header(&key), &with_ath)).unwrap().ath.as_deref(), Some("x"));
        }
    }

    #[test]
    fn another_proof_is_refused() {
        let (ours, theirs) = (key(SigningAlgorithm::Es256), key(SigningAlgorithm::Es256));
        let with = |name: &str, value: Value| {
            let mut header = header(&ours);
            header[name] = value;
            signed(&ours, &header, CLAIMS)
        };
        let mut private = jwk(&ours);
        private["d"] = json!("AAAA");
        let mut for_rsa = jwk(&ours);
        for_rsa["alg"] = json!("RS256");
        for (text, expected) in [
            (signed(&theirs, &header(&ours), CLAIMS), JwtError::Signature),
            (with("jwk", jwk(&theirs)), JwtError::Signature),
            (with("jwk", json!(null)), JwtError::Key(PublicKeyError::Missing)),
            (with("jwk", json!("key")), JwtError::Key(PublicKeyError::Form)),
            (with("jwk", private), JwtError::Key(PublicKeyError::Private)),
            (with("jwk", json!({"kty": "oct", "k": "AAAA"})), JwtError::Key(PublicKeyError::Private)),
            (with("jwk", for_rsa), JwtError::Key(PublicKeyError::Use)),
            (with("typ", json!("JWT")), JwtError::Type),
            (with("typ", json!(null)), JwtError::Type),
            (with("typ", json!("DPoP+JWT")), JwtError::Type),
            (with("alg", json!("EdDSA")), JwtError::Algorithm),
            (with("alg", json!("HS256")), JwtError::Algorithm),
            (with("alg", json!("none")), JwtError::Algorithm),
            (with("crit", json!(["x"])), JwtError::Header("crit")),
            (with("x5c", json!(["x"])), JwtError::Header("x5c")),
            ("".into(), JwtError::Malformed),
            ("a.b.c".into(), JwtError::Malformed),
        ] {
            assert_eq!(verify_proof(&text), Err(expected), "{text}");
        }
    }

    #[test]
    fn each_claim_is_there_once_and_of_its_type() {
        let key = key(SigningAlgorithm::EdDsa);
        for (from, to) in [
            ("\"htm\":\"POST\",", ""),
            ("\"POST\"", "[\"POST\"]"),
            ("\"htu\":\"https://auth.test/oauth/token\",", ""),
            ("\"iat\":1700000000,", ""),
            ("1700000000", "\"1700000000\""),
            (",\"jti\":\"one\"", ""),
            ("\"one\"", "\"\""),
            ("\"one\"", &format!("\"{}\"", "j".repeat(MAX_JWT_ID + 1))),
            ("\"htm\":\"POST\"", "\"htm\":\"POST\",\"htm\":\"GET\""),
        ] {
            let claims = CLAIMS.replace(from, to);
            assert_ne!(claims, CLAIMS, "{from}");
            assert_eq!(verify_proof(&signed(&key, &header(&key), &claims)), Err(JwtError::Claims), "{claims}");
        }
    }
}
