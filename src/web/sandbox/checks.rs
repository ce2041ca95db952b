//! The integration check (wire.md E): JSON, JUnit's XML for continuous integration, a page for people.

use std::sync::Arc;

use askama::Template as _;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::Web;
use super::super::error::oauth;
use super::super::error::problem::Problem;
use super::super::login::frame_for_visitor;
use super::super::page::{self, Kind};
use super::super::urls::route;
use crate::domain::check::Status;
use crate::domain::ids::AppId;
use crate::services::checks::{self, Checked, Evidence, Report};
use crate::views::{self, CheckRow, Checks, JUnit, Lang};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(show))
}

/// What a correct integration does, ticked off.
#[derive(Serialize, ToSchema)]
struct IntegrationCheck {
    /// The application's id.
    app: String,
    name: String,
    /// When it was made, by the server's clock: RFC 3339, UTC.
    #[schema(format = DateTime)]
    at: String,
    summary: Summary,
    checks: Vec<OneCheck>,
}

/// How many checks came out how.
#[derive(Serialize, ToSchema)]
struct Summary {
    pass: usize,
    fail: usize,
    not_seen: usize,
}

/// One thing that a correct integration does.
#[derive(Serialize, ToSchema)]
struct OneCheck {
    #[schema(example = "refreshed_once_an_hour")]
    name: &'static str,
    /// `page`, `sign_in`, `tokens`, `disconnect`, `oauth` or `failures`.
    #[schema(example = "tokens")]
    group: &'static str,
    title: &'static str,
    /// `pass`, `fail`, or `not_seen`: nothing that tells either way has happened yet.
    #[schema(example = "not_seen")]
    status: &'static str,
    /// `null` where nothing was seen.
    evidence: Option<Shown>,
    /// What to do, where it has not passed.
    #[schema(example = "Keep the access token until it is about to expire, in place of a refresh for each call.")]
    todo: Option<&'static str>,
    /// Where that is explained.
    #[schema(format = "uri")]
    help: String,
}

/// The request that shows how a check came out.
#[derive(Serialize, ToSchema)]
struct Shown {
    /// Its id in the journal.
    request: Uuid,
    /// By the server's clock: RFC 3339, UTC.
    #[schema(format = DateTime)]
    at: String,
    sentence: String,
}

/// Check an integration
///
/// Looks through the journal for what a correct integration does, and what it must not do. Emptying the journal starts the
/// check anew. `Accept: application/xml` answers in JUnit's form, `text/html` with a page.
#[utoipa::path(
    get, path = route::SANDBOX_CHECKS, tag = "checks",
    params(("app" = String, Path, description = "The application's id.")),
    responses(
        (status = 200, description = "The check.", content(
            (IntegrationCheck = "application/json"),
            (String = "application/xml"),
            (String = "text/html"),
        )),
        (status = 404, description = "There is no such application.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Path(app): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let report = report(&web, &app).await?;
    let mut response = match Form::of(&headers) {
        Form::Json => oauth::json(StatusCode::OK, &as_json(&web, &report)),
        Form::Xml => junit(&web, &report),
        Form::Html => html(&web, &headers, &report).await,
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

/// The check of the application with this id.
pub async fn report(web: &Web, app: &str) -> Result<Report, Problem> {
    let unknown = || Problem::not_found("There is no application with this id.");
    let id = AppId::parse(app).map_err(|_| unknown())?;
    checks::run(&web.ctx, &id).await?.ok_or_else(unknown)
}

/// The page of it, for whoever may see it.
pub async fn html(web: &Web, headers: &HeaderMap, report: &Report) -> Response {
    let frame = frame_for_visitor(web, headers).await;
    let nonce = frame.nonce.clone();
    let view = Checks {
        page: frame,
        issuer: web.ctx.issuer.clone(),
        app_id: report.app.id.to_string(),
        app_name: report.app.name.clone(),
        at: report.at.to_rfc3339(),
        rows: rows(report),
    };
    page::render(Kind::Plain, StatusCode::OK, &nonce, &view)
}

enum Form {
    Json,
    Xml,
    Html,
}

impl Form {
    /// The first that is asked for by name: browsers name HTML first, and anything else gets JSON.
    fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let named = accepted.split(',').find_map(|item| {
            match item.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
                "application/json" => Some(Self::Json),
                "application/xml" | "text/xml" => Some(Self::Xml),
                "text/html" => Some(Self::Html),
                _ => None,
            }
        });
        named.unwrap_or(Self::Json)
    }
}

fn rows(report: &Report) -> Vec<CheckRow> {
    let evidence = |found: &Evidence| views::Evidence {
        request: found.request.to_string(),
        at: found.at.to_rfc3339(),
        exchange: found.exchange.clone(),
        value: found.value.clone(),
    };
    let row = |checked: &Checked| CheckRow {
        check: checked.check,
        status: checked.status,
        evidence: checked.evidence.as_ref().map(evidence),
    };
    report.checked.iter().map(row).collect()
}

fn as_json(web: &Web, report: &Report) -> IntegrationCheck {
    let one = |(checked, row): (&Checked, &CheckRow)| {
        let (check, text) = (checked.check, Lang::En.check(checked.check));
        OneCheck {
            name: check.as_str(),
            group: check.group().as_str(),
            title: text.title,
            status: checked.status.as_str(),
            evidence: checked.evidence.as_ref().map(|found| Shown {
                request: found.request,
                at: found.at.to_rfc3339(),
                sentence: row.failure(Lang::En).unwrap_or_else(|| found.exchange.clone()),
            }),
            todo: (checked.status != Status::Pass).then_some(text.remedy),
            help: format!("{}#check-{}", web.urls.public(route::DOCTOR), check.as_str()),
        }
    };
    IntegrationCheck {
        app: report.app.id.to_string(),
        name: report.app.name.clone(),
        at: report.at.to_rfc3339(),
        summary: Summary {
            pass: report.count(Status::Pass),
            fail: report.count(Status::Fail),
            not_seen: report.count(Status::NotSeen),
        },
        checks: report.checked.iter().zip(&rows(report)).map(one).collect(),
    }
}

fn junit(web: &Web, report: &Report) -> Response {
    let view = JUnit {
        app_id: report.app.id.to_string(),
        app_name: report.app.name.clone(),
        at: report.at.to_rfc3339(),
        issuer: web.ctx.issuer.clone(),
        rows: rows(report),
    };
    let xml = match view.render() {
        Ok(xml) => xml,
        Err(error) => {
            tracing::error!(%error, "the integration check could not be rendered");
            let detail = "The server's log has the reason.";
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Failed", detail).into_response();
        }
    };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"))];
    oauth::no_store((StatusCode::OK, kind, xml).into_response())
}
