//! What is true of each parser, whatever it is given. The fuzz targets (`fuzz/`) share this file.

use std::net::IpAddr;
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leadgate::crypto::digest::{Credentials, nonce_count};
use leadgate::crypto::token::{Handle, HandleKind};
use leadgate::domain::auth_params::{AuthParams, MAX_PARAMS, MAX_VALUE, quoted};
use leadgate::domain::button::{Button, Size, Theme};
use leadgate::domain::field_value;
use leadgate::domain::flow::HandOver;
use leadgate::domain::ids::{AppId, ButtonId};
use leadgate::domain::jsonp::Callback;
use leadgate::domain::lead::{LeadRefusal, MAX_IN_REQUEST, MAX_LEADS, PostError, Posted, ResponseType};
use leadgate::domain::lead_query::LeadQuery;
use leadgate::domain::nearest_address;
use leadgate::domain::origin::Origin;
use leadgate::domain::proxies::{Proxies, ProxyHeader};
use leadgate::domain::redirect_uri::RedirectUri;
use leadgate::domain::return_url::ReturnUrl;
use leadgate::domain::scope::{MAX_REQUESTED, RequestedScopeError, Scope, ScopeSet};
use leadgate::domain::timestamp::Timestamp;
use leadgate::images::{self, PictureError, SIDE};
use leadgate::services::sign_in::{self, Click};
use leadgate::web::basic::Basic;
use leadgate::web::cookies;
use leadgate::web::extract::{Bearer, Pairs, Repeated};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// Of a URI that somebody tries to register, and one that somebody asks for.
pub fn of_redirect_uri(registered: &str, requested: &str) {
    let Ok(uri) = RedirectUri::parse(registered) else { return };
    assert_eq!(uri.as_str(), registered);
    assert!(registered.bytes().all(|byte| byte.is_ascii_graphic()), "a Location header carries it as it is");
    let url = Url::parse(registered).unwrap();
    assert!(url.fragment().is_none() && url.username().is_empty() && url.password().is_none());
    assert!(["https", "http"].contains(&url.scheme()) || url.scheme().contains('.'));
    let other_port = || RedirectUri::parse(requested).is_ok_and(|_| differ_by_port(&url, requested));
    // Only an address without a path has two normal forms.
    let same_end = registered.ends_with('/') == requested.ends_with('/');
    let expected = registered == requested || same_end && other_port();
    assert_eq!(uri.matches(requested), expected, "{registered:?} {requested:?}");
}

/// Whether the two are equal but for a port of the loopback interface, as a parser of URLs sees them.
fn differ_by_port(registered: &Url, requested: &str) -> bool {
    let (mut one, mut other) = (registered.clone(), Url::parse(requested).unwrap());
    let can_vary = one.scheme() == "http" && ["127.0.0.1", "[::1]", "localhost"].contains(&one.host_str().unwrap());
    let can_listen = one.port() != Some(0) && other.port() != Some(0);
    can_vary && can_listen && one.set_port(None).is_ok() && other.set_port(None).is_ok() && one == other
}

/// Of the scope that somebody asks for.
pub fn of_scope(text: &str) {
    let names = || text.split(' ').filter(|name| !name.is_empty());
    let follows_grammar = text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte));
    match ScopeSet::requested(text) {
        Ok(set) => {
            assert!(follows_grammar && !set.is_empty());
            assert!(names().all(|name| set.iter().any(|scope| scope.as_str() == name)));
            assert!(set.iter().all(|scope| names().any(|name| scope.as_str() == name)));
            assert_eq!(ScopeSet::requested(&set.to_string()), Ok(set));
        }
        Err(RequestedScopeError::TooLong) => assert!(text.len() > MAX_REQUESTED),
        Err(RequestedScopeError::Malformed) => assert!(!follows_grammar || names().next().is_none()),
        Err(RequestedScopeError::Unknown) => {
            assert!(follows_grammar && names().any(|name| Scope::parse(name).is_err()));
        }
    }
}

