//! Whose word about a client's address is believed: that of the operator's own reverse proxies, each of which adds whom it
//! was asked by. A header that anybody else sends counts for nothing.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

/// What the list may be, for messages.
pub const EXPECTED: &str = "the addresses or networks of your own reverse proxies (`10.0.0.0/8, ::1`), separated by \
                            commas; or `none`";
/// Longest list, in entries.
const MAX_ENTRIES: usize = 200;
/// Hops that are looked at.
const MAX_HOPS: usize = 32;

/// The reverse proxies that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text that is no list of proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxiesError {
    #[error("found {0:?}")]
    Entry(String),
    #[error("found {0}, which is everybody: whoever reaches the server could then write any address into its log")]
    Everybody(IpNet),
    #[error("found more than {MAX_ENTRIES} entries")]
    TooMany,
}

impl FromStr for TrustedProxies {
    type Err = ProxiesError;

    fn from_str(text: &str) -> Result<Self, ProxiesError> {
        if text.trim() == "none" {
            return Ok(Self::default());
        }
        let entries: Vec<&str> = text.split(',').map(str::trim).collect();
        if entries.len() > MAX_ENTRIES {
            return Err(ProxiesError::TooMany);
        }
        let networks = entries.into_iter().map(|entry| {
            let alone = || entry.parse().ok().map(|address: IpAddr| IpNet::from(address.to_canonical()));
            let network: IpNet =
                entry.parse().ok().or_else(alone).ok_or_else(|| ProxiesError::Entry(entry.to_owned()))?;
            if network.prefix_len() == 0 { Err(ProxiesError::Everybody(network)) } else { Ok(network) }
        });
        Ok(Self(networks.collect::<Result<_, _>>()?))
    }
}

impl TrustedProxies {
    /// Whether no proxy is believed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address, where `peer` is the other end of the connection and `hops` is whom each proxy says it was asked
    /// by, the nearest first. The first that is no proxy of ours is the client: what stands before it, the client may have
    /// written. Where a proxy does not tell an address, its own is all that is known.
    fn client_of(&self, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut nearest = peer;
        for hop in hops.take(MAX_HOPS) {
            if !self.contains(nearest) {
                break;
            }
            match hop {
                Some(hop) => nearest = hop,
                None => break,
            }
        }
        nearest
    }
}

/// The operator's reverse proxies, and what they write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies {
    pub trusted: TrustedProxies,
    pub header: ProxyHeader,
}

impl Proxies {
    /// Whether `peer` is one of them, so that what it says of a request is believed.
    pub fn are_believed(&self, peer: IpAddr) -> bool {
        self.trusted.contains(peer)
    }

    /// The client's address, where `lines` are the values of [`ProxyHeader::name`] in the order of the request.
    pub fn client_of<'l>(&self, peer: IpAddr, lines: impl DoubleEndedIterator<Item = &'l str> + 'l) -> IpAddr {
        self.trusted.client_of(peer, self.header.hops(lines))
    }
}

/// Which header the proxies write. One alone is read: of the other, a proxy may hand on what a client made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239)
    Forwarded,
}

impl ProxyHeader {
    /// Its name, as HTTP libraries write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// Whom the proxies were asked by, the nearest first. `lines` are the header's values in the order of the request.
    fn hops<'l>(
        self,
        lines: impl DoubleEndedIterator<Item = &'l str> + 'l,
    ) -> impl Iterator<Item = Option<IpAddr>> + 'l {
        lines.rev().flat_map(|line| line.rsplit(',')).map(move |element| match self {
            Self::XForwardedFor => address(element.trim()),
            Self::Forwarded => address(forwarded_for(element)?),
        })
    }
}

/// The node of an element's one `for` (RFC 7239 section 4). A comma or a semicolon inside quotes is in no address, so what
/// it spoils was none.
fn forwarded_for(element: &str) -> Option<&str> {
    let mut nodes = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let node = nodes.next()?;
    if nodes.next().is_some() {
        return None;
    }
    match node.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"'),
        None => Some(node),
    }
}

