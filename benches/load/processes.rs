//! What processes have cost so far, from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// What `/proc/PID/stat` has of a process.
struct Stat {
    parent: u32,
    /// Ticks of a hundredth of a second, in user and kernel mode.
    own: u64,
    /// The same of its children that have ended.
    of_ended: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field, the name, may hold anything.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let parent = fields.get(1)?.parse().ok()?;
        Some(Self { parent, own: number(14)? + number(15)?, of_ended: number(16)? + number(17)? })
    }
}

/// CPU time of a process and all below it, also of those that have ended.
pub fn cpu_of_tree(root: u32) -> Duration {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all: HashMap<u32, Stat> = pids.filter_map(|pid| Some((pid, Stat::of(pid)?))).collect();
    let is_below = |pid: u32| {
        let parent = |pid: &u32| all.get(pid).map(|stat| stat.parent);
        std::iter::successors(Some(pid), parent).any(|ancestor| ancestor == root)
    };
    let ticks = all.iter().filter(|(pid, _)| is_below(**pid)).map(|(_, stat)| stat.own + stat.of_ended);
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// Which process started this one.
pub fn parent(pid: u32) -> Option<u32> {
    Some(Stat::of(pid)?.parent)
}

/// Of the memory of a process, in MiB: `VmRSS` is what it has, `VmHWM` the most that it had.
pub fn memory(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}
