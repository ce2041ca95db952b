//! Deliveries of a partner's own: the list, each one's page, the Authentication tab, and test leads (wire.md D).

mod form;
mod pages;
mod test;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use uuid::Uuid;

use super::{Answer, Body, Partner, Visit, other_method};
use crate::domain::delivery::Delivery;
use crate::domain::ids::DeliveryId;
use crate::services::console::ConsoleError;
use crate::services::deliveries::{self, DeliveryError, Opened};
use crate::views::messages::DeliveryTexts;
use crate::views::{Form, Head, Problem, Tab};
use crate::web::Web;
use crate::web::urls::route;
use crate::web::visitor::Stop;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::CONSOLE_DELIVERIES, get(pages::list).fallback(other_method))
        .route(route::CONSOLE_DELIVERY_NEW, get(form::ask_new).post(form::create).fallback(other_method))
        .route(route::CONSOLE_DELIVERY, get(pages::show).fallback(other_method))
        .route(route::CONSOLE_DELIVERY_EDIT, get(form::ask).post(form::save).fallback(other_method))
        .route(route::CONSOLE_DELIVERY_TEST, get(test::ask).post(test::send).fallback(other_method))
        .route(route::CONSOLE_DELIVERY_DELETE, get(pages::ask_to_delete).post(pages::delete).fallback(other_method))
        .route(route::CONSOLE_EXCHANGE, get(pages::exchange).fallback(other_method))
}

impl Partner {
    fn delivery_text(&self) -> &'static DeliveryTexts {
        &self.messages().deliveries
    }

    /// The user's delivery with this id; another's is not there.
    async fn delivery(&self, id: &str) -> Result<Opened, Stop> {
        let id = Uuid::parse_str(id).map_err(|_| self.refused(Problem::NotFound))?;
        let found = deliveries::find(&self.web().ctx, Some(self.user().id), DeliveryId(id)).await;
        found.map_err(|error| self.delivery_failed(error))
    }

    fn delivery_page(&self, route: &str, delivery: &Delivery) -> String {
        self.web().urls.filled(route, delivery.id)
    }

    /// Where no field of a form is to blame.
    fn delivery_failed(&self, error: DeliveryError) -> Stop {
        match error {
            DeliveryError::Store(error) => self.failed(&ConsoleError::Store(error)),
            DeliveryError::Unknown | DeliveryError::UnknownOwner => self.refused(Problem::NotFound),
            DeliveryError::TooMany | DeliveryError::Changed | DeliveryError::Settings(_) => {
                self.refused(Problem::InvalidRequest)
            }
        }
    }
}

/// The pages of a delivery; `current` is the route of the one that is shown.
fn head(partner: &Partner, delivery: &Delivery, current: &str) -> Head {
    let text = partner.delivery_text();
    let pages = [
        (route::CONSOLE_DELIVERY, text.overview),
        (route::CONSOLE_DELIVERY_EDIT, text.authentication),
        (route::CONSOLE_DELIVERY_TEST, text.test),
    ];
    let tab = |(route, label): (&str, &str)| Tab::new(label, partner.delivery_page(route, delivery), route == current);
    Head { title: delivery.name.clone(), tabs: pages.into_iter().map(tab).collect() }
}

/// Says beside the form what was found out only by the use case. `false` where it is nothing of the kind.
fn refuse(partner: &Partner, form: &mut Form, error: &DeliveryError) -> bool {
    let text = partner.delivery_text();
    match error {
        DeliveryError::Settings(error) => form.refuse(error.field.as_str(), text.wrong_of(*error)),
        DeliveryError::TooMany => form.refuse("", &text.too_many.with(&deliveries::MAX_DELIVERIES.to_string())),
        DeliveryError::Changed => form.refuse("", text.meanwhile),
        _ => return false,
    }
    true
}

const OK: StatusCode = StatusCode::OK;
