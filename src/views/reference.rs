//! The control plane's reference: each operation, as the OpenAPI document describes it.

use std::sync::Arc;

use askama::Template;

use super::messages::Lang;
use super::page::Page;
use super::prose::Prose;

/// The reference. What describes the operations comes from the program itself, and is in English.
#[derive(Debug, Clone, Template)]
#[template(path = "reference.html")]
pub struct Reference {
    pub page: Page,
    /// A request that needs nothing but the token.
    pub first_request: String,
    pub groups: Arc<[Group]>,
}

/// Operations on one kind of thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// For links.
    pub id: String,
    pub title: String,
    pub text: Prose,
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// For links.
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: Prose,
    pub description: Prose,
    /// Whether it needs no token.
    pub is_public: bool,
    /// Of path and query.
    pub parameters: Vec<Field>,
    /// Members of the request's body.
    pub body: Vec<Field>,
    pub answers: Vec<Answer>,
    /// A command that can be copied.
    pub curl: String,
}

/// A parameter, or a member of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// What it may be, in a few words.
    pub kind: String,
    pub is_required: bool,
    pub text: Prose,
}

/// What an operation may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: String,
    pub text: Prose,
    /// Members of its body; empty for problems, which all have the same.
    pub fields: Vec<Field>,
}

impl Reference {
    /// Two operations of one group.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let field = |name: &str, kind: &str, text: &str| Field {
            name: name.to_owned(),
            kind: kind.to_owned(),
            is_required: name == "token",
            text: Prose::of(text),
        };
        let answer = |status: &str, text: &str, fields: Vec<Field>| Answer {
            status: status.to_owned(),
            text: Prose::of(text),
            fields,
        };
        let operation = |id: &str, summary: &str| Operation {
            id: id.to_owned(),
            method: "POST".to_owned(),
            path: "/_sandbox/tokens/expire".to_owned(),
            summary: Prose::of(summary),
            description: Prose::of("Now, by its application's clock."),
            is_public: id == "list",
            parameters: vec![field("limit", "integer, 1 to 1000", "How many at most.")],
            body: vec![field("token", "string", "An access token, such as `lga_…`.")],
            answers: vec![
                answer("200", "It is over.", vec![field("changed", "boolean", "Whether it was good until now.")]),
                answer("404", "This server gave no such token.", Vec::new()),
            ],
            curl: "curl -X POST http://localhost:8080/_sandbox/tokens/expire".to_owned(),
        };
        let group = Group {
            id: "tokens".to_owned(),
            title: "Tokens".to_owned(),
            text: Prose::of("Tokens without a flow."),
            operations: vec![operation("expireToken", "Let a token expire"), operation("list", "List `tokens`")],
        };
        Self {
            page: Page::sample(lang),
            first_request: "curl http://localhost:8080/_sandbox/apps".to_owned(),
            groups: [group].into(),
        }
    }
}
