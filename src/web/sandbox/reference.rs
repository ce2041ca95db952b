//! The page that people read: the OpenAPI document as HTML.

use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::login::frame_for_visitor;
use super::super::page::{self, Kind};
use super::super::urls::route;
use super::openapi::TAGS;
use crate::views::{Answer, Field, Group, Operation, Prose, Reference};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    // Addresses that somebody tries first.
    let redirect = async |State(web): State<Arc<Web>>| {
        (StatusCode::SEE_OTHER, [(header::LOCATION, web.urls.path(route::SANDBOX_DOCS))]).into_response()
    };
    let entrances = Router::new().route(route::SANDBOX, get(redirect)).route(route::SANDBOX_SLASH, get(redirect));
    OpenApiRouter::from(entrances).routes(routes!(show))
}

/// What the page shows, once it was asked for.
#[derive(Clone, Default)]
pub struct Prepared(Arc<OnceLock<Content>>);

/// What it shows, whoever asks.
#[derive(Clone)]
struct Content {
    groups: Arc<[Group]>,
    first_request: String,
}

/// Read this reference
///
/// Each operation with its parameters, answers and a command to copy, in a browser.
#[utoipa::path(
    get,
    path = route::SANDBOX_DOCS,
    tag = "documentation",
    operation_id = "readReference",
    responses((status = 200, description = "A page.", body = String, content_type = "text/html")),
)]
async fn show(
    State(web): State<Arc<Web>>,
    Extension(Prepared(content)): Extension<Prepared>,
    headers: HeaderMap,
) -> Response {
    let content = content.get_or_init(|| Content::of(&super::document(&web))).clone();
    let frame = frame_for_visitor(&web, &headers).await;
    let nonce = frame.nonce.clone();
    let view = Reference { page: frame, first_request: content.first_request, groups: content.groups };
    page::render(Kind::Plain, StatusCode::OK, &nonce, &view)
}

impl Content {
    fn of(document: &OpenApi) -> Self {
        let document = serde_json::to_value(document).unwrap_or_default();
        let server = document["servers"][0]["url"].as_str().unwrap_or_default().to_owned();
        let reader = Reader { document: &document, server: &server };
        let known = TAGS.iter().map(|(name, text)| ((*name).to_owned(), *text));
        let others = reader.other_tags().into_iter().map(|name| (name, ""));
        let groups = known.chain(others).map(|(name, text)| reader.group(&name, text));
        Self {
            groups: groups.filter(|group| !group.operations.is_empty()).collect(),
            first_request: reader.curl("get", route::SANDBOX_APPS, &Value::Null, false),
        }
    }
}

/// How deep members of members are shown.
const MAX_DEPTH: usize = 4;

struct Reader<'d> {
    document: &'d Value,
    server: &'d str,
}

