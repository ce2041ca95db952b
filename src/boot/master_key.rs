//! Where the master key comes from: the operator, or a file of ours that only this user may read.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::config::{ConfigError, MasterKeySource, SecretSource};
use crate::crypto::seal::{Look, MasterKey, MasterKeyError, MasterKeyId, MasterKeys, NEXT, WrittenKeys};
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
    File { path: PathBuf, action: &'static str, why: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MasterKeyFileError {
    fn file<'p>(path: &'p Path, action: &'static str) -> impl Fn(io::Error) -> Self + 'p {
        move |why| Self::File { path: path.to_owned(), action, why }
    }
}

/// Reads the master keys; makes the kept one at the first start.
pub async fn obtain(
    source: &MasterKeySource,
    store: &Store,
    entropy: &dyn Entropy,
) -> Result<MasterKeys, MasterKeyFileError> {
    if let MasterKeySource::Kept(path) = source
        && !path.exists()
    {
        if keys::exist(store).await? {
            return Err(MasterKeyFileError::Missing { path: path.clone() });
        }
        make(path, entropy)?;
    }
    match present(source)? {
        Some(keys) => Ok(keys),
        None => Ok(MasterKey::new(&secret(entropy)).into()),
    }
}

/// The master keys that are there; `None` where there are none but for as long as a process lives.
pub fn present(source: &MasterKeySource) -> Result<Option<MasterKeys>, MasterKeyFileError> {
    let keys = match source {
        MasterKeySource::Given(given) => {
            let file = file_of(source);
            let stamp = file.and_then(stamp_of);
            let written = WrittenKeys::parse(given.read()?.expose()).map_err(MasterKeyFileError::Given)?;
            MasterKeys::new(written, file.map(|path| look_at(path, stamp)))
        }
        MasterKeySource::Kept(path) => {
            let stamp = stamp_of(path);
            MasterKeys::new(read(path)?, Some(look_at(path, stamp)))
        }
        MasterKeySource::Ephemeral => return Ok(None),
    };
    Ok(Some(keys))
}

/// The file that the keys are in, where there is one.
pub fn file_of(source: &MasterKeySource) -> Option<&Path> {
    match source {
        MasterKeySource::Kept(path) | MasterKeySource::Given(SecretSource::File { path, .. }) => Some(path),
        MasterKeySource::Given(SecretSource::Inline(_)) | MasterKeySource::Ephemeral => None,
    }
}

/// What is another after a file was written anew, or exchanged.
type Stamp = (u64, [i64; 4], u64);

fn stamp_of(path: &Path) -> Option<Stamp> {
    let of = fs::metadata(path).ok()?;
    Some((of.ino(), [of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec()], of.len()))
}

/// Reads the file again where it is another than at `first`.
fn look_at(path: &Path, first: Option<Stamp>) -> Look {
    let (path, last) = (path.to_owned(), Mutex::new(first));
    Box::new(move || {
        let stamp = stamp_of(&path)?;
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == Some(stamp) {
            return None;
        }
        let kept = |why: &dyn Display| {
            tracing::warn!(file = %path.display(), %why, "the master keys were not read again; those that are known stay");
        };
        // What could not be read is tried again; what is no key is none until it is another file.
        let text = fs::read_to_string(&path).inspect_err(|why| kept(why)).ok()?;
        *last = Some(stamp);
        WrittenKeys::parse(&text).inspect_err(|why| kept(why)).ok()
    })
}

