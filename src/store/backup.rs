//! Back-ups of an SQLite file, and their way back. All of it blocks its thread. PostgreSQL has tools of its own.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::keys::{self, SealedKey};
use super::migrate::{self, Schema};
use super::sqlite::{self, PATIENCE};
use crate::domain::progress::Progress;
use crate::domain::timestamp::Timestamp;

/// Why there is no back-up, or none was restored. Says what to do; everything is as it was then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no database {0}: check --database-url")]
    NoDatabase(PathBuf),
    #[error("{0} is there already: name another file, or replace it with --force")]
    Exists(PathBuf),
    #[error("{file} is a file that the server lives on ({own}): name another")]
    Own { file: PathBuf, own: PathBuf },
    #[error(
        "{log} lies beside {file} and may hold a part of it. Make one file of both first: \
         leadgate backup OTHER --database-url 'sqlite://{file}'"
    )]
    Log { file: PathBuf, log: PathBuf },
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

/// Bytes that are copied at once.
const PIECE: u64 = 4 * 1024 * 1024;

/// What SQLite keeps beside a database, and what belongs to that database alone.
const LOGS: [&str; 3] = ["-wal", "-journal", "-shm"];

/// By what they are, and where one of them is not there, by where it would be.
fn is_same(one: &Path, other: &Path) -> bool {
    let of = |path: &Path| fs::metadata(path).map(|of| (of.dev(), of.ino()));
    let whole = |path: &Path| Some(directory(path).canonicalize().ok()?.join(path.file_name()?));
    matches!((of(one), of(other)), (Ok(one), Ok(other)) if one == other)
        || matches!((whole(one), whole(other)), (Some(one), Some(other)) if one == other)
}

/// Refuses a file that is the database, or lies beside it for its sake, or is another of `own`.
fn refuse_own(file: &Path, database: &Path, own: &[&Path]) -> Result<(), BackupError> {
    let beside = LOGS.into_iter().chain(sqlite::LOCKS).map(|suffix| beside(database, suffix));
    let all = beside.chain([database.to_owned()]).chain(own.iter().map(|own| (*own).to_owned()));
    match all.into_iter().find(|own| is_same(file, own)) {
        Some(own) => Err(BackupError::Own { file: file.to_owned(), own }),
        None => Ok(()),
    }
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
    /// Beside `target`: a name is exchanged within a file system only. `random`: in two containers the same process
    /// number may write beside one file.
    fn make(target: &Path, random: &str) -> Result<Self, BackupError> {
        let path = beside(target, &format!(".{random}.part"));
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
            rename_new(&self.path, &self.target).map_err(|why| match why.kind() {
                io::ErrorKind::AlreadyExists => BackupError::Exists(self.target.clone()),
                _ => failed(&self.target, "written")(why),
            })?;
        }
        sync_directory(&self.target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in [""].into_iter().chain(LOGS) {
            let _ = fs::remove_file(beside(&self.path, suffix));
        }
    }
}

/// Unlike a look before, this cannot replace what somebody else puts there meanwhile.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            // The file system does not know how: first the name is taken, and then exchanged.
            File::options().write(true).create_new(true).mode(0o600).open(to)?;
            fs::rename(from, to).inspect_err(|_| {
                let _ = fs::remove_file(to);
            })
        }
        renamed => Ok(renamed?),
    }
}

/// Begins a back-up of `database` into `file`, which is none of `own` either. `random` is what no other back-up has.
pub fn begin(database: &Path, file: &Path, force: bool, own: &[&Path], random: &str) -> Result<Draft, BackupError> {
    if !database.exists() {
        return Err(BackupError::NoDatabase(database.to_owned()));
    }
    refuse_own(file, database, own)?;
    if !force && file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    Draft::make(file, random)
}

