//! The refresh token of LeadExec's sign-in: derived from its connection and not stored, so that a
//! connection has one for as long as it lives, however often a page asks for it.

use uuid::Uuid;

use super::derived_token;
use super::keyring::KeyRing;
use super::mac::Purpose;
use crate::domain::ids::ConnectionId;

pub use super::derived_token::DerivedTokenError as RefreshTokenError;

const PREFIX: &str = "lgr_";
/// Characters of a refresh token.
pub const REFRESH_TOKEN_LENGTH: usize = derived_token::length(PREFIX, 16);

/// The refresh token of a connection, under the newest key.
pub fn derive(keys: &KeyRing, connection: ConnectionId) -> String {
    derived_token::derive(keys, Purpose::RefreshToken, PREFIX, connection.0.as_bytes())
}

/// The connection that a refresh token stands for. Says nothing about whether it still lives.
pub fn verify(keys: &KeyRing, text: &str) -> Result<ConnectionId, RefreshTokenError> {
    derived_token::verify(keys, Purpose::RefreshToken, PREFIX, text).map(|id| ConnectionId(Uuid::from_bytes(id)))
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
