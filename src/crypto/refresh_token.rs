//! The refresh token of LeadExec's sign-in: derived from its connection and not stored, so that a
//! connection has one for as long as it lives, however often a page asks for it.
//!
//! `lgr_` + base64url( key serial, 2 bytes | connection id, 16 | HMAC-SHA-256, 32 ).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::keyring::KeyRing;
use super::mac::Purpose;
use crate::domain::ids::ConnectionId;

const PREFIX: &str = "lgr_";
const BYTES: usize = 2 + 16 + 32;
/// Characters of a refresh token.
pub const REFRESH_TOKEN_LENGTH: usize = 4 + 67;

/// Why a text is no refresh token of this server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshTokenError {
    #[error("the text does not have the form of a refresh token")]
    Malformed,
    #[error("the refresh token was not made by this server, or was altered")]
    Forged,
}

/// The refresh token of a connection, under the newest key.
pub fn derive(keys: &KeyRing, connection: ConnectionId) -> String {
    let (serial, key) = keys.newest_mac();
    let mut bytes = [0; BYTES];
    bytes[..2].copy_from_slice(&serial.to_be_bytes());
    bytes[2..18].copy_from_slice(connection.0.as_bytes());
    let mac = key.sign(Purpose::RefreshToken, &bytes[..18]);
    bytes[18..].copy_from_slice(&mac);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The connection that a refresh token stands for. Says nothing about whether it still lives.
pub fn verify(keys: &KeyRing, text: &str) -> Result<ConnectionId, RefreshTokenError> {
    let body = text.strip_prefix(PREFIX).ok_or(RefreshTokenError::Malformed)?;
    if text.len() != REFRESH_TOKEN_LENGTH {
        return Err(RefreshTokenError::Malformed);
    }
    let mut bytes = [0; BYTES];
    match URL_SAFE_NO_PAD.decode_slice(body, &mut bytes) {
        Ok(BYTES) => {}
        _ => return Err(RefreshTokenError::Malformed),
    }
    let serial = u16::from_be_bytes([bytes[0], bytes[1]]);
    let key = keys.mac(serial).ok_or(RefreshTokenError::Forged)?;
    if !key.verify(Purpose::RefreshToken, &bytes[..18], &bytes[18..]) {
        return Err(RefreshTokenError::Forged);
    }
    let id = Uuid::from_slice(&bytes[2..18]).map_err(|_| RefreshTokenError::Malformed)?;
    Ok(ConnectionId(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::tests::ring;

    #[test]
    fn is_the_same_each_time_and_proves_its_connection() {
        let keys = ring();
        let connection = ConnectionId(Uuid::from_u128(42));
        let token = derive(&keys, connection);
        assert_eq!(token.len(), REFRESH_TOKEN_LENGTH);
        assert_eq!(token, derive(&keys, connection));
        assert_eq!(verify(&keys, &token), Ok(connection));
    }

    #[test]
    fn any_change_is_refused() {
        let keys = ring();
        let token = derive(&keys, ConnectionId(Uuid::from_u128(42)));
        for i in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            assert!(verify(&keys, std::str::from_utf8(&bytes).unwrap()).is_err(), "at {i}");
        }
        for bad in ["", "lgr_", "[object Object]", &token[1..], &format!("{token}=")] {
            assert_eq!(verify(&keys, bad), Err(RefreshTokenError::Malformed), "{bad}");
        }
    }
}
