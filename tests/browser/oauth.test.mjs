// Standard OAuth 2.0 and OpenID Connect in a browser: redirects, consent, prompts, a page that swaps its own code.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { apiStatus, assertCode, assertErrorAnswer, claims, createOAuthWorld } from './support/oauth.mjs';
import { Dialog, tabTo, visit } from './support/visitor.mjs';

let world;
before(async () => {
  world = await createOAuthWorld();
  for (const path of ['/callback', '/spa', '/native', '/landed']) world.sites.serve(path, '<title>Client</title><h1>Back</h1>');
  world.sites.redirect('/onward', `${world.origins.other}/landed`);
});
after(() => world?.stop());

const queryOf = (page) => new URL(page.url()).searchParams;

/** Opens an authorization request; the dialog, or where the browser went at once. */
async function begin(visitor, client = world.web, parameters = {}) {
  const request = client.request(parameters);
  await visitor.open(request.url);
  return { request, dialog: new Dialog(visitor.page) };
}

async function cameBack(page, request) {
  await page.waitForURL((url) => url.href.startsWith(request.parameters.redirect_uri));
  return queryOf(page);
}

/** The whole first sign-in, up to the tokens. */
async function connect(visitor, person, client = world.web, parameters = {}) {
  const { request, dialog } = await begin(visitor, client, parameters);
  await dialog.logIn(person);
  await dialog.allow();
  const code = assertCode(world, request, await cameBack(visitor.page, request));
  const tokens = await client.exchange(request, code);
  assert.equal(tokens.status, 200, tokens.error_description);
  return tokens;
}

test('D1 C2 code and PKCE: one click to be Ada, Allow, and the code at the redirect URI is good for tokens', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const { request, dialog } = await begin(visitor, world.web, { scope: 'openid profile email account_api' });
  await dialog.button(`Continue as ${person.name}`).click();
  await dialog.allow();
  const code = assertCode(world, request, await cameBack(visitor.page, request));
  const tokens = await world.web.exchange(request, code);
  assert.deepEqual([tokens.status, tokens.token_type, tokens.expires_in], [200, 'Bearer', 3600]);
  const { aud, name, email } = claims(tokens.id_token);
  assert.deepEqual({ aud, name, email }, { aud: world.web.app.id, name: person.name, email: person.email });
  assert.equal(await apiStatus(world, '/v1/me', tokens.access_token), 200);
  assert.equal(await visitor.page.evaluate(() => document.referrer), '', 'no page of ours is named to the client');
});

test('response_mode=fragment: a wrong password first, then the answer behind the #', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const { request, dialog } = await begin(visitor, world.web, { response_mode: 'fragment' });
  await dialog.enter({ ...person, password: 'wrong' });
  await visitor.page.getByText('do not belong together').waitFor();
  await dialog.logIn(person);
  await dialog.allow();
  assert.equal((await cameBack(visitor.page, request)).size, 0);
  const answer = new URLSearchParams(new URL(visitor.page.url()).hash.slice(1));
  assert.equal((await world.web.exchange(request, assertCode(world, request, answer))).status, 200);
});

test('C2 trap: the client\'s callback redirects to a third origin, after Allow and straight after the password', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const redirect_uri = world.web.app.redirect_uris[1];
  const first = await begin(visitor, world.web, { redirect_uri });
  await first.dialog.logIn(person);
  await first.dialog.allow();
  await visitor.page.waitForURL(`${world.origins.other}/landed`);
  assertCode(world, first.request, world.sites.received('/onward').at(-1).url.searchParams);

  const second = await begin(visitor, world.web, { redirect_uri, prompt: 'login' });
  await second.dialog.enter(person);
  await visitor.page.waitForURL(`${world.origins.other}/landed`);
  assertCode(world, second.request, world.sites.received('/onward').at(-1).url.searchParams);
});

test('response_mode=form_post: the client gets a post from this server\'s origin, without a click', async (t) => {
  const visitor = await visit(t);
  const { request, dialog } = await begin(visitor, world.web, { response_mode: 'form_post' });
  await dialog.logIn(world.person());
  await dialog.allow();
  assert.equal((await cameBack(visitor.page, request)).size, 0);
  const { method, headers, body } = world.sites.received('/callback').at(-1);
  assert.deepEqual([method, headers.origin], ['POST', world.issuer]);
  assert.equal(headers.referer, `${world.issuer}/`, 'the origin and no more');
  assert.equal((await world.web.exchange(request, assertCode(world, request, new URLSearchParams(body)))).status, 200);
});

