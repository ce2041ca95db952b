//! Who sends a request, as far as its address tells.

use std::net::IpAddr;

/// Who is one sender: of IPv6 a /64, which a single customer gets whole.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

/// Whether everybody may come from here: behind a proxy on the same host or network, all do. Then the address tells
/// nobody apart, or one sender would use up the limit of all.
pub fn is_shared(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}
