//! What the system knows of the process, read at each scrape. Elsewhere than on Linux nothing is told.

use std::fmt::Write as _;
use std::fs;

use super::catalogue::PROCESS;

/// Ticks of `/proc` in a second: the same on every Linux that this program is built for, whatever its kernel's own clock.
const TICKS: f64 = 100.0;

pub(super) fn render(text: &mut String) {
    for (metric, value) in PROCESS.iter().zip(read()) {
        let Some(value) = value else { continue };
        let (name, kind) = (metric.name, metric.kind.as_str());
        let _ = write!(text, "# HELP {name} {}\n# TYPE {name} {kind}\n{name} {value}\n\n", metric.help);
    }
}

/// In the order of [`PROCESS`].
fn read() -> [Option<f64>; 6] {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
    // The program's name stands in brackets, and may have any sign in it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |nr: usize| fields.get(nr - 3).and_then(|field| field.parse::<f64>().ok());
    [
        ticks(14).zip(ticks(15)).map(|(user, system)| (user + system) / TICKS),
        ticks(22).zip(number_after(&boot, "btime")).map(|(start, boot)| boot + start / TICKS),
        number_after(&status, "VmRSS:").map(|kib| kib * 1024.0),
        number_after(&status, "Threads:"),
        fs::read_dir("/proc/self/fd").ok().map(|files| f64::from(u32::try_from(files.count()).unwrap_or(u32::MAX))),
        number_after(&limits, "Max open files"),
    ]
}

/// The first number of the line that begins so.
fn number_after(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn part_g_the_system_tells_of_this_process() {
        let [cpu, start, memory, threads, open, limit] = read().map(|value| value.unwrap());
        assert!(cpu >= 0.0 && start > 1.6e9 && memory > 1e6 && threads >= 1.0, "{cpu} {start} {memory} {threads}");
        assert!(open >= 3.0 && limit >= open, "{open} of {limit}");
    }
}
