//! The address that an OAuth client may have its answers sent to (RFC 6749 section 3.1.2): a page of the web, or what a
//! native application listens on (RFC 8252 section 7).

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::origin::Origin;
use super::return_url::{ReturnUrlError, check, is_web};

/// An absolute URI without a fragment, kept exactly as registered: https, http on a loopback host, or a scheme that an
/// application owns because it is a domain's name reversed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// Why a redirect URI cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    #[error(
        "must be https, http on a loopback host (localhost, *.localhost, 127.0.0.0/8, [::1]), \
         or a domain's name reversed, as in com.example.app:/callback"
    )]
    Scheme,
    #[error(transparent)]
    Address(#[from] ReturnUrlError),
}

/// The hosts on which a native application takes any port that is free. RFC 8252 section 7.3 names the two addresses;
/// `localhost`, which its section 8.3 does not recommend, is what developers write.
const NATIVE_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Whether an application can own the scheme (RFC 8252 section 7.1): labels joined by dots. No scheme that a browser
/// acts on itself, as `javascript` and `data`, has a dot.
fn is_private_use(scheme: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    scheme.contains('.') && scheme.split('.').all(is_label)
}

impl RedirectUri {
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        check(text, |url| {
            // Without a path that begins with a slash, much may stand there that no `Location` header can carry.
            let is_native = is_private_use(url.scheme()) && !url.cannot_be_a_base();
            if is_web(url) || is_native { Ok(()) } else { Err(RedirectUriError::Scheme) }
        })?;
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a native application that registered this URI may ask for an answer at `requested`: that is the same,
    /// byte for byte (RFC 9700 section 2.1), but for the port of http on the loopback interface (RFC 8252 section 7.3).
    /// What matches is a redirect URI itself.
    pub fn matches(&self, requested: &str) -> bool {
        self.0 == requested
            || Loopback::of(&self.0).is_some_and(|registered| Loopback::of(requested) == Some(registered))
    }

    /// Whether only the client can get what is sent here. The loopback interface and a private-use scheme belong to
    /// whichever application asks for them first (RFC 8252 section 8.6), so that consent is asked for again (rule C13).
    pub fn is_verifiable(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The origin of the page at this address; a private-use scheme has none.
    pub fn origin(&self) -> Option<Origin> {
        Url::parse(&self.0).ok().and_then(|url| Origin::of(&url))
    }
}

/// An address at which a native application listens, without its port. It is cut out of the text, and never parsed as a
/// URL: a parser would make one text of two.
#[derive(PartialEq, Eq)]
struct Loopback<'a> {
    host: &'static str,
    path_and_query: &'a str,
}

impl<'a> Loopback<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let authority = text.strip_prefix("http://")?;
        let (host, rest) =
            NATIVE_HOSTS.iter().find_map(|host| authority.strip_prefix(host).map(|rest| (*host, rest)))?;
        let path_and_query = match rest.strip_prefix(':') {
            Some(port) => {
                let (port, rest) = port.split_at(port.bytes().take_while(u8::is_ascii_digit).count());
                is_normal_port(port).then_some(rest)?
            }
            None => rest,
        };
        let host_ends = path_and_query.is_empty() || path_and_query.starts_with('/');
        host_ends.then_some(Self { host, path_and_query })
    }
}

/// A port that one can listen on, as browsers write it: without zeros before it, and never http's own.
fn is_normal_port(digits: &str) -> bool {
    !digits.starts_with('0') && digits.parse::<u16>().is_ok_and(|port| port != 80)
}

