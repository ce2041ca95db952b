//! What commands print: tables and lines for people, JSON for programs.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use super::error::CliError;

/// Prints one line.
pub fn line(text: &str) -> Result<(), CliError> {
    write(&format!("{text}\n"))
}

/// Prints a value as indented JSON.
pub fn json<T: Serialize>(value: &T) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::failure(format!("the answer could not be written as JSON: {error}")))?;
    line(&text)
}

/// Prints rows under headings, each column as wide as its widest cell.
pub fn table<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> Result<(), CliError> {
    write(&render_table(headings, rows))
}

/// Prints names and values, one pair a line; a value of several lines is indented under its name.
pub fn fields(pairs: &[(&str, String)]) -> Result<(), CliError> {
    write(&render_fields(pairs))
}

/// Tells that something is gone.
pub fn deleted(kind: &str, id: &str, as_json: bool) -> Result<(), CliError> {
    done("deleted", kind, id, as_json)
}

/// Tells what was done to a thing, of which there is nothing more to show.
pub fn done(what: &str, kind: &str, id: &str, as_json: bool) -> Result<(), CliError> {
    if as_json { json(&serde_json::json!({ what: id })) } else { line(&format!("{what} the {kind} {id}")) }
}

/// A value that nobody can see again.
pub fn shown_once(secret: &str) -> String {
    format!("{secret}\n(shown this once)")
}

fn write(text: &str) -> Result<(), CliError> {
    bytes(text.as_bytes())
}

/// Prints what is a text of its own, such as a script.
pub fn bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        // `leadgate user list | head` has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::failure(format!("the answer could not be written: {error}"))),
    }
}

/// One line of many to come; whether somebody still reads them.
pub fn streamed(text: &str) -> Result<bool, CliError> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CliError::failure(format!("the answer could not be written: {error}"))),
    }
}

/// On a terminal alone, and not where colours are not wanted (no-color.org).
pub fn has_colours() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn render_table<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(shown(cell).chars().count());
        }
    }
    let mut text = String::new();
    for row in std::iter::once(&headings.map(str::to_owned)).chain(rows) {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{:width$}", shown(cell))).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn render_fields(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 1;
    let mut text = String::new();
    for (name, value) in pairs {
        let mut name = format!("{name}:");
        for line in value.split('\n') {
            text.push_str(format!("{name:width$} {}", shown(line)).trim_end());
            text.push('\n');
            name.clear();
        }
    }
    text
}

/// Control characters could forge a row, or drive the terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["ada@acme.test".to_owned(), "Ada".to_owned()], ["g@a".to_owned(), "Grâce".to_owned()]];
        assert_eq!(
            render_table(["EMAIL", "NAME"], &rows),
            "EMAIL          NAME\nada@acme.test  Ada\ng@a            Grâce\n"
        );
    }

    #[test]
    fn a_value_of_several_lines_is_indented() {
        let pairs = [("id", "b".to_owned()), ("origins", "http://a\nhttp://b".to_owned())];
        assert_eq!(render_fields(&pairs), "id:      b\norigins: http://a\n         http://b\n");
    }

    #[test]
    fn a_terminal_is_not_driven_by_a_name() {
        assert!(!render_table(["NAME"], &[["\u{1b}[2Jx\ny".to_owned()]]).contains('\u{1b}'));
    }
}
