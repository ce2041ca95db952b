//! Standard OAuth 2.0 and OpenID Connect (wire.md part B): what clients ask of us. Consent, connections and
//! sign-in are those of the button; only the tokens are of another class.

pub mod authorization;
pub mod client_auth;
pub mod client_metadata;
pub mod code;
pub mod device;
pub mod dpop;
pub mod error;
pub mod introspection;
pub mod issue;
pub mod logout;
pub mod pushed;
pub mod refresh;
pub mod registration;
pub mod revocation;
pub mod token;