test('response_mode=form_post without JavaScript: Continue posts it; and a refusal travels so, too', async (t) => {
  const visitor = await visit(t, { javaScriptEnabled: false });
  const person = world.person();
  for (const decision of ['Cancel', 'Allow']) {
    const { request, dialog } = await begin(visitor, world.web, { response_mode: 'form_post' });
    if (decision === 'Cancel') await dialog.logIn(person);
    await dialog.button(decision).click();
    await dialog.button('Continue').click();
    await cameBack(visitor.page, request);
    const { method, headers, body } = world.sites.received('/callback').at(-1);
    assert.deepEqual([method, headers.origin], ['POST', world.issuer]);
    if (decision === 'Cancel') assertErrorAnswer(world, request, new URLSearchParams(body), 'access_denied');
    else assertCode(world, request, new URLSearchParams(body));
  }
});

test('B16 Cancel: access_denied with state and iss, and nothing is connected', async (t) => {
  const visitor = await visit(t);
  const { request, dialog } = await begin(visitor);
  await dialog.logIn(world.person());
  await dialog.cancel();
  assertErrorAnswer(world, request, await cameBack(visitor.page, request), 'access_denied');
  await visitor.open(`${world.issuer}/account`);
  await visitor.page.getByText('No application is connected').waitFor();
});

test('C13 asked once: not again for as much or less, but again for more', async (t) => {
  const visitor = await visit(t);
  await connect(visitor, world.person());
  for (const scope of ['openid account_api', 'account_api']) {
    const { request } = await begin(visitor, world.web, { scope });
    assertCode(world, request, queryOf(visitor.page));
  }
  const { request, dialog } = await begin(visitor, world.web, { scope: 'account_api data_api' });
  await visitor.page.getByText("search and read your account's leads").waitFor();
  await dialog.allow();
  assertCode(world, request, await cameBack(visitor.page, request));
});

test('C13 the consent page names the application, its publisher, the account, each permission and where it leads', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const { dialog } = await begin(visitor, world.web, { scope: 'openid profile email account_api data_api offline_access' });
  await dialog.logIn(person);
  const text = await visitor.page.getByRole('main').innerText();
  const { name, publisher } = world.web.app;
  for (const named of [name, publisher, 'Acme Mortgage', person.name, person.email, world.origins.partner]) {
    assert.ok(text.includes(named), `${named} in ${text}`);
  }
  assert.deepEqual(await visitor.page.getByRole('listitem').allTextContents(), [
    "see your account's name and settings",
    "search and read your account's leads",
    'know that it is you who signs in',
    'see your name',
    'see your e-mail address',
    'keep its access while you are away',
  ]);
  assert.ok(await visitor.page.title().then((title) => title.includes(name)));
});

test('B22 prompt=none: login_required, consent_required, and then a code; never a page', async (t) => {
  const visitor = await visit(t);
  const silent = { prompt: 'none', scope: 'openid account_api' };
  const stranger = await begin(visitor, world.web, silent);
  assertErrorAnswer(world, stranger.request, queryOf(visitor.page), 'login_required');

  const { request, dialog } = await begin(visitor, world.web, { scope: 'openid' });
  await dialog.logIn(world.person());
  await dialog.allow();
  await cameBack(visitor.page, request);
  const narrow = await begin(visitor, world.web, silent);
  assertErrorAnswer(world, narrow.request, queryOf(visitor.page), 'consent_required');

  const enough = await begin(visitor, world.web, { ...silent, scope: 'openid' });
  assertCode(world, enough.request, queryOf(visitor.page));
});

test('prompt=login, select_account and max_age ask who it is, prompt=consent whether it is allowed', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const before = claims((await connect(visitor, person)).id_token).auth_time;
  for (const parameters of [{ prompt: 'login' }, { prompt: 'select_account' }, { max_age: '0' }]) {
    const { request, dialog } = await begin(visitor, world.web, parameters);
    await dialog.enter(person);
    const code = assertCode(world, request, await cameBack(visitor.page, request));
    const { auth_time } = claims((await world.web.exchange(request, code)).id_token);
    assert.ok(auth_time >= before, `${auth_time} after ${before}`);
  }
  const recent = await begin(visitor, world.web, { max_age: '3600' });
  assertCode(world, recent.request, queryOf(visitor.page));

  const { request, dialog } = await begin(visitor, world.web, { prompt: 'consent' });
  await dialog.allow();
  assertCode(world, request, await cameBack(visitor.page, request));
});