fn read(path: &Path) -> Result<WrittenKeys, MasterKeyFileError> {
    let failed = MasterKeyFileError::file(path, "read");
    let mode = fs::metadata(path).map_err(&failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyFileError::Open { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(path).map_err(&failed)?;
    WrittenKeys::parse(&text).map_err(|why| MasterKeyFileError::Kept { path: path.to_owned(), why })
}

/// What a file of several keys holds: `next` or not, and the key as it is written.
fn lines(path: &Path) -> Result<Vec<(bool, String)>, MasterKeyFileError> {
    let text = fs::read_to_string(path).map_err(MasterKeyFileError::file(path, "read"))?;
    let mut words = text.split_whitespace().map(str::to_owned);
    let mut lines = Vec::new();
    while let Some(word) = words.next() {
        let is_next = word == NEXT;
        lines.push((is_next, if is_next { words.next().unwrap_or_default() } else { word }));
    }
    Ok(lines)
}

/// A file of master keys that nobody else changes meanwhile: who wrote what he read before another wrote would lose that
/// one's key, under which everything may lie sealed by then.
pub struct LockedKeys {
    path: PathBuf,
    _lock: File,
}

impl LockedKeys {
    /// Waits for others. The lock is on a file beside the keys, which themselves are exchanged.
    pub fn lock(path: &Path) -> Result<Self, MasterKeyFileError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let beside = PathBuf::from(beside);
        // To lock it takes no more than to read: another user may have made it.
        let opened = File::open(&beside).or_else(|why| match why.kind() {
            io::ErrorKind::NotFound => {
                File::options().write(true).create(true).truncate(false).mode(0o600).open(&beside)
            }
            _ => Err(why),
        });
        let lock = opened.and_then(|lock| lock.lock().map(|()| lock));
        let lock = lock.map_err(MasterKeyFileError::file(&beside, "locked"))?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Puts a new key into the file, before all others: one that seals from now on, or (`waits`) one that opens only until
    /// it is rotated to, which then makes no other.
    pub fn add(&self, waits: bool, entropy: &dyn Entropy) -> Result<(), MasterKeyFileError> {
        let mut keys = lines(&self.path)?;
        match keys.first_mut() {
            Some((is_next, _)) if *is_next => *is_next = waits,
            _ => keys.insert(0, (waits, MasterKey::generate(entropy))),
        }
        rewrite(&self.path, &keys, entropy)
    }

    /// Takes a key out of the file.
    pub fn remove(&self, id: MasterKeyId, entropy: &dyn Entropy) -> Result<(), MasterKeyFileError> {
        let mut keys = lines(&self.path)?;
        keys.retain(|(_, key)| MasterKey::parse(key).is_ok_and(|key| key.id() != id));
        rewrite(&self.path, &keys, entropy)
    }
}

fn rewrite(path: &Path, keys: &[(bool, String)], entropy: &dyn Entropy) -> Result<(), MasterKeyFileError> {
    let failed = MasterKeyFileError::file(path, "written");
    let text: String =
        keys.iter().map(|(is_next, key)| format!("{}{key}\n", if *is_next { "next " } else { "" })).collect();
    WrittenKeys::parse(&text).map_err(|why| MasterKeyFileError::Kept { path: path.to_owned(), why })?;
    let old = fs::metadata(path).map_err(&failed)?;
    let draft = Draft::write(path, &text, entropy)?;
    // Who runs the command may be root, and the server somebody else.
    fs::set_permissions(&draft.0, old.permissions())
        .and_then(|()| chown(&draft.0, Some(old.uid()), Some(old.gid())))
        .and_then(|()| fs::rename(&draft.0, path))
        .map_err(&failed)?;
    let directory = directory(path);
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file beside another, until it has that one's name; gone where it comes to none.
struct Draft(PathBuf);

impl Draft {
    /// Only this user may read it, and it is on the disk. Nobody else writes it: its name is drawn, as in two containers
    /// processes have the same number.
    fn write(path: &Path, text: &str, entropy: &dyn Entropy) -> Result<Self, MasterKeyFileError> {
        let [a, b, c, d, ..] = secret(entropy);
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{:08x}.part", u32::from_be_bytes([a, b, c, d])));
        let name = PathBuf::from(name);
        let failed = MasterKeyFileError::file(path, "written");
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&name).map_err(&failed)?;
        let draft = Self(name);
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(&failed)?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Written whole under another name first, and on the disk before it has its own: a crash leaves no half
/// key, and of two processes that start at once both read the one that came first.
fn make(path: &Path, entropy: &dyn Entropy) -> Result<(), MasterKeyFileError> {
    let failed = MasterKeyFileError::file(path, "written");
    let dir = directory(path);
    fs::create_dir_all(dir).map_err(&failed)?;
    let draft = Draft::write(path, &MasterKey::generate(entropy), entropy)?;
    match fs::hard_link(&draft.0, path) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(failed(why)),
        _ => drop(draft),
    }
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(&failed)
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

    #[test]
    fn a_rotation_keeps_the_old_key_and_the_mode() {
        let directory = Directory::make("rotated");
        let path = directory.key();
        make(&path, &SystemEntropy).unwrap();
        let running = present(&MasterKeySource::Kept(path.clone())).unwrap().unwrap();
        let first = running.sealing();
        let add = |waits| LockedKeys::lock(&path)?.add(waits, &SystemEntropy);
        let remove = |id| LockedKeys::lock(&path)?.remove(id, &SystemEntropy);
        add(true).unwrap();
        assert_eq!(running.ids()[1], (first, false), "a key that waits does not seal");
        assert_eq!(running.sealing(), first);
        let next = running.ids()[0].0;
        add(false).unwrap();
        assert_eq!(running.ids(), [(next, false), (first, false)], "what waited seals now, and there is no third");
        add(false).unwrap();
        remove(first).unwrap();
        let ids = present(&MasterKeySource::Kept(path.clone())).unwrap().unwrap().ids();
        assert_eq!((ids.len(), ids[1].0), (2, next));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(remove(ids[0].0).and_then(|()| remove(next)).is_err(), "the last one stays");
        assert!(read(&path).is_ok());
    }

    #[test]
    fn rotations_at_once_lose_no_key() {
        let directory = Directory::make("rotations");
        let path = directory.key();
        make(&path, &SystemEntropy).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..7 {
                scope.spawn(|| LockedKeys::lock(&path).and_then(|keys| keys.add(false, &SystemEntropy)).unwrap());
            }
        });
        assert_eq!(present(&MasterKeySource::Kept(path)).unwrap().unwrap().ids().len(), 8);
    }

    #[test]
    fn first_starts_at_once_agree_on_one_key() {
        let directory = Directory::make("first");
        let path = directory.key();
        let start = || {
            make(&path, &SystemEntropy).unwrap();
            fs::read_to_string(&path).unwrap()
        };
        let keys: Vec<String> = std::thread::scope(|scope| {
            let starting: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starting.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_file_that_could_not_be_read_is_tried_again() {
        let directory = Directory::make("again");
        let path = directory.key();
        let aside = directory.0.join("aside");
        make(&path, &SystemEntropy).unwrap();
        let look = look_at(&path, None);
        fs::rename(&path, &aside).unwrap();
        assert!(look().is_none());
        fs::rename(&aside, &path).unwrap();
        assert!(look().is_some());
        assert!(look().is_none(), "nothing is new");
        // The content is what it was; perhaps this user may read it only now.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(look().is_some());
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
