//! Passwords: argon2id, off the async threads. A flood of logins neither stalls the server nor fills its memory: few
//! hashes run at once, a bounded number waits for its turn, and whoever comes beyond is told to come again (rule R4).

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, PasswordHasher, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::Instrument as _;

use super::queue::{self, Queue};
use crate::domain::user::{MAX_PASSWORD, PasswordHash};
use crate::entropy::SharedEntropy;
use crate::telemetry::traces::span;
use crate::telemetry::{PASSWORD_HASH, PASSWORD_WAIT, PASSWORDS_TURNED_AWAY};

/// Requests that wait for each hash that runs. A hash takes one core some 20 ms, so the last of them waits some ten seconds:
/// about as long as a person waits for a page, and a third of what any request may take.
const WAITING_EACH: usize = 512;
/// When to come again where the queue is full: by then half of it is worked off.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// Why a password cannot be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password is 1 to {MAX_PASSWORD} bytes long")]
    Length,
    #[error("not an argon2id hash in PHC form (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`)")]
    NotArgon2id,
    #[error("the hash asks for more work than this server does: at most m=262144, t=10, p=8")]
    TooCostly,
    #[error("hashing failed")]
    Failed,
}

/// Too many passwords wait to be looked at, of this sender or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be looked at; come again in {} s", retry_after.as_secs())]
pub struct Busy {
    pub retry_after: Duration,
}

/// Hashes and verifies passwords. By itself for the server's own work and its operator's, which waits its turn however many
/// wait; for requests, which come as a flood may, by a [`Place`].
#[derive(Clone)]
pub struct Passwords {
    at_once: Arc<Semaphore>,
    queue: Arc<Queue>,
    /// What the last look at a password used, while others wait: each thread's own would stay with it, 19 MiB for each.
    spare: Arc<Mutex<Vec<Vec<Block>>>>,
    runs: Arc<AtomicU64>,
    entropy: SharedEntropy,
    /// A hash that no password has: what an unknown user's password is held against, so that an answer takes as long as
    /// for a known one (rule C9).
    decoy: PasswordHash,
}

impl Passwords {
    pub fn new(entropy: SharedEntropy) -> Self {
        // One core is left to the rest of the server: health, refreshes.
        let at_once = std::thread::available_parallelism().map_or(1, |cores| (cores.get() - 1).max(1));
        Self {
            at_once: Arc::new(Semaphore::new(at_once)),
            queue: Queue::new(at_once * WAITING_EACH),
            spare: Arc::default(),
            runs: Arc::default(),
            decoy: decoy(&entropy),
            entropy,
        }
    }

    /// A place in the queue for a request that `from` sent. It is taken before anything is looked up, so that it tells
    /// nothing of who is known (rule C9).
    pub fn queue(&self, from: Option<IpAddr>) -> Result<Place<'_>, Busy> {
        let place = self.queue.enter(from).ok_or_else(|| {
            PASSWORDS_TURNED_AWAY.add([]);
            Busy { retry_after: COME_AGAIN }
        })?;
        Ok(Place { passwords: self, place })
    }

    /// Requests whose turn has not come.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// How many may wait for their turn.
    pub fn may_wait(&self) -> usize {
        self.queue.most()
    }

    /// Gives back the memory that those who wait share, where nobody waits any more.
    pub fn tidy(&self) {
        if self.queue.len() == 0 {
            self.spare.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Hashes that were begun since the start: what is dear can be counted.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    pub async fn hash(&self, password: &str) -> Result<PasswordHash, PasswordError> {
        self.hash_from(password, None).await
    }

    /// Whether `password` is the one of `stored`; with `None` the same work is done, for nothing.
    pub async fn verify(&self, password: &str, stored: Option<PasswordHash>) -> Result<bool, PasswordError> {
        self.verify_from(password, stored, None).await
    }

    async fn hash_from(&self, password: &str, place: Option<queue::Place>) -> Result<PasswordHash, PasswordError> {
        if password.is_empty() || password.len() > MAX_PASSWORD {
            return Err(PasswordError::Length);
        }
        let (password, salt) = (password.as_bytes().to_vec(), salt(&self.entropy));
        self.off_thread(place, move || hash_blocking(&password, &salt)).await?
    }

    async fn verify_from(
        &self,
        password: &str,
        stored: Option<PasswordHash>,
        place: Option<queue::Place>,
    ) -> Result<bool, PasswordError> {
        if password.len() > MAX_PASSWORD {
            return Ok(false);
        }
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let password = password.as_bytes().to_vec();
        let (spare, queue) = (self.spare.clone(), self.queue.clone());
        let look = move || {
            let spares = || spare.lock().unwrap_or_else(PoisonError::into_inner);
            let mut memory = spares().pop().unwrap_or_default();
            let right = verify_blocking(&password, &stored, &mut memory).unwrap_or_default();
            if queue.len() == 0 {
                spares().clear();
            } else if memory.len() <= Params::DEFAULT.block_count() {
                spares().push(memory);
            }
            right
        };
        Ok(self.off_thread(place, look).await? && known)
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        place: Option<queue::Place>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let span = span!("password");
        let came = Instant::now();
        let turn = self.at_once.clone().acquire_owned().instrument(span.clone()).await;
        let permit = turn.map_err(|_| PasswordError::Failed)?;
        drop(place);
        PASSWORD_WAIT.of([]).record(came.elapsed().as_secs_f64());
        self.runs.fetch_add(1, Ordering::Relaxed);
        // The permit goes along: a caller that hangs up does not make room while its hash still runs.
        spawn_blocking(move || {
            let began = Instant::now();
            let done = span.in_scope(work);
            PASSWORD_HASH.of([]).record(began.elapsed().as_secs_f64());
            drop(permit);
            done
        })
        .await
        .map_err(|_| PasswordError::Failed)
    }
}

/// A request's place in the queue, which it gives up when its turn comes, or when who sent it hangs up.
pub struct Place<'p> {
    passwords: &'p Passwords,
    place: queue::Place,
}

