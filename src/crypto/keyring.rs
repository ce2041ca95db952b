//! The server's own keys, opened and in memory.

use std::sync::Arc;

use jsonwebtoken::jwk::JwkSet;

use super::mac::MacKey;
use super::signing::SigningKey;
use crate::domain::key_life::{self, KeyState};
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::domain::timestamp::Timestamp;

/// Newest last in each list; never empty.
#[derive(Debug)]
pub struct KeyRing {
    macs: Vec<(u16, MacKey)>,
    /// By algorithm first.
    signing: Vec<RingKey>,
}

/// A signing key with its place among those of its algorithm.
#[derive(Debug, Clone)]
pub struct RingKey {
    /// Counts up from 1 within an algorithm.
    pub serial: u16,
    pub created_at: Timestamp,
    pub key: Arc<SigningKey>,
}

impl KeyRing {
    /// `None` where one of the lists is empty.
    pub fn new(macs: Vec<(u16, MacKey)>, mut signing: Vec<RingKey>) -> Option<Self> {
        signing.sort_by_key(|key| (key.key.algorithm(), key.serial));
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

    /// Every signing key with what it is good for now, by algorithm, oldest first.
    pub fn states(&self, now: Timestamp) -> Vec<(&RingKey, KeyState)> {
        let same = |a: &RingKey, b: &RingKey| a.key.algorithm() == b.key.algorithm();
        self.signing
            .chunk_by(same)
            .flat_map(|keys| {
                let created: Vec<Timestamp> = keys.iter().map(|key| key.created_at).collect();
                keys.iter().zip(key_life::states(&created, now))
            })
            .collect()
    }

    /// The key that signs now; `None` where the algorithm has no key yet.
    pub fn signing_key(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<Arc<SigningKey>> {
        let keys = self.signing.chunk_by(|a, b| a.key.algorithm() == b.key.algorithm());
        let keys = keys.into_iter().find(|keys| keys[0].key.algorithm() == algorithm)?;
        // Every signature asks, and mostly there is one key.
        let signing = key_life::signing(keys.iter().map(|key| key.created_at), now);
        Some(keys[signing].key.clone())
    }

    /// The key of a `kid`.
    pub fn verification_key(&self, id: &str) -> Option<&SigningKey> {
        self.signing.iter().map(|key| &*key.key).find(|key| key.id() == id)
    }

    /// The public halves, as published (RFC 7517 section 5): those to come, and those that something still lives of.
    pub fn jwks(&self, now: Timestamp) -> JwkSet {
        let published = self.states(now).into_iter().filter(|(_, state)| *state != KeyState::Retired);
        JwkSet { keys: published.map(|(key, _)| key.key.public().clone()).collect() }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::crypto::signing::tests::key;
    use crate::domain::key_life::{KEY_KEPT, KEY_LEAD};

    pub const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);

    pub fn ring_key(algorithm: SigningAlgorithm, serial: u16, created_at: Timestamp) -> RingKey {
        RingKey { serial, created_at, key: Arc::new(key(algorithm)) }
    }

    /// A ring with one MAC key and these.
    pub fn ring_of(signing: Vec<RingKey>) -> KeyRing {
        KeyRing::new(vec![(1, MacKey::new(&[9; 32]))], signing).unwrap()
    }

    /// A ring with one key of each kind.
    pub fn ring() -> KeyRing {
        ring_of(vec![ring_key(SigningAlgorithm::Es256, 1, START)])
    }

    fn published(ring: &KeyRing, now: Timestamp) -> Vec<String> {
        ring.jwks(now).keys.into_iter().filter_map(|jwk| jwk.common.key_id).collect()
    }

    #[test]
    fn is_never_empty() {
        assert!(KeyRing::new(vec![], vec![]).is_none());
        assert!(KeyRing::new(vec![(1, MacKey::new(&[9; 32]))], vec![]).is_none());
        assert_eq!(ring().newest_mac().0, 1);
        assert_eq!(ring().jwks(START).keys.len(), 1);
    }

    #[test]
    fn i5_a_key_is_published_before_it_signs_and_after() {
        let (old, new) = (ring_key(SigningAlgorithm::Es256, 1, START), ring_key(SigningAlgorithm::Es256, 2, START));
        let other = ring_key(SigningAlgorithm::EdDsa, 1, START);
        let ids = [&old, &new, &other].map(|key| key.key.id().to_owned());
        let [old_id, new_id, other_id] = ids.clone();
        let ring = ring_of(vec![other, new, old]);
        let signing = |now| ring.signing_key(SigningAlgorithm::Es256, now).unwrap().id().to_owned();
        assert_eq!(published(&ring, START), ids);
        assert_eq!(signing(START), old_id);
        let taken_over = START.plus(KEY_LEAD);
        assert_eq!(published(&ring, taken_over), ids);
        assert_eq!(signing(taken_over), new_id);
        assert_eq!(published(&ring, taken_over.plus(KEY_KEPT)), [new_id, other_id]);
        assert!(ring.signing_key(SigningAlgorithm::Rs256, START).is_none());
        assert_eq!(ring.verification_key(&old_id).unwrap().id(), old_id);
        assert!(ring.verification_key("another").is_none());
    }
}
