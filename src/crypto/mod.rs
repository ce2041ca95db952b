//! Secrets: how they are made, written, hashed, compared and sealed. No database, no clock.

pub mod client_keys;
mod derived_token;
pub mod digest;
pub mod dpop;
mod jws;
pub mod jwt;
pub mod keyring;
pub mod mac;
pub mod numeric_date;
pub mod password;
pub mod public_key;
mod queue;
pub mod refresh_token;
pub mod rotating_token;
pub mod seal;
pub mod signing;
pub mod token;
pub mod webhook_signature;
