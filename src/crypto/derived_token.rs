//! Tokens that are derived and not stored: what they stand for, under a MAC of ours.
//!
//! prefix + base64url( key serial, 2 bytes | payload | HMAC-SHA-256 of both, 32 ).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::keyring::KeyRing;
use super::mac::Purpose;

const SERIAL: usize = 2;
const MAC: usize = 32;

/// Why a text is no such token of this server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DerivedTokenError {
    #[error("the text does not have the form of a refresh token")]
    Malformed,
    #[error("the refresh token was not made by this server, or was altered")]
    Forged,
}

/// Characters that `bytes` take in base64url without padding.
const fn base64_length(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Characters of a token with a payload of so many bytes.
pub(super) const fn length(prefix: &str, payload: usize) -> usize {
    prefix.len() + base64_length(SERIAL + payload + MAC)
}

/// The token of a payload, under the newest key.
pub(super) fn derive(keys: &KeyRing, purpose: Purpose, prefix: &str, payload: &[u8]) -> String {
    let (serial, key) = keys.newest_mac();
    let mut bytes = Vec::with_capacity(SERIAL + payload.len() + MAC);
    bytes.extend_from_slice(&serial.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&key.sign(purpose, &bytes));
    let mut text = String::with_capacity(length(prefix, payload.len()));
    text.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
    text
}

/// The payload of a token that is ours.
pub(super) fn verify<const N: usize>(
    keys: &KeyRing,
    purpose: Purpose,
    prefix: &str,
    text: &str,
) -> Result<[u8; N], DerivedTokenError> {
    let body = text.strip_prefix(prefix).ok_or(DerivedTokenError::Malformed)?;
    if text.len() != length(prefix, N) {
        return Err(DerivedTokenError::Malformed);
    }
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| DerivedTokenError::Malformed)?;
    let (signed, mac) = bytes.split_at_checked(SERIAL + N).ok_or(DerivedTokenError::Malformed)?;
    let serial = u16::from_be_bytes([signed[0], signed[1]]);
    let key = keys.mac(serial).ok_or(DerivedTokenError::Forged)?;
    if !key.verify(purpose, signed, mac) {
        return Err(DerivedTokenError::Forged);
    }
    signed[SERIAL..].try_into().map_err(|_| DerivedTokenError::Malformed)
}
