// The click and its one result: consent, denial, closing, failures, forms, keyboard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { button, partnerPage } from './support/page.mjs';
import { assertError, assertValid, tabTo, visit } from './support/visitor.mjs';
import { createWorld, refresh } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

async function onPage(t, options = {}) {
  const visitor = await visit(t);
  const path = world.sites.serve('/page', partnerPage(world, options));
  await visitor.open(world.origins.partner + path);
  return visitor;
}

test('P4 click, password, consent, Allow: one valid result with every key, whose token the back end can use', async (t) => {
  const visitor = await onPage(t);
  const dialog = await visitor.openDialog();
  await dialog.logIn(world.person());
  assert.match(await dialog.page.textContent('body'), new RegExp(world.apps.finder.name));
  await dialog.allow();
  const result = await visitor.result();
  assertValid(result, { buttonId: world.buttons.main, auto: false });
  await dialog.closed();
  assert.equal((await refresh(world, result.refreshToken)).valid, true);
  assert.equal((await refresh(world, result.refreshToken, world.apps.scorer)).valid, false);
  await visitor.countsResults(1);
});

test('the sandbox offers its users by one click each', async (t) => {
  const visitor = await onPage(t);
  const person = world.person();
  const dialog = await visitor.openDialog();
  await dialog.button(`Continue as ${person.name}`).click();
  await dialog.allow();
  assertValid(await visitor.result(), { auto: false });
});

test('P4 Cancel: access_denied, once, and the page can try again', async (t) => {
  const visitor = await onPage(t);
  const dialog = await visitor.openDialog();
  await dialog.logIn(world.person());
  await dialog.cancel();
  assertError(await visitor.result(), 'access_denied', { buttonId: world.buttons.main, auto: false });
  await dialog.closed();
  await visitor.countsResults(1);
  const again = await visitor.openDialog();
  await again.allow();
  assertValid(await visitor.result(2), { auto: false });
});

test('P4 the pop-up is closed on the login page: popup_closed, once', async (t) => {
  const visitor = await onPage(t);
  const dialog = await visitor.openDialog();
  await dialog.button('Sign in').waitFor();
  await dialog.page.close();
  assertError(await visitor.result(), 'popup_closed');
  await visitor.countsResults(1);
});

test('P4 the pop-up is closed before it shows anything: popup_closed, once', async (t) => {
  const keep = 'var popup, realOpen = open; open = function () { return (popup = realOpen.apply(window, arguments)); };';
  const visitor = await onPage(t, { script: keep });
  await visitor.context.route('**/button/authorize?**', () => {});
  await visitor.page.click('#leAppButton');
  await visitor.page.evaluate(() => popup.close());
  assertError(await visitor.result(), 'popup_closed');
  await visitor.countsResults(1);
});

test('a wrong password keeps the dialog open and the typed address', async (t) => {
  const visitor = await onPage(t);
  const person = world.person();
  const { page } = await visitor.openDialog();
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').first().waitFor();
  assert.equal(await page.getByLabel('Email').inputValue(), person.email);
  await visitor.countsResults(0);
});

test('a second click while the pop-up is open brings it to the front and starts no second attempt', async (t) => {
  const visitor = await onPage(t);
  const dialog = await visitor.openDialog();
  await visitor.page.click('#leAppButton');
  await visitor.page.click('#leAppButton');
  assert.equal(visitor.context.pages().length, 2);
  assert.equal(visitor.calls('/button/authorize').length, 1);
  await dialog.logIn(world.person());
  await dialog.cancel();
  assertError(await visitor.result(), 'access_denied');
  await visitor.countsResults(1);
});

test('a click after a sign-in runs the flow again, without a question, and says auto:false', async (t) => {
  const visitor = await onPage(t);
  const first = await visitor.signIn(world.person());
  const popup = await visitor.click();
  const second = await visitor.result(2);
  assertValid(second, { auto: false, refreshToken: first.refreshToken });
  if (!popup.isClosed()) await popup.waitForEvent('close');
});

test('events bubble in order, and :result comes before the callback', async (t) => {
  const visitor = await onPage(t);
  await visitor.event('idle');
  const result = await visitor.signIn(world.person());
  const events = await visitor.page.evaluate(() => events);
  assert.deepEqual(events.map((one) => one.type), ['ready', 'idle', 'result']);
  assert.ok(events.every((one) => one.on === 'leAppButton'));
  assert.equal(events[1].detail.error, 'login_required');
  assert.deepEqual(events[2].detail, result);
  assert.equal(events[2].resultsSoFar, 0);
});