test('login_hint fills the address in, and the password is what is typed next', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const { request, dialog } = await begin(visitor, world.web, { login_hint: person.email });
  assert.equal(await visitor.page.getByLabel('Email').inputValue(), person.email);
  await visitor.page.locator('#password:focus').waitFor();
  await visitor.page.keyboard.type(person.password);
  await visitor.page.keyboard.press('Enter');
  await dialog.allow();
  assertCode(world, request, await cameBack(visitor.page, request));
});

test('id_token_hint of somebody else: whoever is signed in has to sign in as that one', async (t) => {
  const visitor = await visit(t);
  const [one, other] = [world.person(), world.person()];
  const { id_token } = await connect(visitor, one);
  await visitor.context.clearCookies();
  await connect(visitor, other);
  const silent = await begin(visitor, world.web, { prompt: 'none', id_token_hint: id_token });
  assertErrorAnswer(world, silent.request, queryOf(visitor.page), 'login_required');
  const { request, dialog } = await begin(visitor, world.web, { id_token_hint: id_token });
  await dialog.enter(one);
  const tokens = await world.web.exchange(request, assertCode(world, request, await cameBack(visitor.page, request)));
  assert.equal(claims(tokens.id_token).sub, claims(id_token).sub);
});

test('"Not you?" asks again who it is, and the answer is the other\'s', async (t) => {
  const visitor = await visit(t);
  const [one, other] = [world.person(), world.person()];
  const { request, dialog } = await begin(visitor, world.web, { scope: 'openid email' });
  await dialog.logIn(one);
  await dialog.button('Not you?').click();
  await dialog.logIn(other);
  await dialog.allow();
  const tokens = await world.web.exchange(request, assertCode(world, request, await cameBack(visitor.page, request)));
  assert.equal(claims(tokens.id_token).email, other.email);
});

test('ui_locales chooses the language', async (t) => {
  const visitor = await visit(t);
  const { dialog } = await begin(visitor, world.web, { ui_locales: 'es en' });
  assert.equal(await visitor.page.getAttribute('html', 'lang'), 'es');
  await dialog.button('Iniciar sesión').waitFor();
});

test('B5 C13 a program on the user\'s machine, on a port of its own, is asked for each time and gets no silent code', async (t) => {
  const visitor = await visit(t);
  const redirect_uri = `${world.sites.origin('127.0.0.1')}/native`;
  await connect(visitor, world.person(), world.native, { redirect_uri });
  const { request, dialog } = await begin(visitor, world.native, { redirect_uri });
  await dialog.allow();
  assertCode(world, request, await cameBack(visitor.page, request));
  const silent = await begin(visitor, world.native, { redirect_uri, prompt: 'none' });
  assertErrorAnswer(world, silent.request, queryOf(visitor.page), 'consent_required');
});

test('B2 a redirect URI that is not registered: a page, and no way to it', async (t) => {
  const visitor = await visit(t);
  const { evil } = world.origins;
  world.sites.serve('/steal', 'stolen');
  for (const redirect_uri of [`${evil}/steal`, `${world.web.app.redirect_uris[0]}/`, `${evil}/callback`]) {
    const answer = await visitor.page.goto(world.web.request({ redirect_uri }).url);
    assert.equal(answer.status(), 400);
    assert.equal(new URL(visitor.page.url()).origin, world.issuer);
    await visitor.page.getByRole('heading', { name: 'No way back to this application' }).waitFor();
    assert.ok(!(await visitor.page.content()).includes(redirect_uri), 'it is not even shown');
  }
  assert.equal(world.sites.received('/steal').length, 0);
});

test('B15 a request that another site posts: as good as a link, and no other tab\'s sign-in suffers', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const waiting = await begin(visitor);
  const tab = await visitor.tab();
  const request = world.web.request();
  const fields = Object.entries(request.parameters).map(([name, value]) => `<input name="${name}" value="${value}">`);
  const form = `<form method="post" action="${request.address}">${fields.join('')}<button>Sign in</button></form>`;
  await tab.open(world.origins.partner + world.sites.serve('/start', form));
  await tab.page.getByRole('button').click();
  const dialog = new Dialog(tab.page);
  await dialog.logIn(person);
  await dialog.allow();
  assertCode(world, request, await cameBack(tab.page, request));

  await waiting.dialog.enter(person);
  assertCode(world, waiting.request, await cameBack(visitor.page, waiting.request));
});