impl Place<'_> {
    pub async fn hash(self, password: &str) -> Result<PasswordHash, PasswordError> {
        self.passwords.hash_from(password, Some(self.place)).await
    }

    /// Whether `password` is the one of `stored`; with `None` the same work is done, for nothing.
    pub async fn verify(self, password: &str, stored: Option<PasswordHash>) -> Result<bool, PasswordError> {
        self.passwords.verify_from(password, stored, Some(self.place)).await
    }
}

/// Checks a hash that came from outside (a seed file): argon2id, and of bounded cost.
pub fn check_phc(text: &str) -> Result<PasswordHash, PasswordError> {
    let hash = phc::PasswordHash::new(text).map_err(|_| PasswordError::NotArgon2id)?;
    if hash.algorithm.as_str() != "argon2id" || hash.hash.is_none() || hash.salt.is_none() {
        return Err(PasswordError::NotArgon2id);
    }
    let cost = |name| hash.params.get_decimal(name).unwrap_or(0);
    if cost("m") > 262_144 || cost("t") > 10 || cost("p") > 8 {
        return Err(PasswordError::TooCostly);
    }
    Ok(PasswordHash::from_phc(text.to_owned()))
}

fn salt(entropy: &SharedEntropy) -> [u8; 16] {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    salt
}

/// As dear to verify as any other, and made without the work.
fn decoy(entropy: &SharedEntropy) -> PasswordHash {
    let (m, t, p) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST);
    let salt = STANDARD_NO_PAD.encode(salt(entropy));
    let hash = STANDARD_NO_PAD.encode(crate::entropy::secret(&**entropy));
    PasswordHash::from_phc(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}"))
}

fn hash_blocking(password: &[u8], salt: &[u8]) -> Result<PasswordHash, PasswordError> {
    let hash: phc::PasswordHash =
        Argon2::default().hash_password_with_salt(password, salt).map_err(|_| PasswordError::Failed)?;
    Ok(PasswordHash::from_phc(hash.to_string()))
}

