//! Encryption at rest: AES-256-GCM under the master key, bound to the row that holds the result.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::token::sha256;
use crate::entropy::Entropy;

/// Master keys that a process may have at once.
pub const MAX_MASTER_KEYS: usize = 8;
/// Stands before a key that opens, and does not seal yet.
pub const NEXT: &str = "next";

/// A key that all other keys are sealed under.
pub struct MasterKey {
    key: LessSafeKey,
    id: MasterKeyId,
}

/// Tells master keys apart and gives nothing of them away: the beginning of a hash, in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterKeyId([u8; 4]);

impl MasterKeyId {
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let number = u32::from_str_radix(text, 16).ok().filter(|_| text.len() == 8);
        number
            .map(|number| Self(number.to_be_bytes()))
            .ok_or("eight hexadecimal digits, as `leadgate keys master list` shows them")
    }
}

impl std::fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    #[error("a master key is 32 bytes written in base64 (43 or 44 characters)")]
    Form,
    #[error("no key of it seals: one has to be without `next`")]
    NoneSeals,
    #[error("it has more than {MAX_MASTER_KEYS} keys: retire some (`leadgate keys master retire`)")]
    TooMany,
}

/// The sealed bytes were not made under this master key, or not for this row, or were altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open under this master key")]
pub struct OpenError;

impl MasterKey {
    pub fn new(bytes: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("an AES-256 key is 32 bytes, as the type says");
        let hash = sha256(&[b"leadgate:master-key-id:1\0".as_slice(), bytes].concat());
        Self { key: LessSafeKey::new(key), id: MasterKeyId([hash[0], hash[1], hash[2], hash[3]]) }
    }

    pub fn id(&self) -> MasterKeyId {
        self.id
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
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(row.as_bytes()), &mut sealed)
            .expect("AES-GCM fails only past 64 GiB, and what we seal are keys");
        [nonce.as_slice(), &sealed].concat()
    }

    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(row.as_bytes()), &mut body).map_err(|_| OpenError)?;
        Ok(plain.to_vec())
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Master keys as they are written: separated by white space, newest first. The first seals, each opens.
pub struct WrittenKeys(Vec<(MasterKey, IsNext)>);

/// Whether a key waits until every node has it.
type IsNext = bool;

impl WrittenKeys {
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let mut keys = Vec::new();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            let is_next = word == NEXT;
            let word = if is_next { words.next().unwrap_or_default() } else { word };
            keys.push((MasterKey::parse(word)?, is_next));
        }
        if keys.is_empty() {
            return Err(MasterKeyError::Form);
        }
        if keys.len() > MAX_MASTER_KEYS {
            return Err(MasterKeyError::TooMany);
        }
        if keys.iter().all(|(_, is_next)| *is_next) { Err(MasterKeyError::NoneSeals) } else { Ok(Self(keys)) }
    }
}

/// Answers the keys as they are written by now; `None` where that is as it was, or cannot be read.
pub type Look = Box<dyn Fn() -> Option<WrittenKeys> + Send + Sync>;

/// The master keys of a process. It looks for others before it seals, and where what it has does not open, so that a
/// rotation needs no restart; and it forgets none, for what it keeps in memory is sealed too.
pub struct MasterKeys {
    known: RwLock<Arc<Known>>,
    look: Option<Look>,
}

struct Known {
    seals: Arc<MasterKey>,
    /// With the one that seals.
    all: Vec<(Arc<MasterKey>, IsNext)>,
}

impl Known {
    fn of(written: WrittenKeys) -> Self {
        let all: Vec<_> = written.0.into_iter().map(|(key, is_next)| (Arc::new(key), is_next)).collect();
        let seals = all.iter().find(|(_, is_next)| !is_next).expect("`WrittenKeys` has one that seals").0.clone();
        Self { seals, all }
    }
}

impl MasterKeys {
    pub fn new(written: WrittenKeys, look: Option<Look>) -> Self {
        Self { known: RwLock::new(Arc::new(Known::of(written))), look }
    }

    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what is written by now; answers whether that is something else than before.
    fn look(&self) -> bool {
        let Some(written) = self.look.as_ref().and_then(|look| look()) else { return false };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut found = Known::of(written);
        let forgotten: Vec<_> =
            known.all.iter().filter(|(old, _)| found.all.iter().all(|(key, _)| key.id != old.id)).cloned().collect();
        found.all.extend(forgotten);
        *known = Arc::new(found);
        true
    }

