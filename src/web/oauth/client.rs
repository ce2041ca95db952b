//! Requests that a client sends itself: a form, with the client's credentials in one of four ways (RFC 6749 section 2.3,
//! RFC 7523 section 2.2), and perhaps a DPoP proof.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest as _, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::super::Web;
use super::super::basic::Basic;
use super::super::error::oauth::{invalid, store_failed, too_many, with_status};
use super::super::error::refused;
use super::super::extract::{self, BodyError, LATE_BODY, Pairs};
use super::super::urls::route;
use super::cors;
use crate::domain::app::App;
use crate::services::oauth::client_auth::{self, Client, ClientAuthError, Credentials, Remembered, Revision};
use crate::services::oauth::dpop::{self, DpopError, DpopRefusal};
use crate::services::oauth::error::{ErrorCode, Invalid};
use crate::services::oauth::token::PARAMETERS;

const DPOP: &str = "dpop";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A request that says of which client it is.
pub struct Claimed {
    pub form: Pairs,
    headers: HeaderMap,
    from: Option<IpAddr>,
    credentials: Credentials,
    tried: OnceLock<Revision>,
}

impl Claimed {
    /// The client as it is remembered, if these are its credentials. A proof of a key is good for one time, and settles
    /// nothing by itself: who brings one is not remembered.
    pub fn remembered(&self, web: &Web) -> Option<Remembered> {
        if self.headers.contains_key(DPOP) {
            return None;
        }
        let remembered = client_auth::remembered(&web.ctx, &self.credentials, self.from)?;
        let _ = self.tried.set(remembered.revision());
        Some(remembered)
    }
}

/// A client's request, read and authenticated.
pub struct ClientRequest {
    pub client: Arc<Client>,
    pub form: Pairs,
    pub headers: HeaderMap,
    pub from: Option<IpAddr>,
    /// What the client was remembered as, where the request was tried so, in vain.
    pub tried: Option<Revision>,
    /// The endpoint that was called.
    endpoint: &'static str,
}

/// Whether pages of other origins may read the answers of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// Those of the client itself.
    Own,
    /// None: it is for clients that can keep a secret, and a page cannot.
    None,
}

/// Reads a request to `endpoint`, authenticates its client, and lets `answer` answer.
pub async fn serve(
    web: &Web,
    endpoint: &'static str,
    pages: Pages,
    request: Request,
    answer: impl AsyncFnOnce(ClientRequest) -> Response,
) -> Response {
    serve_at_once(web, endpoint, pages, request, async |_| None, answer).await
}

/// The same. `at_once` is tried before the client is read: it may answer by the client as it is remembered, where what it asks the
/// database for says in the same step that the client is still like that.
pub async fn serve_at_once(
    web: &Web,
    endpoint: &'static str,
    pages: Pages,
    request: Request,
    at_once: impl AsyncFnOnce(&Claimed) -> Option<Response>,
    answer: impl AsyncFnOnce(ClientRequest) -> Response,
) -> Response {
    let origin = extract::origin(request.headers());
    // On the heap: what is awaited here is large, and the layers around would copy it along.
    let (claimed, response) = Box::pin(serve_unread(web, endpoint, pages, request, at_once, answer)).await;
    match pages {
        Pages::Own => cors::readable(web, origin, claimed.as_deref(), response).await,
        Pages::None => response,
    }
}

/// The answer, and the client that the request names, where `pages` make that matter.
async fn serve_unread(
    web: &Web,
    endpoint: &'static str,
    pages: Pages,
    request: Request,
    at_once: impl AsyncFnOnce(&Claimed) -> Option<Response>,
    answer: impl AsyncFnOnce(ClientRequest) -> Response,
) -> (Option<String>, Response) {
    let (mut head, body) = request.into_parts();
    let from = extract::peer(&head.extensions);
    let (headers, uri) = (std::mem::take(&mut head.headers), std::mem::take(&mut head.uri));
    // The limit of its size hangs on what is left of the head.
    let body = Bytes::from_request(Request::from_parts(head, body), &()).await;
    let form = match read(&headers, uri.query(), body) {
        Ok(form) => form,
        Err(answer) => return (None, *answer),
    };
    let claimed = if pages == Pages::Own { claimed_id(&headers, &form) } else { None };
    let credentials = match credentials(&headers, &form) {
        Ok(credentials) => credentials,
        Err(why) => return (claimed, invalid(why)),
    };
    let request = Claimed { form, headers, from, credentials, tried: OnceLock::new() };
    if let Some(response) = at_once(&request).await {
        return (claimed, response);
    }
    let Claimed { form, headers, from, credentials, tried } = request;
    let tried = tried.into_inner();
    let response = match authenticate(web, endpoint, &credentials, &headers, &form, from).await {
        Ok(client) => answer(ClientRequest { client, form, headers, from, tried, endpoint }).await,
        Err(answer) => *answer,
    };
    (claimed, response)
}

