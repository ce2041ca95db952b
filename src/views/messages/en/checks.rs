//! What the integration check says in English.

use super::super::{CheckText, Pattern};
use crate::domain::check::Check;

pub fn check(check: Check) -> CheckText {
    let (title, failed, remedy) = match check {
        Check::ScriptFromIssuer => (
            "The button's script comes from this server",
            "It does not, or not alone: {}",
            "Load /js/le-app-button.js with a script element, from the address that the server goes by, and no other copy of it.",
        ),
        Check::StylesheetLoaded => (
            "The button's stylesheet applies",
            "It does not apply: {}",
            "Link /css/le-app-button.css, and give the button the class le-app-button.",
        ),
        Check::ButtonKnown => (
            "The page has a button that the server knows",
            "It has none: {}",
            "Give the button element the attribute data-btnId with the id of a button of this application.",
        ),
        Check::OriginListed => (
            "The page's origin is listed for the button",
            "It is not listed: {}",
            "Add the page's scheme, host and port to the button's origins.",
        ),
        Check::CallbackDefined => (
            "The page defines AuthorizeResult",
            "It does not: {}",
            "Define a global function AuthorizeResult. In a module, write window.AuthorizeResult = ….",
        ),
        Check::CallbackReturns => (
            "AuthorizeResult throws no exception",
            "It threw: {}",
            "Look at valid and error before anything else of the result, and let nothing escape the function.",
        ),
        Check::PolicyFits => (
            "The page's Content-Security-Policy lets the button work",
            "It blocks something: {}",
            "Allow this server in script-src, connect-src and style-src, with data: in style-src for the published link.",
        ),
        Check::OpenerKept => (
            "The pop-up opens and can answer the page",
            "The last one could not: {}",
            "Let the click itself reach the button, and send no Cross-Origin-Opener-Policy stricter than same-origin-allow-popups; or register the page's address to return to.",
        ),
        Check::ReturnAddressRegistered => (
            "A page that is returned to is registered",
            "Its address is not: {}",
            "Add the page's address to the button's return_urls, without query and fragment.",
        ),
        Check::SignInCompleted => (
            "A user signed in",
            "The last attempt failed: {}",
            "Sign a user in, with the button or at /oauth/authorize, up to the tokens.",
        ),
        Check::CallbackGotResult => (
            "AuthorizeResult got a sign-in",
            "There was a result, and nobody to take it: {}",
            "Sign a user in on your page.",
        ),
        Check::DenialHandled => (
            "A denial is handled",
            "AuthorizeResult threw after a denial: {}",
            "Press Cancel in the dialog, or sign in as the user who always denies. The callback gets access_denied.",
        ),
        Check::ClosedPopupHandled => (
            "A closed pop-up is handled",
            "The pop-up was cut off, which looks the same to the page: {}",
            "Close the pop-up in the middle. The callback gets popup_closed; the button can be pressed again.",
        ),
        Check::ReturningUserSignedIn => (
            "A returning user is signed in without a click",
            "The page is in a frame, where that does not happen: {}",
            "Reload the page after a sign-in. AuthorizeResult is called with auto: true.",
        ),
        Check::RefreshWorks => (
            "The refresh token gives access tokens",
            "The last refresh was refused: {}",
            "Call /authorize/refreshaccesstoken/{refreshToken}?appid={appId} from your back end.",
        ),
        Check::AppIdRight => (
            "The right App ID goes along",
            "It does not: {}",
            "Send appid with the id of the application that the refresh token is of, letter by letter.",
        ),
        Check::RefreshInBackEnd => (
            "Tokens are refreshed by the back end, not by a page",
            "A page asked: {}",
            "Move the call into your back end. In a page, everybody who can read it has the App ID, which is what keeps a stolen refresh token from being of use.",
        ),
        Check::RefreshedOnceAnHour => (
            "A token is used for its hour, and then replaced",
            "One connection was refreshed {} times within an hour",
            "Keep the access token until it is about to expire, in place of a refresh for each call. Move the clock on by an hour to see it pass.",
        ),
        Check::ExpiredTokenRefreshed => (
            "An expired token is replaced, and the call made again",
            "An expired token was used again and again: {}",
            "On 401, refresh once and call again. Move the clock on by an hour, or expire a token, to see it.",
        ),
        Check::TokensOutOfQueries => (
            "No token and no secret is in a query",
            "There was one: {}",
            "Send tokens in the header Authorization and secrets in the body: queries are logged by everything on the way.",
        ),
        Check::ScopeSuffices => (
            "The scopes suffice for the calls that are made",
            "They do not: {}",
            "Ask for the scope that the call needs, and register it for the application.",
        ),
        Check::NoProbing => (
            "Addresses with a token are not asked for in advance",
            "One was: {}",
            "Neither HEAD nor a prefetch does anything there. Keep such an address out of links, and of whatever follows them.",
        ),
        Check::DisconnectCalled => (
            "A user can disconnect",
            "The last attempt failed: {}",
            "Offer it on your page, and call /authorize/disconnectapplicationtoken/{refreshToken}.",
        ),
        Check::DisconnectNamesToken => (
            "Disconnecting names the refresh token",
            "It was called with a click's event: {}",
            "Do not give the function to the click as it is: onclick = function () { disconnect(refreshToken); }.",
        ),
        Check::NothingAfterDisconnect => (
            "Nothing is used after disconnecting",
            "A token of that connection was used again: {}",
            "Forget its tokens when you disconnect, scheduled refreshes included.",
        ),
        Check::RevocationNoticed => (
            "It is noticed when the user disconnects",
            "The dead tokens were used again and again: {}",
            "Disconnect on the account page. At the next refusal, forget the tokens and offer to sign in again.",
        ),
        Check::StateSent => (
            "Authorization requests carry a state",
            "One carried none",
            "Send a fresh, unguessable state with each request, and compare it when the answer comes.",
        ),
        Check::PkceUsed => (
            "Authorization requests use PKCE",
            "One had no code_challenge",
            "Send code_challenge and code_challenge_method=S256, and the verifier with the code.",
        ),
        Check::VerifierMatches => (
            "The code verifier is the one of the request",
            "It was not: {}",
            "Keep the verifier with the state, for each request by itself.",
        ),
        Check::RedirectUriRegistered => (
            "The redirect URI is registered and always the same",
            "It was not: {}",
            "Register it exactly, and send the same one to the token endpoint.",
        ),
        Check::CodeInTime => (
            "A code is redeemed within its minute",
            "It was too late: {}",
            "Redeem the code in the request that brings it, not in a later job.",
        ),
        Check::CodeOnce => (
            "A code is redeemed once",
            "It was presented again: {}",
            "Do not redeem again on a reload or a retry: that ends all that was issued for the code.",
        ),
        Check::ClientAuthenticates => (
            "The client authenticates as it is registered",
            "It does not: {}",
            "Use the method that is registered as token_endpoint_auth_method, with the present secret or key.",
        ),
        Check::NewestRefreshTokenUsed => (
            "The newest refresh token is the one that is used",
            "A spent one came back, and all of them ended: {}",
            "Save the refresh token of each answer before you use the access token, and let one process refresh at a time.",
        ),
        Check::TokensRevoked => (
            "Tokens are revoked when they are no longer needed",
            "The last attempt failed: {}",
            "When a user signs out or disconnects, post the refresh token to /oauth/revoke.",
        ),
        Check::RefusalAccepted => (
            "A final refusal is accepted",
            "A token that is gone for good was sent again and again: {}",
            "Forget a token when the refusal says that its connection or grant has ended.",
        ),
        Check::RetryWaits => (
            "A retry waits as long as it is told to",
            "It came before Retry-After was over ({} s)",
            "After 429 and 503 wait for Retry-After, and longer each time.",
        ),
        Check::FaultSurvived => (
            "A failure of the server is survived",
            "It was tried again, and failed: {}",
            "Script a fault, and see that the call is made again.",
        ),
    };
    CheckText { title, failed: Pattern(failed), remedy }
}
