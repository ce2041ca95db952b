//! Where the master key comes from: the operator, or a file of ours that only this user may read.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::config::{ConfigError, MasterKeySource};
use crate::crypto::seal::{MasterKey, MasterKeyError};
use crate::entropy::{Entropy, secret};
use crate::services::keys;
use crate::store::{Store, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyFileError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the master key that was given is not one: {0}. `openssl rand -base64 32` makes one")]
    Given(MasterKeyError),
    #[error(
        "{path} holds no master key: {why}. Restore it from a back-up: without it the database's keys cannot be opened"
    )]
    Kept { path: PathBuf, why: MasterKeyError },
    #[error(
        "the master key file {path} is missing, and the database holds keys that are sealed under it. Restore the \
         file, or give the key in LEADGATE_MASTER_KEY; without it a new database is needed"
    )]
    Missing { path: PathBuf },
    #[error("the master key file {path} may be read by other users (mode {mode:o}). Close it: chmod 600 {path}")]
    Open { path: PathBuf, mode: u32 },
    #[error("the master key file {path} could not be {action}: {why}")]
    File { path: PathBuf, action: &'static str, why: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the master key; makes the kept one at the first start.
pub async fn obtain(
    source: &MasterKeySource,
    store: &Store,
    entropy: &dyn Entropy,
) -> Result<MasterKey, MasterKeyFileError> {
    match source {
        MasterKeySource::Given(source) => MasterKey::parse(source.read()?.expose()).map_err(MasterKeyFileError::Given),
        MasterKeySource::Ephemeral => Ok(MasterKey::new(&secret(entropy))),
        MasterKeySource::Kept(path) => {
            if !path.exists() {
                if keys::exist(store).await? {
                    return Err(MasterKeyFileError::Missing { path: path.clone() });
                }
                make(path, entropy)?;
            }
            read(path)
        }
    }
}

fn read(path: &Path) -> Result<MasterKey, MasterKeyFileError> {
    let failed = |why| MasterKeyFileError::File { path: path.to_owned(), action: "read", why };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyFileError::Open { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    MasterKey::parse(&text).map_err(|why| MasterKeyFileError::Kept { path: path.to_owned(), why })
}

/// Written whole under another name first, and on the disk before it has its own: a crash leaves no half
/// key, and of two processes that start at once both read the one that came first.
fn make(path: &Path, entropy: &dyn Entropy) -> Result<(), MasterKeyFileError> {
    let failed = |why| MasterKeyFileError::File { path: path.to_owned(), action: "written", why };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(failed)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(failed)?;
    file.write_all(MasterKey::generate(entropy).as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    let named = match fs::hard_link(&draft, path) {
        Err(why) if why.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(why)),
        _ => Ok(()),
    };
    fs::remove_file(&draft).map_err(failed)?;
    named?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::entropy::SystemEntropy;

    /// A directory that is gone at the end of its test.
    struct Directory(PathBuf);

    impl Directory {
        fn make(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("leadgate-master-key-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn key(&self) -> PathBuf {
            self.0.join("leadgate.key")
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn is_made_once_and_only_for_this_user() {
        let directory = Directory::make("made");
        let path = directory.key();
        make(&path, &SystemEntropy).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        make(&path, &SystemEntropy).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first, "who comes second keeps the first's key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
        assert!(read(&path).is_ok());
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let directory = Directory::make("open");
        let path = directory.key();
        make(&path, &SystemEntropy).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(read(&path), Err(MasterKeyFileError::Open { mode: 0o644, .. })));
    }

    #[tokio::test]
    async fn a_missing_file_is_not_replaced_once_there_are_keys() {
        let store = Store::open(&crate::store::Location::SqliteMemory).await.unwrap();
        let directory = Directory::make("missing");
        let path = directory.key();
        let source = MasterKeySource::Kept(path.clone());
        let master = obtain(&source, &store, &SystemEntropy).await.unwrap();
        keys::open_or_make(&store, Arc::new(master), &crate::clock::SystemClock, &SystemEntropy).await.unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(obtain(&source, &store, &SystemEntropy).await, Err(MasterKeyFileError::Missing { .. })));
    }
}
