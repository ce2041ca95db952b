//! Where this server may call: hosts that the operator lists, at addresses that those hosts may have. A name is judged
//! before it is resolved, and each address that it resolves to before a connection is made, so that nobody can list a
//! name and later let it point at a machine inside.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use url::{Host, Url};

/// Longest list, in entries.
const MAX_ENTRIES: usize = 200;

/// What an entry may be, for messages.
pub const EXPECTED: &str = "`loopback`, a host (`hooks.example.com`), all hosts below a domain (`*.example.com`), `*` \
                            for every public host, an address or a network (`10.0.0.0/8`), separated by commas; or \
                            `none`";

/// Addresses that are no machine of the public internet (the registries of RFC 6890, and what is not assigned). Also
/// those that carry an IPv4 address inside: nobody looks at it there.
const NOT_PUBLIC: [&str; 15] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];
/// Of IPv6 this alone is public (RFC 4291 section 2.4)…
const PUBLIC_V6: &str = "2000::/3";
/// …but for these in it: documentation, benchmarks, Teredo, 6to4.
const NOT_PUBLIC_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/// What an operator lets the server call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowList {
    loopback: bool,
    hosts: Vec<HostPattern>,
    networks: Vec<IpNet>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    /// Every name.
    Any,
    Exact(String),
    /// All names that end with this, which begins with a dot.
    Below(String),
}

/// A text that is no allow-list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowListError {
    #[error("found {0:?}")]
    Entry(String),
    #[error("found more than {MAX_ENTRIES} entries")]
    TooMany,
}

/// Why something may not be called. The texts are for the people who set the target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    #[error("a target's address begins with https:// or http://")]
    Scheme,
    #[error("a target's address has a host")]
    NoHost,
    #[error("a target's address holds no user name or password")]
    Userinfo,
    #[error("in production mode a target's address begins with https://")]
    PlainHttp,
    #[error("{host} is not on this server's list of hosts that it may call (setting outgoing_allow)")]
    Host { host: String },
    #[error(
        "{host} has an address inside ({address}), which this server does not call unless its network is listed, too \
         (setting outgoing_allow)"
    )]
    Address { host: String, address: IpAddr },
}

impl AllowList {
    /// This machine and nothing else.
    pub fn loopback() -> Self {
        Self { loopback: true, ..Self::default() }
    }

    /// Judges by what the address says, before anything is resolved. An address that is written as such is judged whole.
    pub fn judge(&self, url: &Url) -> Result<(), NotAllowed> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NotAllowed::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotAllowed::Userinfo);
        }
        match url.host().ok_or(NotAllowed::NoHost)? {
            Host::Domain(name) => self.judge_name(name),
            Host::Ipv4(address) => self.judge_literal(address.into()),
            Host::Ipv6(address) => self.judge_literal(address.into()),
        }
    }

    fn judge_name(&self, name: &str) -> Result<(), NotAllowed> {
        let name = normal(name);
        let is_listed = |pattern: &HostPattern| pattern.matches(&name);
        let mut patterns = self.hosts.iter();
        let is_allowed = if is_loopback_name(&name) {
            // `*` is for public hosts, and these names can only be this machine.
            self.loopback || patterns.any(|pattern| *pattern != HostPattern::Any && is_listed(pattern))
        } else {
            patterns.any(is_listed)
        };
        if is_allowed { Ok(()) } else { Err(NotAllowed::Host { host: name }) }
    }

    fn judge_literal(&self, address: IpAddr) -> Result<(), NotAllowed> {
        let canonical = address.to_canonical();
        if (self.loopback && canonical.is_loopback()) || self.names_network_of(canonical) {
            return Ok(());
        }
        Err(NotAllowed::Host { host: address.to_string() })
    }

    /// Judges an address that a listed name resolved to.
    pub fn judge_address(&self, name: &str, address: IpAddr) -> Result<(), NotAllowed> {
        let address = address.to_canonical();
        let is_own = address.is_loopback() && is_loopback_name(&normal(name));
        if is_own || is_public(address) || self.names_network_of(address) {
            return Ok(());
        }
        Err(NotAllowed::Address { host: name.to_owned(), address })
    }

    fn names_network_of(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for AllowList {
    type Err = AllowListError;

    fn from_str(text: &str) -> Result<Self, AllowListError> {
        let mut list = Self::default();
        let entries: Vec<&str> = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        if entries == ["none"] {
            return Ok(list);
        }
        if entries.is_empty() {
            return Err(AllowListError::Entry(text.to_owned()));
        }
        if entries.len() > MAX_ENTRIES {
            return Err(AllowListError::TooMany);
        }
        for entry in entries {
            list.add(entry)?;
        }
        Ok(list)
    }
}

impl AllowList {
    fn add(&mut self, entry: &str) -> Result<(), AllowListError> {
        let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
        if entry == "loopback" {
            self.loopback = true;
        } else if let Ok(address) = bare.parse::<IpAddr>() {
            self.networks.push(address.to_canonical().into());
        } else if let Ok(network) = entry.parse::<IpNet>() {
            self.networks.push(network);
        } else {
            self.hosts.push(HostPattern::parse(entry).ok_or_else(|| AllowListError::Entry(entry.to_owned()))?);
        }
        Ok(())
    }
}

impl HostPattern {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::Any);
        }
        let (name, is_below) = entry.strip_prefix("*.").map_or((entry, false), |name| (name, true));
        // As a URL's host is read, so that both are written alike.
        let Ok(Host::Domain(name)) = Host::parse(name) else { return None };
        let name = normal(&name);
        if name.is_empty() || name.contains('*') {
            return None;
        }
        Some(if is_below { Self::Below(format!(".{name}")) } else { Self::Exact(name) })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == name,
            Self::Below(domain) => name.ends_with(domain.as_str()),
        }
    }
}

