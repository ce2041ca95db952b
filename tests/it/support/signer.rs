//! A key of a client, and what clients sign: assertions (RFC 7523), DPoP proofs (RFC 9449). The compact form is put
//! together here, so that a test can sign what no library would.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leadgate::crypto::token::sha256;
use serde_json::{Value, json};

/// The key of the seed's application `keyed`.
pub static KEYED: LazyLock<Signer> = LazyLock::new(Signer::generate);

/// P-256.
#[derive(Debug)]
pub struct Signer(EcdsaKeyPair);

impl Signer {
    pub fn generate() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The public half (RFC 7517).
    pub fn jwk(&self) -> Value {
        // An uncompressed point: 4, then both coordinates.
        let point = self.0.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)})
    }

    /// RFC 7638: its members in the order of their names.
    pub fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        base64url(&sha256(text.as_bytes()))
    }

    /// A signed token in compact form (RFC 7515), whatever its header says.
    pub fn jws(&self, header: &Value, claims: &Value) -> String {
        let input = unsigned(header, claims);
        let signature = self.0.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", base64url(signature.as_ref()))
    }
}

/// Header and claims as they are signed.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()))
}

pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
