//! Initial access tokens for dynamic registration (RFC 7591 section 3).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::oauth;
use super::super::error::problem::Problem;
use super::super::urls::route;
use super::auth::Operator;
use super::body::OptionalBody;
use crate::services::oauth::registration::{self, InitialToken};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(make_registration_token))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RegistrationTokenRequest {
    /// Seconds that the token is good for; a day where it is left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 31_536_000, example = 600)]
    expires_in: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct RegistrationToken {
    /// Shown this once.
    token: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Make an initial access token
///
/// For one client's registration at `/oauth/register` (RFC 7591 section 3). The body may be left out.
#[utoipa::path(
    post,
    path = route::SANDBOX_REGISTRATION_TOKENS,
    tag = "registration",
    operation_id = "makeRegistrationToken",
    request_body(content = Option<RegistrationTokenRequest>, example = json!({"expires_in": 600})),
    responses(
        (status = 201, description = "The token.", body = RegistrationToken),
        (status = 400, description = "The body is not as described.", body = Problem),
    ),
)]
async fn make_registration_token(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    OptionalBody(request): OptionalBody<RegistrationTokenRequest>,
) -> Result<Response, Problem> {
    let asked = request.and_then(|request| request.expires_in).map(Duration::from_secs);
    let lifetime = asked.unwrap_or(registration::TOKEN_LIFETIME);
    if !registration::is_token_lifetime(lifetime) {
        let detail = "A token is good for 1 to 31536000 seconds.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "Invalid lifetime", detail).at("/expires_in"));
    }
    let InitialToken { token, expires_at } = registration::make_token(&web.ctx.acting(by), lifetime).await?;
    let made = RegistrationToken { token, expires_at: expires_at.to_rfc3339() };
    Ok(oauth::json(StatusCode::CREATED, &made))
}
