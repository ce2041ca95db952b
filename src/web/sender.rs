//! Where a request comes from, behind the operator's reverse proxies.

use axum::extract::{ConnectInfo, Request};

use super::Web;
use crate::socket::Peer;

/// Puts the client's address in the place of its proxy's, before anything asks for it (rule C10). Answers whether a proxy
/// of the operator's sent the request.
pub fn settle(web: &Web, request: &mut Request) -> bool {
    let proxies = &web.proxies;
    if proxies.trusted.is_empty() {
        return false;
    }
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<Peer>>() else { return false };
    let is_believed = proxies.are_believed(peer.address.ip().to_canonical());
    // What cannot be read is an entry nevertheless, and none of an address.
    let lines = request.headers().get_all(proxies.header.name()).into_iter();
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    let client = proxies.client_of(peer.address.ip().to_canonical(), lines);
    if let Some(ConnectInfo(peer)) = request.extensions_mut().get_mut::<ConnectInfo<Peer>>() {
        peer.address.set_ip(client);
    }
    is_believed
}
