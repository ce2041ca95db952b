//! The account pages (wire.md A5), and how one comes by an account.

mod apps;
mod data;
mod history;
mod invitation;
mod password;
mod profile;
mod sessions;
mod sign_up;
pub mod support;
mod way_back;
