//! The control plane's document (OpenAPI 3.1): what it says is so, and what is so it says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use leadgate::web::urls::route;
use serde_json::{Value, json};

use super::assert_problem;
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, World, both};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Addresses that lead to the reference, and are no operations.
const ENTRANCES: [&str; 2] = [route::SANDBOX, route::SANDBOX_SLASH];

async fn document(world: &World) -> Value {
    let answer = world.get(route::SANDBOX_OPENAPI).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// Path, method and description of each operation.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut found = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                found.push((path.as_str(), method, operation));
            }
        }
    }
    found
}

fn is_public(operation: &Value) -> bool {
    operation.get("security").is_none()
}

/// The address of something that is not there.
fn nowhere(path: &str) -> String {
    path.replace("{id}", "01930000-0000-7000-8000-000000000000").replace(['{', '}'], "")
}

/// Every route is in it, whole; nothing else is.
async fn e_every_operation_is_described(world: World) {
    let document = document(&world).await;
    assert_eq!(document["openapi"], "3.1.0");
    let described: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let routes = route::ALL.iter().filter(|route| route.starts_with("/_sandbox") || route.starts_with("/api/"));
    let routes: BTreeSet<&str> = routes.copied().filter(|route| !ENTRANCES.contains(route)).collect();
    assert_eq!(described, routes);

    let tags: Vec<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let what = format!("{method} {path}");
        let has_text = |value: &Value| value.as_str().is_some_and(|text| text.len() > 3);
        assert!(has_text(&operation["summary"]) && has_text(&operation["description"]), "{what} has no description");
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{what}: its operationId is another's");
        let tag = operation["tags"][0].as_str().unwrap();
        assert!(is_public(operation) || tags.contains(&tag), "{what}: the tag {tag} is not described");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{what}");
        assert_eq!(responses.contains_key("401"), !is_public(operation), "{what}");
        for (status, response) in responses {
            assert!(has_text(&response["description"]), "{what}: {status}");
            if status.as_str() >= "400" {
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{what}: {status}");
            }
        }
        if let Some(body) = operation.get("requestBody") {
            assert!(responses.contains_key("415") && responses.contains_key("413"), "{what}");
            assert!(example(&document, body).is_some(), "{what} has no example of its body");
        }
        let declared = operation["parameters"].as_array().into_iter().flatten();
        let in_path: BTreeSet<&str> =
            declared.clone().filter(|p| p["in"] == "path").map(|p| p["name"].as_str().unwrap()).collect();
        let braced = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        assert_eq!(in_path, braced, "{what}");
        for parameter in declared {
            assert!(has_text(&parameter["description"]), "{what}: {}", parameter["name"]);
        }
    }
    for reference in references(&document) {
        let found = document.pointer(reference.trim_start_matches('#'));
        assert!(found.is_some(), "{reference} leads nowhere");
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| match member {
                Value::String(to) if name == "$ref" => vec![to.clone()],
                other => references(other),
            })
            .collect(),
        Value::Array(elements) => elements.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    if let Some(to) = schema["$ref"].as_str() {
        return resolve(document, document.pointer(to.trim_start_matches('#')).unwrap());
    }
    match schema["oneOf"].as_array().map(Vec::as_slice) {
        Some([null, one]) if null["type"] == "null" => resolve(document, one),
        _ => schema,
    }
}

/// What the document gives as an example of a body.
fn example(document: &Value, body: &Value) -> Option<Value> {
    let json = &body["content"]["application/json"];
    let schema = resolve(document, &json["schema"]);
    let own = json.get("example").or_else(|| schema.get("example")).cloned();
    own.or_else(|| Some(Value::Array(vec![resolve(document, schema.get("items")?).get("example")?.clone()])))
}

