//! The server's own keys, opened and in memory.

use jsonwebtoken::jwk::JwkSet;

use super::mac::MacKey;
use super::signing::SigningKey;

/// Newest last in each list; never empty.
#[derive(Debug)]
pub struct KeyRing {
    macs: Vec<(u16, MacKey)>,
    signing: Vec<SigningKey>,
}

impl KeyRing {
    /// `None` where one of the lists is empty.
    pub fn new(macs: Vec<(u16, MacKey)>, signing: Vec<SigningKey>) -> Option<Self> {
        (!macs.is_empty() && !signing.is_empty()).then_some(Self { macs, signing })
    }

    /// The key that new MACs are made with, and its serial.
    pub fn newest_mac(&self) -> (u16, &MacKey) {
        let (serial, key) = self.macs.last().expect("`new` refuses an empty list");
        (*serial, key)
    }

    pub fn mac(&self, serial: u16) -> Option<&MacKey> {
        self.macs.iter().find(|(s, _)| *s == serial).map(|(_, key)| key)
    }

    /// The oldest key: what has to compare equal for ever (a stored client secret) is made with it.
    pub fn first_mac(&self) -> &MacKey {
        &self.macs.first().expect("`new` refuses an empty list").1
    }

    /// The public halves, as published (RFC 7517 section 5).
    pub fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.signing.iter().map(|key| key.public.clone()).collect() }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A ring with one key of each kind.
    pub fn ring() -> KeyRing {
        let signing = SigningKey::from_pkcs8(&SigningKey::generate()).unwrap();
        KeyRing::new(vec![(1, MacKey::new(&[9; 32]))], vec![signing]).unwrap()
    }

    #[test]
    fn is_never_empty() {
        assert!(KeyRing::new(vec![], vec![]).is_none());
        assert_eq!(ring().newest_mac().0, 1);
        assert_eq!(ring().jwks().keys.len(), 1);
    }
}
