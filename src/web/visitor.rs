//! Who is in front of a page that is for somebody: the login form in its place, which leads back to it, and what every
//! form of such a page goes through.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Uri};
use axum::response::{IntoResponse, Response};

use super::error::failed_page;
use super::extract::{self, Pairs};
use super::forms::{Refused, field, posted as posted_form, see_other};
use super::login::{NotSignedIn, browser, login_answer, login_failed, offered, sign_in as sign_in_by, signed_in};
use super::page::{self, Kind};
use super::urls::{self, route};
use super::{Web, cookies};
use crate::crypto::token::{Handle, HandleKind};
use crate::services::audit::{Acting, By};
use crate::services::csrf;
use crate::services::login::{self, SignedIn};
use crate::store::StoreError;
use crate::views::{self, Login, Problem};

/// The pages that a login leads back to, by the first word of their addresses.
const PLACES: [&str; 4] = ["account", "admin", "console", "settings"];
/// Longest query that is kept for the way back, in bytes.
const MAX_QUERY: usize = 500;

/// A page of ours that a login leads back to. It is read as a path that is one of our own routes, never as an address
/// (rule C11).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place(String);

impl Default for Place {
    fn default() -> Self {
        Self(route::ACCOUNT.to_owned())
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
        let first = path.strip_prefix('/')?.split('/').next()?;
        if !PLACES.contains(&first) || !urls::is_plainly_ours(path) {
            return None;
        }
        let is_harmless = |query: &&str| query.len() <= MAX_QUERY && query.bytes().all(is_of_query);
        Some(Self(match query.filter(is_harmless) {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }))
    }

    fn of(web: &Web, uri: &Uri) -> Self {
        let path = urls::below(web.urls.base(), uri.path());
        let text = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        Self::parse(&text).unwrap_or_default()
    }
}

/// Names and values that need no encoding: nothing that some reader could take for more than a query.
fn is_of_query(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~=&".contains(&byte)
}

/// What a page for somebody answers: `?` ends a request early.
pub type Answer = Result<Response, Stop>;

/// The answer where there is nothing to go on with.
pub struct Stop(Refused);

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self(refused)
    }
}

impl From<Response> for Stop {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

/// Who is signed in; else the login form, which leads back to `uri`. For pages that are asked for with GET.
pub async fn require(web: &Web, headers: &HeaderMap, uri: &Uri) -> Result<SignedIn, Refused> {
    match signed_in(web, headers).await? {
        Some(signed_in) => Ok(signed_in),
        None => Err(Box::new(login_page(web, headers, &Place::of(web, uri), "", None).await)),
    }
}

/// A form that only somebody signed in can post: who it is and what it says, once session and CSRF token are right.
pub async fn posted(
    web: &Web,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(SignedIn, Pairs), Refused> {
    let form = posted_form(web, headers, body)?;
    let signed_in = proven(web, headers, field(&form, "csrf")).await?;
    Ok((signed_in, form))
}

/// The same for a form that was read otherwise, once [`extract::is_cross_site`] was asked.
pub async fn proven(web: &Web, headers: &HeaderMap, token: &str) -> Result<SignedIn, Refused> {
    signed_in(web, headers)
        .await?
        .filter(|signed_in| csrf::is_valid(&web.ctx, &signed_in.handle, token))
        .ok_or_else(|| Box::new(page::error(web, headers, None, Problem::FormOutdated, None)))
}

/// To change something in the name of who is signed in.
pub fn acting<'w>(web: &'w Web, signed_in: &SignedIn, extensions: &Extensions) -> Acting<'w> {
    web.ctx.acting(By::user(&signed_in.user, extract::peer(extensions)))
}

/// Somebody who is signed in and asks for a page.
pub struct Visit {
    pub web: Arc<Web>,
    pub headers: HeaderMap,
    pub uri: Uri,
    pub extensions: Extensions,
    pub signed_in: SignedIn,
}

/// Somebody who posted a form of such a page, and what it says.
pub struct Posted {
    pub visit: Visit,
    pub form: Pairs,
}

impl FromRequestParts<Arc<Web>> for Visit {
    type Rejection = Stop;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Stop> {
        let signed_in = require(web, &parts.headers, &parts.uri).await?;
        Ok(Self::of(web, parts, signed_in))
    }
}

impl FromRequest<Arc<Web>> for Posted {
    type Rejection = Stop;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Stop> {
        let (parts, body) = request.into_parts();
        // With its extensions, among which is how much of it is read.
        let body = Bytes::from_request(Request::from_parts(parts.clone(), body), web).await;
        let (signed_in, form) = posted(web, &parts.headers, body).await?;
        Ok(Self { visit: Visit::of(web, &parts, signed_in), form })
    }
}

impl Visit {
    fn of(web: &Arc<Web>, parts: &Parts, signed_in: SignedIn) -> Self {
        let (headers, uri, extensions) = (parts.headers.clone(), parts.uri.clone(), parts.extensions.clone());
        Self { web: web.clone(), headers, uri, extensions, signed_in }
    }

