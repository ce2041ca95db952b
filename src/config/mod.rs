//! What an operator can set: the server's settings, and the seed file.
//!
//! Both are read by the same reader, which knows the place of every value, refuses unknown keys with the nearest
//! known one, gathers all faults instead of stopping at the first, and never quotes a secret.

pub mod database_url;
pub mod demonstration;
mod document;
pub mod error;
pub mod example;
pub mod expected;
pub mod issuer;
mod layers;
pub mod nearest;
pub mod secret;
pub mod seed;
mod settings;

pub use error::ConfigError;
pub use secret::{Secret, SecretSource};
pub use settings::{
    DEFAULT_FILE, Flags, LimitSettings, LogFormat, LogLevel, LogSettings, MasterKeySource, Mode, Settings,
};