/// Of the value of an `Authorization` header.
pub fn of_basic(value: &[u8]) {
    let basic = Basic::parse(value);
    let is_basic = value.split(|byte| *byte == b' ').next().unwrap().eq_ignore_ascii_case(b"basic");
    assert_eq!(basic == Basic::None, !is_basic);
    if let Basic::Credentials { id, secret } = &basic {
        assert!(!id.is_empty() && ![id, secret].iter().any(|text| text.contains(char::is_control)));
        let again = authorization(id, secret);
        // Encoding what need not be encoded can make it too long.
        assert!(again.len() > 8 * 1024 || Basic::parse(again.as_bytes()) == basic);
        assert_eq!(format!("{basic:?}"), "Credentials(…)");
    }
}

/// Of what stands in a header that tells of a client's address.
pub fn of_forwarded(text: &str) {
    const PROXY: [u8; 4] = [10, 0, 0, 1];
    const CLIENT: &str = "203.0.113.9";
    for (header, element) in [(ProxyHeader::XForwardedFor, String::new()), (ProxyHeader::Forwarded, "for=".to_owned())]
    {
        let proxies = Proxies { trusted: "10.0.0.0/8".parse().unwrap(), header };
        let seen = |peer: [u8; 4], lines: &[&str]| proxies.client_of(peer.into(), lines.iter().copied());
        assert_eq!(seen([192, 0, 2, 7], &[text]), IpAddr::from([192, 0, 2, 7]), "who is no proxy is itself");
        // Whatever stands there, what a proxy of ours appends counts.
        let appended = format!("{text}, {element}{CLIENT}");
        let added = format!("{element}{CLIENT}");
        for lines in [&[appended.as_str()][..], &[text, &added]] {
            assert_eq!(seen(PROXY, lines).to_string(), CLIENT);
        }
        let _ = seen(PROXY, &[text]);
    }
}

