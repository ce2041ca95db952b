// Where there can be no pop-up, or none that can answer: redirects, and pages cut off by Cross-Origin-Opener-Policy.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { CALLBACK, button, partnerPage } from './support/page.mjs';
import { Dialog, assertError, assertValid, visit } from './support/visitor.mjs';
import { createWorld } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

// A click without a user's gesture is what a pop-up blocker refuses.
const CLICKED = 'clicked by script';
const CLICK_BY_SCRIPT = `document.addEventListener('leappbutton:idle', function (event) {
  if (location.search === '?click') setTimeout(function () { event.target.click(); console.info('${CLICKED}'); });
});`;

// Whatever the driver evaluates in a page counts as a gesture there, so nothing may be until the click was made.
async function withoutPopup(t, path, options = {}) {
  const visitor = await visit(t, { popupBlocker: true });
  world.sites.serve(path, partnerPage(world, { script: CLICK_BY_SCRIPT, ...options }));
  const clicked = visitor.page.waitForEvent('console', (message) => message.text() === CLICKED);
  await Promise.all([clicked, visitor.open(`${world.origins.partner}${path}?click`)]);
  return visitor;
}

test('P4 trap: blocked pop-up, page not registered as a return address: popup_blocked, once', async (t) => {
  const visitor = await withoutPopup(t, '/elsewhere');
  assertError(await visitor.result(), 'popup_blocked', { auto: false });
  await visitor.countsResults(1);
  assert.equal(await visitor.page.getAttribute('#leAppButton', 'aria-busy'), null);
});

test('P4 P10 trap: blocked pop-up, registered: the whole page goes, and comes back signed in with a clean address', async (t) => {
  const visitor = await withoutPopup(t, '/registered');
  const dialog = new Dialog(visitor.page);
  await dialog.logIn(world.person());
  await dialog.allow();
  await visitor.page.waitForURL(`${world.origins.partner}/registered*`);
  const result = await visitor.result();
  assertValid(result, { auto: false, buttonId: world.buttons.main });
  await visitor.countsResults(1);
  assert.equal(visitor.page.url(), `${world.origins.partner}/registered`);
  assert.equal(await visitor.page.evaluate(() => sessionStorage.length), 0);
  assert.deepEqual(await visitor.page.evaluate(() => events.map((one) => one.type)), ['ready', 'result']);
});

test('P4 blocked pop-up, registered, Cancel: access_denied comes back', async (t) => {
  const visitor = await withoutPopup(t, '/registered');
  const dialog = new Dialog(visitor.page);
  await dialog.logIn(world.person());
  await dialog.cancel();
  await visitor.page.waitForURL(`${world.origins.partner}/registered*`);
  assertError(await visitor.result(), 'access_denied', { auto: false });
  await visitor.countsResults(1);
  assert.deepEqual(await visitor.page.evaluate(() => events.map((one) => one.type)), ['ready', 'result']);
  assert.equal(visitor.page.url(), `${world.origins.partner}/registered`);
});

test('the event :redirect is seen before the page goes', async (t) => {
  const script = `${CLICK_BY_SCRIPT} document.addEventListener('leappbutton:redirect', function (event) {
    localStorage.redirected = JSON.stringify(event.detail);
  });`;
  const visitor = await withoutPopup(t, '/registered', { script });
  await visitor.page.getByLabel('Email').waitFor();
  await visitor.open(`${world.origins.partner}/registered`);
  assert.deepEqual(JSON.parse(await visitor.page.evaluate(() => localStorage.redirected)), {
    buttonId: world.buttons.main,
  });
});

test('Back from the dialog: the button works again', async (t) => {
  const body = button(world.buttons.main, 'id="leAppButton" data-mode="redirect"');
  const visitor = await visit(t);
  await visitor.open(world.origins.partner + world.sites.serve('/registered', partnerPage(world, { body })));
  await visitor.page.click('#leAppButton');
  const dialog = new Dialog(visitor.page);
  await dialog.button('Sign in').waitFor();
  await visitor.page.goBack();
  assert.equal(await visitor.page.getAttribute('#leAppButton', 'aria-busy'), null);
  await visitor.page.click('#leAppButton');
  await dialog.logIn(world.person());
  await dialog.allow();
  await visitor.page.waitForURL(`${world.origins.partner}/registered`);
  assertValid(await visitor.result(), { auto: false });
});

