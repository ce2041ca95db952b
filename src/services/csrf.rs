//! Proof that a form was served to the browser that posts it (rule C7): a MAC over what only that browser
//! holds, so that no token has to be stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Context;
use crate::crypto::mac::Purpose;
use crate::crypto::token::Handle;

/// The token for forms of this holder: the session of a signed-in browser, else the browser's own handle.
pub fn token(ctx: &Context, holder: &Handle) -> String {
    URL_SAFE_NO_PAD.encode(ctx.keys.ring().newest_mac().1.sign(Purpose::Csrf, &holder.hash().0))
}

/// Constant time.
pub fn is_valid(ctx: &Context, holder: &Handle, token: &str) -> bool {
    let Ok(mac) = URL_SAFE_NO_PAD.decode(token) else { return false };
    ctx.keys.ring().newest_mac().1.verify(Purpose::Csrf, &holder.hash().0, &mac)
}
