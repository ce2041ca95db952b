//! What an address that can never match was probably meant to be. People copy addresses out of a browser's address bar, a
//! README or another server's settings; whatever is proposed here can be registered as it is.

use url::{Host, Url};

use super::origin::{Origin, is_loopback};
use super::redirect_uri::RedirectUri;
use super::return_url::{RESERVED, ReturnUrl};

/// Longest text that is looked at, in bytes.
const MAX_TEXT: usize = 4_000;

/// The origin that a text was probably meant to be.
pub fn origin(text: &str) -> Option<Origin> {
    let meant_origin = |text: &str| Origin::of(&meant(text)?).and_then(|origin| Origin::parse(origin.as_str()).ok());
    settled(text, meant_origin, Origin::as_str)
}

/// The address of a page that a text was probably meant to be.
pub fn return_url(text: &str) -> Option<ReturnUrl> {
    settled(text, |text| ReturnUrl::parse(&web(text)?).ok(), ReturnUrl::as_str)
}

/// The redirect URI that a text was probably meant to be. Nobody's domain is guessed for a scheme without one.
pub fn redirect_uri(text: &str) -> Option<RedirectUri> {
    let native = |text: &str| RedirectUri::parse(meant(text)?.as_str()).ok();
    settled(text, |text| native(text).or_else(|| RedirectUri::parse(&web(text)?).ok()), RedirectUri::as_str)
}

/// What is proposed, where that is itself what it was meant to be: of a text that cannot be made sense of at one go
/// nothing is guessed.
fn settled<T: PartialEq>(text: &str, propose: impl Fn(&str) -> Option<T>, as_str: fn(&T) -> &str) -> Option<T> {
    let found = propose(text)?;
    (propose(as_str(&found)).as_ref() == Some(&found)).then_some(found)
}

/// An address of the web, as a browser would write it; plain http only for this machine.
fn web(text: &str) -> Option<String> {
    let mut url = meant(text)?;
    if url.scheme() == "http" && !is_loopback(&url) {
        // A port that speaks http does not speak https.
        url.set_port(None).ok()?;
        url.set_scheme("https").ok()?;
    }
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

/// The text as a URL without what no answer can be sent to: a fragment, a user, a wildcard, parameters of the answer's own.
fn meant(text: &str) -> Option<Url> {
    let text = text.trim().trim_matches(['"', '\'', '`', '<', '>', ',', ';']);
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut url = Url::parse(&with_scheme(text)).ok()?;
    url.set_fragment(None);
    // Neither can be set on a URL without a host, which has none of them.
    let _ = (url.set_username(""), url.set_password(None));
    without_wildcard(&mut url)?;
    without_last_dot(&mut url)?;
    without_reserved_parameters(&mut url);
    Some(url)
}

/// With the scheme that a browser would have left out in its address bar.
fn with_scheme(text: &str) -> String {
    let authority_end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let (authority, _) = text.split_at(authority_end);
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| is_port(port));
    let has_scheme = authority.contains(':') && (text.contains("://") || !has_port);
    if text.starts_with("//") {
        format!("https:{text}")
    } else if authority.is_empty() || has_scheme {
        text.to_owned()
    } else {
        let https = format!("https://{text}");
        let is_local = Url::parse(&https).is_ok_and(|url| is_loopback(&url));
        // A bare word is nobody's host.
        let is_host = authority.contains('.') || has_port;
        match (is_local, is_host) {
            (true, _) => format!("http://{text}"),
            (false, true) => https,
            (false, false) => text.to_owned(),
        }
    }
}

/// `*.a.test` stands for the pages of a domain, of which the domain itself is the likeliest.
fn without_wildcard(url: &mut Url) -> Option<()> {
    let Some(rest) = url.host_str().and_then(|host| host.strip_prefix("*.")) else { return Some(()) };
    let rest = rest.trim_start_matches("*.").to_owned();
    url.set_host(Some(&rest)).ok()
}

