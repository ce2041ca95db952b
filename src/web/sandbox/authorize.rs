//! The outcome of a sign-in without a browser (wire.md part E).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::button::{AuthorizeResult, Code, respond};
use super::super::error::problem::{Problem, sentence};
use super::super::error::{oauth, refused};
use super::super::extract::Pairs;
use super::super::urls::route;
use super::body::Body;
use crate::domain::authorization::ResponseMode;
use crate::domain::ids::ConnectionId;
use crate::services::dialog;
use crate::services::sandbox::{self, Authorize, AuthorizeError, Decided};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(authorize))
}

#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Allow,
    Deny,
}

impl From<Decision> for dialog::Decision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Allow,
            Decision::Deny => Self::Deny,
        }
    }
}

/// Who decides, on what, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"user": "ada@acme.test", "button": "btn-rate-finder", "decision": "allow"}))]
struct AuthorizeRequest {
    /// The e-mail address of the user who decides.
    user: String,
    /// The id of the button that is clicked …
    #[serde(default)]
    button: Option<String>,
    /// … or, in its place, a request to the authorization endpoint with its query: a path, or the whole address.
    #[serde(default)]
    #[schema(example = "/oauth/authorize?response_type=code&client_id=…")]
    authorize_url: Option<String>,
    decision: Decision,
    /// Fewer scopes than are asked for; all of those where it is left out.
    #[serde(default)]
    #[schema(example = json!(["account_api"]))]
    scopes: Option<Vec<String>>,
}

/// What the page's callback would get, and the connection behind it.
#[derive(Serialize, ToSchema)]
struct Authorized {
    #[serde(flatten)]
    result: AuthorizeResult,
    #[serde(rename = "connectionId")]
    #[schema(value_type = Option<uuid::Uuid>)]
    connection: Option<ConnectionId>,
}

/// Either of the two answers, by what was asked.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum SignInOutcome {
    Authorized(Box<Authorized>),
    Redirected(Redirected),
}

/// Decide a sign-in for a user
///
/// The outcome of a flow without a browser: of a click on a button what `AuthorizeResult` would get, and of an
/// authorization request where the browser would be sent. A consent given here persists as any other.
#[utoipa::path(
    post,
    path = route::SANDBOX_AUTHORIZE,
    tag = "sign-in",
    operation_id = "decideSignIn",
    request_body = AuthorizeRequest,
    responses(
        (status = 200, description = "The outcome; a denial is one too.", body = SignInOutcome),
        (status = 400, description = "The body is not as described, or a browser would be shown a page.", body = Problem),
        (status = 404, description = "There is no such user or button.", body = Problem),
        (status = 409, description = "The user is disabled.", body = Problem),
    ),
)]
async fn authorize(State(web): State<Arc<Web>>, Body(request): Body<AuthorizeRequest>) -> Result<Response, Problem> {
    let decision = request.decision.into();
    let button = match (request.button, request.authorize_url) {
        (Some(button), None) => button,
        (None, Some(url)) => {
            let wanted = Wanted { user: &request.user, decision, scopes: request.scopes.as_deref() };
            return authorize_url(&web, &url, wanted).await;
        }
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("Send `button` or `authorize_url`, not both.").at("/authorize_url"));
        }
        (None, None) => {
            let detail = "Send `button` with a button's id, or `authorize_url` with a request to /oauth/authorize.";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "Missing member", detail).at("/button"));
        }
    };
    let wanted = Authorize { user: request.user, button: button.clone(), decision, scopes: request.scopes };
    let (connection, result) = match sandbox::authorize(&web.ctx, wanted).await.map_err(explain)? {
        Decided::Granted(granted) => (Some(granted.connection), AuthorizeResult::granted(granted, &button, false)),
        Decided::Denied => (None, AuthorizeResult::refused(Code::AccessDenied, Some(&button), false)),
        Decided::Refused(refusal) => {
            refused(route::SANDBOX_AUTHORIZE, &refusal, None);
            let message = refusal.message.map_or(Cow::Borrowed(dialog::REFUSED), Cow::Owned);
            let result = AuthorizeResult::refused(Code::AccessDenied, Some(&button), false);
            (None, AuthorizeResult { error_message: Some(message), ..result })
        }
    };
    Ok(respond(StatusCode::OK, &SignInOutcome::Authorized(Box::new(Authorized { result, connection }))))
}

/// Who decides what.
struct Wanted<'w> {
    user: &'w str,
    decision: dialog::Decision,
    scopes: Option<&'w [String]>,
}

/// Where the browser would be sent, and for `form_post` what it would send.
#[derive(Serialize, ToSchema)]
struct Redirected {
    redirect_to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    form: Option<BTreeMap<&'static str, String>>,
}

async fn authorize_url(web: &Web, url: &str, wanted: Wanted<'_>) -> Result<Response, Problem> {
    let own = [web.urls.public(route::OAUTH_AUTHORIZE), web.urls.path(route::OAUTH_AUTHORIZE)];
    let query = own.iter().find_map(|own| url.strip_prefix(own.as_str())?.strip_prefix('?'));
    let Some(Ok(parameters)) = query.map(|query| Pairs::exact(query.as_bytes())) else {
        let detail = "Send this server's /oauth/authorize with a query: a path, or the whole address.";
        return Err(Problem::invalid(detail).at("/authorize_url"));
    };
    let Wanted { user, decision, scopes } = wanted;
    let decided = sandbox::authorize_request(&web.ctx, user, &parameters, decision, scopes).await;
    let response = decided.map_err(explain)?;
    let redirect_to = response.location();
    let is_form = response.target.mode == ResponseMode::FormPost;
    let form = is_form.then(|| response.parameters.into_iter().collect());
    Ok(oauth::json(StatusCode::OK, &SignInOutcome::Redirected(Redirected { redirect_to, form })))
}

fn explain(why: AuthorizeError) -> Problem {
    let detail = sentence(&why.to_string());
    match why {
        AuthorizeError::Store(error) => error.into(),
        AuthorizeError::UnknownUser => Problem::not_found(detail).at("/user"),
        AuthorizeError::UnknownButton => Problem::not_found(detail).at("/button"),
        AuthorizeError::Unsendable(_) => {
            Problem::new(StatusCode::BAD_REQUEST, "A browser would be shown a page", detail).at("/authorize_url")
        }
        AuthorizeError::UserDisabled => Problem::new(StatusCode::CONFLICT, "User disabled", detail).at("/user"),
        AuthorizeError::UnknownScope(_) | AuthorizeError::NoScope | AuthorizeError::WiderScope { .. } => {
            Problem::new(StatusCode::BAD_REQUEST, "Invalid scope", detail).at("/scopes")
        }
    }
}
