//! Deliveries and exchanges as JSON. Secrets come in and never go out.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::sandbox::values::{nullable, present};
use crate::domain::delivery::{
    Credential, Delivery, DigestAlgorithm, Exchange, Field, Given, Message, MethodKind, Step, TokenGrant,
};
use crate::services::deliveries::{DeliveryChange, Opened};

/// What a delivery is protected by.
#[derive(Serialize, Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Basic,
    Digest,
    Bearer,
    OAuth2,
}

impl From<Method> for MethodKind {
    fn from(method: Method) -> Self {
        match method {
            Method::Basic => Self::Basic,
            Method::Digest => Self::Digest,
            Method::Bearer => Self::Bearer,
            Method::OAuth2 => Self::OAuth2,
        }
    }
}

/// A hash of Digest (RFC 7616).
#[derive(Serialize, Deserialize, ToSchema, Clone, Copy)]
pub enum Algorithm {
    #[serde(rename = "SHA-256")]
    Sha256,
    #[serde(rename = "MD5")]
    Md5,
}

impl From<Algorithm> for DigestAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256,
            Algorithm::Md5 => Self::Md5,
        }
    }
}

/// How a delivery gets its token.
#[derive(Serialize, Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    ClientCredentials,
    Password,
}

impl From<GrantType> for TokenGrant {
    fn from(grant: GrantType) -> Self {
        match grant {
            GrantType::ClientCredentials => Self::ClientCredentials,
            GrantType::Password => Self::Password,
        }
    }
}

/// A delivery to be made. Which settings it takes is the method's business; each other one is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Leads to the CRM", "method": "digest", "username": "crm", "password": "correct horse", "algorithms": ["SHA-256", "MD5"]}))]
pub struct NewDeliveryObject {
    /// 1 to 120 characters.
    pub name: String,
    pub method: Method,
    /// Where test leads go; left out: to the delivery's own receiver.
    #[serde(default)]
    pub url: Option<String>,
    /// The e-mail address of the partner who has it in their console; left out: whoever calls, if it is a user.
    #[serde(default)]
    pub owner: Option<String>,
    /// Of basic, digest, and of oauth2 with the password grant.
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    /// Of digest; left out: SHA-256 alone.
    #[serde(default)]
    algorithms: Option<Vec<Algorithm>>,
    /// Of bearer: the scheme before the token; left out: `Bearer`.
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    token: Option<String>,
    /// Of oauth2; left out: this server's own token endpoint.
    #[serde(default)]
    token_url: Option<String>,
    /// Left out: `client_credentials`.
    #[serde(default)]
    grant_type: Option<GrantType>,
    /// At the receiver the token has to be this client's; left out: any client's.
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

impl NewDeliveryObject {
    pub fn given(&mut self) -> Given {
        Given {
            username: self.username.take(),
            password: self.password.take().map(Credential::new),
            algorithms: self.algorithms.take().map(|list| list.into_iter().map(Into::into).collect()),
            prefix: self.prefix.take(),
            token: self.token.take().map(Credential::new),
            token_url: self.token_url.take(),
            grant: self.grant_type.take().map(Into::into),
            client_id: self.client_id.take(),
            client_secret: self.client_secret.take().map(Credential::new),
            scope: self.scope.take(),
        }
    }
}

/// What is to be different; what is left out stays, secrets among it. `null` takes away what may be missing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Leads to the new CRM"}))]
pub struct DeliveryChangeObject {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    name: Option<String>,
    /// Settings that another method does not have are forgotten.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Method)]
    method: Option<Method>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    url: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    username: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    password: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<Algorithm>)]
    algorithms: Option<Vec<Algorithm>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    prefix: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    token: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    token_url: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = GrantType)]
    grant_type: Option<GrantType>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    client_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    client_secret: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    scope: Option<Option<String>>,
}

impl From<DeliveryChangeObject> for DeliveryChange {
    fn from(object: DeliveryChangeObject) -> Self {
        let nulls = [
            (Field::TokenUrl, &object.token_url),
            (Field::ClientId, &object.client_id),
            (Field::ClientSecret, &object.client_secret),
            (Field::Scope, &object.scope),
        ];
        let cleared = nulls.into_iter().filter(|(_, given)| matches!(given, Some(None))).map(|(field, _)| field);
        Self {
            cleared: cleared.collect(),
            name: object.name,
            method: object.method.map(Into::into),
            url: object.url,
            given: Given {
                username: object.username,
                password: object.password.map(Credential::new),
                algorithms: object.algorithms.map(|list| list.into_iter().map(Into::into).collect()),
                prefix: object.prefix,
                token: object.token.map(Credential::new),
                token_url: object.token_url.flatten(),
                grant: object.grant_type.map(Into::into),
                client_id: object.client_id.flatten(),
                client_secret: object.client_secret.flatten().map(Credential::new),
                scope: object.scope.flatten(),
            },
        }
    }
}