/// A name with a dot at its end is the same name.
fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// RFC 6761 section 6.3.
pub fn is_loopback_name(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn is_public(address: IpAddr) -> bool {
    let is_in = |networks: &[&str]| {
        networks.iter().any(|network| network.parse::<IpNet>().is_ok_and(|network| network.contains(&address)))
    };
    match address {
        IpAddr::V4(_) => !is_in(&NOT_PUBLIC),
        IpAddr::V6(_) => is_in(&[PUBLIC_V6]) && !is_in(&NOT_PUBLIC_V6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> AllowList {
        text.parse().unwrap()
    }

    fn judged(list: &AllowList, url: &str) -> Result<(), NotAllowed> {
        list.judge(&Url::parse(url).unwrap())
    }

    #[test]
    fn each_written_network_is_one() {
        for network in NOT_PUBLIC.iter().chain(&NOT_PUBLIC_V6).chain([&PUBLIC_V6]) {
            assert!(network.parse::<IpNet>().is_ok(), "{network}");
        }
    }

    #[test]
    fn loopback_is_this_machine_however_it_is_written() {
        let own = AllowList::loopback();
        assert_eq!(own, list("loopback"));
        let good = ["http://localhost:9000/x", "http://LOCALHOST./", "http://partner.localhost/", "http://127.0.0.1/"];
        for url in good.into_iter().chain(["http://[::1]:1/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/"]) {
            assert_eq!(judged(&own, url), Ok(()), "{url}");
        }
        for url in [
            "http://a.test/",
            "http://10.0.0.1/",
            "http://169.254.169.254/",
            "http://0.0.0.0/",
            "http://localhost.a.test/",
        ] {
            assert!(matches!(judged(&own, url), Err(NotAllowed::Host { .. })), "{url}");
        }
        for url in ["ftp://localhost/", "file:///etc/passwd", "data:,x"] {
            assert_eq!(judged(&own, url), Err(NotAllowed::Scheme), "{url}");
        }
        assert_eq!(judged(&own, "http://ada:secret@localhost/"), Err(NotAllowed::Userinfo));
    }

    #[test]
    fn names_are_listed_one_by_one_or_by_their_domain() {
        let hosts = list("hooks.example.com, *.partner.test ,Bücher.example");
        for url in [
            "https://hooks.example.com/x",
            "https://HOOKS.example.com./",
            "http://a.partner.test:81/",
            "https://a.b.partner.test/",
            "https://xn--bcher-kva.example/",
        ] {
            assert_eq!(judged(&hosts, url), Ok(()), "{url}");
        }
        for url in [
            "https://example.com/",
            "https://partner.test/",
            "https://evilpartner.test/",
            "https://hooks.example.com.evil.test/",
            "http://localhost/",
            "http://127.0.0.1/",
        ] {
            assert!(judged(&hosts, url).is_err(), "{url}");
        }
        let below = list("*.localhost");
        assert_eq!(judged(&below, "http://partner.localhost:9/"), Ok(()));
        assert!(judged(&below, "http://localhost:9/").is_err());
        let any = list("*");
        assert_eq!(judged(&any, "https://a.test/"), Ok(()));
        for url in ["http://localhost/", "http://127.0.0.1/", "http://8.8.8.8/"] {
            assert!(judged(&any, url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_listed_name_may_not_point_inside_unless_the_network_is_listed_too() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let hosts = list("loopback, hooks.example.com");
        let inside = [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
        ];
        let odd = [
            "255.255.255.255",
            "224.0.0.1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "::",
            "2002:a00:1::",
            "64:ff9b::a00:1",
        ];
        for inside in inside.into_iter().chain(odd) {
            let judged = hosts.judge_address("hooks.example.com", address(inside));
            assert!(matches!(judged, Err(NotAllowed::Address { .. })), "{inside}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert_eq!(hosts.judge_address("hooks.example.com", address(public)), Ok(()), "{public}");
        }
        assert_eq!(hosts.judge_address("auth.localhost", address("127.0.0.1")), Ok(()));
        assert!(hosts.judge_address("auth.localhost", address("10.0.0.1")).is_err());
        let networked = list("hooks.example.com, 10.0.0.0/8, 192.168.7.7");
        assert_eq!(networked.judge_address("hooks.example.com", address("10.9.9.9")), Ok(()));
        assert_eq!(networked.judge_address("hooks.example.com", address("192.168.7.7")), Ok(()));
        assert!(networked.judge_address("hooks.example.com", address("192.168.7.8")).is_err());
        assert_eq!(judged(&networked, "http://10.0.0.8/"), Ok(()));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        assert_eq!(list("none"), AllowList::default());
        for bad in
            ["", " , ", "https://a.test", "a.test:80", "*.", "a.*.test", "*a.test", "none, loopback b", "10.0.0.0/33"]
        {
            assert!(bad.parse::<AllowList>().is_err(), "{bad}");
        }
        assert_eq!("a.test,".repeat(201).parse::<AllowList>(), Err(AllowListError::TooMany));
    }
}
