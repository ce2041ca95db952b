//! Whatever can be done on a page can be done by a command, which speaks JSON.

use clap::Command;

use super::help;
use crate::domain::event::Action;

/// The command that does what an event tells of; `None`: nobody but the one it is about can do it.
const fn command_of(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::AccountCreated => "account add",
        Action::AccountChanged => "account set",
        Action::AccountDeleted => "account delete",
        Action::AppCreated => "app add",
        Action::AppChanged => "app set",
        Action::AppDeleted => "app delete",
        Action::AppDisabled => "app disable",
        Action::AppEnabled => "app enable",
        Action::AppLogoSet => "app logo set",
        Action::AppLogoRemoved => "app logo remove",
        Action::AppCallbackSet => "app callback set",
        Action::AppCallbackRemoved => "app callback remove",
        Action::AppCallbackTested => "app callback test",
        Action::AppCallbackSecretRotated => "app callback rotate-secret",
        Action::AppSecretRotated => "app secret rotate",
        Action::AppSecretRevoked => "app secret revoke",
        Action::ButtonCreated => "button add",
        Action::ButtonChanged => "button set",
        Action::ButtonDeleted => "button delete",
        Action::ConnectionEnded => "connection end",
        Action::DeliveryCreated => "delivery add",
        Action::DeliveryChanged => "delivery set",
        Action::DeliveryDeleted => "delivery delete",
        Action::DeliveryTested => "delivery test",
        Action::KeysRotated => "keys rotate",
        Action::MasterKeyRotated => "keys master reseal",
        Action::MasterKeyRetired => "keys master retire",
        Action::LeadsDeleted => "lead delete",
        Action::RegistrationTokenCreated => "keys registration-token",
        Action::SessionEnded | Action::SessionsEnded => "user end-sessions",
        Action::UserInvited => "user invite",
        Action::UserInvitationRevoked => "invitation revoke",
        Action::UserSignedUp | Action::UserCreated => "user add",
        Action::UserChanged => "user set",
        Action::UserDeleted => "user delete",
        Action::UserDisabled => "user disable",
        Action::UserEnabled => "user enable",
        Action::UserPasswordChanged => "user set-password",
        Action::UserResetOffered => "user reset",
        Action::UserExported => "user export",
        Action::WebhookCreated => "webhook add",
        Action::WebhookChanged => "webhook set",
        Action::WebhookDeleted => "webhook delete",
        Action::WebhookSecretRotated => "webhook rotate-secret",
        Action::WebhookTested => "webhook test",
        Action::WebhookReplayed => "webhook replay",
        Action::WorldRevoked => "revoke-all",
        Action::WorldSeeded => "seed",
        // To sign in and to consent is for the user alone, and a world that can be put back has a control plane.
        Action::SessionOpened
        | Action::SessionRefused
        | Action::ConnectionCreated
        | Action::ConnectionWidened
        | Action::WorldReset
        | Action::WorldRestored => return None,
    })
}

/// What pages show, with the command that shows the same.
const SHOWN: [(&str, &[&str]); 20] = [
    ("/console", &["app list"]),
    ("/console/apps/{app}", &["app show", "button list", "event list"]),
    ("/console/apps/{app}/callback", &["app callback show", "app callback test"]),
    ("/console/apps/{app}/usage", &["app usage"]),
    ("/console/buttons/{button}", &["button show"]),
    ("/console/deliveries", &["delivery list"]),
    ("/console/deliveries/{delivery}", &["delivery show", "delivery exchanges"]),
    ("/console/deliveries/{delivery}/test", &["delivery test"]),
    ("/console/apps/{app}/webhooks", &["webhook list"]),
    ("/console/webhooks/{webhook}", &["webhook show", "webhook deliveries"]),
    ("/account", &["user show", "connection list"]),
    ("/account/sessions", &["user sessions"]),
    ("/account/history", &["user consents"]),
    ("/account/export", &["user export"]),
    ("/admin/accounts", &["account list", "account show"]),
    ("/admin/users", &["user list", "user show"]),
    ("/admin/keys", &["keys list"]),
    ("/admin/events", &["event list"]),
    ("/admin/invitations", &["invitation list"]),
    ("/admin/leads", &["lead list", "lead show"]),
];

/// Commands that show and change nothing of the server's data.
const OF_THE_MACHINE: [&str; 7] = ["serve", "init", "migrate", "healthcheck", "completions", "impersonate", "man"];

fn find<'c>(command: &'c Command, path: &str) -> &'c Command {
    path.split(' ').fold(command, |command, name| {
        command.find_subcommand(name).unwrap_or_else(|| panic!("there is no command `leadgate {path}`"))
    })
}

fn has_json(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some("json"))
}

#[test]
fn every_change_that_is_recorded_has_a_command() {
    let command = help::command();
    for path in Action::ALL.iter().filter_map(|action| command_of(*action)) {
        assert!(has_json(find(&command, path)), "{path}");
    }
}

#[test]
fn every_page_that_shows_something_has_a_command() {
    let command = help::command();
    for (page, paths) in SHOWN {
        for path in paths {
            assert!(has_json(find(&command, path)), "{path}, for {page}");
        }
    }
}

#[test]
fn every_command_about_data_speaks_json() {
    fn look(command: &Command, path: &str) {
        let has_subcommands = command.has_subcommands();
        assert!(has_subcommands || has_json(command), "`leadgate{path}` has no --json");
        for sub in command.get_subcommands() {
            look(sub, &format!("{path} {}", sub.get_name()));
        }
    }
    let command = help::command();
    for sub in command.get_subcommands().filter(|sub| !OF_THE_MACHINE.contains(&sub.get_name())) {
        look(sub, &format!(" {}", sub.get_name()));
    }
}
