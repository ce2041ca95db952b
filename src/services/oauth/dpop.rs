//! Whether a DPoP proof was made for this very request, now, and for the first time (RFC 9449 section 4.3, steps 8 to 12).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use super::super::Context;
use crate::crypto::dpop::{Proof, verify_proof};
use crate::crypto::jwt::JwtError;
use crate::crypto::token::sha256;
use crate::domain::ids::AppId;
use crate::domain::timestamp::Timestamp;
use crate::store::{StoreError, used_proofs};

/// How old a proof may be.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);
/// How far ahead its maker's clock may be.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DpopRefusal {
    #[error("the DPoP proof is not good: {0}")]
    Proof(JwtError),
    #[error("there is more than one DPoP proof")]
    Several,
    #[error("the DPoP proof is for another method or address")]
    OtherRequest,
    #[error("the DPoP proof is too old, or of the future")]
    Time,
    #[error("the DPoP proof was used before")]
    Replayed,
    #[error("the DPoP proof is not for this access token")]
    OtherToken,
}

#[derive(Debug, thiserror::Error)]
pub enum DpopError {
    #[error(transparent)]
    Refused(#[from] DpopRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a proof has to be for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    pub method: &'r str,
    /// The public address that was called, without query and fragment.
    pub url: &'r str,
    /// The access token that comes along, at an API.
    pub access_token: Option<&'r str>,
}

/// The thumbprint of the key that the sender, `app`, has proved.
pub async fn check(ctx: &Context, app: &AppId, proof: &str, request: Request<'_>) -> Result<String, DpopError> {
    let proof = verify_proof(proof).map_err(DpopRefusal::Proof)?;
    // By the machine's clock, which stamped it, or by that of a test that moves both.
    match judge(&proof, request, ctx.now_for(app)) {
        Err(DpopRefusal::Time) => judge(&proof, request, ctx.real_now())?,
        judged => judged?,
    }
    let jti_hash = sha256(format!("dpop\0{}\0{}", proof.jkt, proof.jti).as_bytes());
    let forget_at = proof.iat.plus(MAX_AGE);
    let first =
        ctx.store.write(move |conn| Box::pin(async move { used_proofs::insert(conn, &jti_hash, forget_at).await }));
    if first.await? { Ok(proof.jkt) } else { Err(DpopRefusal::Replayed.into()) }
}

fn judge(proof: &Proof, request: Request<'_>, now: Timestamp) -> Result<(), DpopRefusal> {
    if proof.htm != request.method || !is_same_address(&proof.htu, request.url) {
        return Err(DpopRefusal::OtherRequest);
    }
    if proof.iat > now.plus(CLOCK_SKEW) || proof.iat.plus(MAX_AGE) <= now {
        return Err(DpopRefusal::Time);
    }
    let hash = request.access_token.map(|token| URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())));
    if hash.is_some() && proof.ath != hash {
        return Err(DpopRefusal::OtherToken);
    }
    Ok(())
}

/// After normalisation, ignoring query and fragment (RFC 9449 section 4.3, step 9).
fn is_same_address(claimed: &str, called: &str) -> bool {
    let bare = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    bare(claimed).is_some_and(|claimed| Some(claimed) == bare(called))
}
