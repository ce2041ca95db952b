//! Links by which somebody chooses a password.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::oauth;
use super::super::error::problem::{Problem, sentence};
use super::super::urls::route;
use super::auth::Operator;
use super::body::Body;
use super::values::Given;
use crate::domain::email::Email;
use crate::domain::ids::AccountId;
use crate::domain::role::Role;
use crate::services::invitations::{self, InvitationError, NewUser, Offered};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(invite))
}

/// Who is invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "lin@partner.example", "role": "partner"}))]
struct NewInvitation {
    /// The login.
    #[schema(value_type = String)]
    email: Given<Email>,
    /// `member` where it is left out, `partner` or `admin`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    role: Option<Given<Role>>,
    /// An account's id; left out: they name a company, and get an account of their own.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    account: Option<Given<AccountId>>,
}

/// An invitation that was made.
#[derive(Serialize, ToSchema)]
struct InvitationObject {
    #[schema(format = Uuid)]
    id: String,
    email: String,
    role: &'static str,
    /// Good once; shown this once.
    link: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Invite a user
///
/// Answers a link by which they choose a password. It is good once, for seven days.
#[utoipa::path(
    post,
    path = route::SANDBOX_INVITATIONS,
    tag = "users",
    operation_id = "inviteUser",
    request_body = NewInvitation,
    responses(
        (status = 201, description = "The invitation.", body = InvitationObject),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "There is no such account.", body = Problem),
        (status = 409, description = "There is a user with this e-mail address.", body = Problem),
    ),
)]
async fn invite(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Body(body): Body<NewInvitation>,
) -> Result<Response, Problem> {
    let role = body.role.map_or(Role::Member, |Given(role)| role);
    let new = NewUser { email: body.email.0, role, account: body.account.map(|Given(account)| account) };
    let Offered { invitation, link } = invitations::invite(&web.ctx.acting(by), new).await.map_err(explain)?;
    let made = InvitationObject {
        id: invitation.id.to_string(),
        email: invitation.email.to_string(),
        role: invitation.role.as_str(),
        link,
        expires_at: invitation.expires_at.to_rfc3339(),
    };
    Ok(oauth::json(StatusCode::CREATED, &made))
}

fn explain(error: InvitationError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        InvitationError::Store(error) => error.into(),
        InvitationError::Taken => Problem::conflict(detail).at("/email"),
        InvitationError::UnknownAccount => Problem::not_found(detail).at("/account"),
        InvitationError::UnknownUser | InvitationError::Unknown => Problem::not_found(detail),
        InvitationError::UserDisabled => Problem::conflict(detail),
    }
}
