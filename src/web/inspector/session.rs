//! Who may look into the sandbox with a browser. A session is a cookie that says until when it is good, with a MAC under
//! the sandbox token; nothing of it is stored.
//!
//! What a page of another site could do is made impossible in more than one way: the cookie is `SameSite=Strict`; what the
//! browser says of the sender has to be right; `Host` has to be the issuer's, so that a name that was pointed at this
//! machine for the purpose opens nothing; and a call to the control plane needs a header that no other origin can send
//! without asking first, which is never granted.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::{Extensions, HeaderMap, HeaderName, header};
use axum_extra::extract::cookie::Cookie;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use super::super::{Web, cookies, extract};
use crate::crypto::mac::{MacKey, Purpose};
use crate::crypto::token::sha256;
use crate::domain::origin::is_loopback;

/// Of real time, whatever the sandbox's clock says.
const LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// What the inspector's script sends with every call to the control plane.
const MARK: HeaderName = HeaderName::from_static("leadgate-inspector");
/// What proxies and tunnels add: then the peer's address is theirs.
const FORWARDED: [&str; 11] = [
    "cf-connecting-ip",
    "fly-client-ip",
    "forwarded",
    "ngrok-trace-id",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// The cookie of a new session.
pub fn open(web: &Web) -> Cookie<'static> {
    let until = web.ctx.real_now().plus(LIFETIME).unix_seconds();
    let mac = key(web).map(|key| key.sign(Purpose::Inspector, &message(web, until))).unwrap_or_default();
    cookies::set_inspector(web, format!("{until}.{}", URL_SAFE_NO_PAD.encode(mac)), LIFETIME)
}

/// Whether a request is of a session, and was made by a page of ours or by nobody's.
pub fn is_open(web: &Web, headers: &HeaderMap) -> bool {
    is_from_here(web, headers) && cookies::inspector(web, headers).is_some_and(|cookie| is_good(web, &cookie))
}

/// Whether a request of a session may use the control plane.
pub fn may_call(web: &Web, headers: &HeaderMap) -> bool {
    headers.get(MARK).is_some_and(|value| value == "1") && is_open(web, headers)
}

/// Whether a session is opened without the token: on a developer's own machine, where whoever sits there could read it
/// off the terminal. Both ends of the connection are on this machine, and no proxy is known to stand between.
pub fn may_come_in(web: &Web, headers: &HeaderMap, extensions: &Extensions) -> bool {
    let is_own_machine = Url::parse(web.origin.as_str()).is_ok_and(|url| is_loopback(&url));
    is_own_machine
        && extract::peer(extensions).is_some_and(|peer| peer.is_loopback())
        && !FORWARDED.iter().any(|name| headers.contains_key(*name))
        && is_at_home(web, headers)
}

/// Whether this is the sandbox token. Constant time.
pub fn is_token(web: &Web, given: &str) -> bool {
    let token = web.sandbox_token.as_ref();
    token.is_some_and(|token| verify_slices_are_equal(given.as_bytes(), token.expose().as_bytes()).is_ok())
}

/// Whether the browser came by the issuer's own address.
pub fn is_at_home(web: &Web, headers: &HeaderMap) -> bool {
    let authority = web.origin.as_str().split_once("://").map(|(_, authority)| authority);
    let mut given = headers.get_all(header::HOST).iter();
    let only = given.next().filter(|_| given.next().is_none()).and_then(|host| host.to_str().ok());
    only.zip(authority).is_some_and(|(host, authority)| host.eq_ignore_ascii_case(authority))
}

/// Whether the browser came by the issuer's address, and from nowhere else. An old one does not say from where.
pub fn is_from_here(web: &Web, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    let origin = headers.get(header::ORIGIN);
    is_at_home(web, headers)
        && site.is_none_or(|site| site == "same-origin" || site == "none")
        && origin.is_none_or(|origin| origin == web.origin.as_str())
}

fn key(web: &Web) -> Option<MacKey> {
    web.sandbox_token.as_ref().map(|token| MacKey::new(&sha256(token.expose().as_bytes())))
}

/// Worlds share the sandbox token, and have issuers of their own.
fn message(web: &Web, until: i64) -> Vec<u8> {
    format!("{until}\0{}", web.ctx.issuer).into_bytes()
}

fn is_good(web: &Web, cookie: &str) -> bool {
    let parsed = cookie.split_once('.').and_then(|(until, mac)| {
        let until: i64 = until.parse().ok()?;
        Some((until, URL_SAFE_NO_PAD.decode(mac).ok()?, key(web)?))
    });
    let Some((until, mac, key)) = parsed else { return false };
    key.verify(Purpose::Inspector, &message(web, until), &mac) && web.ctx.real_now().unix_seconds() < until
}
