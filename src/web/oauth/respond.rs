//! Sending an authorization response to a client (RFC 6749 section 4.1.2): the only place from which a browser is
//! redirected to an address that is not ours, and only to one that was verified.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::super::Web;
use super::super::forms::see_other;
use super::super::page::{self, Kind};
use crate::domain::app::App;
use crate::domain::authorization::{AuthorizationResponse, ResponseMode};
use crate::views::{FormPost, HiddenField, WayBack};

/// 303, so that nothing that was posted is sent on (RFC 9700 section 4.12); or a page that posts the response.
pub fn send(web: &Web, headers: &HeaderMap, app: &App, response: &AuthorizationResponse) -> Response {
    // The code is in the address that follows, or on the page. A form that came with no referrer at all would come with
    // `Origin: null` too, which clients refuse.
    let (mut answer, referrer) = match response.target.mode {
        ResponseMode::Query | ResponseMode::Fragment => (see_other(&response.location()), "no-referrer"),
        ResponseMode::FormPost => {
            let frame = page::frame(web, headers, None);
            let nonce = frame.nonce.clone();
            let view = FormPost {
                page: frame,
                action: response.location(),
                fields: fields(response),
                app_name: app.name.clone(),
            };
            (page::render(Kind::Redirecting, StatusCode::OK, &nonce, &view), "strict-origin")
        }
    };
    answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static(referrer));
    answer
}

fn fields(response: &AuthorizationResponse) -> Vec<HiddenField> {
    response.parameters.iter().map(|(name, value)| HiddenField::new(*name, value)).collect()
}

/// The same response, where the user is to press something first.
impl From<&AuthorizationResponse> for WayBack {
    fn from(response: &AuthorizationResponse) -> Self {
        match response.target.mode {
            ResponseMode::Query | ResponseMode::Fragment => Self::Link(response.location()),
            ResponseMode::FormPost => Self::Form { action: response.location(), fields: fields(response) },
        }
    }
}
