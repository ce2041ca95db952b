//! The command line as help shows it: commands in groups, and the settings, which every command takes, only where all
//! is asked for.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Command, CommandFactory as _};

use super::Cli;

/// What `leadgate --help` lists, in this order. clap knows one list of commands only.
pub const GROUPS: [(&str, &[&str]); 5] = [
    ("Server", &["serve", "impersonate", "init", "migrate", "healthcheck", "doctor", "tail", "bench"]),
    ("People", &["account", "user", "invitation"]),
    ("Applications", &["app", "button", "connection", "webhook", "listen"]),
    ("Leads", &["lead", "delivery"]),
    ("Operations", &["seed", "keys", "backup", "restore", "revoke-all", "event", "completions", "man"]),
];

const MORE: &str = "`leadgate COMMAND -h` tells what is a command's own, `--help` the settings too.";
const PRECEDENCE: &str = "Flags are stronger than LEADGATE_… variables, and those than leadgate.toml.";

/// The command line, to be parsed.
pub fn command() -> Command {
    let command = Cli::command().mut_args(|arg| {
        let is_setting = arg.is_global_set();
        arg.hide_short_help(is_setting)
    });
    let template = template(&command);
    command.help_template(template).after_help(MORE).after_long_help(format!("{PRECEDENCE}\n{MORE}"))
}

fn template(command: &Command) -> StyledStr {
    let header = command.get_styles().get_header();
    let mut text = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    for (group, names) in GROUPS {
        let _ = write!(text, "\n{header}{group}:{header:#}\n{}", listed(command, names));
    }
    let _ = write!(text, "\n{header}Options:{header:#}\n{{options}}{{after-help}}");
    text.into()
}

fn listed(command: &Command, names: &[&str]) -> String {
    let literal = command.get_styles().get_literal();
    let width = command.get_subcommands().map(|sub| sub.get_name().len()).max().unwrap_or(0);
    let mut text = String::new();
    for sub in names.iter().filter_map(|name| command.find_subcommand(name)) {
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "  {literal}{:width$}{literal:#}  {about}", sub.get_name());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        grouped.sort_unstable();
        let command = command();
        let mut names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        names.sort_unstable();
        assert_eq!(grouped, names);
    }

    #[test]
    fn help_lists_each_command_once_and_below_its_group() {
        for help in [command().render_help().to_string(), command().render_long_help().to_string()] {
            let mut rest = help.as_str();
            for (group, names) in GROUPS {
                rest = rest.split_once(&format!("\n{group}:\n")).unwrap_or_else(|| panic!("{group}: {help}")).1;
                for name in names {
                    assert_eq!(help.matches(&format!("\n  {name} ")).count(), 1, "{name}: {help}");
                    assert!(rest.contains(&format!("  {name} ")), "{name} in {group}: {help}");
                }
            }
        }
    }

    #[test]
    fn short_help_is_not_drowned_by_settings() {
        let mut command = command();
        command.build();
        let user = command.find_subcommand_mut("user").unwrap();
        let add = user.find_subcommand_mut("add").unwrap();
        let (short, long) = (add.render_help().to_string(), add.render_long_help().to_string());
        assert!(short.contains("--role") && !short.contains("--database-url"), "{short}");
        assert!(long.contains("--role") && long.contains("--database-url"), "{long}");
    }
}
