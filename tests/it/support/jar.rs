//! A browser's cookies: paths, `SameSite`, partitions, and third-party cookies that may be blocked.

use cookie::{Cookie, SameSite};
use url::Url;

#[derive(Debug, Clone)]
struct Kept {
    cookie: Cookie<'static>,
    /// The site of the page on top, for a partitioned cookie.
    partition: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Jar {
    kept: Vec<Kept>,
    pub blocks_third_parties: bool,
}

/// Scheme and registrable domain. The tests' hosts have a top-level domain of one label.
pub fn site(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    let labels: Vec<&str> = url.host_str().unwrap().rsplit('.').take(2).collect();
    format!("{}://{}", url.scheme(), labels.into_iter().rev().collect::<Vec<_>>().join("."))
}

/// Where a request comes from, as a browser sees it.
#[derive(Clone, Copy)]
pub struct From<'a> {
    pub issuer: &'a str,
    /// The origin of the page on top; `None` for the issuer's own.
    pub page: Option<&'a str>,
}

impl From<'_> {
    fn other_site(&self) -> Option<String> {
        self.page.map(site).filter(|page| *page != site(self.issuer))
    }
}

impl Jar {
    /// The `Cookie` header for a request; `None` where there is nothing to send.
    pub fn header(&self, from: From<'_>, path: &str) -> Option<String> {
        let other_site = from.other_site();
        let path = path.split('?').next().unwrap();
        let sent: Vec<String> = self
            .kept
            .iter()
            .filter(|kept| path.starts_with(kept.cookie.path().unwrap_or("/")))
            .filter(|kept| self.may_send(kept, other_site.as_deref()))
            .map(|kept| format!("{}={}", kept.cookie.name(), kept.cookie.value()))
            .collect();
        (!sent.is_empty()).then(|| sent.join("; "))
    }

    fn may_send(&self, kept: &Kept, other_site: Option<&str>) -> bool {
        match (&kept.partition, other_site) {
            (partition, Some(site)) if kept.cookie.same_site() == Some(SameSite::None) => match partition {
                Some(partition) => partition == site,
                None => !self.blocks_third_parties,
            },
            (_, Some(_)) => false,
            (partition, None) => partition.is_none(),
        }
    }

    pub fn keep(&mut self, from: From<'_>, set: &[&str]) {
        let other_site = from.other_site();
        for text in set {
            let cookie = Cookie::parse((*text).to_owned()).unwrap();
            let partition = if cookie.partitioned() == Some(true) {
                Some(other_site.clone().unwrap_or_else(|| site(from.issuer)))
            } else if other_site.is_some() && self.blocks_third_parties {
                continue;
            } else {
                None
            };
            self.kept.retain(|kept| {
                (kept.cookie.name(), kept.cookie.path(), &kept.partition) != (cookie.name(), cookie.path(), &partition)
            });
            if cookie.max_age().is_none_or(|age| age > cookie::time::Duration::ZERO) {
                self.kept.push(Kept { cookie, partition });
            }
        }
    }

    /// The value of the cookie whose name holds `part`.
    pub fn value(&self, part: &str) -> Option<String> {
        self.kept.iter().find(|kept| kept.cookie.name().contains(part)).map(|kept| kept.cookie.value().to_owned())
    }

    pub fn name(&self, part: &str) -> Option<String> {
        self.kept.iter().find(|kept| kept.cookie.name().contains(part)).map(|kept| kept.cookie.name().to_owned())
    }
}
