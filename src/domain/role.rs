//! What a user may do besides signing in.

/// `member`: signs in; `partner`: may register applications; `admin`: runs the place (wire.md part 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Member,
    Partner,
    Admin,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role is member, partner or admin")]
pub struct RoleError;

impl Role {
    pub const ALL: [Role; 3] = [Role::Member, Role::Partner, Role::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Partner => "partner",
            Role::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Result<Self, RoleError> {
        Role::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}