/// `memory` is what is worked in. `None`: this is no hash.
fn verify_blocking(password: &[u8], stored: &PasswordHash, memory: &mut Vec<Block>) -> Option<bool> {
    let hash = phc::PasswordHash::new(stored.as_phc()).ok()?;
    let (salt, expected) = (hash.salt?, hash.hash?);
    let algorithm: Algorithm = hash.algorithm.as_str().parse().ok()?;
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
    let params = Params::try_from(&hash).ok()?;
    memory.resize(params.block_count().max(memory.len()), Block::default());
    let mut output = vec![0; expected.len()];
    let argon2 = Argon2::new(algorithm, version, params);
    argon2.hash_password_into_with_memory(password, &salt, &mut output, memory).ok()?;
    // In constant time.
    Some(phc::Output::new(&output).ok()? == expected)
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;

    use super::*;
    use crate::entropy::SystemEntropy;

    fn passwords() -> Passwords {
        Passwords::new(Arc::new(SystemEntropy))
    }

    #[tokio::test]
    async fn verifies_what_it_hashed_and_nothing_else() {
        let passwords = passwords();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(check_phc(hash.as_phc()).is_ok());
        assert_eq!(passwords.verify("correct horse", Some(hash.clone())).await, Ok(true));
        assert_eq!(passwords.verify("Correct horse", Some(hash)).await, Ok(false));
        assert_eq!(passwords.verify("correct horse", None).await, Ok(false));
        assert_eq!(passwords.hash("").await, Err(PasswordError::Length));
        assert_eq!(passwords.hash(&"x".repeat(MAX_PASSWORD + 1)).await, Err(PasswordError::Length));
    }

    /// C9: an unknown user's password costs what a known one's does.
    #[tokio::test]
    async fn c9_the_decoy_asks_for_the_work_of_a_hash_of_ours() {
        let passwords = passwords();
        assert_eq!(passwords.runs(), 0, "it is made without that work");
        let hash = passwords.hash("correct horse").await.unwrap();
        let shape = |hash: &PasswordHash| {
            let hash = phc::PasswordHash::new(hash.as_phc()).unwrap();
            (hash.algorithm, hash.version, hash.params.to_string(), hash.salt.unwrap().len(), hash.hash.unwrap().len())
        };
        assert_eq!(shape(&passwords.decoy), shape(&hash));
        assert_ne!(passwords.decoy, Passwords::new(Arc::new(SystemEntropy)).decoy);
        assert_eq!(passwords.verify("correct horse", None).await, Ok(false));
        assert_eq!(passwords.runs(), 2);
    }

    /// R4: memory does not grow with the number of those who wait.
    #[tokio::test]
    async fn r4_while_others_wait_memory_is_used_again_and_then_given_back() {
        let passwords = passwords();
        let kept = || passwords.spare.lock().unwrap().len();
        let hash = passwords.hash("correct horse").await.unwrap();
        let cheap = Argon2::from(Params::new(8, 1, 1, None).unwrap());
        let cheap: phc::PasswordHash = cheap.hash_password_with_salt(b"correct horse", b"salt of the test").unwrap();
        let cheap = PasswordHash::from_phc(cheap.to_string());
        let waits = passwords.queue(None).unwrap();
        for stored in [hash.clone(), cheap, hash] {
            assert_eq!(passwords.verify("correct horse", Some(stored)).await, Ok(true));
            assert_eq!(kept(), 1);
        }
        drop(waits);
        assert_eq!(passwords.verify("correct horse", None).await, Ok(false));
        assert_eq!(kept(), 0);
    }

    /// R4: a caller that hangs up gives its place away, and its turn to the next.
    #[tokio::test]
    async fn r4_who_hangs_up_leaves_the_queue_and_a_hash_that_runs_keeps_its_permit() {
        let passwords = passwords();
        let permits = passwords.at_once.available_permits();
        let held = passwords.at_once.clone().acquire_many_owned(u32::try_from(permits).unwrap()).await.unwrap();
        let mut waiting = Box::pin(passwords.queue(None).unwrap().verify("a", None));
        let mut next = Box::pin(passwords.queue(None).unwrap().verify("b", None));
        assert_eq!((poll_immediate(&mut waiting).await, poll_immediate(&mut next).await), (None, None));
        assert_eq!((passwords.waiting(), passwords.runs()), (2, 0));
        drop(waiting);
        assert_eq!(passwords.waiting(), 1);
        drop(held);
        assert_eq!(poll_immediate(&mut next).await, None);
        assert_eq!((passwords.waiting(), passwords.runs()), (0, 1), "its turn has come");
        drop(next);
        let _all = passwords.at_once.acquire_many(u32::try_from(permits).unwrap()).await.unwrap();
        assert_eq!(passwords.runs(), 1, "the permit came back when the hash was done");
    }

    #[tokio::test]
    async fn r4_beyond_the_queue_one_is_told_to_come_again_and_our_own_work_waits() {
        let passwords = passwords();
        let places: Vec<_> =
            (0..passwords.at_once.available_permits() * WAITING_EACH).map(|_| passwords.queue(None).unwrap()).collect();
        assert_eq!(passwords.queue(None).map(|_| ()), Err(Busy { retry_after: COME_AGAIN }));
        assert!(passwords.hash("correct horse").await.is_ok());
        drop(places);
        assert!(passwords.queue(None).is_ok());
    }

    #[test]
    fn a_hash_from_outside_is_argon2id_of_bounded_cost() {
        for bad in [
            "",
            "plain",
            "$argon2i$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=9999999,t=3,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
        ] {
            assert!(check_phc(bad).is_err(), "{bad}");
        }
    }
}