/// A delivery in a list.
#[derive(Serialize, ToSchema)]
pub struct DeliverySummary {
    id: String,
    name: String,
    #[schema(value_type = Method)]
    method: &'static str,
    /// Where test leads go; null: to `receive_url`.
    url: Option<String>,
    /// The receiver that demands these settings.
    receive_url: String,
    /// The id of the user whose it is; null: the operator's.
    owner_id: Option<String>,
    created_at: String,
}

/// A page of deliveries, oldest first.
#[derive(Serialize, ToSchema)]
pub struct DeliveryList {
    pub deliveries: Vec<DeliverySummary>,
    /// What `after` has to be for the next page; null: there is none.
    pub next: Option<String>,
}

/// A delivery with its settings, of which no secret is ever shown.
#[derive(Serialize, ToSchema)]
pub struct DeliveryObject {
    #[serde(flatten)]
    summary: DeliverySummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Algorithm>>)]
    algorithms: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<GrantType>)]
    grant_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl DeliverySummary {
    pub fn of(delivery: Delivery, receive_url: String) -> Self {
        Self {
            id: delivery.id.to_string(),
            name: delivery.name,
            method: delivery.method.as_str(),
            url: delivery.url,
            receive_url,
            owner_id: delivery.owner.map(|owner| owner.to_string()),
            created_at: delivery.created_at.to_rfc3339(),
        }
    }
}

impl DeliveryObject {
    pub fn of(opened: Opened, receive_url: String) -> Self {
        let given = opened.settings.given();
        Self {
            summary: DeliverySummary::of(opened.delivery, receive_url),
            username: given.username,
            algorithms: given.algorithms.map(|list| list.into_iter().map(DigestAlgorithm::as_str).collect()),
            prefix: given.prefix,
            token_url: given.token_url,
            grant_type: given.grant.map(TokenGrant::as_str),
            client_id: given.client_id,
            scope: given.scope,
        }
    }
}

/// What a test lead is written as.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the document describes it; it is read by hand")]
enum TestLeadForm {
    #[schema(value_type = Object)]
    Fields(Value),
    Text(String),
}

/// A test lead that is to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lead": {"FirstName": "Test", "Email": "test.lead@example.com"}}))]
pub struct TestObject {
    /// In place of the delivery's own target.
    #[serde(default)]
    pub url: Option<String>,
    /// An object, sent as JSON; or a text, sent as it is: JSON, XML or a form, as it begins.
    #[serde(default)]
    #[schema(value_type = Option<TestLeadForm>)]
    pub lead: Option<Value>,
}

/// What came of a test lead.
#[derive(Serialize, ToSchema)]
pub struct TestedObject {
    /// Of the last answer; null: there was none.
    pub status: Option<u16>,
    pub exchange: ExchangeObject,
}

/// A page of exchanges, newest first.
#[derive(Serialize, ToSchema)]
pub struct ExchangeList {
    pub exchanges: Vec<ExchangeObject>,
    /// What `after` has to be for the next page; null: there is none.
    pub next: Option<String>,
}

/// A lead on its way, with each request that it took. No secret is in it.
#[derive(Serialize, ToSchema)]
pub struct ExchangeObject {
    pub id: String,
    /// By the server's clock.
    at: String,
    /// `received` or `refused` by the receiver, or `sent` for a test.
    #[schema(value_type = String)]
    kind: &'static str,
    status: Option<u16>,
    /// What was wrong; null: nothing.
    why: Option<String>,
    steps: Vec<StepObject>,
    /// As it was sent; null of a refused one.
    lead: Option<String>,
    lead_type: Option<String>,
}

/// A request and its answer.
#[derive(Serialize, ToSchema)]
struct StepObject {
    request: MessageObject,
    /// Null where there was none.
    response: Option<MessageObject>,
    duration_ms: u64,
}

/// Its header fields are those of HTTP, with what is secret masked.
#[derive(Serialize, ToSchema)]
struct MessageObject {
    line: String,
    headers: Vec<HeaderObject>,
    body: String,
}

#[derive(Serialize, ToSchema)]
struct HeaderObject {
    name: String,
    value: String,
}

impl From<Message> for MessageObject {
    fn from(Message { line, headers, body }: Message) -> Self {
        let headers = headers.into_iter().map(|(name, value)| HeaderObject { name, value }).collect();
        Self { line, headers, body }
    }
}

impl From<Step> for StepObject {
    fn from(Step { request, response, duration_ms }: Step) -> Self {
        Self { request: request.into(), response: response.map(Into::into), duration_ms }
    }
}

impl From<Exchange> for ExchangeObject {
    fn from(exchange: Exchange) -> Self {
        Self {
            id: exchange.id.to_string(),
            at: exchange.at.to_rfc3339(),
            kind: exchange.kind.as_str(),
            status: exchange.status,
            why: exchange.why,
            steps: exchange.steps.into_iter().map(Into::into).collect(),
            lead: exchange.lead,
            lead_type: exchange.lead_type,
        }
    }
}
