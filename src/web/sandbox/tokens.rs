//! Tokens for tests: pairs without a flow, and tokens that end when a test wants it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::problem::{Problem, sentence};
use super::super::urls::route;
use super::auth::Operator;
use super::body::Body;
use super::connections::explain as explain_consent;
use super::values::{Given, List, ok};
use crate::domain::email::Email;
use crate::domain::ids::{AppId, ConnectionId};
use crate::domain::scope::Scope;
use crate::services::connections;
use crate::services::tokens::{self, MAX_LIFETIME, Pair, Settled, TokenError};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(make)).routes(routes!(expire)).routes(routes!(revoke))
}

/// Who wants tokens, for what, and for how long.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"user": "ada@acme.test", "app": "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001", "expires_in": 60}))]
struct TokensWanted {
    /// The user's e-mail address.
    #[schema(value_type = String)]
    user: Given<Email>,
    /// The application's id.
    #[schema(value_type = String)]
    app: Given<AppId>,
    /// What the access token is for; left out: each API scope of the application.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<List<Scope>>,
    /// Seconds that this access token lives, and no other; left out: as long as each does, 3600.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 315_360_000)]
    expires_in: Option<u64>,
}

/// Tokens as a sign-in at a button gives them.
#[derive(Serialize, ToSchema)]
struct Tokens {
    access_token: String,
    /// Seconds.
    #[schema(example = 60)]
    expires_in: u64,
    /// LeadExec's refresh token, which stands for the connection.
    refresh_token: String,
}

/// A token that this server gave.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "lga_…"}))]
struct Presented {
    /// An access token or a refresh token, of LeadExec's class or of the standard one.
    token: String,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
struct TokenOutcome {
    /// `access_token` or `refresh_token`.
    #[schema(example = "access_token")]
    kind: &'static str,
    /// The application that it was given to.
    app: String,
    /// The connection that it belongs to; null for a client's own token.
    #[schema(value_type = Option<uuid::Uuid>)]
    connection: Option<ConnectionId>,
    /// Whether it was good until now.
    changed: bool,
}

impl From<Settled> for TokenOutcome {
    fn from(settled: Settled) -> Self {
        Self {
            kind: if settled.is_access_token { "access_token" } else { "refresh_token" },
            app: settled.app.into(),
            connection: settled.connection,
            changed: settled.changed,
        }
    }
}

/// Make tokens
///
/// Connects the user to the application as "Allow" at a button does, and issues an access token. Scopes and lifetime
/// are that token's own: what the connection has, and what later refreshes give, is as ever.
#[utoipa::path(
    post,
    path = route::SANDBOX_TOKENS,
    tag = "tokens",
    operation_id = "makeTokens",
    request_body = TokensWanted,
    responses(
        (status = 200, description = "The tokens.", body = Tokens),
        (status = 400, description = "The body is not as described, or has scopes that the application does not have.", body = Problem),
        (status = 404, description = "There is no such user or application.", body = Problem),
        (status = 409, description = "The user is disabled, or denies every request.", body = Problem),
    ),
)]
async fn make(State(web): State<Arc<Web>>, Body(body): Body<TokensWanted>) -> Result<Response, Problem> {
    let lifetime = body.expires_in.map(Duration::from_secs);
    if lifetime.is_some_and(|lifetime| lifetime.is_zero() || lifetime > MAX_LIFETIME) {
        return Err(Problem::invalid("Expected 1 to 315360000 seconds.").at("/expires_in"));
    }
    let scopes = body.scopes.map(Into::into);
    let consent = connections::check(&web.ctx, &body.user.0, &body.app.0, scopes).await.map_err(explain_consent)?;
    let Pair { access_token, lifetime, refresh_token } =
        tokens::make(&web.ctx, &consent, lifetime).await.map_err(explain_consent)?;
    Ok(ok(&Tokens { access_token, expires_in: lifetime.as_secs(), refresh_token }))
}

/// Let a token expire
///
/// Now, by its application's clock. A refresh token's end is that of its connection or grant, and so of each access
/// token of it. A signed access token still says its first expiry to who only reads it: this server's APIs and
/// introspection go by their record.
#[utoipa::path(
    post,
    path = route::SANDBOX_TOKENS_EXPIRE,
    tag = "tokens",
    operation_id = "expireToken",
    request_body = Presented,
    responses(
        (status = 200, description = "It is over.", body = TokenOutcome),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "This server gave no such token.", body = Problem),
    ),
)]
async fn expire(State(web): State<Arc<Web>>, Body(body): Body<Presented>) -> Result<Response, Problem> {
    Ok(ok(&TokenOutcome::from(tokens::expire(&web.ctx, &body.token).await.map_err(explain)?)))
}

/// Revoke a token
///
/// As an operator does: an access token alone, a refresh token with its connection or grant, and so with each access
/// token of it.
#[utoipa::path(
    post,
    path = route::SANDBOX_TOKENS_REVOKE,
    tag = "tokens",
    operation_id = "revokeToken",
    request_body = Presented,
    responses(
        (status = 200, description = "It is over.", body = TokenOutcome),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "This server gave no such token.", body = Problem),
    ),
)]
async fn revoke(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Body(body): Body<Presented>,
) -> Result<Response, Problem> {
    Ok(ok(&TokenOutcome::from(tokens::revoke(&web.ctx.acting(by), &body.token).await.map_err(explain)?)))
}

fn explain(error: TokenError) -> Problem {
    match error {
        TokenError::Store(error) => error.into(),
        TokenError::Unknown => Problem::not_found(sentence(&error.to_string())).at("/token"),
    }
}
