//! A person with a LeadExec login.

use super::email::Email;
use super::ids::{AccountId, UserId};
use super::magic::Magic;
use super::role::Role;
use super::timestamp::Timestamp;

/// Longest password, in bytes: hashing is bounded work (rule R4).
pub const MAX_PASSWORD: usize = 1_024;

/// Shortest password that a person may choose, in characters (NIST SP 800-63B section 3.1.1).
pub const MIN_PASSWORD: usize = 8;

/// Why a password may not be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    #[error("a password has at least {MIN_PASSWORD} characters")]
    TooShort,
    #[error("a password has at most {MAX_PASSWORD} bytes")]
    TooLong,
    #[error("the password is the e-mail address")]
    IsEmail,
}

/// Whether a person may choose this password. What an operator sets is the operator's own business.
pub fn check_password(password: &str, email: &str) -> Result<(), PasswordProblem> {
    if password.len() > MAX_PASSWORD {
        Err(PasswordProblem::TooLong)
    } else if password.chars().count() < MIN_PASSWORD {
        Err(PasswordProblem::TooShort)
    } else if password.trim().to_lowercase() == email.trim().to_lowercase() {
        Err(PasswordProblem::IsEmail)
    } else {
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub account: AccountId,
    pub email: Email,
    pub name: String,
    pub role: Role,
    pub magic: Option<Magic>,
    pub state: UserState,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    Active,
    /// May not sign in, and what was issued for the user is dead.
    Disabled {
        since: Timestamp,
    },
}

impl User {
    pub fn is_active(&self) -> bool {
        self.state == UserState::Active
    }
}

/// A password hash in PHC string form, as argon2 writes it. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string that the caller has checked.
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c10_a_chosen_password_is_no_easy_guess() {
        let check = |password: &str| check_password(password, "ada@acme.test");
        assert_eq!(check("correct horse"), Ok(()));
        assert_eq!(check("ää ßß öö"), Ok(()), "characters, not bytes");
        assert_eq!(check("1234567"), Err(PasswordProblem::TooShort));
        assert_eq!(check(&"a".repeat(MAX_PASSWORD)), Ok(()));
        assert_eq!(check(&"a".repeat(MAX_PASSWORD + 1)), Err(PasswordProblem::TooLong));
        assert_eq!(check(" ADA@acme.test"), Err(PasswordProblem::IsEmail));
    }
}
