//! Passwords: argon2id, off the async threads, no more at once than there are cores, so that a flood of
//! logins neither stalls the server nor fills its memory (rule R4).

use std::sync::Arc;

use argon2::password_hash::phc;
use argon2::{Argon2, PasswordHasher, PasswordVerifier as _};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::domain::user::{MAX_PASSWORD, PasswordHash};
use crate::entropy::SharedEntropy;

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

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Passwords {
    at_once: Arc<Semaphore>,
    entropy: SharedEntropy,
    /// A hash of nothing that anybody knows: what an unknown user's password is held against, so that
    /// an answer takes as long as for a known one (rule C9).
    decoy: PasswordHash,
}

impl Passwords {
    pub fn new(entropy: SharedEntropy) -> Result<Self, PasswordError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let decoy = hash_blocking(&crate::entropy::secret(&*entropy), &salt(&entropy))?;
        Ok(Self { at_once: Arc::new(Semaphore::new(cores)), entropy, decoy })
    }

    pub async fn hash(&self, password: &str) -> Result<PasswordHash, PasswordError> {
        if password.is_empty() || password.len() > MAX_PASSWORD {
            return Err(PasswordError::Length);
        }
        let (password, salt) = (password.as_bytes().to_vec(), salt(&self.entropy));
        self.off_thread(move || hash_blocking(&password, &salt)).await?
    }

    /// Whether `password` is the one of `stored`; with `None` the same work is done, for nothing.
    pub async fn verify(&self, password: &str, stored: Option<PasswordHash>) -> Result<bool, PasswordError> {
        if password.len() > MAX_PASSWORD {
            return Ok(false);
        }
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let password = password.as_bytes().to_vec();
        let right = self.off_thread(move || verify_blocking(&password, &stored)).await?;
        Ok(right && known)
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let permit = self.at_once.clone().acquire_owned().await.map_err(|_| PasswordError::Failed)?;
        // The permit goes along: a caller that hangs up does not make room while its hash still runs.
        spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(|_| PasswordError::Failed)
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

fn hash_blocking(password: &[u8], salt: &[u8]) -> Result<PasswordHash, PasswordError> {
    let hash: phc::PasswordHash =
        Argon2::default().hash_password_with_salt(password, salt).map_err(|_| PasswordError::Failed)?;
    Ok(PasswordHash::from_phc(hash.to_string()))
}

fn verify_blocking(password: &[u8], stored: &PasswordHash) -> bool {
    phc::PasswordHash::new(stored.as_phc()).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[tokio::test]
    async fn verifies_what_it_hashed_and_nothing_else() {
        let passwords = Passwords::new(Arc::new(SystemEntropy)).unwrap();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(check_phc(hash.as_phc()).is_ok());
        assert_eq!(passwords.verify("correct horse", Some(hash.clone())).await, Ok(true));
        assert_eq!(passwords.verify("Correct horse", Some(hash)).await, Ok(false));
        assert_eq!(passwords.verify("correct horse", None).await, Ok(false));
        assert_eq!(passwords.hash("").await, Err(PasswordError::Length));
        assert_eq!(passwords.hash(&"x".repeat(MAX_PASSWORD + 1)).await, Err(PasswordError::Length));
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
