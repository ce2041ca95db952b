//! `/api/deliveries`: what the Authentication tab does, for programs.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::Web;
use super::super::error::problem::{Problem, sentence};
use super::super::sandbox::body::{Body, OptionalBody};
use super::super::sandbox::other_method;
use super::super::sandbox::query::{self, Id, Query};
use super::super::sandbox::values::{PageQuery, created, cut, no_such_page, ok, page};
use super::super::urls::route;
use super::caller::{Caller, require};
use super::objects::{
    DeliveryChangeObject, DeliveryList, DeliveryObject, DeliverySummary, ExchangeList, ExchangeObject,
    NewDeliveryObject, TestObject, TestedObject,
};
use crate::domain::email::Email;
use crate::domain::ids::{DeliveryId, ExchangeId};
use crate::services::deliveries::{self, DeliveryError, NewDelivery, Opened, TestLead};
use crate::services::users;

pub fn routes(web: &Arc<Web>) -> Router<Arc<Web>> {
    let operations = operations();
    let known = query::Known::of([operations.get_openapi()], web.urls.base());
    Router::from(operations)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(known, query::check))
        .layer(from_fn_with_state(web.clone(), require))
}

pub fn operations() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default()
        .routes(routes!(list, add))
        .routes(routes!(show, change, delete))
        .routes(routes!(exchanges))
        .routes(routes!(test))
}

/// List deliveries
///
/// Without their settings.
#[utoipa::path(
    get,
    path = route::API_DELIVERIES,
    tag = "deliveries",
    operation_id = "listDeliveries",
    params(PageQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = DeliveryList)),
)]
async fn list(State(web): State<Arc<Web>>, Query(query): Query<PageQuery>) -> Result<Response, Problem> {
    let limit = page(query.limit)?;
    let after = query.after.map(|after| parse(&after).map_err(|_| no_such_page())).transpose()?;
    let found = deliveries::list(&web.ctx, None, after, limit).await.map_err(explain)?;
    let (found, next) = cut(found, query.limit, |delivery| delivery.id.to_string());
    let summary = |delivery: crate::domain::delivery::Delivery| {
        let receiver = deliveries::receiver(&web.ctx, delivery.id);
        DeliverySummary::of(delivery, receiver)
    };
    Ok(ok(&DeliveryList { deliveries: found.into_iter().map(summary).collect(), next }))
}

/// Make a delivery
///
/// Its settings are kept encrypted; secrets are not shown again.
#[utoipa::path(
    post,
    path = route::API_DELIVERIES,
    tag = "deliveries",
    operation_id = "makeDelivery",
    request_body = NewDeliveryObject,
    responses(
        (status = 201, description = "The delivery.", body = DeliveryObject, headers(("location" = String, description = "Where it is."))),
        (status = 400, description = "The body is not as described, or a setting is missing, wrong, or another method's.", body = Problem),
        (status = 409, description = "The owner has as many as a partner can have.", body = Problem),
    ),
)]
async fn add(
    State(web): State<Arc<Web>>,
    Caller(by): Caller,
    Body(mut body): Body<NewDeliveryObject>,
) -> Result<Response, Problem> {
    let owner = match body.owner.take() {
        Some(email) => Some(owner(&web, &email).await?),
        None => by.user_id(),
    };
    let given = body.given();
    let new = NewDelivery { owner, name: body.name, method: body.method.into(), url: body.url, given };
    let opened = deliveries::create(&web.ctx.acting(by), new).await.map_err(explain)?;
    let id = opened.delivery.id;
    Ok(created(&web, route::API_DELIVERIES, id, &object(&web, opened)))
}

async fn owner(web: &Web, email: &str) -> Result<crate::domain::ids::UserId, Problem> {
    let unknown = || explain(DeliveryError::UnknownOwner);
    let email = Email::parse(email).map_err(|_| unknown())?;
    match users::find(&web.ctx, &email).await {
        Ok(user) => Ok(user.id),
        Err(users::UserError::Store(error)) => Err(error.into()),
        Err(_) => Err(unknown()),
    }
}

/// Show a delivery
///
/// With its settings, but for the secrets.
#[utoipa::path(
    get,
    path = route::API_DELIVERY,
    tag = "deliveries",
    operation_id = "showDelivery",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The delivery, without its secrets.", body = DeliveryObject),
        (status = 404, description = "There is no such delivery.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    let opened = deliveries::find(&web.ctx, None, read(&id)?).await.map_err(explain)?;
    Ok(ok(&object(&web, opened)))
}

