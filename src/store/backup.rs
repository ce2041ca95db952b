//! Back-ups of an SQLite file, and their way back. All of it blocks its thread. PostgreSQL has tools of its own.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::keys::{self, SealedKey};
use super::migrate::{self, Schema};
use super::sqlite::{self, PATIENCE};
use crate::domain::timestamp::Timestamp;

/// Why there is no back-up, or none was restored. Says what to do; nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no database {0}: check --database-url")]
    NoDatabase(PathBuf),
    #[error("{0} is there already: name another file, or replace it with --force")]
    Exists(PathBuf),
    #[error("{path} could not be {action}: {why}")]
    File { path: PathBuf, action: &'static str, why: io::Error },
    #[error("{path} could not be read as a database: {why}. Take another back-up")]
    Unreadable { path: PathBuf, why: String },
    #[error("{path} is no database of Leadgate's: it has no table `_sqlx_migrations`. Take another file")]
    NotOurs { path: PathBuf },
    #[error("{path} is damaged: {what}. Take another back-up")]
    Damaged { path: PathBuf, what: String },
    #[error("{path} {schema}")]
    Schema { path: PathBuf, schema: Schema },
    #[error("a server, or another program, has {0} open: stop it first")]
    InUse(PathBuf),
    #[error("the copy failed: {0}. Is the disk full?")]
    Copy(rusqlite::Error),
}

/// What a back-up holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// When it was taken; `None`: it is a copy that somebody made by other means.
    pub taken_at: Option<Timestamp>,
    pub bytes: u64,
    pub schema: Schema,
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> BackupError {
    move |why| BackupError::File { path: path.to_owned(), action, why }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What was done to a name is on the disk once its directory is.
fn sync_directory(path: &Path) -> Result<(), BackupError> {
    let directory = directory(path);
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed(directory, "written"))
}

/// A file that is written whole before it has its name, and is gone where that fails.
pub struct Draft {
    path: PathBuf,
    target: PathBuf,
}

impl Draft {
    /// Beside `target`: a name is exchanged within a file system only.
    fn make(target: &Path) -> Result<Self, BackupError> {
        let path = beside(target, &format!(".{}.part", std::process::id()));
        let _ = fs::remove_file(&path);
        File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(failed(&path, "written"))?;
        Ok(Self { path, target: target.to_owned() })
    }

    /// Where it grows.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn sync(&self) -> Result<(), BackupError> {
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(failed(&self.path, "written"))
    }

    /// Gives the file its name, after it is on the disk.
    fn place(self, replace: bool) -> Result<(), BackupError> {
        self.sync()?;
        if replace {
            fs::rename(&self.path, &self.target).map_err(failed(&self.target, "written"))?;
        } else {
            // Unlike a look before, this cannot replace what somebody else put there meanwhile.
            fs::hard_link(&self.path, &self.target).map_err(|why| match why.kind() {
                io::ErrorKind::AlreadyExists => BackupError::Exists(self.target.clone()),
                _ => failed(&self.target, "written")(why),
            })?;
        }
        sync_directory(&self.target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(beside(&self.path, "-journal"));
    }
}

/// Begins a back-up of `database` into `file`.
pub fn begin(database: &Path, file: &Path, force: bool) -> Result<Draft, BackupError> {
    if !database.exists() {
        return Err(BackupError::NoDatabase(database.to_owned()));
    }
    if !force && file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    Draft::make(file)
}

/// Copies what is committed by now, and nothing that comes later: a server that runs is not held up, and whatever it
/// acknowledged before is in the copy. Looks whether the copy can be read before it gets its name.
pub fn take(database: &Path, draft: Draft, force: bool, now: Timestamp) -> Result<Contents, BackupError> {
    let unreadable = |why: rusqlite::Error| BackupError::Unreadable { path: database.to_owned(), why: why.to_string() };
    // Not read-only: what was left in the log of a server that was killed has to be read, which takes a lock file.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(database, flags).map_err(unreadable)?;
    source.busy_timeout(PATIENCE).map_err(unreadable)?;
    let path = draft.path.to_string_lossy().into_owned();
    source.execute("VACUUM INTO ?1", [path]).map_err(BackupError::Copy)?;
    drop(source);
    let copy = Connection::open_with_flags(&draft.path, flags).map_err(BackupError::Copy)?;
    let minutes = i32::try_from(now.unix_seconds() / 60).unwrap_or(0);
    copy.pragma_update(None, "user_version", minutes).map_err(BackupError::Copy)?;
    drop(copy);
    let contents = check(&draft.path)?;
    draft.place(force)?;
    Ok(contents)
}

