//! The cookies: their names, where they go, and what each is for. All are `HttpOnly`; none holds a token
//! or anything about a person, only a handle.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Web;
use super::urls::route;
use crate::crypto::token::{Handle, HandleKind, sha256};
use crate::domain::ids::AppId;
use crate::domain::origin::Origin;
use crate::domain::session::RESUME_LIFETIME;
use crate::services::login::NewSession;

/// Bytes of a hash that tell names apart.
const NAME_HASH: usize = 9;

fn short_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&sha256(text.as_bytes())[..NAME_HASH])
}

/// What this server's cookies are called. The issuer is part of it: servers on other ports of one host
/// share a cookie jar.
fn name(web: &Web, what: &str) -> String {
    let prefix = if web.urls.is_https() { "__Host-" } else { "" };
    format!("{prefix}leadgate_{what}_{}", short_hash(&web.ctx.issuer))
}

/// A cookie for our own pages.
fn own(web: &Web, what: &str, value: String) -> Cookie<'static> {
    Cookie::build((name(web, what), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(web.urls.is_https())
        .build()
}

/// A cookie that a partner's page sends to us. `Secure` also on plain http: browsers take loopback hosts
/// for secure, and send `SameSite=None` cookies only so.
fn third_party(name: String, value: String, path: String) -> Cookie<'static> {
    Cookie::build((name, value)).path(path).http_only(true).same_site(SameSite::None).secure(true).build()
}

fn button_session_cookie(web: &Web, value: String) -> Cookie<'static> {
    third_party(button_session_name(web), value, web.urls.path(route::BUTTON_RESUME))
}

fn button_session_name(web: &Web) -> String {
    format!("leadgate_button_{}", short_hash(&web.ctx.issuer))
}

/// Does not show the App ID, which has no place on a page. The origin is part of it: partitions are per
/// site, and two origins of one site must not oust each other's handle.
fn resume_name(web: &Web, app: &AppId, origin: &Origin) -> String {
    format!("leadgate_r_{}", short_hash(&format!("{}\0{app}\0{origin}", web.ctx.issuer)))
}

/// The value of a cookie that was sent.
pub fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    CookieJar::from_headers(headers).get(name).map(|cookie| cookie.value().to_owned())
}

pub fn session(web: &Web, headers: &HeaderMap) -> Option<String> {
    read(headers, &name(web, "session"))
}

pub fn browser(web: &Web, headers: &HeaderMap) -> Option<String> {
    read(headers, &name(web, "browser"))
}

/// The browser's own cookie, where it is one of ours.
pub fn browser_handle(web: &Web, headers: &HeaderMap) -> Option<Handle> {
    browser(web, headers).and_then(|cookie| Handle::parse(HandleKind::Browser, &cookie))
}

pub fn button_session(web: &Web, headers: &HeaderMap) -> Option<String> {
    read(headers, &button_session_name(web))
}

pub fn resume_handle(web: &Web, headers: &HeaderMap, app: &AppId, origin: &Origin) -> Option<String> {
    read(headers, &resume_name(web, app, origin))
}

/// Whatever lets the page on top resume a sign-in, for whichever application.
pub fn resume_handles(headers: &HeaderMap) -> Vec<String> {
    let is_handle = |value: &&str| Handle::parse(HandleKind::ResumeHandle, value).is_some();
    CookieJar::from_headers(headers).iter().map(Cookie::value).filter(is_handle).map(str::to_owned).collect()
}

pub fn inspector(web: &Web, headers: &HeaderMap) -> Option<String> {
    read(headers, &name(web, "inspector"))
}

/// The cookie of who looks into the sandbox. No other site's page or link sends it.
pub fn set_inspector(web: &Web, value: String, lifetime: Duration) -> Cookie<'static> {
    let mut session = own(web, "inspector", value);
    session.set_same_site(SameSite::Strict);
    session.set_max_age(cookie::time::Duration::seconds(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)));
    session
}

/// The token of the invitation that is being looked at.
pub fn invitation(web: &Web, headers: &HeaderMap) -> Option<String> {
    read(headers, &name(web, "invitation"))
}

pub fn set_invitation(web: &Web, token: String) -> Cookie<'static> {
    own(web, "invitation", token)
}

/// The same, taken back.
pub fn invitation_over(web: &Web) -> Cookie<'static> {
    let mut gone = own(web, "invitation", String::new());
    gone.make_removal();
    gone
}

/// The cookies of a browser that has just signed in.
pub fn signed_in(web: &Web, session: NewSession) -> [Cookie<'static>; 2] {
    [own(web, "session", session.session), button_session_cookie(web, session.button_session)]
}

/// The same, taken back.
pub fn signed_out(web: &Web) -> [Cookie<'static>; 2] {
    let mut gone = [own(web, "session", String::new()), button_session_cookie(web, String::new())];
    gone.iter_mut().for_each(Cookie::make_removal);
    gone
}

/// Binds a flow, or a login form, to a browser that has not signed in.
pub fn set_browser(web: &Web, value: String) -> Cookie<'static> {
    own(web, "browser", value)
}

/// Lives in the partner's own partition, so that it works where third-party cookies are blocked.
pub fn set_resume(web: &Web, app: &AppId, origin: &Origin, handle: String) -> Cookie<'static> {
    let mut resume = third_party(resume_name(web, app, origin), handle, web.urls.path("/button/"));
    resume.set_partitioned(true);
    let lifetime = i64::try_from(RESUME_LIFETIME.as_secs()).unwrap_or(i64::MAX);
    resume.set_max_age(cookie::time::Duration::seconds(lifetime));
    resume
}

/// Adds `Set-Cookie` headers.
pub fn set(headers: &mut HeaderMap, cookies: impl IntoIterator<Item = Cookie<'static>>) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
            headers.append(header::SET_COOKIE, value);
        }
    }
}