impl TryFrom<String> for RedirectUri {
    type Error = RedirectUriError;
    fn try_from(text: String) -> Result<Self, RedirectUriError> {
        Self::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> String {
        uri.0
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    #[test]
    fn b6_what_can_be_registered() {
        for good in [
            "https://a.test",
            "https://a.test/cb?tenant=1",
            "http://127.0.0.1:9100/callback",
            "http://[::1]/",
            "http://partner.localhost:1/x",
            "com.example.app:/cb",
            "com.example.app://cb/deep?x=1",
            "com.example-2.app:/",
        ] {
            assert_eq!(RedirectUri::parse(good).map(String::from).as_deref(), Ok(good));
        }
    }

    #[test]
    fn b4_b6_b18_what_cannot_be_registered() {
        let scheme = RedirectUriError::Scheme;
        for (bad, why) in [
            ("http://a.test/cb", &scheme),
            ("javascript:alert(1)", &scheme),
            ("javascript://a.test/%0aalert(1)", &scheme),
            ("data:text/html,x", &scheme),
            ("file:///etc/passwd", &scheme),
            ("vbscript:x", &scheme),
            ("blob:https://a.test/1", &scheme),
            ("about:blank", &scheme),
            ("ftp://a.test/", &scheme),
            ("myapp:/cb", &scheme),
            ("myapp.:/cb", &scheme),
            ("com..app:/cb", &scheme),
            ("com.app-:/cb", &scheme),
            ("com.a+b:/cb", &scheme),
            ("com.example.app:cb", &scheme),
            ("com.example.app:", &scheme),
            ("https://a.test/cb#", &ReturnUrlError::Fragment.into()),
            ("com.example.app:/cb#x", &ReturnUrlError::Fragment.into()),
            ("https://u@a.test/", &ReturnUrlError::Credentials.into()),
            ("com.example.app://u:p@cb/", &ReturnUrlError::Credentials.into()),
            ("https://a.test/cb?x=1&code=2", &ReturnUrlError::ReservedParameter("code".into()).into()),
            ("com.example.app:/cb?st%61te=2", &ReturnUrlError::ReservedParameter("state".into()).into()),
            ("com.example.App:/cb", &ReturnUrlError::NotNormal("com.example.app:/cb".into()).into()),
            ("com.example.app:/a b", &ReturnUrlError::NotNormal("com.example.app:/a%20b".into()).into()),
            ("http://localhost:80/cb", &ReturnUrlError::NotNormal("http://localhost/cb".into()).into()),
            ("http://127.1/cb", &ReturnUrlError::NotNormal("http://127.0.0.1/cb".into()).into()),
            ("/cb", &ReturnUrlError::NotAbsolute.into()),
            ("", &ReturnUrlError::NotAbsolute.into()),
            (&format!("https://a.test/{}", "x".repeat(2_000)), &ReturnUrlError::TooLong.into()),
        ] {
            assert_eq!(RedirectUri::parse(bad).as_ref(), Err(why), "{bad}");
        }
    }

    #[test]
    fn b3_only_the_very_bytes_match() {
        let registered = uri("https://a.test/cb?x=1");
        assert!(registered.matches("https://a.test/cb?x=1"));
        for other in [
            "https://a.test:443/cb?x=1",
            "https://a.test:8443/cb?x=1",
            "HTTPS://a.test/cb?x=1",
            "https://A.test/cb?x=1",
            "https://a.test/CB?x=1",
            "https://a.test/cb/?x=1",
            "https://a.test/cb?x=1&y=2",
            "https://a.test/cb?x=1#",
            "https://a.test/%63b?x=1",
            "https://a.test/./cb?x=1",
            "https://a.test\\cb?x=1",
            "https://u@a.test/cb?x=1",
            "https://a.test/cb;?x=1",
            "https://a.test/cb?x=1\n",
            " https://a.test/cb?x=1",
            "http://a.test/cb?x=1",
            "https://a.test/cb",
            "",
        ] {
            assert!(!registered.matches(other), "{other}");
        }
    }

    #[test]
    fn b5_a_port_of_the_loopback_interface_may_vary() {
        for (registered, requested) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
            ("http://127.0.0.1:9100/cb", "http://127.0.0.1:1/cb"),
            ("http://127.0.0.1:9100/cb", "http://127.0.0.1/cb"),
            ("http://[::1]:9100/cb?x=1", "http://[::1]:65535/cb?x=1"),
            ("http://localhost/", "http://localhost:8080/"),
            ("http://localhost", "http://localhost:8080"),
        ] {
            assert!(uri(registered).matches(requested), "{registered} {requested}");
            assert!(RedirectUri::parse(requested).is_ok(), "{requested}");
        }
    }

    #[test]
    fn b5_nothing_but_the_port_may_vary() {
        let registered = uri("http://localhost:9100/cb");
        for other in [
            "http://localhost.evil.test/cb",
            "http://localhost.evil.test:9100/cb",
            "http://localhost:9100.evil.test/cb",
            "http://localhost:9100@evil.test/cb",
            "http://localhost:@evil.test/cb",
            "http://localhost:9100\\@evil.test/cb",
            "http://localhost?@evil.test/cb",
            "http://evil.test/http://localhost:9100/cb",
            "http://u@localhost:9100/cb",
            "https://localhost:9100/cb",
            "HTTP://localhost:9100/cb",
            "http://LOCALHOST:9100/cb",
            "http://127.0.0.1:9100/cb",
            "http://[::1]:9100/cb",
            "http://localhost:/cb",
            "http://localhost:0/cb",
            "http://localhost:80/cb",
            "http://localhost:09100/cb",
            "http://localhost:+9100/cb",
            "http://localhost:65536/cb",
            "http://localhost:99999999999999999999/cb",
            "http://localhost:9100:1/cb",
            "http://localhost:9101/cb/",
            "http://localhost:9101/cb?x",
            "http://localhost:9101/cb#",
            "http://localhost:9101/CB",
            "http://localhost:9101/x/../cb",
            "http://localhost:9101",
            "http://localhost:9\t101/cb",
            "http://localhost:\u{664}/cb",
        ] {
            assert!(!registered.matches(other), "{other}");
        }
        // Other names of this machine are somebody's choice, and keep their port.
        assert!(!uri("http://partner.localhost:1/cb").matches("http://partner.localhost:2/cb"));
        assert!(!uri("http://127.0.0.2:1/cb").matches("http://127.0.0.2:2/cb"));
        assert!(!uri("https://localhost:1/cb").matches("https://localhost:2/cb"));
        assert!(!uri("com.example.app://localhost:1/cb").matches("com.example.app://localhost:2/cb"));
    }

    #[test]
    fn c13_only_https_is_known_to_reach_the_client() {
        for (text, is_verifiable, origin) in [
            ("https://a.test/cb", true, Some("https://a.test")),
            ("http://127.0.0.1:9100/cb", false, Some("http://127.0.0.1:9100")),
            ("com.example.app://cb/", false, None),
        ] {
            let uri = uri(text);
            assert_eq!(uri.is_verifiable(), is_verifiable, "{text}");
            assert_eq!(uri.origin().as_ref().map(Origin::as_str), origin, "{text}");
        }
    }
}