impl ClientRequest {
    pub fn app(&self) -> &App {
        &self.client.app
    }

    /// The key that a DPoP proof shows, where there is one (RFC 9449 section 5).
    pub async fn dpop_jkt(&self, web: &Web) -> Result<Option<String>, Box<Response>> {
        let mut proofs = self.headers.get_all(DPOP).iter();
        let Some(proof) = proofs.next() else { return Ok(None) };
        let url = web.urls.public(self.endpoint);
        let request = dpop::Request { method: "POST", url: &url, access_token: None };
        let checked = match (proofs.next(), proof.to_str()) {
            (None, Ok(proof)) => Box::pin(dpop::check(&web.ctx, &self.app().id, proof, request)).await,
            _ => Err(DpopRefusal::Several.into()),
        };
        match checked {
            Ok(jkt) => Ok(Some(jkt)),
            Err(DpopError::Refused(why)) => {
                refused("oauth/dpop", &why, None);
                let description = "The DPoP proof is not good for this request, or was used before.";
                Err(Box::new(invalid(Invalid::new(ErrorCode::InvalidDpopProof, description))))
            }
            Err(DpopError::Store(error)) => Err(Box::new(store_failed(&error))),
        }
    }
}

/// Reads a form. What belongs into it is refused in the query, where it would be logged and kept (RFC 6749 section 2.3.1).
fn read(headers: &HeaderMap, query: Option<&str>, body: Result<Bytes, BytesRejection>) -> Result<Pairs, Box<Response>> {
    let form = extract::exact_form(headers, body).map_err(|error| {
        Box::new(match error {
            BodyError::TooLarge => {
                with_status(StatusCode::PAYLOAD_TOO_LARGE, Invalid::request("The body is larger than 64 KiB."))
            }
            BodyError::WrongType => {
                invalid(Invalid::request("Send a form: Content-Type: application/x-www-form-urlencoded."))
            }
            BodyError::Malformed => invalid(Invalid::request("The form cannot be read.")),
            BodyError::Late => with_status(error.status(), Invalid::request(LATE_BODY)),
        })
    })?;
    let query = Pairs::of_query(query);
    if query.names().any(|name| PARAMETERS.contains(&name)) {
        return Err(Box::new(invalid(Invalid::request("Parameters belong into the body, not into the address."))));
    }
    Ok(form)
}

/// Whose request it says it is.
pub fn claimed_id(headers: &HeaderMap, form: &Pairs) -> Option<String> {
    match Basic::of(headers) {
        Basic::Credentials { id, .. } => Some(id),
        Basic::None | Basic::Malformed => form.get("client_id").ok().flatten().map(str::to_owned),
    }
}

async fn authenticate(
    web: &Web,
    endpoint: &'static str,
    credentials: &Credentials,
    headers: &HeaderMap,
    form: &Pairs,
    from: Option<IpAddr>,
) -> Result<Arc<Client>, Box<Response>> {
    match client_auth::authenticate(&web.ctx, credentials, &[endpoint, route::TOKEN], from).await {
        Ok(client) => Ok(client),
        Err(ClientAuthError::Refused(why)) => {
            refused(endpoint, &why, None);
            Err(Box::new(unauthenticated(headers, form)))
        }
        Err(ClientAuthError::TooMany(why, span)) => {
            refused(endpoint, &why, None);
            Err(Box::new(too_many(span)))
        }
        Err(ClientAuthError::NotLookedAt(span)) => {
            refused(endpoint, &ClientAuthError::NotLookedAt(span), None);
            Err(Box::new(too_many(span)))
        }
        Err(ClientAuthError::Store(error)) => Err(Box::new(store_failed(&error))),
    }
}

/// One sentence for an unknown client and a wrong credential (rule E7).
const UNAUTHENTICATED: Invalid = Invalid::new(
    ErrorCode::InvalidClient,
    "The client is not known, or its credentials are missing, wrong, or not of its kind.",
);

