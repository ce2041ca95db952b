//! The refresh token of the standard grants: it names its grant and its generation under a MAC, so that none is
//! stored, and a spent one is told from one that was made up (RFC 9700 section 4.14.2).

use uuid::Uuid;

use super::derived_token::{self, DerivedTokenError};
use super::keyring::KeyRing;
use super::mac::Purpose;
use crate::domain::ids::GrantId;

const PREFIX: &str = "lgf_";

/// The refresh token of a grant's generation, under the newest key.
pub fn derive(keys: &KeyRing, grant: GrantId, generation: u32) -> String {
    let mut payload = [0; 20];
    payload[..16].copy_from_slice(grant.0.as_bytes());
    payload[16..].copy_from_slice(&generation.to_be_bytes());
    derived_token::derive(keys, Purpose::RotatingToken, PREFIX, &payload)
}

/// The grant and generation that a refresh token stands for. Says nothing about whether they still live.
pub fn verify(keys: &KeyRing, text: &str) -> Result<(GrantId, u32), DerivedTokenError> {
    let payload: [u8; 20] = derived_token::verify(keys, Purpose::RotatingToken, PREFIX, text)?;
    let (id, generation) = payload.split_at(16);
    let malformed = DerivedTokenError::Malformed;
    let id = Uuid::from_slice(id).map_err(|_| malformed)?;
    let generation = generation.try_into().map_err(|_| malformed)?;
    Ok((GrantId(id), u32::from_be_bytes(generation)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::tests::ring;
    use crate::crypto::refresh_token;
    use crate::domain::ids::ConnectionId;

    #[test]
    fn proves_its_grant_and_generation() {
        let keys = ring();
        let grant = GrantId(Uuid::from_u128(42));
        let token = derive(&keys, grant, 7);
        assert_eq!(verify(&keys, &token), Ok((grant, 7)));
        assert_ne!(token, derive(&keys, grant, 8));
        for i in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            assert!(verify(&keys, std::str::from_utf8(&bytes).unwrap()).is_err(), "at {i}");
        }
    }

    #[test]
    fn n11_the_two_classes_are_not_taken_for_each_other() {
        let keys = ring();
        let (grant, connection) = (GrantId(Uuid::from_u128(1)), ConnectionId(Uuid::from_u128(1)));
        assert!(verify(&keys, &refresh_token::derive(&keys, connection)).is_err());
        assert!(refresh_token::verify(&keys, &derive(&keys, grant, 1)).is_err());
    }
}
