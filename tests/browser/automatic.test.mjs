// Automatic sign-in of a returning user, and everything that ends it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { CALLBACK, button, partnerPage } from './support/page.mjs';
import { assertValid, visit } from './support/visitor.mjs';
import { createWorld, refresh } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

/** Somebody who has signed in on the partner's page. */
async function signedIn(t, options = {}) {
  const { origin = world.origins.partner, page = {}, ...profile } = options;
  const visitor = await visit(t, profile);
  await visitor.open(origin + world.sites.serve('/page', partnerPage(world, page)));
  const person = world.person();
  const first = await visitor.signIn(person);
  assertValid(first, { auto: false });
  return { visitor, first, person };
}

async function idleReason(visitor, on) {
  return (await visitor.event('idle', on)).detail.error;
}

for (const blockThirdPartyCookies of [false, true]) {
  const cookies = blockThirdPartyCookies ? 'blocked' : 'allowed';

  test(`P7 third-party cookies ${cookies}: a reload signs in by itself, cross-site`, async (t) => {
    const { visitor, first } = await signedIn(t, { blockThirdPartyCookies });
    await visitor.page.reload();
    assertValid(await visitor.result(), { auto: true, refreshToken: first.refreshToken });
    await visitor.countsResults(1);
    assert.equal(visitor.context.pages().length, 1);
  });

  test(`P7 third-party cookies ${cookies}: a reload signs in by itself, same site on another port`, async (t) => {
    const { visitor, first } = await signedIn(t, { blockThirdPartyCookies, origin: world.origins.near });
    await visitor.page.reload();
    assertValid(await visitor.result(), { auto: true, refreshToken: first.refreshToken });
  });

  test(`third-party cookies ${cookies}: the profile does what it says`, async (t) => {
    const visitor = await visit(t, { blockThirdPartyCookies });
    const { origins, sites } = world;
    sites.serve('/cookie', '{}', {
      'Set-Cookie': 'probe=1; Secure; HttpOnly; SameSite=None; Path=/',
      'Access-Control-Allow-Origin': origins.partner,
      'Access-Control-Allow-Credentials': 'true',
    });
    await visitor.open(origins.partner + sites.serve('/page', partnerPage(world)));
    const url = `${origins.other}/cookie`;
    await visitor.page.evaluate((address) => fetch(address, { credentials: 'include' }).then(() => 0), url);
    assert.equal((await visitor.context.cookies(url)).length, blockThirdPartyCookies ? 0 : 1);
  });
}

test('P7 third-party cookies allowed: silent on a different partner site of the same app', async (t) => {
  const { visitor, first } = await signedIn(t);
  const there = partnerPage(world, { body: button(world.buttons.sibling) });
  await visitor.open(world.origins.other + world.sites.serve('/page', there));
  assertValid(await visitor.result(), { auto: true, refreshToken: first.refreshToken });
});

test('P7 third-party cookies blocked: on a different partner site one click, and the pop-up closes by itself', async (t) => {
  const { visitor, first } = await signedIn(t, { blockThirdPartyCookies: true });
  const there = partnerPage(world, { body: button(world.buttons.sibling) });
  await visitor.open(world.origins.other + world.sites.serve('/page', there));
  assert.equal(await idleReason(visitor), 'login_required');
  const popup = await visitor.click();
  assertValid(await visitor.result(), { auto: false, refreshToken: first.refreshToken });
  if (!popup.isClosed()) await popup.waitForEvent('close');
  await visitor.page.reload();
  assertValid(await visitor.result(), { auto: true });
});

test('P7 a second button of the same app: one sign-in for the app, on whichever button', async (t) => {
  const { visitor, first } = await signedIn(t);
  const two = button(world.buttons.main, 'id="one"') + button(world.buttons.sibling, 'id="two"');
  await visitor.open(world.origins.partner + world.sites.serve('/page', partnerPage(world, { body: two })));
  assertValid(await visitor.result(), { auto: true, refreshToken: first.refreshToken });
  await visitor.countsResults(1);
  const alone = partnerPage(world, { body: button(world.buttons.sibling) });
  await visitor.open(world.origins.partner + world.sites.serve('/page', alone));
  assertValid(await visitor.result(), { auto: true, buttonId: world.buttons.sibling });
});