/// Copies what is committed by now, and nothing that comes later: a server that runs is not held up, and whatever it
/// acknowledged before is in the copy. Looks whether the copy can be read before it gets its name.
pub fn take(
    database: &Path,
    draft: Draft,
    force: bool,
    now: Timestamp,
    progress: &Progress,
) -> Result<Contents, BackupError> {
    let unreadable = |why: rusqlite::Error| BackupError::Unreadable { path: database.to_owned(), why: why.to_string() };
    // A restore that goes on meanwhile ends first.
    let _held = sqlite::hold(database).map_err(|(path, why)| failed(&path, "locked")(why))?;
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
    progress.finish_with(CHECKING);
    let contents = check(&draft.path, &draft.path)?;
    draft.place(force)?;
    Ok(contents)
}

/// What a copy's being looked at is called.
const CHECKING: &str = "reading the copy again";

/// Looks at each page and each reference of a database that nobody changes meanwhile; `shown` is its name for people.
fn check(file: &Path, shown: &Path) -> Result<Contents, BackupError> {
    let path = || shown.to_owned();
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

/// A restore of which everything was looked at, and nothing was changed. Nobody opens the database while this lives.
pub struct Restoring {
    draft: Draft,
    pub contents: Contents,
    /// The server's keys in the back-up, for who has to know whether a master key opens them.
    pub keys: Vec<SealedKey>,
    _locks: [File; 2],
}

/// In pieces, so that somebody can see how far it is.
fn copy(from: &mut File, to: &mut File, progress: &Progress) -> io::Result<()> {
    loop {
        match io::copy(&mut from.take(PIECE), to)? {
            0 => return Ok(()),
            copied => progress.step(copied),
        }
    }
}

/// Copies a back-up beside `database`, and looks at the copy: what is looked at is what will be there.
pub fn begin_restore(
    file: &Path,
    database: &Path,
    own: &[&Path],
    random: &str,
    progress: &Progress,
) -> Result<Restoring, BackupError> {
    refuse_own(file, database, own)?;
    for log in ["-wal", "-journal"].map(|suffix| beside(file, suffix)) {
        if fs::metadata(&log).is_ok_and(|of| of.len() > 0) {
            return Err(BackupError::Log { file: file.to_owned(), log });
        }
    }
    if let Some(directory) = database.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(failed(directory, "made"))?;
    }
    // A server that starts meanwhile waits, and then finds what was restored.
    let starting = sqlite::lock_beside(database).map_err(|(path, why)| failed(&path, "locked")(why))?;
    let alone = sqlite::hold_alone(database).map_err(|(path, why)| failed(&path, "locked")(why))?;
    let Some(alone) = alone else { return Err(BackupError::InUse(database.to_owned())) };
    let draft = Draft::make(database, random)?;
    let mut from = File::open(file).map_err(failed(file, "read"))?;
    File::options()
        .write(true)
        .open(&draft.path)
        .and_then(|mut to| copy(&mut from, &mut to, progress))
        .map_err(failed(&draft.path, "written"))?;
    progress.finish_with(CHECKING);
    let contents = check(&draft.path, file)?;
    let keys = keys_of(&draft.path, file)?;
    if let Ok(old) = fs::metadata(database) {
        // Who restores may be root, and the server somebody else.
        fs::set_permissions(&draft.path, Permissions::from_mode(old.mode() & 0o7777))
            .map_err(failed(&draft.path, "written"))?;
        chown(&draft.path, Some(old.uid()), Some(old.gid())).map_err(failed(&draft.path, "given to its owner"))?;
    }
    draft.sync()?;
    Ok(Restoring { draft, contents, keys, _locks: [starting, alone] })
}

fn keys_of(file: &Path, shown: &Path) -> Result<Vec<SealedKey>, BackupError> {
    let unreadable = |why: String| BackupError::Unreadable { path: shown.to_owned(), why };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags).map_err(|why| unreadable(why.to_string()))?;
    keys::list_on_sqlite(&conn).map_err(|why| unreadable(why.to_string()))
}

