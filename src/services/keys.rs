//! The server's own keys: made at the first start, stored sealed, opened at each start.

use crate::clock::Clock;
use crate::crypto::keyring::KeyRing;
use crate::crypto::mac::MacKey;
use crate::crypto::seal::MasterKey;
use crate::crypto::signing::SigningKey;
use crate::entropy::Entropy;
use crate::store::keys::SealedKey;
use crate::store::{Store, StoreError, keys};

const MAC: &str = "mac";
const SIGNING: &str = "signing-es256";

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error(
        "the database's keys do not open under this master key. Give the master key that the database was first \
         started with (LEADGATE_MASTER_KEY, or the file that master_key_file names); without it, what it signed and \
         sealed is lost, and a new database is needed"
    )]
    WrongMasterKey,
    #[error("the database holds a key that is not well-formed ({0})")]
    Malformed(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether the database has keys already, so that its master key has to exist too.
pub async fn exist(store: &Store) -> Result<bool, StoreError> {
    Ok(!store.read(|conn| Box::pin(keys::list(conn))).await?.is_empty())
}

/// Opens the keys, and makes those that are missing. Nodes that start at once agree on one of each.
pub async fn open_or_make(
    store: &Store,
    master: &MasterKey,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<KeyRing, KeysError> {
    let stored = store.read(|conn| Box::pin(keys::list(conn))).await?;
    let has = |purpose: &str| stored.iter().any(|key| key.purpose == purpose);
    let mut fresh = Vec::new();
    if !has(MAC) {
        fresh.push(sealed(master, MAC, &crate::entropy::secret(entropy), entropy));
    }
    if !has(SIGNING) {
        fresh.push(sealed(master, SIGNING, &SigningKey::generate(), entropy));
    }
    let stored = if fresh.is_empty() {
        stored
    } else {
        // An existing key proves that the master key is the right one before another is made under it.
        for key in &stored {
            open(master, key)?;
        }
        let now = clock.now();
        let fresh = std::sync::Arc::new(fresh);
        store
            .write(move |conn| {
                let fresh = fresh.clone();
                Box::pin(async move {
                    for key in fresh.iter() {
                        keys::insert(conn, key, now).await?;
                    }
                    keys::list(conn).await
                })
            })
            .await?
    };
    ring(master, &stored)
}

fn row(purpose: &str, serial: u16) -> String {
    format!("keys/{purpose}/{serial}")
}

fn sealed(master: &MasterKey, purpose: &str, plain: &[u8], entropy: &dyn Entropy) -> SealedKey {
    let sealed = master.seal(&row(purpose, 1), plain, entropy);
    SealedKey { purpose: purpose.to_owned(), serial: 1, sealed }
}

fn open(master: &MasterKey, key: &SealedKey) -> Result<Vec<u8>, KeysError> {
    master.open(&row(&key.purpose, key.serial), &key.sealed).map_err(|_| KeysError::WrongMasterKey)
}

fn ring(master: &MasterKey, stored: &[SealedKey]) -> Result<KeyRing, KeysError> {
    let (mut macs, mut signing) = (Vec::new(), Vec::new());
    for key in stored {
        let plain = open(master, key)?;
        match key.purpose.as_str() {
            MAC => {
                let bytes: [u8; 32] =
                    plain.try_into().map_err(|_| KeysError::Malformed("a MAC key is 32 bytes".into()))?;
                macs.push((key.serial, MacKey::new(&bytes)));
            }
            SIGNING => {
                signing.push(SigningKey::from_pkcs8(&plain).map_err(|why| KeysError::Malformed(why.to_string()))?);
            }
            other => return Err(KeysError::Malformed(format!("unknown purpose {other}"))),
        }
    }
    KeyRing::new(macs, signing).ok_or_else(|| KeysError::Malformed("a kind of key is missing".into()))
}