test('P7 another app on the page stays idle: consent is for one app', async (t) => {
  const { visitor } = await signedIn(t);
  const two = button(world.buttons.main, 'id="one"') + button(world.buttons.scorer, 'id="two"');
  await visitor.open(world.origins.partner + world.sites.serve('/page', partnerPage(world, { body: two })));
  assertValid(await visitor.result(), { auto: true, buttonId: world.buttons.main });
  assert.match(await idleReason(visitor, 'two'), /^(consent|login)_required$/);
  await visitor.countsResults(1);
});

test('one call asks for all the buttons of a page; a button added later is asked for by itself', async (t) => {
  const { visitor } = await signedIn(t);
  const two = button(world.buttons.main, 'id="one"') + button(world.buttons.scorer, 'id="two"');
  const path = world.sites.serve('/page', partnerPage(world, { body: two }));
  const before = visitor.calls('/button/resume').length;
  await visitor.open(world.origins.partner + path);
  await visitor.result();
  await visitor.event('idle', 'two');
  await visitor.page.evaluate((html) => {
    document.body.insertAdjacentHTML('beforeend', html);
  }, button(world.buttons.sibling, 'id="late"'));
  // Of the same app: it is wired and asked for, but the page already has this sign-in.
  await visitor.event('ready', 'late');
  await visitor.event('idle', 'late');
  await visitor.countsResults(1);
  const asked = visitor.calls('/button/resume').slice(before).map((call) => call.postDataJSON().btns);
  assert.deepEqual(asked, [[world.buttons.main, world.buttons.scorer], [world.buttons.sibling]]);
});

test('a button added later to a page without one signs in by itself, and works by click', async (t) => {
  const { visitor, first } = await signedIn(t);
  await visitor.open(world.origins.partner + world.sites.serve('/page', partnerPage(world, { body: '' })));
  const add = (html) => visitor.page.evaluate((text) => document.body.insertAdjacentHTML('beforeend', text), html);
  await add(button(world.buttons.main));
  assertValid(await visitor.result(), { auto: true, refreshToken: first.refreshToken });
  await add(`<form action="/gone">${button(world.buttons.scorer, 'id="scorer"')}</form>`);
  await visitor.event('ready', 'scorer');
  const dialog = await visitor.openDialog('#scorer');
  await dialog.allow();
  assertValid(await visitor.result(2), { auto: false, buttonId: world.buttons.scorer });
});

test('three tabs that reload together all sign in, twice', async (t) => {
  const { visitor, first } = await signedIn(t);
  const tabs = [visitor, await visitor.tab(), await visitor.tab()];
  for (const tab of tabs.slice(1)) await tab.open(visitor.page.url());
  for (const _ of [1, 2]) {
    await Promise.all(tabs.map((tab) => tab.page.reload()));
    for (const tab of tabs) assertValid(await tab.result(), { auto: true, refreshToken: first.refreshToken });
  }
});

test('P7 after a disconnect there is no automatic sign-in, and consent is asked for again', async (t) => {
  const { visitor, first } = await signedIn(t);
  const ended = await fetch(`${world.server.api}/authorize/disconnectapplicationtoken/${first.refreshToken}`);
  assert.equal((await ended.json()).valid, true);
  await visitor.page.reload();
  assert.match(await idleReason(visitor), /^(consent|login)_required$/);
  await visitor.countsResults(0);
  const dialog = await visitor.openDialog();
  await dialog.allow();
  const second = await visitor.result();
  assertValid(second, { auto: false });
  assert.notEqual(second.refreshToken, first.refreshToken);
  await visitor.page.reload();
  assertValid(await visitor.result(), { auto: true, refreshToken: second.refreshToken });
});

