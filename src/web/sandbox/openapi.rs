//! The control plane's description of itself (OpenAPI 3.1), made from the operations' own.

use std::sync::Arc;

use axum::Extension;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, ServerBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::urls::route;

const SCHEME: &str = "sandboxToken";

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(show))
}

/// The finished document, as it is sent.
#[derive(Clone)]
pub struct Document(Arc<str>);

impl Document {
    pub fn of(document: &OpenApi) -> Self {
        Self(document.to_json().unwrap_or_default().into())
    }
}

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

/// The document of all routes, of which `guarded` need the sandbox token.
pub fn describe(web: &Web, mut guarded: OpenApi, public: OpenApi) -> OpenApi {
    let requirement = SecurityRequirement::new(SCHEME, Vec::<String>::new());
    for item in guarded.paths.paths.values_mut() {
        let PathItem { get, put, post, patch, delete, .. } = item;
        for operation in [get, put, post, patch, delete].into_iter().flatten() {
            operation.security = Some(vec![requirement.clone()]);
        }
    }
    let info = InfoBuilder::new()
        .title("Leadgate's control plane")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Sets a sandbox up for a test, and shows what happened in it."));
    let mut document = OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([ServerBuilder::new().url(web.urls.public("")).build()]))
        .components(Some(Components::default()))
        .build();
    document.merge(guarded);
    document.merge(public);
    if let Some(components) = &mut document.components {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.security_schemes.insert(SCHEME.to_owned(), bearer.into());
    }
    document
}

/// Show this document
///
/// It is the same for whoever asks, and holds no secret.
#[utoipa::path(
    get,
    path = route::SANDBOX_OPENAPI,
    tag = "documentation",
    responses((status = 200, description = "The OpenAPI 3.1 document.", body = Object)),
)]
async fn show(Extension(Document(document)): Extension<Document>) -> Response {
    let mut response = document.to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