/// Change a delivery
///
/// What is left out stays, secrets among it.
#[utoipa::path(
    patch,
    path = route::API_DELIVERY,
    tag = "deliveries",
    operation_id = "changeDelivery",
    params(("id" = String, Path, description = "Its id, which stays.")),
    request_body = DeliveryChangeObject,
    responses(
        (status = 200, description = "The delivery as it is now.", body = DeliveryObject),
        (status = 400, description = "The body is not as described, or the settings do not go together.", body = Problem),
        (status = 404, description = "There is no such delivery.", body = Problem),
        (status = 409, description = "It was changed meanwhile.", body = Problem),
    ),
)]
async fn change(
    State(web): State<Arc<Web>>,
    Caller(by): Caller,
    Id(id): Id,
    Body(change): Body<DeliveryChangeObject>,
) -> Result<Response, Problem> {
    let changed = deliveries::change(&web.ctx.acting(by), read(&id)?, change.into()).await;
    Ok(ok(&object(&web, changed.map_err(explain)?)))
}

/// Delete a delivery
///
/// With all that was received and sent by it.
#[utoipa::path(
    delete,
    path = route::API_DELIVERY,
    tag = "deliveries",
    operation_id = "deleteDelivery",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such delivery.", body = Problem),
    ),
)]
async fn delete(State(web): State<Arc<Web>>, Caller(by): Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    deliveries::delete(&web.ctx.acting(by), read(&id)?).await.map_err(explain)?;
    Ok(StatusCode::NO_CONTENT)
}

/// List what was received and sent
///
/// Of each kind the newest hundred are kept.
#[utoipa::path(
    get,
    path = route::API_DELIVERY_EXCHANGES,
    tag = "deliveries",
    operation_id = "listExchanges",
    params(("id" = String, Path, description = "The delivery's id."), PageQuery),
    responses(
        (status = 200, description = "A page of exchanges, newest first.", body = ExchangeList),
        (status = 404, description = "There is no such delivery.", body = Problem),
    ),
)]
async fn exchanges(
    State(web): State<Arc<Web>>,
    Id(id): Id,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page(query.limit)?;
    let after = query.after.map(|after| Uuid::parse_str(&after).map_err(|_| no_such_page())).transpose()?;
    let found = deliveries::exchanges(&web.ctx, None, read(&id)?, after.map(ExchangeId), limit).await;
    let (found, next) = cut(found.map_err(explain)?, query.limit, |exchange| exchange.id.to_string());
    Ok(ok(&ExchangeList { exchanges: found.into_iter().map(ExchangeObject::from).collect(), next }))
}

/// Send a test lead
///
/// With the delivery's settings: for OAuth 2.0 a token is fetched first. A target that does not take the lead is no error
/// of this operation; the exchange tells of it.
#[utoipa::path(
    post,
    path = route::API_DELIVERY_TEST,
    tag = "deliveries",
    operation_id = "sendTestLead",
    params(("id" = String, Path, description = "The delivery's id.")),
    request_body(content = Option<TestObject>, example = json!({"lead": {"FirstName": "Test", "Email": "test.lead@example.com"}})),
    responses(
        (status = 200, description = "The whole exchange.", body = TestedObject),
        (status = 400, description = "The address cannot be called, or the lead is none.", body = Problem),
        (status = 404, description = "There is no such delivery.", body = Problem),
    ),
)]
async fn test(
    State(web): State<Arc<Web>>,
    Caller(by): Caller,
    Id(id): Id,
    OptionalBody(body): OptionalBody<TestObject>,
) -> Result<Response, Problem> {
    let TestObject { url, lead } = body.unwrap_or(TestObject { url: None, lead: None });
    let text = match lead {
        None => deliveries::sample_lead().to_owned(),
        Some(Value::String(text)) => text,
        Some(other @ Value::Object(_)) => other.to_string(),
        Some(_) => return Err(no_lead()),
    };
    let lead = TestLead::of(text).ok_or_else(no_lead)?;
    let exchange = deliveries::send_test(&web.ctx.acting(by), read(&id)?, url, lead).await.map_err(explain)?;
    Ok(ok(&TestedObject { status: exchange.status, exchange: exchange.into() }))
}

fn no_lead() -> Problem {
    Problem::invalid("Expected an object, or a text of 1 to 65536 bytes.").at("/lead")
}

fn parse(id: &str) -> Result<DeliveryId, DeliveryError> {
    Uuid::parse_str(id).map(DeliveryId).map_err(|_| DeliveryError::Unknown)
}

fn read(id: &str) -> Result<DeliveryId, Problem> {
    parse(id).map_err(explain)
}

fn object(web: &Web, opened: Opened) -> DeliveryObject {
    let receiver = deliveries::receiver(&web.ctx, opened.delivery.id);
    DeliveryObject::of(opened, receiver)
}

fn explain(error: DeliveryError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        DeliveryError::Store(error) => error.into(),
        DeliveryError::Unknown => Problem::not_found(detail),
        DeliveryError::UnknownOwner => Problem::invalid(detail).at("/owner"),
        DeliveryError::Settings(wrong) => {
            let detail = sentence(&wrong.wrong.to_string());
            Problem::invalid(detail).at(format!("/{}", wrong.field.as_str()))
        }
        DeliveryError::TooMany | DeliveryError::Changed => Problem::conflict(detail),
    }
}