impl Reader<'_> {
    /// Path, method and description of each operation.
    fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(path, item)| {
            let methods = ["get", "post", "put", "patch", "delete"];
            methods.into_iter().filter_map(move |method| Some((path.as_str(), method, item.get(method)?)))
        })
    }

    /// Tags of operations that [`TAGS`] does not name.
    fn other_tags(&self) -> Vec<String> {
        let mut others = Vec::new();
        for (.., operation) in self.operations() {
            let tag = tag(operation);
            if !TAGS.iter().any(|(name, _)| *name == tag) && !others.contains(&tag) {
                others.push(tag);
            }
        }
        others
    }

    fn group(&self, name: &str, text: &str) -> Group {
        let own = self.operations().filter(|(.., operation)| tag(operation) == name);
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        Group {
            id: name.to_owned(),
            title: first.into_iter().chain(letters).collect(),
            text: Prose::of(text),
            operations: own.map(|(path, method, operation)| self.operation(path, method, operation)).collect(),
        }
    }

    fn operation(&self, path: &str, method: &str, operation: &Value) -> Operation {
        let text = |member: &str| Prose::of(operation[member].as_str().unwrap_or_default());
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let body = &operation["requestBody"]["content"]["application/json"];
        let is_public = operation.get("security").is_none();
        let responses = operation["responses"].as_object().into_iter().flatten();
        Operation {
            id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            summary: text("summary"),
            description: text("description"),
            is_public,
            parameters: parameters.map(|parameter| self.parameter(parameter)).collect(),
            body: self.fields(&body["schema"], "", 0),
            answers: responses.map(|(status, response)| self.answer(status, response)).collect(),
            curl: self.curl(method, path, body, is_public),
        }
    }

    fn parameter(&self, parameter: &Value) -> Field {
        Field {
            name: parameter["name"].as_str().unwrap_or_default().to_owned(),
            kind: self.kind(&parameter["schema"]),
            is_required: parameter["required"] == true,
            text: Prose::of(parameter["description"].as_str().unwrap_or_default()),
        }
    }

    fn answer(&self, status: &str, response: &Value) -> Answer {
        Answer {
            status: status.to_owned(),
            text: Prose::of(response["description"].as_str().unwrap_or_default()),
            fields: self.fields(&response["content"]["application/json"]["schema"], "", 0),
        }
    }

    /// The schema itself, where this is a reference or may be null besides.
    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
            return self.resolve(&self.document["components"]["schemas"][name]);
        }
        match schema["oneOf"].as_array().map(Vec::as_slice) {
            Some([null, one] | [one, null]) if null["type"] == "null" => self.resolve(one),
            _ => schema,
        }
    }

    /// The members of an object, or of the objects in a list, each with those of its own below it.
    fn fields(&self, schema: &Value, prefix: &str, depth: usize) -> Vec<Field> {
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        let schema = self.resolve(schema);
        if let Some(items) = schema.get("items") {
            return self.fields(items, &format!("{prefix}[]"), depth + 1);
        }
        let mut fields: Vec<Field> = Vec::new();
        for part in ["allOf", "oneOf", "anyOf"].iter().filter_map(|of| schema[of].as_array()).flatten() {
            for field in self.fields(part, prefix, depth + 1) {
                if !fields.iter().any(|known| known.name == field.name) {
                    fields.push(field);
                }
            }
        }
        let is_required =
            |name: &str| schema["required"].as_array().into_iter().flatten().any(|required| required == name);
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let text = member["description"].as_str().or(self.resolve(member)["description"].as_str());
            fields.push(Field {
                kind: self.kind(member),
                is_required: is_required(name),
                text: Prose::of(text.unwrap_or_default()),
                name: path.clone(),
            });
            fields.extend(self.fields(member, &path, depth + 1));
        }
        fields
    }

    /// What a value may be, in a few words.
    fn kind(&self, schema: &Value) -> String {
        let resolved = self.resolve(schema);
        let mut kinds: Vec<String> = match &resolved["type"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(several) => several.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        if let Some(words) = resolved["enum"].as_array() {
            kinds = words.iter().map(Value::to_string).collect();
        }
        for part in ["oneOf", "anyOf"].iter().filter_map(|of| resolved[of].as_array()).flatten() {
            let kind = self.kind(part);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let is_nullable = schema["oneOf"].as_array().into_iter().flatten().any(|part| part["type"] == "null");
        if is_nullable && !kinds.iter().any(|kind| kind == "null") {
            kinds.push("null".to_owned());
        }
        if let (Some(at), Some(items)) = (kinds.iter().position(|kind| kind == "array"), resolved.get("items")) {
            kinds[at] = format!("array of {}", self.kind(items));
        }
        let mut kind = kinds.join(" or ");
        if let Some(format) = resolved["format"].as_str().filter(|format| !format.starts_with("int")) {
            kind = format!("{kind}, {format}");
        }
        match (resolved["minimum"].as_i64(), resolved["maximum"].as_i64()) {
            (Some(least), Some(most)) => format!("{kind}, {least} to {most}"),
            _ => kind,
        }
    }

    /// A command for a shell.
    fn curl(&self, method: &str, path: &str, body: &Value, is_public: bool) -> String {
        let mut command = "curl".to_owned();
        if method != "get" {
            command.push_str(&format!(" -X {}", method.to_ascii_uppercase()));
        }
        let path = path.replace(['{', '}'], "");
        command.push_str(&format!(" '{}{path}'", self.server));
        if !is_public {
            command.push_str(" \\\n  -H \"Authorization: Bearer $SANDBOX_TOKEN\"");
        }
        if let Some(example) = self.example(body) {
            let json = example.to_string().replace('\'', "'\\''");
            command.push_str(&format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{json}'"));
        }
        command
    }

    /// A body to send; of a list, one with one element.
    fn example(&self, body: &Value) -> Option<Value> {
        let schema = self.resolve(&body["schema"]);
        if let Some(example) = body.get("example").or_else(|| schema.get("example")) {
            return Some(example.clone());
        }
        Some(Value::Array(vec![self.resolve(schema.get("items")?).get("example")?.clone()]))
    }
}

fn tag(operation: &Value) -> String {
    operation["tags"][0].as_str().unwrap_or("other").to_owned()
}
