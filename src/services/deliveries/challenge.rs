//! What a receiver answers who did not prove themselves (RFC 9110 section 11.6.1).

use super::receive::{ReceiverRefusal, moment, realm};
use super::{Context, Opened};
use crate::crypto::digest::{self, QOP};
use crate::domain::auth_params::quoted;
use crate::domain::delivery::Settings;
use crate::domain::scope::Scope;
use crate::services::bearer::BearerError;

/// The values of `WWW-Authenticate`, each for a field of its own, the strongest first.
#[must_use]
pub fn challenges(ctx: &Context, opened: &Opened, why: &ReceiverRefusal) -> Vec<String> {
    let id = opened.delivery.id;
    let realm = quoted(&realm(id));
    match &opened.settings {
        Settings::Basic(_) => vec![format!("Basic realm={realm}, charset=\"UTF-8\"")],
        Settings::Digest { algorithms, .. } => {
            let ring = ctx.keys.ring();
            let key = ring.newest_mac().1;
            let stale = if matches!(why, ReceiverRefusal::Stale) { ", stale=true" } else { "" };
            let challenge = |algorithm: &crate::domain::delivery::DigestAlgorithm| {
                let nonce = digest::nonce(key, &id.to_string(), moment(ctx), &*ctx.entropy);
                let opaque = digest::opaque(key, &id.to_string());
                format!(
                    "Digest realm={realm}, qop=\"{QOP}\", algorithm={}, nonce=\"{nonce}\", opaque=\"{opaque}\", \
                     charset=UTF-8{stale}",
                    algorithm.as_str()
                )
            };
            algorithms.iter().map(challenge).collect()
        }
        Settings::Bearer { prefix, .. } => vec![format!("{prefix} realm={realm}{}", error(why))],
        Settings::OAuth2 { .. } => vec![format!("Bearer realm={realm}{}", error(why))],
    }
}

/// The parameters of RFC 6750 section 3.1; none where no token was presented.
fn error(why: &ReceiverRefusal) -> String {
    match why {
        ReceiverRefusal::Missing | ReceiverRefusal::OtherScheme => String::new(),
        ReceiverRefusal::Token(BearerError::Scope { .. }) => {
            format!(", error=\"insufficient_scope\", scope=\"{}\"", Scope::LeadReceiver)
        }
        _ => ", error=\"invalid_token\"".to_owned(),
    }
}
