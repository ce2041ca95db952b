//! The control plane's description of itself (OpenAPI 3.1), made from the operations' own.

use std::sync::{Arc, OnceLock};

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, Content, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, ResponseBuilder, Schema,
    ServerBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::problem::Problem;
use super::super::urls::route;

const SCHEME: &str = "sandboxToken";
const PROBLEM: &str = "application/problem+json";

/// What operations are about, in the order of the reference.
pub const TAGS: [(&str, &str); 17] = [
    ("sign-in", "The outcome of a sign-in without a browser."),
    ("tokens", "Tokens without a flow, and tokens that end when a test wants it."),
    ("connections", "Users' consents to applications."),
    ("clock", "What time it is: by the server, and by each application."),
    ("faults", "What goes wrong, where, for whom, and how often."),
    ("journal", "What happened, and why."),
    ("checks", "Whether an integration does what it should."),
    ("apps", "Partner applications: OAuth's clients."),
    ("buttons", "Sign-in buttons of applications."),
    ("webhooks", "Who is told what happens, and what was sent."),
    ("users", "People with a LeadExec login."),
    ("accounts", "LeadExec's customer accounts, to which users belong."),
    ("leads", "Leads that the lead receiver took."),
    ("events", "Who changed what, when, from where."),
    ("deliveries", "How leads are delivered and protected, and test leads."),
    ("registration", "Tokens that open dynamic client registration."),
    ("worlds", "The seeded state, snapshots of all there is, and isolated worlds."),
];

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(show))
}

/// The finished document, as it is sent, once it was asked for.
#[derive(Clone, Default)]
pub struct Document(Arc<OnceLock<String>>);

/// Each operation of a document with its path and method.
pub fn operations(document: &OpenApi) -> impl Iterator<Item = (&str, Method, &Operation)> {
    document.paths.paths.iter().flat_map(|(path, item)| {
        let PathItem { get, put, post, patch, delete, .. } = item;
        let methods = [
            (Method::GET, get),
            (Method::PUT, put),
            (Method::POST, post),
            (Method::PATCH, patch),
            (Method::DELETE, delete),
        ];
        methods.into_iter().filter_map(|(method, operation)| Some((path.as_str(), method, operation.as_ref()?)))
    })
}

fn for_each(document: &mut OpenApi, change: impl Fn(&str, Method, &mut Operation)) {
    for (path, item) in &mut document.paths.paths {
        let PathItem { get, put, post, patch, delete, .. } = item;
        for (method, operation) in [
            (Method::GET, get),
            (Method::PUT, put),
            (Method::POST, post),
            (Method::PATCH, patch),
            (Method::DELETE, delete),
        ] {
            if let Some(operation) = operation {
                change(path, method, operation);
            }
        }
    }
}

/// The document of all routes, of which `guarded` need the sandbox token. What holds for every operation is added here,
/// so that none of them has to say it.
pub fn describe(web: &Web, mut guarded: OpenApi, public: OpenApi) -> OpenApi {
    let requirement = SecurityRequirement::new(SCHEME, Vec::<String>::new());
    for_each(&mut guarded, |_, _, operation| {
        operation.security = Some(vec![requirement.clone()]);
        answers(operation, "401", "The sandbox token is missing or wrong.");
        answers(operation, "503", "The database does not answer.");
    });
    let info = InfoBuilder::new()
        .title("Leadgate's control plane")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Sets a sandbox up for a test, and shows what happened in it."));
    let tags = TAGS.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build());
    let mut document = OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([ServerBuilder::new().url(web.urls.public("")).build()]))
        .components(Some(Components::default()))
        .tags(Some(tags))
        .build();
    document.merge(guarded);
    document.merge(public);
    for_each(&mut document, |path, method, operation| {
        answers(operation, "400", "The query has a parameter that is not known, or not what it may be.");
        if operation.request_body.is_some() {
            answers(operation, "408", "The body did not arrive in time.");
            answers(operation, "413", "The body is too large.");
            answers(operation, "415", "The body does not say that it is JSON.");
        }
        as_problems(operation);
        name(path, &method, operation);
    });
    if let Some(components) = &mut document.components {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.security_schemes.insert(SCHEME.to_owned(), bearer.into());
        components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    }
    document
}

/// Adds an answer that the operation does not describe itself.
fn answers(operation: &mut Operation, status: &str, text: &str) {
    let problem: RefOr<Schema> = Ref::from_schema_name(Problem::name()).into();
    let response = ResponseBuilder::new().description(text).content(PROBLEM, Content::new(Some(problem)));
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.build().into());
}

/// Problems have a media type of their own (RFC 9457 section 3).
fn as_problems(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.as_str() >= "400"
            && let Some(content) = response.content.shift_remove("application/json")
        {
            response.content.insert(PROBLEM.to_owned(), content);
        }
    }
}

/// Operations are known by unique names: one that has only its function's gets one from its method and path.
fn name(path: &str, method: &Method, operation: &mut Operation) {
    let is_own = operation.operation_id.as_ref().is_some_and(|id| id.contains(char::is_uppercase));
    if is_own {
        return;
    }
    let mut name = method.as_str().to_ascii_lowercase();
    for word in path.trim_start_matches("/_sandbox").split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    operation.operation_id = Some(name);
}

/// Show this document
///
/// It is the same for whoever asks, and holds no secret.
#[utoipa::path(
    get,
    path = route::SANDBOX_OPENAPI,
    tag = "documentation",
    operation_id = "showDocument",
    responses((status = 200, description = "The OpenAPI 3.1 document.", body = Object)),
)]
async fn show(State(web): State<Arc<Web>>, Extension(Document(document)): Extension<Document>) -> Response {
    let document = document.get_or_init(|| super::document(&web).to_json().unwrap_or_default());
    let mut response = document.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A tool on another page may read it: there is nothing in it that is not public.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