impl Restoring {
    /// Puts it in the place of the database. What was there is kept beside it, under a name that has `now` in it and that
    /// is answered.
    pub fn finish(self, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
        let Self { draft, .. } = &self;
        let kept = Kept::keep(&draft.target, now)?;
        fs::rename(&draft.path, &draft.target).map_err(failed(&draft.target, "written"))?;
        // From here on there is no way back.
        let kept = kept.stay();
        sync_directory(&draft.target)?;
        Ok(kept)
    }
}

/// The old database under another name. Where it does not come to a new one, all is as it was.
struct Kept {
    database: PathBuf,
    kept: PathBuf,
    has_database: bool,
    /// What went to the other name, and has to come back.
    moved: Vec<&'static str>,
    stays: bool,
}

impl Kept {
    /// Its log must not lie beside the new database, to which it does not belong: also where it is all that there is.
    fn keep(database: &Path, now: Timestamp) -> Result<Self, BackupError> {
        let has_database = database.exists();
        if has_database {
            close_log(database)?;
        }
        let stamp: String = now.to_rfc3339_millis().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let kept = beside(database, &format!(".before-{stamp}"));
        let mut keep =
            Self { database: database.to_owned(), kept, has_database: false, moved: Vec::new(), stays: false };
        if has_database {
            second_name(database, &keep.kept).map_err(failed(&keep.kept, "written"))?;
            keep.has_database = true;
        }
        for suffix in ["-wal", "-journal"] {
            let (from, to) = (beside(database, suffix), beside(&keep.kept, suffix));
            if from.exists() {
                rename_new(&from, &to).map_err(failed(&to, "written"))?;
                keep.moved.push(suffix);
            }
        }
        let index = beside(database, "-shm");
        if index.exists() {
            // Made anew of the log.
            fs::remove_file(&index).map_err(failed(&index, "removed"))?;
        }
        sync_directory(database)?;
        Ok(keep)
    }

    fn stay(mut self) -> Option<PathBuf> {
        self.stays = true;
        self.has_database.then(|| self.kept.clone())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.stays {
            return;
        }
        for suffix in &self.moved {
            let _ = fs::rename(beside(&self.kept, suffix), beside(&self.database, suffix));
        }
        if self.has_database {
            let _ = fs::remove_file(&self.kept);
        }
    }
}

/// A link; where the file system has none, a copy: the old name must not be without its file for a moment.
fn second_name(file: &Path, name: &Path) -> io::Result<()> {
    match fs::hard_link(file, name) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists && why.kind() != io::ErrorKind::NotFound => {
            let copied = fs::copy(file, name).and_then(|_| File::open(name)?.sync_all());
            copied.inspect_err(|_| {
                let _ = fs::remove_file(name);
            })
        }
        linked => linked,
    }
}

/// Brings everything into the one file, which only its sole user can: so it tells of other programs that have it open. No
/// server does, which would hold its lock.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// To read a copy again takes as long as to make it, or longer.
    #[test]
    fn who_waits_hears_when_the_copy_is_read_again() {
        let at = |name: &str| std::env::temp_dir().join(format!("leadgate-copy-{}-{name}", std::process::id()));
        let (database, copy) = (at("database"), at("copy"));
        Connection::open(&database).unwrap().execute_batch("CREATE TABLE t (a TEXT) STRICT;").unwrap();
        let taken = Progress::default();
        let draft = begin(&database, &copy, false, &[], "1").unwrap();
        assert!(taken.last().is_none());
        let refused = take(&database, draft, false, Timestamp::from_unix_seconds(60), &taken).unwrap_err();
        assert!(matches!(refused, BackupError::NotOurs { .. }), "{refused}");
        let restored = Progress::default();
        let refused = begin_restore(&database, &copy, &[], "2", &restored).map(|_| ()).unwrap_err();
        assert!(matches!(refused, BackupError::NotOurs { .. }), "{refused}");
        assert_eq!([taken.last(), restored.last()], [Some(CHECKING); 2]);
        for suffix in [""].into_iter().chain(sqlite::LOCKS) {
            let _ = fs::remove_file(beside(&database, suffix));
            let _ = fs::remove_file(beside(&copy, suffix));
        }
    }
}