/// `a.test.` is `a.test`, spelled as no page's address is.
fn without_last_dot(url: &mut Url) -> Option<()> {
    let host = match url.host() {
        Some(Host::Domain(name)) => name.strip_suffix('.').map(str::to_owned),
        _ => None,
    };
    host.map_or(Some(()), |host| url.set_host(Some(&host)).ok())
}

fn without_reserved_parameters(url: &mut Url) {
    let is_reserved = |name: &str| RESERVED.contains(&name);
    if !url.query_pairs().any(|(name, _)| is_reserved(&name)) {
        return;
    }
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| !is_reserved(name)).collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b6_the_origin_that_was_meant() {
        for (text, nearest) in [
            ("HTTPS://A.test/", Some("https://a.test")),
            ("https://a.test/page?x=1#y", Some("https://a.test")),
            ("https://a.test:443", Some("https://a.test")),
            ("https://a.test.", Some("https://a.test")),
            ("https://user:pass@a.test", Some("https://a.test")),
            ("https://*.a.test", Some("https://a.test")),
            ("*.a.test", Some("https://a.test")),
            ("a.test", Some("https://a.test")),
            ("a.test:8443/x", Some("https://a.test:8443")),
            ("localhost:3000", Some("http://localhost:3000")),
            ("127.0.0.1:3000/x", Some("http://127.0.0.1:3000")),
            ("[::1]:3000", Some("http://[::1]:3000")),
            ("//a.test/x", Some("https://a.test")),
            ("https:a.test", Some("https://a.test")),
            ("https://bücher.example", Some("https://xn--bcher-kva.example")),
            (" 'https://a.test', ", Some("https://a.test")),
            ("localhost", Some("http://localhost")),
            ("*", None),
            ("null", None),
            ("partner", None),
            ("", None),
            ("javascript:alert(1)", None),
            ("file:///etc/passwd", None),
            ("com.example.app:/cb", None),
        ] {
            assert_eq!(origin(text).map(String::from).as_deref(), nearest, "{text}");
        }
    }

    #[test]
    fn b6_the_address_that_was_meant() {
        for (text, nearest) in [
            ("HTTPS://A.test/cb", Some("https://a.test/cb")),
            ("https://a.test/cb#top", Some("https://a.test/cb")),
            ("http://a.test/cb", Some("https://a.test/cb")),
            ("http://a.test:8080/cb", Some("https://a.test/cb")),
            ("http://localhost:80/cb", Some("http://localhost/cb")),
            ("a.test/cb", Some("https://a.test/cb")),
            ("localhost:3000/cb", Some("http://localhost:3000/cb")),
            ("https://u:p@a.test/cb", Some("https://a.test/cb")),
            ("https://*.a.test/cb", Some("https://a.test/cb")),
            ("https://a.test./cb", Some("https://a.test/cb")),
            ("https://a.test/cb?x=1&code=2&state=3", Some("https://a.test/cb?x=1")),
            ("https://a.test/cb?code=2", Some("https://a.test/cb")),
            ("https://a.test/a/../b", Some("https://a.test/b")),
            ("https://a.test/a b", Some("https://a.test/a%20b")),
            ("https:\\\\a.test\\cb", Some("https://a.test/cb")),
            ("javascript:alert(1)", None),
            ("/cb", None),
            ("ftp://a.test/cb", None),
        ] {
            assert_eq!(return_url(text).map(String::from).as_deref(), nearest, "{text}");
            assert_eq!(redirect_uri(text).map(String::from).as_deref(), nearest, "{text}");
        }
        for (text, nearest) in [
            ("com.example.App:/cb", Some("com.example.app:/cb")),
            ("com.example.app:/cb#x", Some("com.example.app:/cb")),
            ("com.example.app://u@host/cb", Some("com.example.app://host/cb")),
            ("myapp:/cb", None),
            ("com.example.app:cb", None),
        ] {
            assert_eq!(redirect_uri(text).map(String::from).as_deref(), nearest, "{text}");
            assert_eq!(return_url(text), None, "{text}");
        }
    }
}
