//! The server's own keys: made when they are first needed, stored sealed, opened by each node. The MAC key and the
//! ES256 key exist from the first start on; an algorithm that nobody asked for has no key.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::Context;
use super::audit::Acting;
use crate::clock::Clock;
use crate::crypto::jwt::{self, JwtError, JwtType, SignError};
use crate::crypto::keyring::{KeyRing, RingKey};
use crate::crypto::mac::MacKey;
use crate::crypto::seal::MasterKeys;
use crate::crypto::signing::SigningKey;
use crate::domain::event::{Action, Change, Event, Target, TargetKind};
use crate::domain::key_life::{self, KeyState};
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::domain::timestamp::Timestamp;
use crate::entropy::Entropy;
use crate::store::keys::SealedKey;
use crate::store::{Store, StoreError, events, keys};

const MAC: &str = "mac";
/// The algorithm whose key is there from the first start on.
const FIRST: SigningAlgorithm = SigningAlgorithm::Es256;
/// How long a token with an unknown `kid` does not make this node look for it again, of real time.
const ASK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error(
        "the database's keys do not open under this master key. Give the master key that the database was last \
         started with (LEADGATE_MASTER_KEY, or the file that master_key_file names), also where it was rotated on \
         another node; without it, what it signed and sealed is lost, and a new database is needed"
    )]
    WrongMasterKey,
    #[error("the database holds a key that is not well-formed ({0})")]
    Malformed(String),
    #[error("a key could not be made: {0}")]
    Made(String),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a caller can do nothing about it but fail.
impl From<KeysError> for StoreError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error,
            other => StoreError::Internal(other.to_string()),
        }
    }
}

/// Why a text is no token of ours.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Refused(#[from] JwtError),
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// The keys of this node, and what it takes to open and seal more.
pub struct Keys {
    master: Arc<MasterKeys>,
    ring: watch::Sender<Arc<KeyRing>>,
    /// Held by whoever reads or makes keys: they take turns.
    known: Mutex<Known>,
}

struct Known {
    /// What the ring was opened from.
    stored: Vec<SealedKey>,
    /// When a token with an unknown `kid` last made us look.
    asked: Option<Instant>,
}

/// A signing key as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// The `kid` of what it signs.
    pub id: String,
    pub algorithm: SigningAlgorithm,
    pub serial: u16,
    pub created_at: Timestamp,
    pub state: KeyState,
    /// From when on it signs, or would.
    pub signs_from: Timestamp,
    /// `None`: no other takes over.
    pub published_until: Option<Timestamp>,
}

impl Keys {
    fn new(master: Arc<MasterKeys>, stored: Vec<SealedKey>) -> Result<Self, KeysError> {
        let ring = watch::Sender::new(Arc::new(opened(&master, &stored)?));
        Ok(Self { master, ring, known: Mutex::new(Known { stored, asked: None }) })
    }

    /// The keys as this node knows them.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.borrow().clone()
    }

    /// What they are sealed under.
    pub(super) fn master(&self) -> &Arc<MasterKeys> {
        &self.master
    }

    fn take(&self, known: &mut Known, stored: Vec<SealedKey>) -> Result<(), KeysError> {
        if known.stored != stored {
            self.ring.send_replace(Arc::new(opened(&self.master, &stored)?));
            known.stored = stored;
        }
        Ok(())
    }
}

/// Whether the database has keys already, so that its master key has to exist too.
pub async fn exist(store: &Store) -> Result<bool, StoreError> {
    Ok(!stored(store).await?.is_empty())
}

/// Whether keys that lie somewhere open under these master keys.
pub fn open_all(master: &MasterKeys, stored: &[SealedKey]) -> Result<(), KeysError> {
    stored.iter().try_for_each(|key| plain(master, key).map(|_| ()))
}

