//! The disk that an SQLite file lies on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rustix::fs::{Access, access, statvfs};

use super::Findings;
use crate::boot;
use crate::cli::backup::size;
use crate::domain::timestamp::Timestamp;

const AREA: &str = "disk";
/// Below this it is a matter of hours.
const SCARCE: u64 = 64 * 1024 * 1024;
/// Below this it is a matter of days.
const SHORT: u64 = 1024 * 1024 * 1024;
/// Where locks and memory maps, which SQLite rests on, may not hold.
const NETWORKED: [&str; 12] = [
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "nfs",
    "nfs4",
    "smb3",
    "vboxsf",
];

pub fn look(database: &Path, findings: &mut Findings) {
    let directory = existing(database);
    let shown = directory.display();
    // SQLite writes its log beside the file, so that a file which may be written is not enough.
    for path in [directory.as_path(), database].into_iter().filter(|path| path.exists()) {
        if access(path, Access::READ_OK | Access::WRITE_OK).is_err() {
            let found = format!("this user may not write {}", path.display());
            return findings.problem(AREA, found, "give it to the user that the server runs as (chown)");
        }
    }
    if let Some(mode) = boot::open_to_others(database) {
        let found = format!("the database {} may be read by other users (mode {mode:o})", database.display());
        findings.warn(AREA, found, format!("chmod 600 {}", database.display()));
    }
    match statvfs(&directory) {
        Err(why) => {
            findings.problem(AREA, format!("{shown} could not be looked at: {why}"), "check that it is mounted")
        }
        Ok(of) => {
            let free = of.f_bavail.saturating_mul(of.f_frsize);
            let found = format!("{} are free at {shown}", size(free));
            let advice = "make room, or move the database: without room every change is refused (503)";
            match free {
                _ if free < SCARCE => findings.problem(AREA, found, advice),
                _ if free < SHORT => findings.warn(AREA, found, advice),
                _ => findings.ok(AREA, found),
            }
        }
    }
    if let Some(kind) = fs::read_to_string("/proc/self/mountinfo").ok().and_then(|text| file_system(&text, &directory))
        && NETWORKED.contains(&kind.as_str())
    {
        let found = format!("{shown} is on a network file system ({kind}), where SQLite's locks may not hold");
        findings.warn(AREA, found, "move the database to a disk of this machine, or use PostgreSQL");
    }
}

/// The directory of a file, or what is there of it.
fn existing(file: &Path) -> PathBuf {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let there = absolute.ancestors().skip(1).find(|path| path.exists());
    there.map_or_else(|| PathBuf::from("/"), |path| path.canonicalize().unwrap_or_else(|_| path.to_owned()))
}

/// The type of the file system that a directory is on, as /proc/self/mountinfo tells it (proc_pid_mountinfo(5)).
fn file_system(mounts: &str, directory: &Path) -> Option<String> {
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let point = PathBuf::from(before.split(' ').nth(4)?.replace("\\040", " "));
        let kind = after.split(' ').next()?.to_owned();
        directory.starts_with(&point).then(|| (point.components().count(), kind))
    };
    // Of two on one point the later hides the earlier.
    mounts.lines().filter_map(mount).max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

/// When the file, or the log beside it, was last written.
pub fn written_at(file: &Path) -> Option<Timestamp> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let written = |path: &Path| {
        let since = fs::metadata(path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Timestamp::from_micros(i64::try_from(since.as_micros()).ok()?))
    };
    [file, Path::new(&log)].into_iter().filter_map(written).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_tells_the_file_system() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                      30 22 0:40 / /srv/shared\\040data rw shared:2 - nfs4 files:/data rw\n\
                      31 22 0:41 / /srv rw - xfs /dev/sdb rw\n";
        let of = |path: &str| file_system(mounts, Path::new(path)).unwrap();
        assert_eq!(of("/var/lib/leadgate"), "ext4");
        assert_eq!(of("/srv/leadgate"), "xfs");
        assert_eq!(of("/srv/shared data/leadgate"), "nfs4");
        assert_eq!(of("/srvother"), "ext4");
    }

    #[test]
    fn the_directory_may_be_yet_to_come() {
        assert_eq!(
            existing(Path::new("/proc/self/no/such/leadgate.db")),
            Path::new("/proc/self").canonicalize().unwrap()
        );
        assert!(existing(Path::new("leadgate.db")).is_absolute());
    }
}
