//! Logout that a client asks for (OpenID Connect RP-Initiated Logout 1.0).

use serde::Deserialize;

use super::super::keys::{self, VerifyError};
use super::super::login::SignedIn;
use super::super::{Context, partner};
use crate::crypto::jwt::{JwtError, JwtType};
use crate::domain::access_token::user_subject;
use crate::domain::app::App;
use crate::domain::return_url::ReturnUrl;
use crate::store::StoreError;

/// What a client sends, as it came.
#[derive(Default)]
pub struct LogoutRequest<'r> {
    pub id_token_hint: Option<&'r str>,
    pub client_id: Option<&'r str>,
    pub post_logout_redirect_uri: Option<&'r str>,
}

#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    #[error("id_token_hint is not an ID token of this server, or of another client than client_id")]
    Hint,
    #[error("client_id is no application's")]
    Client,
    #[error("post_logout_redirect_uri is not registered for the application, or there is no application to tell")]
    RedirectUri,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A request that was checked.
#[derive(Debug)]
pub struct CheckedLogout {
    /// Who asks, where the request says it.
    pub app: Option<App>,
    /// A registered address of that application.
    pub back_to: Option<ReturnUrl>,
    /// Whether the client holds an ID token of whoever is signed in: nobody else could have asked, so that the user need
    /// not be (section 2). Without one, a link on any page could sign people out (rule C15).
    pub is_certain: bool,
}

/// Checks a request. The ID token may have expired: logging out is what comes late (section 4).
pub async fn check(
    ctx: &Context,
    request: &LogoutRequest<'_>,
    signed_in: Option<&SignedIn>,
) -> Result<CheckedLogout, LogoutError> {
    #[derive(Deserialize)]
    struct Hint {
        iss: String,
        sub: String,
        aud: String,
    }
    let hint = match request.id_token_hint {
        None => None,
        Some(text) => match keys::verify::<Hint>(ctx, text, JwtType::IdToken).await {
            Ok(hint) if hint.iss == ctx.issuer => Some(hint),
            // Of a key that is long retired: it proves nothing any more, so the user is asked.
            Err(VerifyError::Refused(JwtError::UnknownKey)) => None,
            Ok(_) | Err(VerifyError::Refused(_)) => return Err(LogoutError::Hint),
            Err(VerifyError::Keys(error)) => return Err(StoreError::from(error).into()),
        },
    };
    if let (Some(hint), Some(client)) = (&hint, request.client_id)
        && hint.aud != client
    {
        return Err(LogoutError::Hint);
    }
    let client = hint.as_ref().map(|hint| hint.aud.as_str()).or(request.client_id);
    let app = match client {
        Some(id) => Some(partner::app_by(ctx, id).await?.ok_or(LogoutError::Client)?),
        None => None,
    };
    let registered = app.as_ref().map(|app| app.post_logout_redirect_uris.as_slice()).unwrap_or_default();
    let back_to = match request.post_logout_redirect_uri {
        None => None,
        Some(asked) => {
            let found = registered.iter().find(|uri| uri.as_str() == asked).cloned();
            Some(found.ok_or(LogoutError::RedirectUri)?)
        }
    };
    let is_certain = match (&hint, signed_in) {
        (Some(hint), Some(signed_in)) => hint.sub == user_subject(signed_in.user.id),
        _ => false,
    };
    Ok(CheckedLogout { app, back_to, is_certain })
}
