//! Forms that act once: a page that is loaded again sends its form again, and what was shown once would be made twice.

use std::time::Duration;

use super::Context;
use crate::crypto::token::sha256;
use crate::domain::ids::UserId;
use crate::entropy::time_ordered_id;
use crate::store::{StoreError, used_proofs};

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 64;
/// How long a form that was sent is known: a browser may bring a tab back days later.
const KNOWN: Duration = Duration::from_secs(30 * 24 * 3_600);

/// What tells one form from the next, for a hidden field.
pub fn token(ctx: &Context) -> String {
    time_ordered_id(&*ctx.entropy, ctx.now()).to_string()
}

/// Whether this user sends the form for the first time. One without a token was not made by a page, and is not sent by
/// loading one again.
pub async fn is_first(ctx: &Context, user: UserId, token: &str) -> Result<bool, StoreError> {
    if token.is_empty() || token.len() > MAX_TOKEN {
        return Ok(token.is_empty());
    }
    let hash = sha256(format!("form\0{user}\0{token}").as_bytes());
    let until = ctx.now().plus(KNOWN);
    ctx.store.write(move |conn| Box::pin(async move { used_proofs::insert(conn, &hash, until).await })).await
}