/// Looks at each page and each reference of a database that nobody changes meanwhile.
pub fn check(file: &Path) -> Result<Contents, BackupError> {
    let path = || file.to_owned();
    let bytes = fs::metadata(file).map_err(failed(file, "read"))?.len();
    let unreadable = |why: rusqlite::Error| BackupError::Unreadable { path: path(), why: why.to_string() };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags).map_err(unreadable)?;
    let found: String = conn.pragma_query_value(None, "integrity_check", |row| row.get(0)).map_err(unreadable)?;
    if found != "ok" {
        return Err(BackupError::Damaged { path: path(), what: found });
    }
    let mut dangling =
        conn.prepare("SELECT \"table\", COUNT(*) FROM pragma_foreign_key_check GROUP BY 1").map_err(unreadable)?;
    let mut rows = dangling.query([]).map_err(unreadable)?;
    if let Some(row) = rows.next().map_err(unreadable)? {
        let (table, rows): (String, i64) = (row.get(0).map_err(unreadable)?, row.get(1).map_err(unreadable)?);
        let what = format!("{rows} rows of `{table}` refer to nothing");
        return Err(BackupError::Damaged { path: path(), what });
    }
    let minutes: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(unreadable)?;
    let schema = migrate::look_at_sqlite(&conn).map_err(unreadable)?;
    match schema {
        Schema::None => Err(BackupError::NotOurs { path: path() }),
        Schema::Current | Schema::Older { .. } => {
            let taken_at = (minutes > 0).then(|| Timestamp::from_unix_seconds(minutes * 60));
            Ok(Contents { taken_at, bytes, schema })
        }
        schema => Err(BackupError::Schema { path: path(), schema }),
    }
}

/// The server's keys in a back-up, for who has to know whether a master key opens them.
pub fn keys(file: &Path) -> Result<Vec<SealedKey>, BackupError> {
    let unreadable = |why: String| BackupError::Unreadable { path: file.to_owned(), why };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags).map_err(|why| unreadable(why.to_string()))?;
    keys::list_on_sqlite(&conn).map_err(|why| unreadable(why.to_string()))
}

/// Puts a back-up that was checked in the place of `database`. What was there is kept beside it, under a name that has
/// `now` in it and that is answered.
pub fn restore(file: &Path, database: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    if let Some(directory) = database.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(failed(directory, "made"))?;
    }
    // A server that starts meanwhile waits, and then finds what was restored.
    let _lock = sqlite::lock_beside(database).map_err(|(path, why)| failed(&path, "locked")(why))?;
    let draft = Draft::make(database)?;
    fs::copy(file, &draft.path).map_err(failed(&draft.path, "written"))?;
    fs::set_permissions(&draft.path, Permissions::from_mode(0o600)).map_err(failed(&draft.path, "written"))?;
    let kept = if database.exists() { Some(keep(database, now)?) } else { None };
    if let Some(kept) = &kept {
        // Who restores may be root, and the server somebody else.
        let old = fs::metadata(kept).map_err(failed(kept, "read"))?;
        fs::set_permissions(&draft.path, old.permissions()).map_err(failed(&draft.path, "written"))?;
        chown(&draft.path, Some(old.uid()), Some(old.gid())).map_err(failed(&draft.path, "given to its owner"))?;
    }
    draft.place(true)?;
    Ok(kept)
}

/// Gives the old database another name too. Its log must not lie beside the new one, to which it does not belong.
fn keep(database: &Path, now: Timestamp) -> Result<PathBuf, BackupError> {
    close_log(database)?;
    let stamp: String = now.to_rfc3339_millis().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let kept = beside(database, &format!(".before-{stamp}"));
    for suffix in ["", "-wal"] {
        let (from, to) = (beside(database, suffix), beside(&kept, suffix));
        if from.exists() {
            fs::hard_link(&from, &to).map_err(failed(&to, "written"))?;
        }
    }
    sync_directory(database)?;
    for suffix in ["-wal", "-shm"] {
        let path = beside(database, suffix);
        if path.exists() {
            fs::remove_file(&path).map_err(failed(&path, "removed"))?;
        }
    }
    Ok(kept)
}

/// Brings everything into the one file, which only its sole user can: so it tells whether somebody else has it open.
fn close_log(database: &Path) -> Result<(), BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let closed = Connection::open_with_flags(database, flags)
        .and_then(|conn| conn.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get::<_, String>(0)));
    match closed {
        Err(rusqlite::Error::SqliteFailure(code, _))
            if matches!(code.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) =>
        {
            Err(BackupError::InUse(database.to_owned()))
        }
        Ok(mode) if mode != "delete" => Err(BackupError::InUse(database.to_owned())),
        // What is damaged is kept as it is: perhaps that is why there is something to restore.
        _ => Ok(()),
    }
}
