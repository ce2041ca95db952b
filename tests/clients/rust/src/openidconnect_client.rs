//! The crate openidconnect: OpenID Connect on top of the crate oauth2.

use std::sync::Once;
use std::thread::sleep;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreClientRegistrationRequest, CoreDeviceAuthorizationResponse, CoreErrorResponseType,
    CoreGrantType, CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::registration::{ClientRegistrationError, EmptyAdditionalClientMetadata};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthorizationCode, ClaimsVerificationError,
    ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl, EndSessionUrl, EndpointMaybeSet, EndpointSet,
    IntrospectionUrl, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, ProviderMetadata, RedirectUrl, RequestTokenError, ResourceOwnerPassword,
    ResourceOwnerUsername, RevocationUrl, Scope, StandardErrorResponse, TokenIntrospectionResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};

use crate::matrix::{
    NATIVE, Outcome, REDIRECT_URI, SCOPES, SECRET, WEB, at, browse, calls_api, code_of, http, http_without_tls, report,
    variable, with_tls,
};

/// The addresses that OpenID Connect Discovery does not name itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct MoreEndpoints {
    device_authorization_endpoint: DeviceAuthorizationUrl,
    end_session_endpoint: EndSessionUrl,
    introspection_endpoint: IntrospectionUrl,
    revocation_endpoint: RevocationUrl,
}

impl AdditionalProviderMetadata for MoreEndpoints {}

type Metadata = ProviderMetadata<
    MoreEndpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<EndpointSet, EndpointSet, EndpointSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;

fn discovered() -> Outcome<Metadata> {
    Ok(Metadata::discover(&IssuerUrl::new(at(""))?, &http())?)
}

fn client(id: &str, secret: Option<&str>, redirect_uri: &str) -> Outcome<Client> {
    let metadata = discovered()?;
    let more = metadata.additional_metadata().clone();
    let secret = secret.map(|secret| ClientSecret::new(secret.to_owned()));
    Ok(CoreClient::from_provider_metadata(metadata, ClientId::new(id.to_owned()), secret)
        .set_device_authorization_url(more.device_authorization_endpoint)
        .set_introspection_url(more.introspection_endpoint)
        .set_revocation_url(RevocationUrl::new(with_tls(&more.revocation_endpoint))?)
        .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned())?))
}

fn web() -> Outcome<Client> {
    client(WEB, Some(SECRET), REDIRECT_URI)
}

/// What a sign-in gives.
struct SignedIn {
    code: AuthorizationCode,
    verifier: PkceCodeVerifier,
    nonce: Nonce,
}

impl SignedIn {
    fn verifier(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.verifier.secret().clone())
    }
}

