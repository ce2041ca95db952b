// openid-client 6.
import assert from 'node:assert/strict';

import * as client from 'openid-client';

import {
  API, EMAIL, ISSUER, NATIVE, PASSWORD, REDIRECT_URI, REGISTRATION_TOKEN, SCOPE, SECRET, SIGNED_OUT, WEB,
  browse, clientKey, refused, run,
} from './matrix.mjs';

// Only because this server speaks plain http on a loopback address.
const LOOPBACK = { execute: [client.allowInsecureRequests] };

const configure = (id, metadata, authentication) => client.discovery(ISSUER, id, metadata, authentication, LOOPBACK);

const web = await configure(WEB, SECRET);
const native = await configure(NATIVE, undefined, client.None());

/** What an authorization request begins with: its parameters, and what its answer has to fit. */
async function begin(more) {
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState() };
  const parameters = {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    state: checks.expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...more,
  };
  if (more?.nonce) checks.expectedNonce = more.nonce;
  return { parameters, checks };
}

/** The user's way through the dialog. */
async function signIn(config, more) {
  const { parameters, checks } = await begin(more);
  return { ...(await browse(client.buildAuthorizationUrl(config, parameters))), checks };
}

async function tokens(config = web, more = {}) {
  const { url, checks } = await signIn(config, more);
  return client.authorizationCodeGrant(config, url, checks);
}

async function callsApi({ access_token }, options) {
  return (await client.fetchProtectedResource(web, access_token, API, 'GET', undefined, undefined, options)).ok;
}

const invalidGrant = (promise) => refused(promise, client.ResponseBodyError, 'invalid_grant');
const rejectsToken = (promise) => refused(promise, client.WWWAuthenticateChallengeError, 'invalid_token');
// Who tried the header is challenged, which the library reports rather than the body's `invalid_client`.
const challenged = (promise) => refused(promise, client.WWWAuthenticateChallengeError, 401);
const invalidClient = (promise) => refused(promise, client.ResponseBodyError, 'invalid_client');

