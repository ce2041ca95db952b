//! The crate oauth2: OAuth 2.0 alone. Nothing is discovered; addresses are settings.

use std::sync::Once;
use std::thread::sleep;

use oauth2::basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl,
    EndpointSet, IntrospectionUrl, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    ResourceOwnerPassword, ResourceOwnerUsername, RevocationUrl, Scope, StandardDeviceAuthorizationResponse,
    TokenIntrospectionResponse, TokenResponse, TokenUrl,
};

use crate::matrix::{
    NATIVE, Outcome, REDIRECT_URI, SCOPES, SECRET, WEB, at, browse, calls_api, code_of, http, http_without_tls, report,
    variable, with_tls,
};

type Client = BasicClient<EndpointSet, EndpointSet, EndpointSet, EndpointSet, EndpointSet>;

fn client(id: &str, redirect_uri: &str) -> Outcome<Client> {
    Ok(BasicClient::new(ClientId::new(id.to_owned()))
        .set_auth_uri(AuthUrl::new(at("/oauth/authorize"))?)
        .set_token_uri(TokenUrl::new(at("/oauth/token"))?)
        .set_device_authorization_url(DeviceAuthorizationUrl::new(at("/oauth/device_authorization"))?)
        .set_introspection_url(IntrospectionUrl::new(at("/oauth/introspect"))?)
        .set_revocation_url(RevocationUrl::new(with_tls(&at("/oauth/revoke")))?)
        .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned())?))
}

fn web() -> Outcome<Client> {
    Ok(client(WEB, REDIRECT_URI)?.set_client_secret(ClientSecret::new(SECRET.to_owned())))
}

fn native() -> Outcome<Client> {
    client(NATIVE, "http://127.0.0.1:9133/callback")
}

/// The user's way through the dialog. Returns what is exchanged.
fn sign_in(client: &Client) -> Outcome<(AuthorizationCode, PkceCodeVerifier)> {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (address, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let code = code_of(&browse(address.as_str(), &[])?, state.secret())?;
    Ok((AuthorizationCode::new(code), verifier))
}

fn tokens(client: &Client) -> Outcome<BasicTokenResponse> {
    let (code, verifier) = sign_in(client)?;
    Ok(client.exchange_code(code).set_pkce_verifier(verifier).request(&http())?)
}

fn refreshed(client: &Client, answer: &BasicTokenResponse) -> Outcome<BasicTokenResponse> {
    let token = answer.refresh_token().ok_or("no refresh token")?;
    Ok(client.exchange_refresh_token(token).request(&http())?)
}

fn works(answer: &BasicTokenResponse) -> Outcome<bool> {
    calls_api(answer.access_token().secret())
}

/// Fails unless the result is the crate's own error with this code of the server's.
fn assert_refused<T, E: std::error::Error>(
    result: Result<T, RequestTokenError<E, BasicErrorResponse>>,
    expected: &BasicErrorResponseType,
) {
    match result {
        Err(RequestTokenError::ServerResponse(answer)) => assert_eq!(answer.error(), expected),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

fn assert_refresh_refused(client: &Client, answer: &BasicTokenResponse) {
    let token = answer.refresh_token().expect("a refresh token");
    let result = client.exchange_refresh_token(token).request(&http());
    assert_refused(result, &BasicErrorResponseType::InvalidGrant);
}

fn code() -> Outcome {
    let answer = tokens(&web()?)?;
    assert_eq!(answer.scopes().map(Vec::len), Some(SCOPES.len()));
    assert!(works(&answer)?);
    Ok(())
}

fn public() -> Outcome {
    let native = native()?;
    let first = tokens(&native)?;
    assert!(works(&first)?);
    let second = refreshed(&native, &first)?;
    assert_ne!(second.refresh_token().map(|t| t.secret()), first.refresh_token().map(|t| t.secret()));
    Ok(())
}

fn errors() -> Outcome {
    let web = web()?;
    let (code, verifier) = sign_in(&web)?;
    let again = || PkceCodeVerifier::new(verifier.secret().clone());
    for method in [AuthType::BasicAuth, AuthType::RequestBody] {
        let wrong = self::web()?.set_client_secret(ClientSecret::new("wrong".to_owned())).set_auth_type(method);
        let result = wrong.exchange_code(code.clone()).set_pkce_verifier(again()).request(&http());
        assert_refused(result, &BasicErrorResponseType::InvalidClient);
    }
    let answer = web.exchange_code(code.clone()).set_pkce_verifier(again()).request(&http())?;
    let result = web.exchange_code(code).set_pkce_verifier(again()).request(&http());
    assert_refused(result, &BasicErrorResponseType::InvalidGrant);
    assert!(!works(&answer)?, "the code's second use ends what its first use gave");
    Ok(())
}

fn refresh() -> Outcome {
    let web = web()?;
    let first = tokens(&web)?;
    let second = refreshed(&web, &first)?;
    assert!(works(&second)?);
    // The spent one is theft now, which ends its successor too (RFC 9700 section 4.14.2).
    assert_refresh_refused(&web, &first);
    assert_refresh_refused(&web, &second);
    Ok(())
}

fn client_credentials() -> Outcome {
    for method in [AuthType::BasicAuth, AuthType::RequestBody] {
        let answer = web()?.set_auth_type(method).exchange_client_credentials().request(&http())?;
        assert!(answer.refresh_token().is_none());
        assert!(works(&answer)?);
    }
    let unheard_of = Scope::new("unheard_of".to_owned());
    let result = web()?.exchange_client_credentials().add_scope(unheard_of).request(&http());
    assert_refused(result, &BasicErrorResponseType::InvalidScope);
    Ok(())
}

fn password() -> Outcome {
    let web = web()?;
    let name = ResourceOwnerUsername::new(variable("USER_EMAIL"));
    let right = ResourceOwnerPassword::new(variable("USER_PASSWORD"));
    let scope = Scope::new("account_api".to_owned());
    assert!(works(&web.exchange_password(&name, &right).add_scope(scope).request(&http())?)?);
    let wrong = ResourceOwnerPassword::new("wrong".to_owned());
    let result = web.exchange_password(&name, &wrong).request(&http());
    assert_refused(result, &BasicErrorResponseType::InvalidGrant);
    Ok(())
}

fn device() -> Outcome {
    let native = native()?;
    let request = native.exchange_device_code().add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())));
    let started: StandardDeviceAuthorizationResponse = request.request(&http())?;
    let complete = started.verification_uri_complete().ok_or("no complete address")?;
    // The first poll comes too early; the user answers while the device waits.
    let answers = Once::new();
    let wait = |interval| {
        answers.call_once(|| drop(browse(complete.secret(), &[]).expect("an answer")));
        sleep(interval);
    };
    let answer = native.exchange_device_access_token(&started).request(&http(), wait, None)?;
    assert!(answers.is_completed());
    assert!(works(&answer)?);
    Ok(())
}

