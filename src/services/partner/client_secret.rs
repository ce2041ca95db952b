//! Client secrets: made, kept as keyed hashes, rotated with an overlap.

use std::sync::Arc;
use std::time::Duration;

use super::super::Context;
use super::super::audit::{Acting, may_change, record_of_app};
use super::{PartnerError, find_app};
use crate::crypto::mac::Purpose;
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::AppId;
use crate::domain::secret_hash::SecretHash;
use crate::entropy::secret;
use crate::store::apps;

/// What is stored of a client secret: keyed, because a person may have chosen it.
pub fn hash_client_secret(ctx: &Context, secret: &str) -> SecretHash {
    SecretHash(ctx.keys.ring().first_mac().sign(Purpose::ClientSecret, secret.as_bytes()))
}

/// A fresh client secret of 256 bits, to be shown once.
pub(in crate::services) fn make_client_secret(ctx: &Context) -> String {
    use base64::Engine as _;
    format!("lgk_{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(secret(&*ctx.entropy)))
}

/// Gives an application a new secret, shown this once; the old one is taken beside it for this long.
pub async fn rotate_secret(ctx: &Acting<'_>, id: &AppId, overlap: Duration) -> Result<String, PartnerError> {
    let secret = make_client_secret(ctx);
    let hash = hash_client_secret(ctx, &secret);
    let previous_until = ctx.now_for(id).plus(overlap);
    let app = find_app(ctx, id).await?;
    let mut event = ctx.event(Action::AppSecretRotated, Target::app(id, &app.name));
    event.changes = vec![Change::new("previous_taken_until", previous_until.to_rfc3339())];
    let (id, event, only) = (id.clone(), Arc::new(event), ctx.owner());
    let rotated = ctx.store.write(move |conn| {
        let (id, event) = (id.clone(), event.clone());
        Box::pin(async move {
            if !may_change(conn, only, &id).await? {
                return Ok(Err(PartnerError::UnknownApp));
            }
            if !apps::rotate_secret(conn, &id, &hash, previous_until).await? {
                return Ok(Err(PartnerError::NoSecret));
            }
            record_of_app(conn, &event).await?;
            Ok(Ok(()))
        })
    });
    rotated.await??;
    ctx.told();
    Ok(secret)
}

/// From now on only the newest secret is taken. `false` where no other was.
pub async fn revoke_previous_secret(ctx: &Acting<'_>, id: &AppId) -> Result<bool, PartnerError> {
    let app = find_app(ctx, id).await?;
    let (id, event) = (id.clone(), Arc::new(ctx.event(Action::AppSecretRevoked, Target::app(id, &app.name))));
    let only = ctx.owner();
    let revoked = ctx.store.write(move |conn| {
        let (id, event) = (id.clone(), event.clone());
        Box::pin(async move {
            let revoked = may_change(conn, only, &id).await? && apps::drop_previous_secret(conn, &id).await?;
            if revoked {
                record_of_app(conn, &event).await?;
            }
            Ok(revoked)
        })
    });
    let revoked = revoked.await?;
    ctx.told();
    Ok(revoked)
}