test('while the pop-up is open the button is busy, and one polite region says what happens', async (t) => {
  const visitor = await onPage(t);
  const signIn = visitor.page.locator('#leAppButton');
  assert.equal(await signIn.getAttribute('aria-busy'), null);
  const dialog = await visitor.openDialog();
  assert.equal(await signIn.getAttribute('aria-busy'), 'true');
  await dialog.page.close();
  await visitor.result();
  assert.equal(await signIn.getAttribute('aria-busy'), null);
  assert.equal(await visitor.page.getByRole('status').count(), 1);
  assert.equal(await visitor.page.getByRole('status').textContent(), 'The sign-in window was closed.');
});

test('trap: a button in a form does not submit it', async (t) => {
  const visitor = await onPage(t, { body: `<form action="/gone"><input name="x">${button(world.buttons.main)}</form>` });
  const dialog = await visitor.openDialog();
  await dialog.page.close();
  assertError(await visitor.result(), 'popup_closed');
  assert.equal(new URL(visitor.page.url()).pathname, '/page');
});

test('keyboard only: from the button through login and consent', async (t) => {
  const visitor = await onPage(t);
  const opened = visitor.page.waitForEvent('popup');
  await visitor.page.keyboard.press('Tab');
  await visitor.page.keyboard.press('Enter');
  const popup = await opened;
  const person = world.person();
  await tabTo(popup, popup.getByLabel('Email'));
  await popup.keyboard.type(person.email);
  await tabTo(popup, popup.getByLabel('Password'));
  await popup.keyboard.type(person.password);
  await popup.keyboard.press('Enter');
  const allow = popup.getByRole('button', { name: 'Allow', exact: true });
  await allow.waitFor();
  await popup.keyboard.press('Shift');
  await popup.waitForFunction(() => document.querySelector('button[value=allow]').getAttribute('aria-disabled') === 'false');
  await tabTo(popup, allow);
  await popup.keyboard.press('Enter').catch(() => {});
  assertValid(await visitor.result(), { auto: false });
});

test('popup_timeout: a dialog that nobody answers ends with one result, and its window closes', async (t) => {
  const visitor = await visit(t);
  await visitor.page.clock.install();
  const path = world.sites.serve('/page', partnerPage(world));
  await visitor.open(world.origins.partner + path);
  const dialog = await visitor.openDialog();
  await visitor.page.clock.fastForward('10:01');
  assertError(await visitor.result(), 'popup_timeout');
  await dialog.closed();
});

test('the page language is the dialog\'s and the sentences\' language; data-lang goes first', async (t) => {
  const body = button(world.buttons.main) + button(world.buttons.main, 'id="english" data-lang="en"');
  const visitor = await onPage(t, { lang: 'es-MX', body });
  const popup = await visitor.click();
  await popup.waitForLoadState();
  assert.match(await popup.getAttribute('html', 'lang'), /^es/);
  await popup.close();
  assert.equal((await visitor.result()).errorMessage, 'Ventana de inicio de sesión cerrada.');
  const english = await visitor.openDialog('#english');
  assert.match(await english.page.getAttribute('html', 'lang'), /^en/);
});

const FAILURES = [
  { code: 'network_error', answer: (route) => route.abort(), script: (route) => route.abort() },
  { code: 'rate_limited', answer: (route) => cors(route, 429) },
  { code: 'server_error', answer: (route) => cors(route, 500) },
  { code: 'server_error', answer: (route) => cors(route, 200, '<html>') },
  {
    code: 'invalid_grant',
    answer: (route) => {
      const sent = route.request().postDataJSON();
      return route.continue({ postData: JSON.stringify({ ...sent, code_verifier: 'A'.repeat(43) }) });
    },
  },
];

function cors(route, status, body = '{}') {
  const headers = {
    'Access-Control-Allow-Origin': world.origins.partner,
    'Access-Control-Allow-Credentials': 'true',
    'Content-Type': 'application/json',
  };
  return route.fulfill({ status, headers, body });
}

for (const [index, { code, answer, script }] of FAILURES.entries()) {
  test(`P4 the code cannot be exchanged (${index + 1}): ${code}, once`, async (t) => {
    const visitor = await onPage(t);
    await visitor.event('idle');
    await visitor.context.route('**/button/token', answer);
    if (script) await visitor.context.route('**/js/le-app-button.js?*', script);
    assertError(await visitor.signIn(world.person()), code);
    await visitor.countsResults(1);
  });
}