const flows = {
  async discovery() {
    assert.equal(web.serverMetadata().issuer, ISSUER.origin);
    assert(web.serverMetadata().supportsPKCE());
    const oauth = await client.discovery(ISSUER, WEB, SECRET, undefined, { algorithm: 'oauth2', ...LOOPBACK });
    assert.equal(oauth.serverMetadata().token_endpoint, web.serverMetadata().token_endpoint);
  },

  async code() {
    const answer = await tokens();
    assert.deepEqual(new Set(answer.scope.split(' ')), new Set(SCOPE.split(' ')));
    assert(answer.expiresIn() > 3500);
    assert(await callsApi(answer));
  },

  async public() {
    const answer = await tokens(native, { redirect_uri: 'http://127.0.0.1:9155/callback' });
    assert(await callsApi(answer));
    const fresh = await client.refreshTokenGrant(native, answer.refresh_token);
    assert.notEqual(fresh.refresh_token, answer.refresh_token);
  },

  async form_post() {
    const { url, form, checks } = await signIn(web, { response_mode: 'form_post' });
    const posted = new Request(url, { method: 'POST', body: new URLSearchParams(form) });
    assert(await callsApi(await client.authorizationCodeGrant(web, posted, checks)));
  },

  async denied() {
    const { parameters, checks } = await begin({ prompt: 'consent' });
    const { url } = await browse(client.buildAuthorizationUrl(web, parameters), '--deny');
    const exchange = client.authorizationCodeGrant(web, url, checks);
    await refused(exchange, client.AuthorizationResponseError, 'access_denied');
  },

  async errors() {
    const { url, checks } = await signIn(web);
    const inHeader = await configure(WEB, {}, client.ClientSecretBasic('wrong'));
    await challenged(client.authorizationCodeGrant(inHeader, url, checks));
    const inBody = await configure(WEB, {}, client.ClientSecretPost('wrong'));
    await invalidClient(client.authorizationCodeGrant(inBody, url, checks));
    const answer = await client.authorizationCodeGrant(web, url, checks);
    await invalidGrant(client.authorizationCodeGrant(web, url, checks));
    await rejectsToken(callsApi(answer)); // the code's second use ends what its first use gave
  },

  async id_token() {
    for (const max_age of [0, 3600]) {
      const strict = await configure(WEB, SECRET);
      client.enableNonRepudiationChecks(strict); // the signature too, against the published keys
      const { url, checks } = await signIn(strict, { nonce: client.randomNonce(), max_age });
      const answer = await client.authorizationCodeGrant(strict, url, { ...checks, maxAge: max_age });
      const claims = answer.claims();
      assert.deepEqual([claims.iss, claims.aud, claims.email], [ISSUER.origin, WEB, EMAIL]);
    }
    const { url, checks } = await signIn(web, { nonce: client.randomNonce() });
    const mixedUp = client.authorizationCodeGrant(web, url, { ...checks, expectedNonce: 'another' });
    await refused(mixedUp, client.ClientError, 'OAUTH_JWT_CLAIM_COMPARISON_FAILED');
  },

  async userinfo() {
    const answer = await tokens();
    const { sub } = answer.claims();
    const user = await client.fetchUserInfo(web, answer.access_token, sub);
    assert.equal(user.email, EMAIL);
    assert(user.name);
  },

  async refresh() {
    const first = await tokens();
    const second = await client.refreshTokenGrant(web, first.refresh_token, { scope: 'openid account_api' });
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal(second.claims().sub, first.claims().sub);
    assert(await callsApi(second));
    // The spent one is theft now, which ends its successor too (RFC 9700 section 4.14.2).
    await invalidGrant(client.refreshTokenGrant(web, first.refresh_token));
    await invalidGrant(client.refreshTokenGrant(web, second.refresh_token));
  },

  async client_credentials() {
    for (const authentication of [client.ClientSecretPost(SECRET), client.ClientSecretBasic(SECRET)]) {
      const config = await configure(WEB, {}, authentication);
      const answer = await client.clientCredentialsGrant(config, { scope: 'account_api' });
      assert.equal(answer.refresh_token, undefined);
      assert(await callsApi(answer));
    }
    const unheardOf = client.clientCredentialsGrant(web, { scope: 'unheard_of' });
    await refused(unheardOf, client.ResponseBodyError, 'invalid_scope');
  },

  async password() {
    const grant = (password) =>
      client.genericGrantRequest(web, 'password', { username: EMAIL, password, scope: 'account_api' });
    assert(await callsApi(await grant(PASSWORD)));
    await invalidGrant(grant('wrong'));
  },

  async device() {
    const started = await client.initiateDeviceAuthorization(native, { scope: SCOPE });
    const polled = client.pollDeviceAuthorizationGrant(native, started);
    await browse(started.verification_uri_complete);
    const answer = await polled;
    assert.equal(answer.claims().email, EMAIL);
    assert(await callsApi(answer));
    const denied = await client.initiateDeviceAuthorization(native, { scope: SCOPE });
    await browse(denied.verification_uri, '--deny', '--user-code', denied.user_code.toLowerCase());
    await refused(client.pollDeviceAuthorizationGrant(native, denied), client.ResponseBodyError, 'access_denied');
  },

  async revocation() {
    const first = await tokens();
    await client.tokenRevocation(web, first.access_token, { token_type_hint: 'access_token' });
    await rejectsToken(callsApi(first));
    const second = await client.refreshTokenGrant(web, first.refresh_token);
    await client.tokenRevocation(web, second.refresh_token);
    assert.equal((await client.tokenIntrospection(web, second.access_token)).active, false);
    await invalidGrant(client.refreshTokenGrant(web, second.refresh_token));
    await client.tokenRevocation(web, 'unheard of');
  },

  async introspection() {
    const answer = await tokens();
    const state = await client.tokenIntrospection(web, answer.access_token);
    assert.deepEqual([state.active, state.client_id, state.username], [true, WEB, EMAIL]);
    assert((await client.tokenIntrospection(web, answer.refresh_token)).active);
    assert.deepEqual(await client.tokenIntrospection(web, 'unheard of'), { active: false });
  },

  async par() {
    const { parameters, checks } = await begin();
    const address = await client.buildAuthorizationUrlWithPAR(web, parameters);
    assert.deepEqual([...address.searchParams.keys()].sort(), ['client_id', 'request_uri']);
    const { url } = await browse(address);
    assert(await callsApi(await client.authorizationCodeGrant(web, url, checks)));
    const pushed = client.buildAuthorizationUrlWithPAR(web, { ...parameters, scope: 'unheard_of' });
    await refused(pushed, client.ResponseBodyError, 'invalid_scope');
  },

  async dpop() {
    const handle = async () => ({ DPoP: client.getDPoPHandle(native, await client.randomDPoPKeyPair('ES256')) });
    const mine = await handle();
    const { url, checks } = await signIn(native);
    const answer = await client.authorizationCodeGrant(native, url, checks, undefined, mine);
    assert.equal(answer.token_type, 'dpop');
    assert(await callsApi(answer, mine));
    await refused(callsApi(answer), client.WWWAuthenticateChallengeError, 401);
    await refused(callsApi(answer, await handle()), client.WWWAuthenticateChallengeError, 401);
    await refused(client.refreshTokenGrant(native, answer.refresh_token, {}, await handle()), client.ResponseBodyError);
    assert(await callsApi(await client.refreshTokenGrant(native, answer.refresh_token, {}, mine), mine));
  },

  async private_key_jwt() {
    const config = await configure('key-app', {}, client.PrivateKeyJwt(await clientKey()));
    assert(await callsApi(await tokens(config)));
    assert(await callsApi(await client.clientCredentialsGrant(config)));
    const { privateKey } = await client.randomDPoPKeyPair('ES256');
    const stranger = await configure('key-app', {}, client.PrivateKeyJwt(privateKey));
    await invalidClient(client.clientCredentialsGrant(stranger));
  },

  async registration() {
    const metadata = { client_name: 'Registered', redirect_uris: [REDIRECT_URI], scope: 'account_api' };
    const register = (initialAccessToken) =>
      client.dynamicClientRegistration(ISSUER, metadata, undefined, { initialAccessToken, ...LOOPBACK });
    assert(await callsApi(await tokens(await register(REGISTRATION_TOKEN))));
    await rejectsToken(register('wrong'));
  },

  async logout() {
    const { id_token } = await tokens();
    const parameters = { id_token_hint: id_token, post_logout_redirect_uri: SIGNED_OUT, state: 'bye' };
    const { url } = await browse(client.buildEndSessionUrl(web, parameters));
    assert.equal(url.href, `${SIGNED_OUT}?state=bye`);
    const silent = await signIn(web, { prompt: 'none' });
    const exchange = client.authorizationCodeGrant(web, silent.url, silent.checks);
    await refused(exchange, client.AuthorizationResponseError, 'login_required');
  },
};

await run(flows, { jwt_access_token: 'no interface: it is not for resource servers' });