test('data-mode="redirect" asks for the redirect: done where registered, else return_not_registered', async (t) => {
  const body = button(world.buttons.main, 'id="leAppButton" data-mode="redirect"');
  const visitor = await visit(t);
  await visitor.open(world.origins.partner + world.sites.serve('/elsewhere', partnerPage(world, { body })));
  await visitor.page.click('#leAppButton');
  assertError(await visitor.result(), 'return_not_registered');
  await visitor.open(world.origins.partner + world.sites.serve('/registered', partnerPage(world, { body })));
  await visitor.page.click('#leAppButton');
  const dialog = new Dialog(visitor.page);
  await dialog.logIn(world.person());
  await dialog.allow();
  await visitor.page.waitForURL(`${world.origins.partner}/registered`);
  assertValid(await visitor.result(), { auto: false });
});

test('P9 an answer that this browser did not ask for is dropped, and leaves the address', async (t) => {
  const visitor = await visit(t);
  world.sites.serve('/registered', partnerPage(world));
  const forged = `le_state=${'A'.repeat(43)}&le_iss=${encodeURIComponent(world.issuer)}&le_code=${'B'.repeat(43)}`;
  await visitor.open(`${world.origins.partner}/registered#${forged}`);
  await visitor.event('idle');
  await visitor.countsResults(0);
  assert.equal(visitor.page.url(), `${world.origins.partner}/registered`);
  assert.equal(visitor.calls('/button/token').length, 0);
  // Neither does a broken one stop the script.
  await visitor.open('about:blank');
  await visitor.open(`${world.origins.partner}/registered#le_state=%E0%A4%A&le_code=%`);
  await visitor.event('idle');
});

const COOP = { 'Cross-Origin-Opener-Policy': 'same-origin' };

test('trap: COOP same-origin, registered: recovered through the return address, and the pop-up closes', async (t) => {
  const visitor = await visit(t);
  await visitor.open(world.origins.partner + world.sites.serve('/registered', partnerPage(world), COOP));
  const dialog = await visitor.openDialog();
  await visitor.event('severed');
  await dialog.logIn(world.person());
  await dialog.allow();
  const first = await visitor.result();
  assertValid(first, { auto: false });
  await dialog.closed();
  await visitor.countsResults(1);
  // Consented: the dialog answers at once, perhaps before the cut was noticed.
  const popup = await visitor.click();
  assertValid(await visitor.result(2), { auto: false, refreshToken: first.refreshToken });
  if (!popup.isClosed()) await popup.waitForEvent('close');
  await visitor.countsResults(2);
});

test('trap: COOP same-origin, registered, Cancel: access_denied, once', async (t) => {
  const visitor = await visit(t);
  await visitor.open(world.origins.partner + world.sites.serve('/registered', partnerPage(world), COOP));
  const dialog = await visitor.openDialog();
  await dialog.logIn(world.person());
  await dialog.cancel();
  assertError(await visitor.result(), 'access_denied');
  await dialog.closed();
  await visitor.countsResults(1);
});

test('trap: COOP same-origin, not registered: popup_severed, once', async (t) => {
  const visitor = await visit(t);
  await visitor.open(world.origins.partner + world.sites.serve('/elsewhere', partnerPage(world), COOP));
  await visitor.openDialog();
  assertError(await visitor.result(), 'popup_severed');
  await visitor.event('severed');
  await visitor.countsResults(1);
});

test('trap: a click after a cut-off pop-up was given up ends that attempt and starts another', async (t) => {
  const visitor = await visit(t);
  await visitor.open(world.origins.partner + world.sites.serve('/registered', partnerPage(world), COOP));
  const given = await visitor.openDialog();
  await visitor.event('severed');
  await given.page.close();
  const dialog = await visitor.openDialog();
  assertError(await visitor.result(), 'popup_closed');
  await dialog.logIn(world.person());
  await dialog.allow();
  assertValid(await visitor.result(2), { auto: false });
  await visitor.countsResults(2);
});

test('COOP same-origin-allow-popups cuts nothing off', async (t) => {
  const visitor = await visit(t);
  const headers = { 'Cross-Origin-Opener-Policy': 'same-origin-allow-popups' };
  await visitor.open(world.origins.partner + world.sites.serve('/elsewhere', partnerPage(world), headers));
  assertValid(await visitor.signIn(world.person()), { auto: false });
});

test('trap: a pop-up that a user closes on a COOP page which is cut off and not registered ends with one result', async (t) => {
  const visitor = await visit(t);
  const page = partnerPage(world, { callback: CALLBACK });
  await visitor.open(world.origins.partner + world.sites.serve('/elsewhere', page, COOP));
  const dialog = await visitor.openDialog();
  await dialog.page.close();
  assert.match((await visitor.result()).error, /^popup_(severed|closed)$/);
  await visitor.countsResults(1);
});
