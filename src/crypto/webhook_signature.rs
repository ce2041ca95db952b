//! What is sent to a partner's server is signed as Standard Webhooks 1.0.0 writes it: HMAC-SHA-256 over
//! `id.timestamp.body` under a secret that both sides have.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::timestamp::Timestamp;
use crate::entropy::{Entropy, secret};

/// Tells a person (and a secret scanner) what was found.
pub const SECRET_PREFIX: &str = "whsec_";

/// Bytes that a secret may have, by the specification.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The key of one target. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is {SECRET_PREFIX} followed by 24 to 64 bytes in base64")]
pub struct WebhookSecretError;

impl WebhookSecret {
    pub fn mint(entropy: &dyn Entropy) -> Self {
        Self(secret(entropy).to_vec())
    }

    /// Reads the written form.
    pub fn parse(text: &str) -> Result<Self, WebhookSecretError> {
        let body = text.strip_prefix(SECRET_PREFIX).ok_or(WebhookSecretError)?;
        Self::from_bytes(STANDARD.decode(body).map_err(|_| WebhookSecretError)?)
    }

    /// As [`Self::as_bytes`] gave them, to be sealed.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, WebhookSecretError> {
        if SECRET_BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(WebhookSecretError) }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The written form, for the one page or answer that shows it.
    pub fn expose(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, &self.0));
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The three header fields of an attempt. `at` is real time: receivers refuse what is older than some minutes. While a
/// secret is being replaced there are two, and a signature under each.
pub fn headers<'s>(
    secrets: impl IntoIterator<Item = &'s WebhookSecret>,
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> [(String, String); 3] {
    let timestamp = at.unix_seconds();
    let signatures: Vec<_> = secrets.into_iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    [
        ("webhook-id".to_owned(), id.to_owned()),
        ("webhook-timestamp".to_owned(), timestamp.to_string()),
        ("webhook-signature".to_owned(), signatures.join(" ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    /// Computed by another implementation of HMAC.
    #[test]
    fn part_f_a_signature_is_over_id_timestamp_and_body() {
        let key = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_unix_seconds(1_614_265_330).plus(std::time::Duration::from_millis(999));
        let [id, timestamp, signature] =
            headers([&key], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(id, ("webhook-id".to_owned(), "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()));
        assert_eq!(timestamp, ("webhook-timestamp".to_owned(), "1614265330".to_owned()));
        assert_eq!(signature.1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let other = WebhookSecret::mint(&SystemEntropy);
        let [_, _, both] = headers([&other, &key], &id.1, at, br#"{"test": 2432232314}"#);
        assert!(both.1.ends_with(&format!(" {}", signature.1)), "{}", both.1);
    }

    #[test]
    fn part_f_a_secret_has_the_specified_form() {
        let key = WebhookSecret::mint(&SystemEntropy);
        assert_eq!(WebhookSecret::parse(&key.expose()), Ok(key.clone()));
        assert_eq!(WebhookSecret::from_bytes(key.as_bytes().to_vec()), Ok(key.clone()));
        assert_eq!(format!("{key:?}"), "WebhookSecret(…)");
        let of = |bytes: usize| format!("{SECRET_PREFIX}{}", STANDARD.encode(vec![7; bytes]));
        assert!(WebhookSecret::parse(&of(24)).is_ok() && WebhookSecret::parse(&of(64)).is_ok());
        for bad in [&of(23), &of(65), "", "whsec_", "whsec_!", key.expose().trim_start_matches(SECRET_PREFIX)] {
            assert_eq!(WebhookSecret::parse(bad), Err(WebhookSecretError), "{bad}");
        }
    }
}
