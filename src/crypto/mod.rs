//! Secrets: how they are made, written, hashed, compared and sealed. No database, no clock.

pub mod keyring;
pub mod mac;
pub mod password;
pub mod refresh_token;
pub mod seal;
pub mod signing;
pub mod token;
