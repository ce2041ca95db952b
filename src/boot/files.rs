//! File descriptors: each connection takes one.

use std::num::NonZeroU32;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What else is open: the database, calls to others, namespaces, and connections beside those of clients.
const ELSE: u64 = 640;

/// How many of these connections there is room for, once the process has taken what the system lets it have.
pub fn room_for(connections: NonZeroU32) -> usize {
    let wanted = u64::from(connections.get());
    let needed = wanted + ELSE;
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let raised = needed.min(limit.maximum.unwrap_or(u64::MAX));
    let is_raised = raised > current
        && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok();
    let files = if is_raised { raised } else { current };
    let room = wanted.min(files.saturating_sub(ELSE).max(files / 2));
    if room < wanted {
        tracing::warn!(
            "the system lets this process open {files} files, which is too few for limits.connections = {wanted}: \
             {room} connections are taken at once. Raise the limit (`ulimit -Hn`, LimitNOFILE), or lower the setting"
        );
    }
    usize::try_from(room).unwrap_or(usize::MAX)
}