/// An address, perhaps with a port, as proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text).parse().ok();
    let with_port = || text.parse().ok().map(|socket: SocketAddr| socket.ip());
    bare().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(proxies: &str, header: ProxyHeader, peer: &str, lines: &[&str]) -> String {
        let proxies: TrustedProxies = proxies.parse().unwrap();
        proxies.client_of(peer.parse().unwrap(), header.hops(lines.iter().copied())).to_string()
    }

    #[test]
    fn c10_only_a_proxy_of_ours_is_believed() {
        let seen = |proxies, peer, lines: &[&str]| seen(proxies, ProxyHeader::XForwardedFor, peer, lines);
        assert_eq!(seen("none", "10.0.0.1", &["203.0.113.9"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.2", "10.0.0.1", &["203.0.113.9"]), "10.0.0.1", "another one's header");
        assert_eq!(seen("10.0.0.0/8", "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.0/8", "10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(
            seen("10.0.0.0/8", "10.0.0.1", &["198.51.100.1, 203.0.113.9"]),
            "203.0.113.9",
            "made up by the client"
        );
        assert_eq!(seen("10.0.0.0/8", "10.0.0.1", &["198.51.100.1", "203.0.113.9, 10.0.0.7"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.0/8", "10.0.0.1", &["10.0.0.9,10.0.0.7"]), "10.0.0.9", "nobody from outside");
        assert_eq!(seen("10.0.0.0/8, 192.0.2.0/24", "10.0.0.1", &["203.0.113.9 , 192.0.2.5"]), "203.0.113.9");
        assert_eq!(seen("::1", "::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(seen("::1", "::1", &["[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(seen("::1", "::1", &["203.0.113.9:1234"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.0/8", "10.0.0.1", &["::ffff:203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn c10_what_a_proxy_of_ours_did_not_understand_is_not_guessed_at() {
        let seen = |lines: &[&str]| seen("10.0.0.0/8", ProxyHeader::XForwardedFor, "10.0.0.1", lines);
        for garbage in ["", " ", "unknown", "203.0.113", "203.0.113.9, ", "203.0.113.9, nobody", "1.2.3.4.5", "\u{7f}"]
        {
            assert_eq!(seen(&[garbage]), "10.0.0.1", "{garbage:?}");
        }
        assert_eq!(seen(&["203.0.113.9, what, 10.0.0.7"]), "10.0.0.7");
        let long = vec!["10.0.0.7"; 10_000].join(",");
        assert_eq!(seen(&["203.0.113.9", &long]), "10.0.0.7", "no more hops than anybody has");
    }

    #[test]
    fn c10_the_standard_header_is_read_where_it_is_the_one() {
        let seen = |lines: &[&str]| seen("10.0.0.0/8", ProxyHeader::Forwarded, "10.0.0.1", lines);
        assert_eq!(seen(&["for=203.0.113.9;proto=https;by=10.0.0.1"]), "203.0.113.9");
        assert_eq!(seen(&["for=198.51.100.1, For=\"203.0.113.9:47011\""]), "203.0.113.9");
        assert_eq!(seen(&["proto=https; for=\"[2001:db8::7]:4711\""]), "2001:db8::7");
        for unclear in ["for=_hidden", "for=unknown", "proto=https", "for=1.1.1.1;for=2.2.2.2", "for=\"1.1.1.1", "for"]
        {
            assert_eq!(seen(&[unclear]), "10.0.0.1", "{unclear}");
        }
    }

    #[test]
    fn c10_a_list_of_everybody_is_refused() {
        let refused = |text: &str| text.parse::<TrustedProxies>().unwrap_err().to_string();
        assert!(refused("10.0.0.1, 0.0.0.0/0").contains("0.0.0.0/0, which is everybody"));
        assert!(refused("::/0").contains("everybody"));
        assert_eq!(refused("10.0.0.0/33"), "found \"10.0.0.0/33\"");
        assert_eq!(refused("proxy.example.com"), "found \"proxy.example.com\"");
        assert_eq!(refused("10.0.0.1,"), "found \"\"");
        assert!("none".parse::<TrustedProxies>().unwrap().is_empty());
    }
}
