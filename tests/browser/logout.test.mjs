// Logout at a client's wish (OpenID Connect RP-Initiated Logout 1.0): who is asked, where it ends, and that it is over.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertCode, assertErrorAnswer, createOAuthWorld } from './support/oauth.mjs';
import { Dialog, visit } from './support/visitor.mjs';

let world;
before(async () => {
  world = await createOAuthWorld();
  for (const path of ['/callback', '/bye']) world.sites.serve(path, '<title>Client</title><h1>Back</h1>');
});
after(() => world?.stop());

const queryOf = (page) => new URL(page.url()).searchParams;

/** Signs in at the client, and returns its tokens. */
async function connect(visitor, person) {
  const request = world.web.request();
  await visitor.open(request.url);
  const dialog = new Dialog(visitor.page);
  await dialog.logIn(person);
  await dialog.allow();
  await visitor.page.waitForURL(`${world.origins.partner}/callback?*`);
  return world.web.exchange(request, assertCode(world, request, queryOf(visitor.page)));
}

function logoutUrl(parameters) {
  return `${world.issuer}/oauth/logout?${new URLSearchParams(parameters)}`;
}

const bye = () => `${world.origins.partner}/bye`;

/** Asks as a client does that may show no page. */
async function assertSignedIn(visitor, expected) {
  const request = world.web.request({ prompt: 'none' });
  await visitor.open(request.url);
  if (expected) assertCode(world, request, queryOf(visitor.page));
  else assertErrorAnswer(world, request, queryOf(visitor.page), 'login_required');
}

test('with an ID token: no question, back at the registered address with state, and the session is over', async (t) => {
  const visitor = await visit(t);
  const { id_token, refresh_token } = await connect(visitor, world.person());
  const cookies = await visitor.context.cookies();
  await visitor.open(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri: bye(), state: 'a b&c=1' }));
  assert.equal(visitor.page.url(), `${bye()}?state=a+b%26c%3D1`);
  assert.equal(await visitor.page.evaluate(() => document.referrer), '');
  await assertSignedIn(visitor, false);
  // C6: over at the server, not only in this browser.
  await visitor.context.addCookies(cookies);
  await assertSignedIn(visitor, false);
  assert.equal((await world.web.refresh(refresh_token)).status, 200, 'the connection is no session');
});

test('with an ID token and nowhere to go: a page that says so', async (t) => {
  const visitor = await visit(t);
  const { id_token } = await connect(visitor, world.person());
  await visitor.open(logoutUrl({ id_token_hint: id_token }));
  await visitor.page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  await assertSignedIn(visitor, false);
});

test('with an ID token, posted by the client\'s page: as by a link', async (t) => {
  const visitor = await visit(t);
  const { id_token } = await connect(visitor, world.person());
  const fields = { id_token_hint: id_token, post_logout_redirect_uri: bye(), state: 'posted' };
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
  const form = `<form method="post" action="${world.issuer}/oauth/logout">${inputs.join('')}<button>Sign out</button></form>`;
  await visitor.open(world.origins.partner + world.sites.serve('/leave', form));
  await visitor.page.getByRole('button').click();
  await visitor.page.waitForURL(`${bye()}?state=posted`);
  await assertSignedIn(visitor, false);
});

test('C15 without an ID token: asks first; "Stay signed in" stays, "Sign out" goes on to the registered address', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  await connect(visitor, person);
  const url = logoutUrl({ client_id: world.web.app.id, post_logout_redirect_uri: bye(), state: 'xyz' });
  await visitor.open(url);
  const text = await visitor.page.getByRole('main').innerText();
  for (const named of ['Sign out of Leadgate?', world.web.app.name, person.name, person.email]) assert.ok(text.includes(named), named);
  await visitor.page.getByRole('link', { name: 'Stay signed in' }).click();
  await visitor.page.getByRole('heading', { name: 'Connected applications' }).waitFor();
  await assertSignedIn(visitor, true);

  await visitor.open(url);
  await new Dialog(visitor.page).button('Sign out').click();
  await visitor.page.waitForURL(`${bye()}?state=xyz`);
  await assertSignedIn(visitor, false);
});

test('C15 an ID token of somebody else is no proof: asks first', async (t) => {
  const visitor = await visit(t);
  const { id_token } = await connect(visitor, world.person());
  await visitor.context.clearCookies();
  await connect(visitor, world.person());
  await visitor.open(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri: bye() }));
  await visitor.page.getByRole('heading', { name: 'Sign out of Leadgate?' }).waitFor();
  await assertSignedIn(visitor, true);
});

test('an address that is not registered: a page, nothing is ended, nobody is sent there', async (t) => {
  const visitor = await visit(t);
  const { id_token } = await connect(visitor, world.person());
  for (const post_logout_redirect_uri of [`${world.origins.evil}/bye`, `${bye()}/`, `${bye()}?x=1`]) {
    const answer = await visitor.page.goto(logoutUrl({ id_token_hint: id_token, post_logout_redirect_uri }));
    assert.equal(answer.status(), 400);
    assert.equal(new URL(visitor.page.url()).origin, world.issuer);
    await visitor.page.getByRole('heading', { name: 'No way on after signing out' }).waitFor();
  }
  await assertSignedIn(visitor, true);
});

test('nobody is signed in: the client gets its user back all the same', async (t) => {
  const visitor = await visit(t);
  await visitor.open(logoutUrl({ client_id: world.web.app.id, post_logout_redirect_uri: bye(), state: 'late' }));
  assert.equal(visitor.page.url(), `${bye()}?state=late`);
});

test('C15 an image, a frame or a script of another page signs nobody out', async (t) => {
  const visitor = await visit(t);
  await connect(visitor, world.person());
  const url = logoutUrl({});
  const trap = `<img src="${url}"><iframe src="${url}"></iframe><form method="post" action="${url}"><button>Win</button></form>`;
  await visitor.open(world.origins.evil + world.sites.serve('/trap', trap));
  await visitor.page.getByRole('button').click();
  await visitor.page.getByRole('heading', { name: 'Sign out of Leadgate?' }).waitFor();
  await assertSignedIn(visitor, true);
});
