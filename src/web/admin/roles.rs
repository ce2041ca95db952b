//! What a role is called, and the choice of one.

use super::visit::Visit;
use crate::domain::role::Role;
use crate::views::Choice;

pub fn role_name(visit: &Visit, role: Role) -> &'static str {
    let text = visit.text();
    match role {
        Role::Member => text.member,
        Role::Partner => text.partner,
        Role::Admin => text.admin,
    }
}

pub fn role_choices(visit: &Visit, chosen: Option<Role>) -> Vec<Choice> {
    let choice = |role: Role| Choice::new(role.as_str(), role_name(visit, role), Some(role) == chosen);
    Role::ALL.map(choice).into()
}