fn revocation() -> Outcome {
    let web = web()?;
    let first = tokens(&web)?;
    web.revoke_token(first.access_token().into())?.request(&http_without_tls)?;
    assert!(!works(&first)?);
    let second = refreshed(&web, &first)?;
    let token = second.refresh_token().ok_or("no refresh token")?;
    web.revoke_token(token.into())?.request(&http_without_tls)?;
    assert!(!web.introspect(second.access_token()).request(&http())?.active());
    assert_refresh_refused(&web, &second);
    Ok(())
}

fn introspection() -> Outcome {
    let web = web()?;
    let answer = tokens(&web)?;
    let state = web.introspect(answer.access_token()).request(&http())?;
    assert!(state.active());
    assert_eq!(state.client_id().map(|id| id.as_str()), Some(WEB));
    assert_eq!(state.username(), Some(&*variable("USER_EMAIL")));
    assert!(state.exp() > state.iat());
    let unheard_of = AccessToken::new("unheard of".to_owned());
    assert!(!web.introspect(&unheard_of).request(&http())?.active());
    Ok(())
}

pub fn run() {
    report(
        &[
            ("code", code),
            ("public", public),
            ("errors", errors),
            ("refresh", refresh),
            ("client_credentials", client_credentials),
            ("password", password),
            ("device", device),
            ("revocation", revocation),
            ("introspection", introspection),
        ],
        &[
            ("discovery", "no interface"),
            ("form_post", "it leaves the answer's parameters to the application"),
            ("denied", "it leaves the answer's parameters to the application"),
            ("id_token", "see openidconnect"),
            ("userinfo", "see openidconnect"),
            ("par", "no interface"),
            ("dpop", "no interface"),
            ("private_key_jwt", "no interface"),
            ("registration", "see openidconnect"),
            ("logout", "see openidconnect"),
            ("jwt_access_token", "no interface: it is not for resource servers"),
        ],
    );
}
