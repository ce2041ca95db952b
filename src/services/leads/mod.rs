//! Leads of an account (wire.md part C): the receiver that takes them, the query that finds them again, and what an operator
//! sees of them. They are the account's: who acts for no account has none, and nobody sees another's.

mod kept;
mod query;
mod receive;

pub use kept::{Filter, LeadError, count, delete, find, list, page};
pub use query::{Found, MAX_SCANNED, PATIENCE, QueryFailure, query};
pub use receive::{Accepted, Outcome, Refused, Sender, receive};

/// Bytes of leads that one answer has, about.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Why an API key opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no account has this API key")]
pub struct UnknownKey;