/// The user's way through the dialog.
fn sign_in(client: &Client) -> Outcome<SignedIn> {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (address, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let code = code_of(&browse(address.as_str(), &[])?, state.secret())?;
    Ok(SignedIn { code: AuthorizationCode::new(code), verifier, nonce })
}

fn exchange(client: &Client, signed_in: &SignedIn) -> Outcome<CoreTokenResponse> {
    let request = client.exchange_code(signed_in.code.clone())?;
    Ok(request.set_pkce_verifier(signed_in.verifier()).request(&http())?)
}

fn tokens(client: &Client) -> Outcome<CoreTokenResponse> {
    exchange(client, &sign_in(client)?)
}

fn refreshed(client: &Client, answer: &CoreTokenResponse) -> Outcome<CoreTokenResponse> {
    let token = answer.refresh_token().ok_or("no refresh token")?;
    Ok(client.exchange_refresh_token(token)?.request(&http())?)
}

fn id_token_of(answer: &CoreTokenResponse) -> Outcome<&CoreIdToken> {
    answer.id_token().ok_or_else(|| "no ID token".into())
}

fn works(answer: &CoreTokenResponse) -> Outcome<bool> {
    calls_api(answer.access_token().secret())
}

type TokenError<E> = RequestTokenError<E, StandardErrorResponse<CoreErrorResponseType>>;

/// Fails unless the result is the crate's own error with this code of the server's.
fn assert_refused<T, E: std::error::Error>(result: Result<T, TokenError<E>>, expected: &CoreErrorResponseType) {
    match result {
        Err(RequestTokenError::ServerResponse(answer)) => assert_eq!(answer.error(), expected),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

fn assert_refresh_refused(client: &Client, answer: &CoreTokenResponse) -> Outcome {
    let token = answer.refresh_token().ok_or("no refresh token")?;
    let result = client.exchange_refresh_token(token)?.request(&http());
    assert_refused(result, &CoreErrorResponseType::InvalidGrant);
    Ok(())
}

fn discovery() -> Outcome {
    let metadata = discovered()?;
    assert_eq!(metadata.issuer().as_str(), variable("ISSUER"));
    assert!(metadata.jwks().keys().len() >= 2);
    Ok(())
}

fn code() -> Outcome {
    let answer = tokens(&web()?)?;
    assert_eq!(answer.scopes().map(Vec::len), Some(SCOPES.len() + 1), "and openid");
    assert!(works(&answer)?);
    Ok(())
}

fn public() -> Outcome {
    let native = client(NATIVE, None, "http://127.0.0.1:9144/callback")?;
    let first = tokens(&native)?;
    assert!(works(&first)?);
    let second = refreshed(&native, &first)?;
    assert_ne!(second.refresh_token().map(|t| t.secret()), first.refresh_token().map(|t| t.secret()));
    Ok(())
}

fn errors() -> Outcome {
    let web = web()?;
    let signed_in = sign_in(&web)?;
    let redeem = |client: &Client| {
        let request = client.exchange_code(signed_in.code.clone()).expect("a token endpoint");
        request.set_pkce_verifier(signed_in.verifier()).request(&http())
    };
    assert_refused(redeem(&client(WEB, Some("wrong"), REDIRECT_URI)?), &CoreErrorResponseType::InvalidClient);
    let answer = redeem(&web)?;
    assert_refused(redeem(&web), &CoreErrorResponseType::InvalidGrant);
    assert!(!works(&answer)?, "the code's second use ends what its first use gave");
    Ok(())
}

fn id_token() -> Outcome {
    let web = web()?;
    let signed_in = sign_in(&web)?;
    let answer = exchange(&web, &signed_in)?;
    let token = id_token_of(&answer)?;
    let verifier: CoreIdTokenVerifier = web.id_token_verifier();
    let claims = token.claims(&verifier, &signed_in.nonce)?;
    assert_eq!(claims.email().map(|email| email.as_str()), Some(&*variable("USER_EMAIL")));
    let hash = claims.access_token_hash().ok_or("no at_hash")?;
    let (algorithm, key) = (token.signing_alg()?, token.signing_key(&verifier)?);
    assert_eq!(*hash, AccessTokenHash::from_token(answer.access_token(), algorithm, key)?);
    let other = token.claims(&verifier, &Nonce::new_random());
    assert!(matches!(other, Err(ClaimsVerificationError::InvalidNonce(_))), "{other:?}");
    Ok(())
}

fn userinfo() -> Outcome {
    let web = web()?;
    let signed_in = sign_in(&web)?;
    let answer = exchange(&web, &signed_in)?;
    let subject = id_token_of(&answer)?.claims(&web.id_token_verifier(), &signed_in.nonce)?.subject().clone();
    let user: CoreUserInfoClaims = web.user_info(answer.access_token().clone(), Some(subject))?.request(&http())?;
    assert_eq!(user.email().map(|email| email.as_str()), Some(&*variable("USER_EMAIL")));
    assert!(user.name().is_some());
    Ok(())
}

fn refresh() -> Outcome {
    let web = web()?;
    let first = tokens(&web)?;
    let second = refreshed(&web, &first)?;
    // The ID token of a refresh has no nonce (OpenID Connect Core section 12.2).
    let without = |nonce: Option<&Nonce>| nonce.map_or(Ok(()), |_| Err("a nonce".to_owned()));
    id_token_of(&second)?.claims(&web.id_token_verifier(), without)?;
    assert!(works(&second)?);
    // The spent one is theft now, which ends its successor too (RFC 9700 section 4.14.2).
    assert_refresh_refused(&web, &first)?;
    assert_refresh_refused(&web, &second)
}

fn client_credentials() -> Outcome {
    for method in [AuthType::BasicAuth, AuthType::RequestBody] {
        let answer = web()?.set_auth_type(method).exchange_client_credentials()?.request(&http())?;
        assert!(answer.refresh_token().is_none() && answer.id_token().is_none());
        assert!(works(&answer)?);
    }
    let unheard_of = Scope::new("unheard_of".to_owned());
    let result = web()?.exchange_client_credentials()?.add_scope(unheard_of).request(&http());
    assert_refused(result, &CoreErrorResponseType::InvalidScope);
    Ok(())
}

fn password() -> Outcome {
    let web = web()?;
    let name = ResourceOwnerUsername::new(variable("USER_EMAIL"));
    let right = ResourceOwnerPassword::new(variable("USER_PASSWORD"));
    let scope = Scope::new("account_api".to_owned());
    assert!(works(&web.exchange_password(&name, &right)?.add_scope(scope).request(&http())?)?);
    let wrong = ResourceOwnerPassword::new("wrong".to_owned());
    let result = web.exchange_password(&name, &wrong)?.request(&http());
    assert_refused(result, &CoreErrorResponseType::InvalidGrant);
    Ok(())
}

fn device() -> Outcome {
    let native = client(NATIVE, None, REDIRECT_URI)?;
    let request = native.exchange_device_code().add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())));
    let started: CoreDeviceAuthorizationResponse = request.request(&http())?;
    let complete = started.verification_uri_complete().ok_or("no complete address")?;
    // The first poll comes too early; the user answers while the device waits.
    let answers = Once::new();
    let wait = |interval| {
        answers.call_once(|| drop(browse(complete.secret(), &[]).expect("an answer")));
        sleep(interval);
    };
    let answer = native.exchange_device_access_token(&started)?.request(&http(), wait, None)?;
    assert!(answers.is_completed());
    id_token_of(&answer)?.claims(&native.id_token_verifier(), |_: Option<&Nonce>| Ok(()))?;
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
    assert_refresh_refused(&web, &second)
}

