//! Forms that a browser posts: what is checked before a field is looked at, and where the browser goes then.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::extract::{self, BodyError, Pairs};
use super::{Web, page};
use crate::views::Problem;

/// The answer where a form is not taken.
pub type Refused = Box<Response>;

/// A posted form, after the checks that need no flow.
pub fn posted(web: &Web, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Pairs, Refused> {
    if extract::is_cross_site(headers) {
        return Err(Box::new(page::error(web, headers, None, Problem::FormOutdated, None)));
    }
    extract::form(headers, body).map_err(|error| {
        let problem = match error {
            BodyError::TooLarge => Problem::TooLarge,
            BodyError::WrongType => Problem::UnsupportedMediaType,
            BodyError::Malformed => Problem::InvalidRequest,
            BodyError::Late => Problem::TooSlow,
        };
        Box::new(page::error(web, headers, None, problem, None))
    })
}

/// Longest query that is put into an address: what common proxies let through.
const MAX_QUERY: usize = 8_000;

/// The answer to a form of another site's that a link would do as well as: it came without our cookies (`SameSite=Lax`),
/// which the browser sends when it comes again by such a link. `None` where the form is empty, or too long for that.
pub fn come_by_link(web: &Web, route: &str, form: &Pairs) -> Option<Response> {
    let query = Some(form.to_query()).filter(|query| !query.is_empty() && query.len() <= MAX_QUERY)?;
    Some(see_other(&format!("{}?{query}", web.urls.path(route))))
}

/// The value of a field; a repeated one counts as missing.
pub fn field<'f>(form: &'f Pairs, name: &str) -> &'f str {
    form.get(name).ok().flatten().unwrap_or_default()
}

/// After a form post: 303, so that the credentials are not sent on (RFC 9700 section 4.12).
pub fn see_other(to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