    /// To change something in this user's name.
    pub fn acting(&self) -> Acting<'_> {
        acting(&self.web, &self.signed_in, &self.extensions)
    }

    /// A value of the address's query; empty where there is none.
    pub fn asked(&self, name: &str) -> String {
        field(&Pairs::of_query(self.uri.query()), name).to_owned()
    }

    /// What is not there, or is another's.
    pub fn nothing_here(&self) -> Stop {
        page::error(&self.web, &self.headers, None, Problem::NotFound, None).into()
    }

    pub fn failed(&self, error: &StoreError) -> Stop {
        failed_page(&self.web, &self.headers, error).into()
    }
}

/// Somebody unknown who is shown a form: its CSRF token is bound to the browser's own cookie.
pub struct Guest {
    handle: Handle,
    is_new: bool,
}

impl Guest {
    pub fn of(web: &Web, headers: &HeaderMap) -> Self {
        let known = cookies::browser_handle(web, headers);
        let is_new = known.is_none();
        Self { handle: known.unwrap_or_else(|| web.ctx.mint(web.ctx.now())), is_new }
    }

    pub fn csrf(&self, web: &Web) -> String {
        csrf::token(&web.ctx, &self.handle)
    }

    /// Sets the cookie where the browser has none yet.
    pub fn keep(&self, web: &Web, mut response: Response) -> Response {
        if self.is_new {
            let cookie = cookies::set_browser(web, self.handle.encode(HandleKind::Browser));
            cookies::set(response.headers_mut(), [cookie]);
        }
        response
    }
}

/// Whether a form was served to this browser, whoever uses it.
pub fn is_guests_own(web: &Web, headers: &HeaderMap, form: &Pairs) -> bool {
    let browser = cookies::browser_handle(web, headers);
    browser.is_some_and(|browser| csrf::is_valid(&web.ctx, &browser, field(form, "csrf")))
}

async fn login_page(
    web: &Web,
    headers: &HeaderMap,
    next: &Place,
    email: &str,
    error: Option<views::LoginError>,
) -> Response {
    let users = match login::offered_users(&web.ctx).await {
        Ok(users) => users,
        Err(error) => return failed_page(web, headers, &error),
    };
    let guest = Guest::of(web, headers);
    let frame = page::frame(web, headers, None);
    let (nonce, lang) = (frame.nonce.clone(), frame.lang);
    let view = Login {
        page: frame,
        handover: None,
        action: web.urls.path(route::ACCOUNT_LOGIN),
        csrf: guest.csrf(web),
        app_name: None,
        next: Some(next.0.clone()).filter(|_| *next != Place::default()),
        sign_up: web.ctx.sandbox.then(|| web.urls.path(route::SIGN_UP)),
        email: email.to_owned(),
        error,
        users: offered(&users, lang),
    };
    guest.keep(web, login_answer(Kind::Plain, error, &nonce, &view))
}

/// `POST /account/login`, wherever the form was shown.
pub async fn sign_in(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match posted_form(&web, &headers, body) {
        Ok(form) => form,
        Err(answer) => return *answer,
    };
    let next = Place::parse(field(&form, "next")).unwrap_or_default();
    let email = field(&form, "email");
    if !is_guests_own(&web, &headers, &form) {
        return login_page(&web, &headers, &next, email, Some(views::LoginError::FormOutdated)).await;
    }
    let before = match signed_in(&web, &headers).await {
        Ok(before) => before,
        Err(answer) => return *answer,
    };
    match sign_in_by(&web, &form, &browser(&headers, &extensions), before.as_ref()).await {
        Ok(session) => {
            let mut response = see_other(&web.urls.path(&next.0));
            cookies::set(response.headers_mut(), cookies::signed_in(&web, session));
            response
        }
        Err(NotSignedIn::Again(error)) => login_page(&web, &headers, &next, email, Some(error)).await,
        Err(NotSignedIn::Failed(error)) => login_failed(&web, &headers, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c11_a_way_back_is_one_of_our_own_pages() {
        for (good, kept) in [
            ("/account", "/account"),
            ("/account?ended=1", "/account?ended=1"),
            ("/account?to=//evil.example", "/account"),
            ("/account?to=%2F%2Fevil.example", "/account"),
            ("/account?a=\r\nLocation:x", "/account"),
        ] {
            assert_eq!(Place::parse(good), Some(Place(kept.to_owned())), "{good}");
        }
        for bad in [
            "",
            "/",
            "account",
            "//evil.example",
            "//evil.example/account",
            "/\\evil.example",
            "https:evil.example",
            "https://evil.example/account",
            "%2F%2Fevil.example",
            "javascript:alert(1)",
            "/account@evil.example",
            "/account/../logout",
            "/account//evil.example",
            "/account\\evil.example",
            "/account/nothing/here",
            "/account#x",
            "/logout",
            "/oauth/authorize?redirect_uri=x",
        ] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
