//! The control plane's description of itself (OpenAPI 3.1), made from the operations' own.

use std::sync::Arc;

use axum::Extension;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, ServerBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::urls::route;

const SCHEME: &str = "sandboxToken";

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(show))
}

/// The finished document.
#[derive(Clone)]
pub struct Document(Arc<str>);

/// One document of what needs the token and what does not.
pub fn document(web: &Web, mut guarded: OpenApi, public: OpenApi) -> Document {
    let requirement = SecurityRequirement::new(SCHEME, Vec::<String>::new());
    for item in guarded.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete] {
            if let Some(operation) = operation {
                operation.security = Some(vec![requirement.clone()]);
            }
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
    Document(document.to_json().unwrap_or_default().into())
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