/// Each operation is there, answers as is written, and other methods are not there.
async fn e_what_is_described_is_there(world: World) {
    let document = document(&world).await;
    for (path, method, operation) in operations(&document) {
        let what = format!("{method} {path}");
        let address = nowhere(path);
        let answer = world.operator_at(&method.to_uppercase(), &address, None).await;
        assert!(answer.status != 405 && (answer.status != 404 || path.contains('{')), "{what}: {answer:?}");
        let status = answer.status.to_string();
        assert!(operation["responses"].get(&status).is_some(), "{what} answers {status}, which is not written");
        let unknown = world.operator_at(&method.to_uppercase(), &format!("{address}?zq7=1"), None).await;
        assert_problem(&unknown, 400);
        assert_eq!(unknown.json()["parameter"], "zq7", "{what}");
        let without = world.send(request(&method.to_uppercase(), &nowhere(path), &[], "")).await;
        assert_eq!(without.status == 401, !is_public(operation), "{what}: {without:?}");
    }
    for path in document["paths"].as_object().unwrap().keys() {
        let described: BTreeSet<String> = operations(&document)
            .iter()
            .filter(|(of, ..)| of == path)
            .map(|(_, method, _)| method.to_uppercase())
            .collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if described.contains(method) {
                continue;
            }
            let answer = world.operator_at(method, &nowhere(path), None).await;
            assert_problem(&answer, 405);
            let allowed: BTreeSet<String> = answer
                .header("allow")
                .unwrap()
                .split(',')
                .map(|m| m.trim().to_owned())
                .filter(|m| m != "HEAD")
                .collect();
            assert_eq!(allowed, described, "{method} {path}");
        }
    }
}

/// An example is a request that is understood.
async fn e_examples_can_be_sent(world: World) {
    let document = document(&world).await;
    let delivery = world.delivery(json!({"method": "bearer", "token": "x"})).await;
    let bodies = operations(&document).into_iter().filter(|(.., operation)| operation.get("requestBody").is_some());
    let webhook =
        world.make("/webhooks", &json!({"app": APP_ONE, "url": "http://localhost:9/"})).await.expect(201).json();
    let webhook = webhook["id"].as_str().unwrap();
    for (path, method, operation) in bodies {
        let mut body = example(&document, &operation["requestBody"]).unwrap();
        // The example of one of the demonstration's buttons.
        if body.get("button").is_some() {
            body["button"] = "btn-one".into();
        }
        let ids = [
            ("/apps/", APP_ONE),
            ("/buttons/", "btn-two"),
            ("/users/", ADA),
            ("/accounts/", "acme"),
            ("/webhooks/", webhook),
            ("/deliveries/", &delivery),
        ];
        let id = ids.iter().find(|(of, _)| path.contains(of)).map_or("nothing", |(_, id)| id);
        let path = path.replace("{id}", id).replace(['{', '}'], "");
        let answer = world.operator_at(&method.to_uppercase(), &path, Some(&body)).await;
        // No token is the one of the example, and nothing was refreshed so far.
        let other =
            [("/_sandbox/tokens/", 404), ("/_sandbox/listeners/nothing/", 404), ("/_sandbox/requests/verify", 409)];
        let is_other = other.iter().any(|(of, status)| path.starts_with(of) && answer.status == *status);
        assert!(answer.status < 300 || is_other, "{method} {path} with {body}: {answer:?}");
        let status = answer.status.to_string();
        assert!(operation["responses"].get(&status).is_some(), "{method} {path}: {status} is not written");
    }
}

/// Whoever asks gets the document; in production nobody does.
async fn e_production_has_no_document(world: World) {
    for path in [route::SANDBOX_OPENAPI, route::SANDBOX_DOCS, route::SANDBOX_FIDELITY, route::SANDBOX] {
        assert_problem(&world.get(path).await, 404);
    }
}

/// A schema is known by its type's name: two of one name would be one.
#[test]
fn wire_e_no_two_schemas_have_one_name() {
    let mut names = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for derive in
                text.split("#[derive(").skip(1).filter(|rest| rest.split(')').next().unwrap().contains("ToSchema"))
            {
                let declared = derive.lines().find(|line| line.contains("struct ") || line.contains("enum ")).unwrap();
                let name = declared.split_whitespace().skip_while(|word| *word != "struct" && *word != "enum").nth(1);
                let name = name.unwrap().trim_end_matches(['{', ';']).to_owned();
                assert!(name == "$name" || names.insert(name.clone()), "{}: {name} is another's name", path.display());
            }
        }
    }
    assert!(names.len() > 20, "{names:?}");
}

both! { e_every_operation_is_described, e_what_is_described_is_there, e_examples_can_be_sent }
both! { with support::Setup::production(); e_production_has_no_document }