/// Opens the keys, and makes those that have to be there. Nodes that start at once agree on one of each.
pub async fn open_or_make(
    store: &Store,
    master: Arc<MasterKeys>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Keys, KeysError> {
    open_under(master, store, clock.now(), entropy).await
}

/// The same for the store of another world, under this one's master key.
pub(super) async fn open_beside(ctx: &Context, store: &Store) -> Result<Keys, KeysError> {
    open_under(ctx.keys.master.clone(), store, ctx.real_now(), &*ctx.entropy).await
}

async fn open_under(
    master: Arc<MasterKeys>,
    store: &Store,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Keys, KeysError> {
    let found = stored(store).await?;
    // An existing key proves that the master key is the right one before another is made under it.
    open_all(&master, &found)?;
    let has = |purpose: &str| found.iter().any(|key| key.purpose == purpose);
    let seal = |purpose: &str, plain: &[u8]| sealed(&master, purpose, 1, plain, entropy, now);
    let mut fresh = Vec::new();
    if !has(MAC) {
        fresh.push(seal(MAC, &crate::entropy::secret(entropy)));
    }
    if !has(purpose(FIRST)) {
        fresh.push(seal(purpose(FIRST), &SigningKey::generate(FIRST)));
    }
    let found = if fresh.is_empty() { found } else { store_all(store, fresh, None).await? };
    Keys::new(master, found)
}

/// The key that signs now; made where the algorithm has none.
pub async fn signing_key(ctx: &Context, algorithm: SigningAlgorithm) -> Result<Arc<SigningKey>, KeysError> {
    let find = || ctx.keys.ring().signing_key(algorithm, ctx.now());
    if let Some(key) = find() {
        return Ok(key);
    }
    make_missing(ctx, &[algorithm]).await?;
    find().ok_or_else(|| KeysError::Made(format!("{} has no key still", algorithm.as_str())))
}

/// A token of ours, under the key that signs now.
pub async fn sign<C: Serialize>(
    ctx: &Context,
    algorithm: SigningAlgorithm,
    typ: JwtType,
    claims: &C,
) -> Result<String, KeysError> {
    let key = signing_key(ctx, algorithm).await?;
    Ok(jwt::sign(&key, typ, claims)?)
}

/// The claims of a token of ours, on whichever node it was signed. Whether it still lives is the caller's to judge.
pub async fn verify<C: DeserializeOwned>(ctx: &Context, text: &str, typ: JwtType) -> Result<C, VerifyError> {
    match jwt::verify(&ctx.keys.ring(), text, typ) {
        Err(JwtError::UnknownKey) => {
            look_for_unknown(ctx).await?;
            Ok(jwt::verify(&ctx.keys.ring(), text, typ)?)
        }
        settled => Ok(settled?),
    }
}

/// What is published: a key for each algorithm that a token may be signed with.
pub async fn jwks(ctx: &Context) -> Result<JwkSet, KeysError> {
    make_missing(ctx, &SigningAlgorithm::ALL).await?;
    Ok(known_jwks(ctx))
}

/// What of it this node knows without asking the database.
pub fn known_jwks(ctx: &Context) -> JwkSet {
    ctx.keys.ring().jwks(ctx.now())
}

/// Every signing key, by algorithm, oldest first.
pub fn list(ctx: &Context) -> Vec<ListedKey> {
    let ring = ctx.keys.ring();
    let keys = ring.states(ctx.now());
    let mut listed = Vec::with_capacity(keys.len());
    for of_one in keys.chunk_by(|(a, _), (b, _)| a.key.algorithm() == b.key.algorithm()) {
        let created: Vec<_> = of_one.iter().map(|(key, _)| key.created_at).collect();
        listed.extend(of_one.iter().enumerate().map(|(nth, (key, state))| ListedKey {
            id: key.key.id().to_owned(),
            algorithm: key.key.algorithm(),
            serial: key.serial,
            created_at: key.created_at,
            state: *state,
            signs_from: key_life::signs_from(&created, nth),
            published_until: key_life::published_until(&created, nth),
        }));
    }
    listed
}

/// Reads what other nodes, or the command line, made and deleted.
pub async fn reload(ctx: &Context) -> Result<(), KeysError> {
    read(ctx, &mut *ctx.keys.known.lock().await).await
}

/// Makes an algorithm's next key, which signs once its lead is over, or its first, which signs at once. Two who do it
/// at once get the same one.
pub async fn rotate(ctx: &Acting<'_>, algorithm: SigningAlgorithm) -> Result<ListedKey, KeysError> {
    let mut known = ctx.keys.known.lock().await;
    read(ctx, &mut known).await?;
    let newest = list(ctx).into_iter().rfind(|key| key.algorithm == algorithm).map_or(0, |key| key.serial);
    let serial = newest.checked_add(1).ok_or_else(|| KeysError::Made("all serials are used up".into()))?;
    let mut event = ctx.event(Action::KeysRotated, Target::kind(TargetKind::Keys, algorithm.as_str()));
    event.changes = vec![Change::new("serial", serial)];
    make(ctx, &mut known, algorithm, serial, Some(event)).await?;
    let made = list(ctx).into_iter().find(|key| key.algorithm == algorithm && key.serial == serial);
    made.ok_or_else(|| KeysError::Made(format!("{} {serial} is gone already", algorithm.as_str())))
}

/// Deletes the signing keys that were retired `before` already; answers how many.
pub async fn sweep(ctx: &Context, before: Timestamp) -> Result<u64, StoreError> {
    let ring = ctx.keys.ring();
    let mut rows = 0;
    for (key, _) in ring.states(before).into_iter().filter(|(_, state)| *state == KeyState::Retired) {
        let (purpose, serial) = (purpose(key.key.algorithm()), key.serial);
        rows += ctx.store.write(move |conn| Box::pin(keys::delete(conn, purpose, serial))).await?;
    }
    Ok(rows)
}

/// At most once in [`ASK_AGAIN`]: anybody can send a token that names an unknown key.
async fn look_for_unknown(ctx: &Context) -> Result<(), KeysError> {
    let mut known = ctx.keys.known.lock().await;
    if known.asked.is_some_and(|at| at.elapsed() < ASK_AGAIN) {
        return Ok(());
    }
    known.asked = Some(Instant::now());
    read(ctx, &mut known).await
}

async fn make_missing(ctx: &Context, algorithms: &[SigningAlgorithm]) -> Result<(), KeysError> {
    let is_missing = |algorithm: &SigningAlgorithm| ctx.keys.ring().signing_key(*algorithm, ctx.now()).is_none();
    if !algorithms.iter().any(is_missing) {
        return Ok(());
    }
    let mut known = ctx.keys.known.lock().await;
    read(ctx, &mut known).await?;
    for algorithm in algorithms.iter().copied().filter(is_missing) {
        make(ctx, &mut known, algorithm, 1, None).await?;
    }
    Ok(())
}

/// `event` tells of it, where somebody asked for the key.
async fn make(
    ctx: &Context,
    known: &mut Known,
    algorithm: SigningAlgorithm,
    serial: u16,
    event: Option<Event>,
) -> Result<(), KeysError> {
    let plain = spawn_blocking(move || SigningKey::generate(algorithm)).await;
    let plain = plain.map_err(|crash| KeysError::Made(crash.to_string()))?;
    let key = sealed(&ctx.keys.master, purpose(algorithm), serial, &plain, &*ctx.entropy, ctx.now());
    let stored = store_all(&ctx.store, vec![key], event).await?;
    ctx.keys.take(known, stored)
}

async fn read(ctx: &Context, known: &mut Known) -> Result<(), KeysError> {
    let stored = stored(&ctx.store).await?;
    ctx.keys.take(known, stored)
}

async fn stored(store: &Store) -> Result<Vec<SealedKey>, StoreError> {
    store.read(|conn| Box::pin(keys::list(conn))).await
}

/// Answers all keys. Where another node was first, the one that it made stays.
async fn store_all(store: &Store, fresh: Vec<SealedKey>, event: Option<Event>) -> Result<Vec<SealedKey>, StoreError> {
    let fresh = Arc::new((fresh, event));
    store
        .write(move |conn| {
            let fresh = fresh.clone();
            Box::pin(async move {
                let (fresh, event) = &*fresh;
                let mut is_first = true;
                for key in fresh {
                    is_first &= keys::insert(conn, key).await?;
                }
                if let Some(event) = event.as_ref().filter(|_| is_first) {
                    events::record(conn, event).await?;
                }
                keys::list(conn).await
            })
        })
        .await
}

const fn purpose(algorithm: SigningAlgorithm) -> &'static str {
    match algorithm {
        SigningAlgorithm::Es256 => "signing-es256",
        SigningAlgorithm::Rs256 => "signing-rs256",
        SigningAlgorithm::EdDsa => "signing-eddsa",
    }
}

pub(super) fn row(purpose: &str, serial: u16) -> String {
    format!("keys/{purpose}/{serial}")
}

fn sealed(
    master: &MasterKeys,
    purpose: &str,
    serial: u16,
    plain: &[u8],
    entropy: &dyn Entropy,
    now: Timestamp,
) -> SealedKey {
    let sealed = master.seal(&row(purpose, serial), plain, entropy);
    SealedKey { purpose: purpose.to_owned(), serial, sealed, created_at: now }
}

fn plain(master: &MasterKeys, key: &SealedKey) -> Result<Vec<u8>, KeysError> {
    master.open(&row(&key.purpose, key.serial), &key.sealed).map_err(|_| KeysError::WrongMasterKey)
}

fn opened(master: &MasterKeys, stored: &[SealedKey]) -> Result<KeyRing, KeysError> {
    let (mut macs, mut signing) = (Vec::new(), Vec::new());
    for key in stored {
        let plain = plain(master, key)?;
        if key.purpose == MAC {
            let bytes: [u8; 32] = plain.try_into().map_err(|_| KeysError::Malformed("a MAC key is 32 bytes".into()))?;
            macs.push((key.serial, MacKey::new(&bytes)));
            continue;
        }
        let algorithm = SigningAlgorithm::ALL.into_iter().find(|algorithm| purpose(*algorithm) == key.purpose);
        let algorithm = algorithm.ok_or_else(|| KeysError::Malformed(format!("unknown purpose {}", key.purpose)))?;
        let opened = SigningKey::from_pkcs8(algorithm, &plain).map_err(|why| KeysError::Malformed(why.to_string()))?;
        signing.push(RingKey { serial: key.serial, created_at: key.created_at, key: Arc::new(opened) });
    }
    KeyRing::new(macs, signing).ok_or_else(|| KeysError::Malformed("a kind of key is missing".into()))
}
