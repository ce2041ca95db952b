//! Back-ups of the database that the settings name, and their way back.

use std::path::{Path, PathBuf};

use super::{BootError, master_key};
use crate::clock::{Clock as _, SystemClock};
use crate::config::database_url::DatabaseUrl;
use crate::config::{MasterKeySource, Settings};
use crate::domain::progress::Progress;
use crate::entropy::{SystemEntropy, secret};
use crate::services::keys;
use crate::store::backup::{self, BackupError, Contents, Draft};

/// A back-up that is about to be made.
pub struct Planned {
    database: PathBuf,
    draft: Draft,
    force: bool,
}

impl Planned {
    /// Where the copy grows, for who wants to see how far it is, and about how large it will be.
    pub fn progress(&self) -> (PathBuf, u64) {
        let expected = std::fs::metadata(&self.database).map_or(0, |of| of.len());
        (self.draft.path().to_owned(), expected)
    }

    /// Makes it; blocks. How far the copy is, its file tells; `progress` hears when it is made.
    pub fn take(self, progress: &Progress) -> Result<Contents, BootError> {
        Ok(backup::take(&self.database, self.draft, self.force, SystemClock.now(), progress)?)
    }
}

/// Looks whether a back-up can be made into `file`. The database is not brought up to date for it: an update is what
/// people back up before.
pub fn plan_backup(settings: &Settings, file: &Path, force: bool) -> Result<Planned, BootError> {
    let shown = file.display();
    let database = file_of(settings, |url| {
        format!(
            "PostgreSQL has its own tool for that, which needs no pause either:\n  pg_dump --format=custom \
             --file='{shown}' '{url}'"
        )
    })?;
    let draft = backup::begin(&database, file, force, key_file(settings).as_slice(), &random())?;
    Ok(Planned { draft, database, force })
}

/// The file that a back-up is worth nothing without, where the master keys are in one.
pub fn key_file(settings: &Settings) -> Option<&Path> {
    master_key::file_of(&settings.master_key)
}

/// What is there after a restore.
pub struct Restored {
    pub contents: Contents,
    /// Where the old database is now.
    pub kept: Option<PathBuf>,
}

/// Puts a back-up in the place of the database; blocks. Everything is looked at before anything is changed.
pub fn restore(settings: &Settings, file: &Path, progress: &Progress) -> Result<Restored, BootError> {
    let shown = file.display();
    let database = file_of(settings, |url| {
        format!(
            "PostgreSQL has its own tool for that. Stop the servers, then:\n  pg_restore --clean --if-exists \
             --single-transaction --no-owner --dbname='{url}' '{shown}'"
        )
    })?;
    if let MasterKeySource::Kept(path) = &settings.master_key
        && !path.exists()
    {
        return Err(master_key::MasterKeyFileError::Missing { path: path.clone() }.into());
    }
    let restoring = backup::begin_restore(file, &database, key_file(settings).as_slice(), &random(), progress)?;
    if let Some(master) = master_key::present(&settings.master_key)? {
        keys::open_all(&master, &restoring.keys)?;
    }
    let contents = restoring.contents.clone();
    let kept = restoring.finish(SystemClock.now())?;
    Ok(Restored { contents, kept })
}

/// For the name of a file that nobody else writes.
pub(super) fn random() -> String {
    let [a, b, c, d, ..] = secret(&SystemEntropy);
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

fn file_of(settings: &Settings, on_postgres: impl FnOnce(&DatabaseUrl) -> String) -> Result<PathBuf, BootError> {
    match &settings.database_url {
        DatabaseUrl::SqliteFile(path) => Ok(path.clone()),
        DatabaseUrl::SqliteMemory => Err(BackupError::NoDatabase("in memory".into()).into()),
        url @ DatabaseUrl::Postgres(_) => Err(BootError::OnPostgres(on_postgres(url))),
    }
}
