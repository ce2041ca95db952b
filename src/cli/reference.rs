//! docs/cli.md, written from the command line itself.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command};

use super::help::{self, GROUPS};

/// Set, it lets the test below write the page instead of comparing it.
const WRITE: &str = "LEADGATE_WRITE_CLI_REFERENCE";

const INTRODUCTION: &str = "# The command line

Every command, as `leadgate --help` groups them. This page is written from the program itself:
`LEADGATE_WRITE_CLI_REFERENCE=1 cargo test --lib cli::reference` writes it, and a test fails where it differs.

- A command works on the database that the [settings](configuration.md) name, also while servers run on it. The settings
  are options of every command; `--help` lists them, `-h` only what is a command's own.
- Each command about people, applications, keys and events takes `--json`: it prints JSON instead of text, with the same
  members each time. A secret is shown once, by the command that makes it.
- The exit code is 0, or 1 where the command could not do what it was asked to, or 2 where it was asked wrongly; the
  reason goes to the standard error stream.
- `leadgate completions SHELL` prints what makes a shell complete all this. For bash:
  `source <(leadgate completions bash)`.
";

#[test]
fn docs_cli_md_is_what_the_command_line_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == page, "docs/cli.md is not what the command line is: run this test with {WRITE}=1");
}

fn page() -> String {
    let mut command = help::command();
    command.build();
    let mut text = INTRODUCTION.to_owned();
    for (group, names) in GROUPS {
        let _ = write!(text, "\n## {group}\n");
        for name in names {
            describe(command.find_subcommand(name).unwrap(), &mut text);
        }
    }
    text
}

/// A command, and those below it.
fn describe(command: &Command, text: &mut String) {
    let about = command.get_long_about().or_else(|| command.get_about()).unwrap().to_string();
    let subcommands: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
    let name = command.get_bin_name().unwrap();
    if subcommands.is_empty() {
        let usage = command.clone().render_usage().to_string();
        let _ = write!(text, "\n### {name}\n{about}\n\n```\n{}\n```\n", usage.trim_start_matches("Usage: "));
        arguments(command, text);
    } else {
        let _ = write!(text, "\n### {name}\n{about}\n");
    }
    for sub in subcommands {
        describe(sub, text);
    }
}

fn arguments(command: &Command, text: &mut String) {
    let own: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_global_set() && is_told(arg)).collect();
    if own.is_empty() {
        return;
    }
    text.push_str("\n| argument | |\n| --- | --- |\n");
    for arg in own {
        let _ = writeln!(text, "| `{}` | {} |", form(arg), meaning(arg).replace('|', "\\|"));
    }
}

/// What each command has alike is told once, at the top.
fn is_told(arg: &Arg) -> bool {
    !matches!(arg.get_id().as_str(), "help" | "version" | "json")
}

fn form(arg: &Arg) -> String {
    let value = || arg.get_value_names().unwrap_or_default().iter().map(|name| name.to_string()).collect::<Vec<_>>();
    match arg.get_long() {
        None => value().join(" "),
        Some(long) if !arg.get_action().takes_values() => format!("--{long}"),
        Some(long) if arg.get_num_args().is_some_and(|range| range.min_values() == 0) => {
            format!("--{long}[={}]", value().join(" "))
        }
        Some(long) => format!("--{long} {}", value().join(" ")),
    }
}

fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !default.is_empty() && arg.get_action().takes_values() {
        let _ = write!(text, " [default: {}]", default.join(" "));
    }
    let values: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if !values.is_empty() && arg.get_action().takes_values() {
        let _ = write!(text, ": {}", values.join(", "));
    }
    if arg.is_required_set() && arg.get_long().is_some() {
        text.push_str(" (required)");
    }
    text
}