/// The header as RFC 6749 section 2.3.1 has it written.
pub fn authorization(id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

/// Of the body of a form.
pub fn of_form(body: &[u8]) {
    let forgiving = Pairs::parse(body);
    of_repeats(&forgiving);
    match Pairs::exact(body) {
        Ok(exact) => {
            of_repeats(&exact);
            assert!(exact.names().eq(forgiving.names()));
            assert!(exact.names().all(|name| exact.get(name) == forgiving.get(name)), "two readings of {body:?}");
        }
        Err(_) => assert!(body.iter().any(|byte| *byte == b'%' || !byte.is_ascii())),
    }
}

fn of_repeats(pairs: &Pairs) {
    let names: Vec<&str> = pairs.names().collect();
    let is_repeated = |name: &&str| names.iter().filter(|other| *other == name).count() > 1;
    assert_eq!(pairs.repeated(&names), names.iter().find(|name| is_repeated(name)).copied());
    assert!(names.iter().all(|name| (pairs.get(name) == Err(Repeated)) == is_repeated(name)));
}

/// Of an address that somebody typed: what is proposed in its place can be registered, and nothing better is proposed for it.
pub fn of_address(text: &str) {
    if let Some(origin) = nearest_address::origin(text) {
        assert_eq!(Origin::parse(origin.as_str()).as_ref(), Ok(&origin));
        assert_eq!(nearest_address::origin(origin.as_str()), Some(origin));
    }
    if let Some(url) = nearest_address::return_url(text) {
        assert_eq!(ReturnUrl::parse(url.as_str()).as_ref(), Ok(&url));
        assert_eq!(nearest_address::return_url(url.as_str()), Some(url));
    }
    if let Some(uri) = nearest_address::redirect_uri(text) {
        assert_eq!(RedirectUri::parse(uri.as_str()).as_ref(), Ok(&uri));
        assert_eq!(nearest_address::redirect_uri(uri.as_str()), Some(uri));
    }
}

/// Of a file that somebody uploads as a picture.
pub fn of_picture(file: &[u8]) {
    let is_known =
        file.starts_with(b"\x89PNG\r\n\x1a\n") || file.starts_with(b"RIFF") && file.get(8..12) == Some(b"WEBP");
    match images::to_png(file) {
        Ok(png) => {
            assert!(is_known);
            // The header of a PNG is the first of its chunks.
            let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
            assert!((1..=SIDE).contains(&side(16)) && (1..=SIDE).contains(&side(20)));
            assert_eq!(images::to_png(&png).as_ref(), Ok(&png), "what we write is taken, and stays as it is");
        }
        Err(PictureError::OtherFormat) => assert!(!is_known),
        Err(_) => assert!(is_known || file.len() > images::MAX_BYTES),
    }
}

/// Of a body that is posted to the lead receiver.
pub fn of_leads(body: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return };
    let posted = match Posted::read(&body) {
        Ok(posted) => posted,
        Err(error) => {
            assert!(error != PostError::NoObject || !body.is_object());
            assert!(error.description().ends_with('.'));
            return;
        }
    };
    let leads = body.as_object().unwrap().iter().find(|(name, _)| name.eq_ignore_ascii_case("leads")).unwrap().1;
    assert_eq!(posted.leads.len(), leads.as_array().unwrap().len(), "an answer for each");
    assert!(posted.leads.len() <= MAX_IN_REQUEST);
    for id in [posted.source.lead_type, posted.source.source].into_iter().flatten() {
        assert!((1..=i64::from(u32::MAX)).contains(&id));
    }
    for (nth, (lead, sent)) in posted.leads.iter().zip(leads.as_array().unwrap()).enumerate() {
        match lead {
            Ok(draft) => {
                assert!(nth < MAX_LEADS && sent.is_object() && !draft.fields.is_empty());
                for (name, value) in &draft.fields {
                    assert!(!value.is_array() && !value.is_object());
                    assert_eq!(
                        field_value::find(&draft.fields, &name.to_ascii_uppercase()),
                        Some(value),
                        "one of each name"
                    );
                }
            }
            Err(LeadRefusal::TooMany) => assert!(nth >= MAX_LEADS),
            Err(why) => {
                assert_eq!(why.response_type(), ResponseType::DataErrors);
                assert!(!why.detail().is_empty() && why.detail().len() < 50_000);
            }
        }
    }
}

/// Of a body that is posted to the data query, and a lead that it may be about.
pub fn of_lead_query(body: &[u8], lead: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return };
    let Ok(query) = LeadQuery::read(&body) else { return };
    assert!(query.from < query.until && (1..=1_000).contains(&query.take));
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(lead) else { return };
    assert!(query.looks_into_fields() || query.matches(&fields), "what asks nothing finds all");
    assert_eq!(query.place(&fields), query.place(&fields));
    let shown = query.shown(fields.clone());
    assert!(
        shown
            .iter()
            .all(|(name, value)| field_value::find(&fields, name).is_some() && fields.values().any(|own| own == value))
    );
}

/// Of the value of an `Authorization` or a `WWW-Authenticate` field.
pub fn of_auth_params(value: &[u8]) {
    let read = Credentials::parse(value);
    if let Ok(credentials) = &read {
        assert!(AuthParams::credentials(value).is_ok_and(|params| params.is("digest")));
        assert!(credentials.nc.as_deref().and_then(nonce_count) != Some(0));
        assert_eq!(format!("{credentials:?}"), "Credentials(…)");
    }
    let Ok(found) = AuthParams::challenges(value) else {
        assert!(read.is_err());
        return;
    };
    assert!(value.len() <= MAX_VALUE);
    for one in &found {
        assert!(one.iter().count() <= MAX_PARAMS);
        // Written down again it is read as the same.
        let params: Vec<_> = one.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        let written = format!("{} {}", one.scheme, params.join(", "));
        if written.len() <= MAX_VALUE {
            assert_eq!(AuthParams::credentials(written.as_bytes()).as_ref(), Ok(one));
        }
    }
}

