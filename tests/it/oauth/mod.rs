//! The standard grants (wire.md part B), one file for each group of rules.

mod authorization;
mod bearer;
mod client_auth;
mod client_credentials;
mod code;
mod cors;
mod crash;
mod device;
mod dpop;
mod interaction;
mod introspection;
mod jwt;
mod limits;
mod logout;
mod metadata;
mod openid;
pub mod outage;
mod par;
mod password;
mod refresh;
mod registration;
mod remembered;
pub mod request;
mod revocation;
mod sandbox_authorize;
pub mod secrets;
pub mod support;