test('two tabs at once: each gets the answer to its own request', async (t) => {
  const visitor = await visit(t);
  const tab = await visitor.tab();
  const one = await begin(visitor, world.web, { scope: 'account_api' });
  const other = await begin(tab, world.spa, { scope: 'data_api' });
  await one.dialog.logIn(world.person());
  await tab.page.reload();
  await other.dialog.allow();
  assertCode(world, other.request, await cameBack(tab.page, other.request));
  await one.dialog.allow();
  assertCode(world, one.request, await cameBack(visitor.page, one.request));
});

test('Back from the client, and Allow again: the page says that this is over, and nothing is sent', async (t) => {
  const visitor = await visit(t);
  const { request, dialog } = await begin(visitor);
  await dialog.logIn(world.person());
  await dialog.allow();
  await cameBack(visitor.page, request);
  const count = world.sites.received('/callback').length;
  await visitor.page.goBack();
  await visitor.page.getByRole('heading', { name: 'This sign-in is over' }).waitFor();
  assert.equal(world.sites.received('/callback').length, count);
});

test('keyboard only: sign in, read, Allow', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const { page } = visitor;
  const { request } = await begin(visitor);
  await tabTo(page, page.getByLabel('Email'));
  await page.keyboard.type(person.email);
  await tabTo(page, page.getByLabel('Password'));
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  const allow = page.getByRole('button', { name: 'Allow' });
  await tabTo(page, allow);
  await allow.and(page.locator('[aria-disabled=false]')).waitFor();
  await page.keyboard.press('Enter');
  assertCode(world, request, await cameBack(page, request));
});

/** In the page: a form to an endpoint of the server, as a page without a back end sends it. */
function postFrom(page, path, fields, headers = {}) {
  return page.evaluate(
    async ([url, form, extra]) => {
      const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers: extra });
      return { status: answer.status, challenge: answer.headers.get('www-authenticate'), ...(await answer.json()) };
    },
    [world.issuer + path, fields, headers],
  );
}

/** In the page: a key that cannot leave it, and proofs of it (RFC 9449, section 4). */
async function holdKey(page) {
  await page.evaluate(async () => {
    const encode = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
    const text = (value) => encode(new TextEncoder().encode(JSON.stringify(value)));
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const pair = await crypto.subtle.generateKey(algorithm, false, ['sign']);
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
    window.prove = async (htm, htu, accessToken) => {
      const hash = accessToken && (await crypto.subtle.digest('SHA-256', new TextEncoder().encode(accessToken)));
      const payload = { jti: crypto.randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ...(hash && { ath: encode(hash) }) };
      const signed = `${text({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } })}.${text(payload)}`;
      return `${signed}.${encode(await crypto.subtle.sign(algorithm, pair.privateKey, new TextEncoder().encode(signed)))}`;
    };
  });
}

function proof(page, method, path, accessToken) {
  return page.evaluate(([htm, htu, token]) => window.prove(htm, htu, token), [method, world.issuer + path, accessToken]);
}

test('L2 L6 a page without a back end: swaps its code, refreshes, asks who it is, revokes; errors are readable', async (t) => {
  const visitor = await visit(t);
  const { page } = visitor;
  const client_id = world.spa.app.id;
  const { request, dialog } = await begin(visitor, world.spa);
  await dialog.logIn(world.person());
  await dialog.allow();
  const code = assertCode(world, request, await cameBack(page, request));
  const { redirect_uri } = request.parameters;
  const swap = { grant_type: 'authorization_code', client_id, code, redirect_uri, code_verifier: request.verifier };
  await holdKey(page);
  const tokens = await postFrom(page, '/oauth/token', swap, { DPoP: await proof(page, 'POST', '/oauth/token') });
  assert.deepEqual([tokens.status, tokens.token_type], [200, 'DPoP']);

  const fields = { grant_type: 'refresh_token', client_id, refresh_token: tokens.refresh_token };
  const unproved = await postFrom(page, '/oauth/token', fields);
  assert.deepEqual([unproved.status, unproved.error], [400, 'invalid_grant']);
  const next = await postFrom(page, '/oauth/token', fields, { DPoP: await proof(page, 'POST', '/oauth/token') });
  assert.deepEqual([next.status, next.token_type], [200, 'DPoP']);
  assert.notEqual(next.refresh_token, tokens.refresh_token);

  const headers = {
    Authorization: `DPoP ${next.access_token}`,
    DPoP: await proof(page, 'GET', '/oauth/userinfo', next.access_token),
  };
  const sub = await page.evaluate(
    ([url, sent]) => fetch(url, { headers: sent }).then((answer) => answer.json()).then((body) => body.sub),
    [`${world.issuer}/oauth/userinfo`, headers],
  );
  assert.equal(sub, claims(tokens.id_token).sub);

  const guess = { Authorization: `Basic ${btoa(`${client_id}:guess`)}` };
  const refused = await postFrom(page, '/oauth/token', { grant_type: 'client_credentials' }, guess);
  assert.deepEqual([refused.status, refused.error], [401, 'invalid_client']);
  assert.match(refused.challenge, /^Basic /);
  const revoked = await page.evaluate(
    ([url, form]) => fetch(url, { method: 'POST', body: new URLSearchParams(form) }).then((answer) => answer.status),
    [`${world.issuer}/oauth/revoke`, { client_id, token: next.refresh_token }],
  );
  assert.equal(revoked, 200);
  const after = await postFrom(page, '/oauth/token', { ...fields, refresh_token: next.refresh_token }, { DPoP: await proof(page, 'POST', '/oauth/token') });
  assert.equal(after.error, 'invalid_grant');
});

