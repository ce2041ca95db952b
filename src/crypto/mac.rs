//! Keyed MACs (HMAC-SHA-256). Every use has a label of its own, so that a MAC made for one purpose
//! proves nothing for another.

use aws_lc_rs::hmac::{self, HMAC_SHA256};

/// A MAC key. Its `Debug` shows nothing.
pub struct MacKey(hmac::Key);

/// What a MAC is for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// Of LeadExec's sign-in.
    RefreshToken,
    /// The refresh token of the standard grants.
    RotatingToken,
    ClientSecret,
    ApiKey,
    Csrf,
    /// The cookie of who looks into the sandbox.
    Inspector,
    /// Of a delivery's receiver (RFC 7616).
    DigestNonce,
    DigestOpaque,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Purpose::RefreshToken => b"leadgate:refresh-token:1\0",
            Purpose::RotatingToken => b"leadgate:rotating-token:1\0",
            Purpose::ClientSecret => b"leadgate:client-secret:1\0",
            Purpose::ApiKey => b"leadgate:api-key:1\0",
            Purpose::Csrf => b"leadgate:csrf:1\0",
            Purpose::Inspector => b"leadgate:inspector:1\0",
            Purpose::DigestNonce => b"leadgate:digest-nonce:1\0",
            Purpose::DigestOpaque => b"leadgate:digest-opaque:1\0",
        }
    }
}

impl MacKey {
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, bytes))
    }

    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.label());
        context.update(message);
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    /// Constant time.
    pub fn verify(&self, purpose: Purpose, message: &[u8], mac: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.sign(purpose, message), mac).is_ok()
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_is_good_for_one_purpose_and_key() {
        let key = MacKey::new(&[1; 32]);
        let mac = key.sign(Purpose::Csrf, b"m");
        assert!(key.verify(Purpose::Csrf, b"m", &mac));
        assert!(!key.verify(Purpose::ClientSecret, b"m", &mac));
        assert!(!key.verify(Purpose::Csrf, b"n", &mac));
        assert!(!key.verify(Purpose::Csrf, b"m", &mac[..31]));
        assert!(!MacKey::new(&[2; 32]).verify(Purpose::Csrf, b"m", &mac));
    }
}
