//! A look at what a server would find at its start, which changes nothing: for `leadgate doctor`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{BootError, location, master_key};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Settings;
use crate::domain::timestamp::Timestamp;
use crate::services::keys;
use crate::store::examine::{self, Examined};

/// What is there.
pub struct Examination {
    /// `None`: there is no database yet.
    pub database: Option<Examined>,
    /// Whether there are master keys, and they open what they have to.
    pub master_keys: MasterKeys,
    /// When the database was looked at.
    pub at: Timestamp,
}

pub enum MasterKeys {
    /// The first start makes one.
    NotYet,
    /// They open everything that was looked at.
    Fit,
    Unfit(BootError),
}

/// # Errors
/// Where the database does not answer.
pub async fn examine(settings: &Settings) -> Result<Examination, BootError> {
    let database = examine::examine(&location(&settings.database_url)).await?;
    let at = SystemClock.now();
    let sealed = database.as_ref().map(|found| found.keys.as_slice()).unwrap_or_default();
    let file = master_key::file_of(&settings.master_key);
    let is_to_come = matches!(&settings.master_key, crate::config::MasterKeySource::Kept(path) if !path.exists());
    let master_keys = match (is_to_come, file) {
        (true, Some(path)) if !sealed.is_empty() => {
            MasterKeys::Unfit(master_key::MasterKeyFileError::Missing { path: path.to_owned() }.into())
        }
        (true, _) => MasterKeys::NotYet,
        (false, _) => match master_key::present(&settings.master_key) {
            Err(error) => MasterKeys::Unfit(error.into()),
            Ok(None) => MasterKeys::NotYet,
            Ok(Some(master)) => match keys::open_all(&master, sealed) {
                Ok(()) => MasterKeys::Fit,
                Err(error) => MasterKeys::Unfit(error.into()),
            },
        },
    };
    Ok(Examination { database, master_keys, at })
}

/// The mode of a file, where others than its owner may read or write it.
pub fn open_to_others(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}