fn introspection() -> Outcome {
    let web = web()?;
    let answer = tokens(&web)?;
    let state = web.introspect(answer.access_token()).request(&http())?;
    assert!(state.active());
    assert_eq!(state.client_id().map(|id| id.as_str()), Some(WEB));
    assert_eq!(state.username(), Some(&*variable("USER_EMAIL")));
    let unheard_of = AccessToken::new("unheard of".to_owned());
    assert!(!web.introspect(&unheard_of).request(&http())?.active());
    Ok(())
}

fn registration() -> Outcome {
    let metadata = discovered()?;
    let endpoint = metadata.registration_endpoint().ok_or("no registration endpoint")?;
    let register = |token: String| {
        let redirect_uri = RedirectUrl::new(REDIRECT_URI.to_owned()).expect("an address");
        CoreClientRegistrationRequest::new(vec![redirect_uri], EmptyAdditionalClientMetadata {})
            .set_initial_access_token(Some(AccessToken::new(token)))
            .register(endpoint, &http())
    };
    let registered = register(variable("REGISTRATION_TOKEN"))?;
    let secret = registered.client_secret().ok_or("no secret")?.secret();
    let client = client(registered.client_id(), Some(secret), REDIRECT_URI)?;
    let signed_in = sign_in(&client)?;
    let answer = exchange(&client, &signed_in)?;
    id_token_of(&answer)?.claims(&client.id_token_verifier(), &signed_in.nonce)?;
    let refused = register("wrong".to_owned());
    assert!(matches!(&refused, Err(ClientRegistrationError::Response(status, ..)) if *status == 401), "{refused:?}");
    Ok(())
}

fn logout() -> Outcome {
    let web = web()?;
    let answer = tokens(&web)?;
    let back = "http://127.0.0.1:9100/signed-out";
    let address = LogoutRequest::from(discovered()?.additional_metadata().end_session_endpoint.clone())
        .set_id_token_hint(id_token_of(&answer)?)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(back.to_owned())?)
        .set_state(CsrfToken::new("bye".to_owned()))
        .http_get_url();
    assert_eq!(browse(address.as_str(), &[])?.as_str(), format!("{back}?state=bye"));
    let (silent, ..) = web
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_prompt(CoreAuthPrompt::None)
        .url();
    let led = browse(silent.as_str(), &[])?;
    assert!(led.as_str().contains("error=login_required"), "{led}");
    Ok(())
}

pub fn run() {
    report(
        &[
            ("discovery", discovery),
            ("code", code),
            ("public", public),
            ("errors", errors),
            ("id_token", id_token),
            ("userinfo", userinfo),
            ("refresh", refresh),
            ("client_credentials", client_credentials),
            ("password", password),
            ("device", device),
            ("revocation", revocation),
            ("introspection", introspection),
            ("registration", registration),
            ("logout", logout),
        ],
        &[
            ("form_post", "it leaves the answer's parameters to the application"),
            ("denied", "it leaves the answer's parameters to the application"),
            ("par", "no interface"),
            ("dpop", "no interface"),
            ("private_key_jwt", "no interface"),
            ("jwt_access_token", "no interface: it is not for resource servers"),
        ],
    );
}
