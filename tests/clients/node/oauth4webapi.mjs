// oauth4webapi 3: each step is a request and the check of its response.
import assert from 'node:assert/strict';

import * as oauth from 'oauth4webapi';

import {
  API, EMAIL, ISSUER, NATIVE, PASSWORD, REDIRECT_URI, REGISTRATION_TOKEN, SCOPE, SECRET, WEB,
  browse, clientKey, refused, run,
} from './matrix.mjs';

// Only because this server speaks plain http on a loopback address.
const LOOPBACK = { [oauth.allowInsecureRequests]: true };

async function discover(algorithm) {
  const response = await oauth.discoveryRequest(ISSUER, { algorithm, ...LOOPBACK });
  return oauth.processDiscoveryResponse(ISSUER, response);
}

const as = await discover('oidc');
const web = { client_id: WEB };
const secret = oauth.ClientSecretBasic(SECRET);
const native = { client_id: NATIVE };

/** What an authorization request begins with. */
async function begin(client, more) {
  const begun = { state: oauth.generateRandomState(), verifier: oauth.generateRandomCodeVerifier() };
  const parameters = new URLSearchParams({
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    state: begun.state,
    code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier),
    code_challenge_method: 'S256',
    ...more,
  });
  return { ...begun, parameters, redirectUri: parameters.get('redirect_uri') };
}

function authorizeUrl(parameters) {
  const url = new URL(as.authorization_endpoint);
  url.search = parameters;
  return url;
}

/** The user's way through the dialog. Returns the checked answer with what its exchange takes. */
async function signIn(client, more, ...browsing) {
  const begun = await begin(client, more);
  const { url, form } = await browse(authorizeUrl(begun.parameters), ...browsing);
  const answer = form ? new URLSearchParams(form) : url;
  return { ...begun, callback: oauth.validateAuthResponse(as, client, answer, begun.state) };
}

async function exchange(client, authentication, { callback, redirectUri, verifier }, checks, options) {
  const response = await oauth.authorizationCodeGrantRequest(
    as, client, authentication, callback, redirectUri, verifier, { ...LOOPBACK, ...options },
  );
  const answer = await oauth.processAuthorizationCodeResponse(as, client, response, checks);
  if (answer.id_token) await oauth.validateApplicationLevelSignature(as, response, LOOPBACK);
  return answer;
}

const tokens = async () => exchange(web, secret, await signIn(web));

async function refreshed(client, authentication, { refresh_token }, options) {
  const response = await oauth.refreshTokenGrantRequest(
    as, client, authentication, refresh_token, { ...LOOPBACK, ...options },
  );
  return oauth.processRefreshTokenResponse(as, client, response);
}

async function clientCredentials(client, authentication, parameters = {}) {
  const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, LOOPBACK);
  return oauth.processClientCredentialsResponse(as, client, response);
}

async function revoke(token) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, web, secret, token, LOOPBACK));
}

async function introspected(token) {
  const response = await oauth.introspectionRequest(as, web, secret, token, LOOPBACK);
  return oauth.processIntrospectionResponse(as, web, response);
}

async function callsApi({ access_token }, options) {
  const asked = { ...LOOPBACK, ...options };
  return (await oauth.protectedResourceRequest(access_token, 'GET', API, undefined, undefined, asked)).ok;
}

const invalidGrant = (promise) => refused(promise, oauth.ResponseBodyError, 'invalid_grant');
const rejectsToken = (promise) => refused(promise, oauth.WWWAuthenticateChallengeError, 'invalid_token');
// Who tried the header is challenged, which the library reports rather than the body's `invalid_client`.
const challenged = (promise) => refused(promise, oauth.WWWAuthenticateChallengeError, 401);
const invalidClient = (promise) => refused(promise, oauth.ResponseBodyError, 'invalid_client');

