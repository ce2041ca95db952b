//! The hosts file: one line, which says whose it is, so that it can be found again.

use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;

use crate::boot::impersonation::HOST;
use crate::cli::error::CliError;

/// What is looked for when it is to go.
const MARK: &str = "# leadgate impersonate";
/// Addresses of the other family are not asked for where the file has one of either.
pub const LINE: &str = "127.0.0.1 apps.leadexec.net # leadgate impersonate";

/// The address that a line gives the host.
fn address(line: &str) -> Option<IpAddr> {
    let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
    let address = words.next()?.parse().ok()?;
    words.any(|name| name.eq_ignore_ascii_case(HOST)).then_some(address)
}

/// The address that the file gives the host.
pub fn address_in(file: &Path) -> Option<IpAddr> {
    fs::read_to_string(file).ok()?.lines().find_map(address)
}

fn failed<'p>(file: &'p Path, action: &'static str) -> impl Fn(std::io::Error) -> CliError + 'p {
    move |why| {
        let next = match why.kind() {
            std::io::ErrorKind::PermissionDenied => format!(
                "Run it with sudo, or write this line into it by other means:\n{LINE}\nWhere that is not allowed, clients can be told: \
                 `curl --resolve {HOST}:443:127.0.0.1`, Chromium's --host-resolver-rules=\"MAP {HOST} 127.0.0.1\""
            ),
            _ => "Name the file with --hosts-file".to_owned(),
        };
        CliError::failure(format!("{} could not be {action}: {why}. {next}", file.display()))
    }
}

/// Adds the line. In place: in a container the file is one of the host's, which cannot be exchanged.
pub fn write(file: &Path) -> Result<String, CliError> {
    let text = fs::read_to_string(file).map_err(failed(file, "read"))?;
    let shown = file.display();
    match text.lines().find_map(|line| Some((line, address(line)?))) {
        Some((_, address)) if address.is_loopback() => return Ok(format!("{shown} has {HOST} at {address} already.")),
        Some((line, _)) => {
            return Err(CliError::failure(format!(
                "{shown} has {HOST} somewhere else: {line:?}. Take that line out of it first"
            )));
        }
        None => {}
    }
    let before = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let mut open = fs::File::options().append(true).open(file).map_err(failed(file, "written"))?;
    open.write_all(format!("{before}{LINE}\n").as_bytes()).map_err(failed(file, "written"))?;
    Ok(format!(
        "{shown}: {LINE}\nThis machine does not reach the real {HOST} any more; `leadgate impersonate --remove-hosts` ends that."
    ))
}

/// Takes it out again, and no other.
pub fn remove(file: &Path) -> Result<String, CliError> {
    let text = fs::read_to_string(file).map_err(failed(file, "read"))?;
    let is_ours = |line: &str| line.trim_end().ends_with(MARK) && address(line).is_some();
    let kept: String = text.split_inclusive('\n').filter(|line| !is_ours(line)).collect();
    let shown = file.display();
    if kept == text {
        return Ok(match address_in(file) {
            Some(address) => {
                format!("{shown} has {HOST} at {address} in a line that is not of this command: it stays.")
            }
            None => format!("{shown} has no line for {HOST}."),
        });
    }
    fs::write(file, kept).map_err(failed(file, "written"))?;
    Ok(format!("{shown} has no line for {HOST} any more."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_the_host() {
        assert_eq!(address(LINE), Some("127.0.0.1".parse().unwrap()));
        assert!(LINE.ends_with(MARK));
    }

    #[test]
    fn a_comment_gives_no_address() {
        for line in
            ["# 127.0.0.1 apps.leadexec.net", "127.0.0.1 localhost # apps.leadexec.net", "", "apps.leadexec.net"]
        {
            assert_eq!(address(line), None, "{line}");
        }
        assert_eq!(address("::1\tother Apps.LeadExec.net"), Some("::1".parse().unwrap()));
    }
}