/// The challenge is for who tried the header, or nothing at all. To who authenticated in the body it would name a scheme
/// that was not used, and some libraries look no further when they see one (RFC 6749 section 5.2).
fn unauthenticated(headers: &HeaderMap, form: &Pairs) -> Response {
    let mut response = invalid(UNAUTHENTICATED);
    let in_body = form.names().any(|name| matches!(name, "client_secret" | "client_assertion"));
    if in_body && Basic::of(headers) == Basic::None {
        response.headers_mut().remove(header::WWW_AUTHENTICATE);
    }
    response
}

/// A client uses no more than one method in each request (RFC 6749 section 2.3).
fn credentials(headers: &HeaderMap, form: &Pairs) -> Result<Credentials, Invalid> {
    if form.repeated(&PARAMETERS).is_some() {
        return Err(crate::domain::pairs::Repeated.into());
    }
    let get = |name: &str| form.get(name).map(|value| value.map(str::to_owned)).map_err(Invalid::from);
    let (id, secret, assertion) = (get("client_id")?, get("client_secret")?, get("client_assertion")?);
    let assertion_type = get("client_assertion_type")?;
    let several = Invalid::request("The client authenticates in more than one way.");
    match (Basic::of(headers), secret, assertion) {
        (Basic::Malformed, ..) => Err(UNAUTHENTICATED),
        (Basic::Credentials { .. }, Some(_), _) | (Basic::Credentials { .. }, _, Some(_)) | (_, Some(_), Some(_)) => {
            Err(several)
        }
        (Basic::Credentials { id: basic, .. }, None, None) if id.as_ref().is_some_and(|id| *id != basic) => {
            Err(Invalid::request("client_id is of another client than the Authorization header."))
        }
        // An empty secret is none (RFC 6749 section 2.3.1).
        (Basic::Credentials { id, secret }, None, None) if secret.is_empty() => Ok(Credentials::Id(id)),
        (Basic::Credentials { id, secret }, None, None) => Ok(Credentials::Secret { id, secret }),
        (Basic::None, Some(secret), None) => {
            let id = id.ok_or(Invalid::request("client_secret is there without a client_id."))?;
            Ok(Credentials::Secret { id, secret })
        }
        (Basic::None, None, Some(assertion)) => {
            if assertion_type.as_deref() != Some(ASSERTION_TYPE) {
                return Err(Invalid::request("The client_assertion_type is missing, or not the one for a JWT."));
            }
            Ok(Credentials::Assertion { id, assertion })
        }
        (Basic::None, None, None) => id.map(Credentials::Id).ok_or(UNAUTHENTICATED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_credentials(authorization: Option<&str>, form: &str) -> Result<Credentials, ErrorCode> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        credentials(&headers, &Pairs::exact(form.as_bytes()).unwrap()).map_err(|invalid| invalid.code)
    }

    #[test]
    fn e3_e5_one_method_for_each_request() {
        // id:secret
        let basic = Some("Basic aWQ6c2VjcmV0");
        let secret = || Credentials::Secret { id: "id".into(), secret: "secret".into() };
        assert_eq!(read_credentials(basic, ""), Ok(secret()));
        assert_eq!(read_credentials(basic, "client_id=id"), Ok(secret()));
        assert_eq!(read_credentials(None, "client_id=id&client_secret=secret"), Ok(secret()));
        assert_eq!(read_credentials(None, "client_id=id"), Ok(Credentials::Id("id".into())));
        assert_eq!(read_credentials(Some("Bearer x"), "client_id=id"), Ok(Credentials::Id("id".into())));
        // id with an empty secret
        assert_eq!(read_credentials(Some("Basic aWQ6"), ""), Ok(Credentials::Id("id".into())));
        for form in ["client_secret=secret", "client_id=id&client_secret=x", "client_assertion=x", "client_id=other"] {
            assert_eq!(read_credentials(basic, form), Err(ErrorCode::InvalidRequest), "{form}");
        }
        assert_eq!(read_credentials(None, "client_id=id&client_assertion=x"), Err(ErrorCode::InvalidRequest));
        assert_eq!(read_credentials(None, "client_id=a&client_id=b"), Err(ErrorCode::InvalidRequest));
        assert_eq!(read_credentials(None, ""), Err(ErrorCode::InvalidClient));
        assert_eq!(read_credentials(Some("Basic ???"), "client_id=id"), Err(ErrorCode::InvalidClient));
    }
}