test('C14 P7 the account page ends a connection: the token is dead and automatic sign-in with it', async (t) => {
  const { visitor, first } = await signedIn(t);
  const account = await visitor.tab();
  await account.open(`${world.issuer}/account`);
  assert.match(await account.page.textContent('body'), new RegExp(world.apps.finder.name));
  await account.page.getByRole('button', { name: 'Disconnect', exact: true }).click();
  await account.page.getByRole('button', { name: 'Disconnect', exact: true }).waitFor({ state: 'detached' });
  assert.equal((await refresh(world, first.refreshToken)).valid, false);
  await visitor.page.reload();
  assert.match(await idleReason(visitor), /^(consent|login)_required$/);
  await visitor.countsResults(0);
});

for (const blockThirdPartyCookies of [false, true]) {
  test(`logout ends automatic sign-in, not the connection (blocked: ${blockThirdPartyCookies})`, async (t) => {
    const { visitor, first, person } = await signedIn(t, { blockThirdPartyCookies });
    const account = await visitor.tab();
    await account.open(`${world.issuer}/account`);
    const signOut = account.page.getByRole('button', { name: 'Sign out', exact: true });
    await signOut.click();
    await signOut.waitFor({ state: 'detached' });
    await visitor.page.reload();
    assert.equal(await idleReason(visitor), 'login_required');
    await visitor.countsResults(0);
    assert.equal((await refresh(world, first.refreshToken)).valid, true);
    const { page } = await visitor.openDialog();
    await page.getByLabel('Email').fill(person.email);
    await page.getByLabel('Password').fill(person.password);
    await page.keyboard.press('Enter');
    assertValid(await visitor.result(), { auto: false, refreshToken: first.refreshToken });
  });
}

test('P9 a partner page in a frame does no automatic sign-in', async (t) => {
  const { visitor } = await signedIn(t);
  const inner = world.origins.partner + world.sites.serve('/inner', partnerPage(world));
  world.sites.serve('/outer', `<!doctype html><title>x</title><iframe src="${inner}"></iframe>`);
  for (const origin of [world.origins.evil, world.origins.partner]) {
    const before = visitor.calls('/button/resume').length;
    await visitor.open(`${origin}/outer`);
    const frame = visitor.page.frames()[1];
    await frame.waitForFunction(() => events.some((event) => event.type === 'idle'));
    assert.equal(await frame.evaluate(() => results.length), 0);
    assert.equal(visitor.calls('/button/resume').length, before);
  }
});

test('P7 a page that is rendered ahead waits until it is shown', async (t) => {
  const { visitor, first } = await signedIn(t);
  const script = "Object.defineProperty(document, 'prerendering', { value: true, configurable: true });";
  const before = visitor.calls('/button/resume').length;
  await visitor.open(world.origins.partner + world.sites.serve('/ahead', partnerPage(world, { script })));
  await visitor.countsResults(0);
  assert.equal(visitor.calls('/button/resume').length, before);
  await visitor.page.evaluate(() => document.dispatchEvent(new Event('prerenderingchange')));
  assertValid(await visitor.result(), { auto: true, refreshToken: first.refreshToken });
});

test('the resume endpoint fails: the button is idle, the callback is not called, a click still works', async (t) => {
  const { visitor } = await signedIn(t);
  await visitor.context.route('**/button/resume', (route) => route.abort());
  await visitor.context.route('**/js/le-app-button.js?*', (route) => route.abort());
  await visitor.page.reload();
  assert.equal(await idleReason(visitor), 'network_error');
  await visitor.countsResults(0);
  await visitor.click();
  assertValid(await visitor.result(), { auto: false });
});

test('P4 a callback that throws breaks nothing, and its error is visible', async (t) => {
  const callback = `${CALLBACK.replace('{', '{ if (result.auto) throw new Error("partner bug"); ')}`;
  const { visitor } = await signedIn(t, { page: { callback } });
  const thrown = visitor.page.waitForEvent('pageerror');
  await visitor.page.reload();
  assert.equal((await thrown).message, 'partner bug');
  await visitor.event('result');
  await visitor.click();
  assertValid(await visitor.result(), { auto: false });
});
