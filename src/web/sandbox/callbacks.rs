//! The action call-backs of applications.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
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
use super::query::Id;
use super::values::{Given, ok};
use crate::domain::action_callback::{ActionCallback, LastCall, OnFailure};
use crate::domain::ids::AppId;
use crate::domain::target_url::TargetUrl;
use crate::services::action_callback::{self, CallbackError};
use crate::services::partner::PartnerError;

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(show, set, remove)).routes(routes!(test)).routes(routes!(rotate_secret))
}

/// Where an application's own server is to be asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "http://localhost:9001/callback", "on_failure": "allow"}))]
struct NewCallback {
    /// http or https; the server has to be allowed to call it (setting `outgoing_allow`).
    #[schema(value_type = String)]
    url: Given<TargetUrl>,
    /// What holds where there is no answer in time: `allow`, also where it is left out, or `refuse`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    on_failure: Option<Given<OnFailure>>,
}

/// How the newest call went.
#[derive(Serialize, ToSchema)]
struct CallObject {
    /// Real time.
    #[schema(format = DateTime)]
    at: String,
    duration_ms: u64,
    /// `allowed`, `refused` or `failed`.
    result: &'static str,
    /// Of a refusal the message to the user, of a failure what was wrong.
    detail: String,
}

impl From<&LastCall> for CallObject {
    fn from(last: &LastCall) -> Self {
        Self {
            at: last.at.to_rfc3339(),
            duration_ms: u64::try_from(last.took.as_millis()).unwrap_or(u64::MAX),
            result: last.result.as_str(),
            detail: last.detail.clone(),
        }
    }
}

/// An action call-back.
#[derive(Serialize, ToSchema)]
struct CallbackObject {
    #[schema(value_type = String)]
    app: AppId,
    url: String,
    on_failure: &'static str,
    last_call: Option<CallObject>,
    /// What requests are signed with: shown this once, when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl CallbackObject {
    fn new(callback: ActionCallback, secret: Option<String>) -> Self {
        Self {
            last_call: callback.last.as_ref().map(CallObject::from),
            on_failure: callback.on_failure.as_str(),
            url: callback.url.to_string(),
            app: callback.app,
            secret,
        }
    }
}

/// Show an application's call-back
///
/// With how the newest call went.
#[utoipa::path(
    get,
    path = route::SANDBOX_APP_CALLBACK,
    tag = "apps",
    operation_id = "showCallback",
    params(("id" = String, Path, description = "The App ID.")),
    responses(
        (status = 200, description = "The call-back.", body = CallbackObject),
        (status = 404, description = "There is no such application, or it has no call-back.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    let callback = action_callback::find(&web.ctx, &app_id(&id)?).await?;
    let callback = callback.ok_or_else(|| explain(CallbackError::None))?;
    Ok(ok(&CallbackObject::new(callback, None)))
}

/// Have an application's own server asked
///
/// Before a user is connected: it may refuse that, with a message. 201 with its signing secret where there was none
/// before; a secret that is there stays.
#[utoipa::path(
    put,
    path = route::SANDBOX_APP_CALLBACK,
    tag = "apps",
    operation_id = "setCallback",
    params(("id" = String, Path, description = "The App ID.")),
    request_body = NewCallback,
    responses(
        (status = 200, description = "The call-back was changed.", body = CallbackObject),
        (status = 201, description = "The call-back, with its secret.", body = CallbackObject),
        (status = 400, description = "The body is not as described, or the server may not call the address.", body = Problem),
        (status = 404, description = "There is no such application.", body = Problem),
    ),
)]
async fn set(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Id(id): Id,
    Body(body): Body<NewCallback>,
) -> Result<Response, Problem> {
    let on_failure = body.on_failure.map_or(OnFailure::default(), |Given(on_failure)| on_failure);
    let set = action_callback::set(&web.ctx.acting(by), &app_id(&id)?, body.url.0, on_failure).await;
    let (callback, secret) = set.map_err(explain)?;
    let status = if secret.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    Ok(oauth::json(status, &CallbackObject::new(callback, secret)))
}

/// Ask nobody any more
///
/// Users are connected without the application's server being asked, and its signing secret is gone.
#[utoipa::path(
    delete,
    path = route::SANDBOX_APP_CALLBACK,
    tag = "apps",
    operation_id = "removeCallback",
    params(("id" = String, Path, description = "The App ID.")),
    responses(
        (status = 204, description = "Nobody is asked."),
        (status = 404, description = "There is no such application.", body = Problem),
    ),
)]
async fn remove(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<Response, Problem> {
    action_callback::remove(&web.ctx.acting(by), &app_id(&id)?).await.map_err(explain)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Send a test to an application's call-back
///
/// A request of the type `webhook.test`, which connects nobody; answers how it went.
#[utoipa::path(
    post,
    path = route::SANDBOX_APP_CALLBACK_TEST,
    tag = "apps",
    operation_id = "testCallback",
    params(("id" = String, Path, description = "The App ID.")),
    responses(
        (status = 200, description = "How it went.", body = CallObject),
        (status = 404, description = "There is no such application, or it has no call-back.", body = Problem),
    ),
)]
async fn test(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<Response, Problem> {
    let last = action_callback::test(&web.ctx.acting(by), &app_id(&id)?).await.map_err(explain)?;
    Ok(ok(&CallObject::from(&last)))
}

/// Make a call-back's signing secret anew
///
/// Shown this once; the old one signs no more.
#[utoipa::path(
    post,
    path = route::SANDBOX_APP_CALLBACK_ROTATE,
    tag = "apps",
    operation_id = "rotateCallbackSecret",
    params(("id" = String, Path, description = "The App ID.")),
    responses(
        (status = 200, description = "The call-back, with its new secret.", body = CallbackObject),
        (status = 404, description = "There is no such application, or it has no call-back.", body = Problem),
    ),
)]
async fn rotate_secret(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<Response, Problem> {
    let id = app_id(&id)?;
    let secret = action_callback::rotate_secret(&web.ctx.acting(by), &id).await.map_err(explain)?;
    let callback = action_callback::find(&web.ctx, &id).await?.ok_or_else(|| explain(CallbackError::None))?;
    Ok(ok(&CallbackObject::new(callback, Some(secret))))
}

fn app_id(id: &str) -> Result<AppId, Problem> {
    AppId::parse(id).map_err(|_| explain(PartnerError::UnknownApp.into()))
}

fn explain(error: CallbackError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        CallbackError::None | CallbackError::Partner(PartnerError::UnknownApp) => Problem::not_found(detail),
        CallbackError::NotAllowed(_) => Problem::invalid(detail).at("/url"),
        CallbackError::Partner(PartnerError::Store(error)) => error.into(),
        CallbackError::Partner(_) => Problem::conflict(detail),
    }
}