    /// See [`MasterKey::seal`].
    pub fn seal(&self, row: &str, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        self.look();
        self.known().seals.seal(row, plain, entropy)
    }

    /// # Errors
    /// Where none of the keys opens it.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        self.open_telling(row, sealed).map(|(_, plain)| plain)
    }

    /// The same, with the key that opened it.
    pub fn open_telling(&self, row: &str, sealed: &[u8]) -> Result<(MasterKeyId, Vec<u8>), OpenError> {
        let open = |known: &Known| known.all.iter().find_map(|(key, _)| Some((key.id, key.open(row, sealed).ok()?)));
        match open(&self.known()) {
            None if self.look() => open(&self.known()).ok_or(OpenError),
            opened => opened.ok_or(OpenError),
        }
    }

    /// The one that seals.
    pub fn sealing(&self) -> MasterKeyId {
        self.look();
        self.known().seals.id
    }

    /// Each with whether it waits to seal; newest first, as they are written.
    pub fn ids(&self) -> Vec<(MasterKeyId, IsNext)> {
        self.look();
        self.known().all.iter().map(|(key, is_next)| (key.id, *is_next)).collect()
    }
}

impl From<MasterKey> for MasterKeys {
    fn from(key: MasterKey) -> Self {
        Self::new(WrittenKeys(vec![(key, false)]), None)
    }
}

impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKeys(…)")
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

    fn written(keys: &[(u8, bool)]) -> WrittenKeys {
        WrittenKeys(keys.iter().map(|(byte, is_next)| (MasterKey::new(&[*byte; 32]), *is_next)).collect())
    }

    #[test]
    fn several_are_read_and_the_first_that_does_not_wait_seals() {
        let text = [1, 2, 3].map(|byte| URL_SAFE_NO_PAD.encode([byte; 32]));
        let keys =
            MasterKeys::new(WrittenKeys::parse(&format!("next {}\n{} {}\n", text[0], text[1], text[2])).unwrap(), None);
        let id = |byte| MasterKey::new(&[byte; 32]).id();
        assert_eq!(keys.ids(), [(id(1), true), (id(2), false), (id(3), false)]);
        assert_eq!(keys.sealing(), id(2));
        let sealed = keys.seal("row", b"secret", &SystemEntropy);
        assert_eq!(MasterKey::new(&[2; 32]).open("row", &sealed).as_deref(), Ok(b"secret".as_slice()));
        let of_next = MasterKey::new(&[1; 32]).seal("row", b"later", &SystemEntropy);
        assert_eq!(keys.open_telling("row", &of_next), Ok((id(1), b"later".to_vec())));
        for (bad, why) in [
            ("", MasterKeyError::Form),
            ("next", MasterKeyError::Form),
            (&format!("next {}", text[0]), MasterKeyError::NoneSeals),
            (&format!("{} short", text[0]), MasterKeyError::Form),
            (&format!("{} ", text[0]).repeat(9), MasterKeyError::TooMany),
        ] {
            assert_eq!(WrittenKeys::parse(bad).err(), Some(why), "{bad}");
        }
        assert_eq!(MasterKeyId::parse(&id(1).to_string()), Ok(id(1)));
        assert!(MasterKeyId::parse("xyz").is_err());
    }

    #[test]
    fn a_process_learns_of_keys_and_forgets_none() {
        let file = Arc::new(std::sync::Mutex::new(None));
        let look = file.clone();
        let keys = MasterKeys::new(written(&[(1, false)]), Some(Box::new(move || look.lock().unwrap().take())));
        let old = keys.seal("row", b"old", &SystemEntropy);
        let new = MasterKey::new(&[2; 32]).seal("row", b"new", &SystemEntropy);
        assert_eq!(keys.open("row", &new), Err(OpenError));
        *file.lock().unwrap() = Some(written(&[(2, false)]));
        assert_eq!(keys.open("row", &new).as_deref(), Ok(b"new".as_slice()), "it looks before it gives up");
        assert_eq!(keys.open("row", &old).as_deref(), Ok(b"old".as_slice()));
        *file.lock().unwrap() = Some(written(&[(3, false), (2, false)]));
        let newest = keys.seal("row", b"newest", &SystemEntropy);
        assert!(MasterKey::new(&[3; 32]).open("row", &newest).is_ok(), "and before it seals");
    }
}