/// Of the query that asks for JSONP.
pub fn of_jsonp(query: &[u8]) {
    let query = Pairs::parse(query);
    let asks = query.names().any(|name| name == "callback" || name.starts_with("callback["));
    match Callback::of(&query) {
        Ok(None) => assert!(!asks),
        Ok(Some(callback)) => {
            let parts: Vec<&str> = callback.as_str().split('.').collect();
            assert!(asks && parts.len() <= 5);
            for part in parts {
                assert!((1..=64).contains(&part.len()) && !part.starts_with(|first: char| first.is_ascii_digit()));
                assert!(part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(&byte)));
            }
        }
        Err(_) => assert!(asks),
    }
}

/// Of the value of a `Cookie` header.
pub fn of_cookies(value: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let pairs = value.to_str().map_or(0, |text| text.split(';').count());
    let named = value.to_str().is_ok_and(|text| text.contains("leadgate_session") || text.contains('%'));
    let headers = HeaderMap::from_iter([(header::COOKIE, value)]);
    assert!(cookies::read(&headers, "leadgate_session").is_none() || named);
    let handles = cookies::resume_handles(&headers);
    assert!(handles.len() <= pairs);
    assert!(handles.iter().all(|text| Handle::parse(HandleKind::ResumeHandle, text).is_some()));
}

/// Of the value of an `Authorization` header, as whoever takes one scheme sees it: it is of one scheme at most.
pub fn of_authorization(value: &[u8]) {
    let Ok(header) = HeaderValue::from_bytes(value) else { return };
    let once = HeaderMap::from_iter([(header::AUTHORIZATION, header.clone())]);
    let bearer = Bearer::of(&once);
    if let Bearer::Token(token) | Bearer::Dpop(token) = &bearer {
        assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(!format!("{bearer:?}").contains(token.as_str()) || token.len() < 6);
    }
    let schemes = [
        matches!(bearer, Bearer::Token(_) | Bearer::Dpop(_)),
        matches!(Basic::parse(value), Basic::Credentials { .. }),
        Credentials::parse(value).is_ok(),
    ];
    assert!(schemes.iter().filter(|is_it| **is_it).count() <= 1);
    let mut twice = once;
    twice.append(header::AUTHORIZATION, header);
    assert_eq!(Bearer::of(&twice), Bearer::Malformed);
}

/// A button that clicks are judged by.
static BUTTON: LazyLock<Button> = LazyLock::new(|| Button {
    id: ButtonId::parse("btn").unwrap(),
    app: AppId::parse("app").unwrap(),
    origins: ["https://a.test", "https://b.test"].map(|origin| Origin::parse(origin).unwrap()).into(),
    return_urls: ["https://a.test/back?x=1", "https://b.test/"].map(|url| ReturnUrl::parse(url).unwrap()).into(),
    scopes: None,
    theme: Theme::default(),
    size: Size::default(),
    created_at: Timestamp::from_unix_seconds(0),
});

/// Of the parameters of a click on a button.
pub fn of_click(query: &[u8]) {
    let Ok(click) = Click::of(&Pairs::parse(query)) else { return };
    let (state, asked) = (click.state.clone(), click.return_to.clone());
    let Ok(request) = sign_in::check(&BUTTON, click) else { return };
    assert!(BUTTON.origins.contains(&request.origin));
    assert!(state.as_ref() == Some(&request.state) && (1..=512).contains(&request.state.len()));
    assert!(request.code_challenge.len() == 43 && request.code_challenge.is_ascii());
    assert!(request.lang.is_none_or(|lang| lang.chars().count() <= 35));
    assert!(request.mode == HandOver::Popup || request.return_to.is_some());
    if let Some(url) = request.return_to {
        assert!(BUTTON.return_urls.contains(&url) && asked.as_deref() == Some(url.as_str()));
        assert_eq!(url.origin().as_ref(), Some(&request.origin), "nobody is led to another's page");
    }
}