const flows = {
  async discovery() {
    const metadata = await discover('oauth2');
    assert.equal(metadata.token_endpoint, as.token_endpoint);
    assert(metadata.code_challenge_methods_supported.includes('S256'));
  },

  async code() {
    const answer = await tokens();
    assert.equal(answer.token_type, 'bearer');
    assert.deepEqual(new Set(answer.scope.split(' ')), new Set(SCOPE.split(' ')));
    assert(await callsApi(answer));
  },

  async public() {
    const signedIn = await signIn(native, { redirect_uri: 'http://127.0.0.1:9166/callback' });
    const answer = await exchange(native, oauth.None(), signedIn);
    assert(await callsApi(answer));
    const fresh = await refreshed(native, oauth.None(), answer);
    assert.notEqual(fresh.refresh_token, answer.refresh_token);
  },

  async form_post() {
    const signedIn = await signIn(web, { response_mode: 'form_post' });
    assert(await callsApi(await exchange(web, secret, signedIn)));
  },

  async denied() {
    const answer = signIn(web, { prompt: 'consent' }, '--deny');
    await refused(answer, oauth.AuthorizationResponseError, 'access_denied');
  },

  async errors() {
    const signedIn = await signIn(web);
    await challenged(exchange(web, oauth.ClientSecretBasic('wrong'), signedIn));
    await invalidClient(exchange(web, oauth.ClientSecretPost('wrong'), signedIn));
    const answer = await exchange(web, secret, signedIn);
    await invalidGrant(exchange(web, secret, signedIn));
    await rejectsToken(callsApi(answer)); // the code's second use ends what its first use gave
  },

  async id_token() {
    const nonce = oauth.generateRandomNonce();
    const strict = { requireIdToken: true, expectedNonce: nonce, maxAge: 0 };
    const answer = await exchange(web, secret, await signIn(web, { nonce, max_age: 0 }), strict);
    const claims = oauth.getValidatedIdTokenClaims(answer);
    assert.deepEqual([claims.iss, claims.aud, claims.email], [as.issuer, WEB, EMAIL]);
    const mixedUp = exchange(web, secret, await signIn(web, { nonce }), { ...strict, expectedNonce: 'another' });
    await refused(mixedUp, oauth.OperationProcessingError, oauth.JWT_CLAIM_COMPARISON);
  },

  async userinfo() {
    const answer = await tokens();
    const { sub } = oauth.getValidatedIdTokenClaims(answer);
    const response = await oauth.userInfoRequest(as, web, answer.access_token, LOOPBACK);
    const user = await oauth.processUserInfoResponse(as, web, sub, response);
    assert.equal(user.email, EMAIL);
    assert(user.name);
  },

  async refresh() {
    const first = await tokens();
    const second = await refreshed(web, secret, first);
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal(oauth.getValidatedIdTokenClaims(second).sub, oauth.getValidatedIdTokenClaims(first).sub);
    assert(await callsApi(second));
    // The spent one is theft now, which ends its successor too (RFC 9700 section 4.14.2).
    await invalidGrant(refreshed(web, secret, first));
    await invalidGrant(refreshed(web, secret, second));
  },

  async client_credentials() {
    for (const authentication of [secret, oauth.ClientSecretPost(SECRET)]) {
      const answer = await clientCredentials(web, authentication);
      assert.equal(answer.refresh_token, undefined);
      assert(await callsApi(answer));
    }
    const unheardOf = clientCredentials(web, secret, { scope: 'unheard_of' });
    await refused(unheardOf, oauth.ResponseBodyError, 'invalid_scope');
  },

  async password() {
    const grant = async (password) => {
      const parameters = { username: EMAIL, password, scope: 'account_api' };
      const response = await oauth.genericTokenEndpointRequest(as, web, secret, 'password', parameters, LOOPBACK);
      return oauth.processGenericTokenEndpointResponse(as, web, response);
    };
    assert(await callsApi(await grant(PASSWORD)));
    await invalidGrant(grant('wrong'));
  },

  async device() {
    const poll = async (code) => {
      const response = await oauth.deviceCodeGrantRequest(as, native, oauth.None(), code, LOOPBACK);
      return oauth.processDeviceCodeResponse(as, native, response);
    };
    const request = await oauth.deviceAuthorizationRequest(as, native, oauth.None(), { scope: SCOPE }, LOOPBACK);
    const started = await oauth.processDeviceAuthorizationResponse(as, native, request);
    await refused(poll(started.device_code), oauth.ResponseBodyError, 'authorization_pending');
    await refused(poll(started.device_code), oauth.ResponseBodyError, 'slow_down');
    await browse(started.verification_uri_complete);
    await new Promise((resume) => setTimeout(resume, (started.interval + 5) * 1000)); // RFC 8628 section 3.5
    const answer = await poll(started.device_code);
    assert.equal(oauth.getValidatedIdTokenClaims(answer).email, EMAIL);
    assert(await callsApi(answer));
    await invalidGrant(poll(started.device_code));
  },

  async revocation() {
    const first = await tokens();
    await revoke(first.access_token);
    await rejectsToken(callsApi(first));
    const second = await refreshed(web, secret, first);
    await revoke(second.refresh_token);
    assert.equal((await introspected(second.access_token)).active, false);
    await invalidGrant(refreshed(web, secret, second));
    await revoke('unheard of');
  },

  async introspection() {
    const answer = await tokens();
    const state = await introspected(answer.access_token);
    assert.deepEqual([state.active, state.client_id, state.username], [true, WEB, EMAIL]);
    assert((await introspected(answer.refresh_token)).active);
    assert.deepEqual(await introspected('unheard of'), { active: false });
  },

  async par() {
    const push = async (parameters) => {
      const response = await oauth.pushedAuthorizationRequest(as, web, secret, parameters, LOOPBACK);
      return oauth.processPushedAuthorizationResponse(as, web, response);
    };
    const begun = await begin(web);
    const { request_uri } = await push(begun.parameters);
    const { url } = await browse(authorizeUrl(new URLSearchParams({ client_id: WEB, request_uri })));
    const callback = oauth.validateAuthResponse(as, web, url, begun.state);
    assert(await callsApi(await exchange(web, secret, { ...begun, callback })));
    begun.parameters.set('scope', 'unheard_of');
    await refused(push(begun.parameters), oauth.ResponseBodyError, 'invalid_scope');
  },

  async dpop() {
    const handle = async () => ({ DPoP: oauth.DPoP(native, await oauth.generateKeyPair('ES256')) });
    const mine = await handle();
    const answer = await exchange(native, oauth.None(), await signIn(native), undefined, mine);
    assert.equal(answer.token_type, 'dpop');
    assert(await callsApi(answer, mine));
    await refused(callsApi(answer), oauth.WWWAuthenticateChallengeError, 401);
    await refused(callsApi(answer, await handle()), oauth.WWWAuthenticateChallengeError, 401);
    await refused(refreshed(native, oauth.None(), answer, await handle()), oauth.ResponseBodyError);
    assert(await callsApi(await refreshed(native, oauth.None(), answer, mine), mine));
  },

  async private_key_jwt() {
    const client = { client_id: 'key-app' };
    const authentication = oauth.PrivateKeyJwt(await clientKey());
    assert(await callsApi(await exchange(client, authentication, await signIn(client))));
    assert(await callsApi(await clientCredentials(client, authentication)));
    const { privateKey } = await oauth.generateKeyPair('ES256');
    await invalidClient(clientCredentials(client, oauth.PrivateKeyJwt(privateKey)));
  },

  async registration() {
    const register = async (initialAccessToken) => {
      const metadata = { client_name: 'Registered', redirect_uris: [REDIRECT_URI], scope: 'account_api' };
      const response = await oauth.dynamicClientRegistrationRequest(as, metadata, { initialAccessToken, ...LOOPBACK });
      return oauth.processDynamicClientRegistrationResponse(response);
    };
    const client = await register(REGISTRATION_TOKEN);
    const authentication = oauth.ClientSecretBasic(client.client_secret);
    assert(await callsApi(await exchange(client, authentication, await signIn(client))));
    await rejectsToken(register('wrong'));
  },

  async jwt_access_token() {
    const { access_token, id_token } = await tokens();
    const check = (token, audience = as.issuer) => {
      const request = new Request(API, { headers: { authorization: `Bearer ${token}` } });
      return oauth.validateJwtAccessToken(as, request, audience, LOOPBACK);
    };
    const claims = await check(access_token);
    assert.equal(claims.client_id, WEB);
    assert(claims.scope.split(' ').includes('account_api'));
    await refused(check(access_token, 'https://elsewhere.test'), oauth.OperationProcessingError);
    await refused(check(id_token), oauth.OperationProcessingError);
  },
};

await run(flows, { logout: 'no interface; the metadata has the address' });
