//! How `leadgate user` prints users.

use serde::Serialize;

use super::super::args::Password;
use super::super::error::CliError;
use super::super::output;
use crate::domain::magic::Magic;
use crate::domain::user::{User, UserState};

#[derive(Serialize)]
struct UserJson<'a> {
    id: String,
    email: &'a str,
    name: &'a str,
    account: &'a str,
    role: &'static str,
    magic: Option<&'static str>,
    disabled_since: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

impl<'a> UserJson<'a> {
    fn new(user: &'a User, password: Option<&'a Password>) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str(),
            name: &user.name,
            account: user.account.as_str(),
            role: user.role.as_str(),
            magic: user.magic.map(Magic::as_str),
            disabled_since: match user.state {
                UserState::Active => None,
                UserState::Disabled { since } => Some(since.to_rfc3339()),
            },
            created_at: user.created_at.to_rfc3339(),
            password: password.filter(|password| password.is_generated).map(|password| password.secret.expose()),
        }
    }
}

pub fn list(users: &[User], json: bool) -> Result<(), CliError> {
    let users: Vec<UserJson<'_>> = users.iter().map(|user| UserJson::new(user, None)).collect();
    if json {
        return output::json(&users);
    }
    let rows: Vec<[String; 5]> = users
        .iter()
        .map(|user| [user.email, user.name, user.account, user.role, state(user)].map(str::to_owned))
        .collect();
    output::table(["EMAIL", "NAME", "ACCOUNT", "ROLE", "STATE"], &rows)
}

fn state(user: &UserJson<'_>) -> &'static str {
    if user.disabled_since.is_some() { "disabled" } else { "active" }
}

pub fn one(user: &User, password: Option<&Password>, json: bool) -> Result<(), CliError> {
    let user = UserJson::new(user, password);
    if json {
        return output::json(&user);
    }
    let mut fields = vec![
        ("email", user.email.to_owned()),
        ("name", user.name.to_owned()),
        ("account", user.account.to_owned()),
        ("role", user.role.to_owned()),
        ("state", state(&user).to_owned()),
        ("created", user.created_at.clone()),
    ];
    fields.extend(user.magic.map(|magic| ("magic", magic.to_owned())));
    fields.extend(user.password.map(|password| ("password", output::shown_once(password))));
    output::fields(&fields)
}