test('L2 L3 a page of another origin cannot read an answer, nor send a proof; anybody may read the metadata', async (t) => {
  const visitor = await visit(t);
  const fields = { grant_type: 'refresh_token', client_id: world.spa.app.id, refresh_token: 'lgf_unknown' };
  const path = world.sites.serve('/blank', '<title>Blank</title>');
  const unreadable = /Failed to fetch/;
  for (const host of [world.origins.evil, world.origins.other]) {
    await visitor.open(host + path);
    await assert.rejects(postFrom(visitor.page, '/oauth/token', fields), unreadable);
    await assert.rejects(postFrom(visitor.page, '/oauth/token', fields, { DPoP: 'x' }), unreadable);
    await assert.rejects(postFrom(visitor.page, '/oauth/introspect', { token: 'x' }), unreadable);
    const issuer = await visitor.page.evaluate(
      (url) => fetch(url).then((answer) => answer.json()).then((body) => body.issuer),
      `${world.issuer}/.well-known/openid-configuration`,
    );
    assert.equal(issuer, world.issuer);
  }
  await visitor.open(world.origins.partner + path);
  assert.equal((await postFrom(visitor.page, '/oauth/token', fields)).error, 'invalid_grant');
  // Another client's origin is none of this one's: the native program has registered no page.
  const foreign = { ...fields, client_id: world.native.app.id };
  await assert.rejects(postFrom(visitor.page, '/oauth/token', foreign), unreadable);
});

/** The one form of an application on the account page. */
function connection(page, app) {
  return page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: app.name, exact: true }) });
}

async function disconnect(page, app) {
  await connection(page, app).getByRole('button', { name: 'Disconnect' }).click();
  await page.getByText(`${app.name} is disconnected.`).waitFor();
}

async function assertDead(client, { access_token, refresh_token }) {
  for (const token of [access_token, refresh_token]) {
    const answer = client.app.client_secret ? await client.post('/oauth/introspect', { token }) : { status: 200, active: false };
    assert.deepEqual(answer, { status: 200, active: false });
  }
  assert.equal(await apiStatus(world, '/v1/me', access_token), 401);
  assert.equal(await apiStatus(world, '/oauth/userinfo', access_token), 401);
  assert.equal((await client.refresh(refresh_token)).error, 'invalid_grant');
}

test('C14 H5 the account page shows what was connected by a code, and Disconnect ends its tokens at once', async (t) => {
  const visitor = await visit(t);
  const { page } = visitor;
  const tokens = await connect(visitor, world.person(), world.web, { scope: 'openid email account_api' });
  assert.equal((await world.web.post('/oauth/introspect', { token: tokens.access_token })).active, true);
  assert.equal(await apiStatus(world, '/v1/me', tokens.access_token), 200);
  await visitor.open(`${world.issuer}/account`);
  const permissions = connection(page, world.web.app).getByRole('listitem');
  assert.deepEqual(await permissions.allTextContents(), [
    "see your account's name and settings",
    'know that it is you who signs in',
    'see your e-mail address',
  ]);
  await disconnect(page, world.web.app);
  await assertDead(world.web, tokens);
  const silent = await begin(visitor, world.web, { prompt: 'none' });
  assertErrorAnswer(world, silent.request, queryOf(page), 'consent_required');
});

test('C14 the password grant is such a connection, too', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const tokens = await world.web.token({
    grant_type: 'password',
    username: person.email,
    password: person.password,
    scope: 'openid account_api',
  });
  assert.equal(tokens.status, 200, tokens.error_description);
  await visitor.open(`${world.issuer}/account`);
  await new Dialog(visitor.page).enter(person);
  await disconnect(visitor.page, world.web.app);
  await assertDead(world.web, tokens);
});
