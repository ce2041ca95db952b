//! Names to addresses that may be called. The connection is made to what is answered here, so no second look-up can
//! give another address (DNS rebinding).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::allow_list::{AllowList, NotAllowed, is_loopback_name};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub struct Resolver(Arc<AllowList>);

impl Resolver {
    pub fn new(allow: Arc<AllowList>) -> Self {
        Self(allow)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = self.0.clone();
        Box::pin(async move {
            let name = name.as_str().trim_end_matches('.').to_ascii_lowercase();
            let permitted = permitted(&allow, &name, looked_up(&name).await?)?;
            Ok(Box::new(permitted.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// The name's addresses. Not every system knows that names below `localhost` are this machine (RFC 6761 section 6.3).
async fn looked_up(name: &str) -> Result<Vec<IpAddr>, BoxError> {
    if is_loopback_name(name) {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

/// Those of the addresses that may be called; the refusal of one, where that is none of them.
pub fn permitted(allow: &AllowList, name: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, BoxError> {
    let mut refusal: Option<NotAllowed> = None;
    let mut permitted = Vec::new();
    for address in addresses {
        match allow.judge_address(name, address) {
            Ok(()) => permitted.push(address),
            Err(why) => refusal = Some(why),
        }
    }
    match refusal {
        Some(why) if permitted.is_empty() => Err(why.into()),
        _ if permitted.is_empty() => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into()),
        _ => Ok(permitted),
    }
}
