//! Encryption at rest: AES-256-GCM under the master key, bound to the row that holds the result.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::entropy::Entropy;

/// The key that all other keys are sealed under.
pub struct MasterKey(LessSafeKey);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    #[error("a master key is 32 bytes written in base64 (43 or 44 characters)")]
    Form,
}

/// The sealed bytes were not made under this master key, or not for this row, or were altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open under this master key")]
pub struct OpenError;

impl MasterKey {
    pub fn new(bytes: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("an AES-256 key is 32 bytes, as the type says");
        Self(LessSafeKey::new(key))
    }

    /// Reads base64 in either alphabet, padded or not.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim().trim_end_matches('=');
        let bytes = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text));
        let bytes: [u8; 32] = bytes.map_err(|_| MasterKeyError::Form)?.try_into().map_err(|_| MasterKeyError::Form)?;
        Ok(Self::new(&bytes))
    }

    /// A fresh key in its written form.
    pub fn generate(entropy: &dyn Entropy) -> String {
        URL_SAFE_NO_PAD.encode(crate::entropy::secret(entropy))
    }

    /// `row` names where the result is kept; it opens only for the same name.
    pub fn seal(&self, row: &str, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(row.as_bytes()), &mut sealed)
            .expect("AES-GCM fails only past 64 GiB, and what we seal are keys");
        [nonce.as_slice(), &sealed].concat()
    }

    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut body = body.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(row.as_bytes()), &mut body).map_err(|_| OpenError)?;
        Ok(plain.to_vec())
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn opens_only_under_its_key_for_its_row_and_unaltered() {
        let key = MasterKey::new(&[7; 32]);
        let mut sealed = key.seal("keys/mac/1", b"secret", &SystemEntropy);
        assert_eq!(key.open("keys/mac/1", &sealed).as_deref(), Ok(b"secret".as_slice()));
        assert_eq!(key.open("keys/mac/2", &sealed), Err(OpenError));
        assert_eq!(MasterKey::new(&[8; 32]).open("keys/mac/1", &sealed), Err(OpenError));
        sealed[14] ^= 1;
        assert_eq!(key.open("keys/mac/1", &sealed), Err(OpenError));
        assert_eq!(key.open("keys/mac/1", b"short"), Err(OpenError));
    }

    #[test]
    fn reads_its_written_form() {
        assert!(MasterKey::parse(&MasterKey::generate(&SystemEntropy)).is_ok());
        assert!(MasterKey::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").is_ok());
        for bad in ["", "short", &"A".repeat(44), &"!".repeat(43)] {
            assert!(MasterKey::parse(bad).is_err(), "{bad}");
        }
    }
}
