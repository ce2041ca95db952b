// Pages that mean harm: forged messages, foreign openers, frames, unlisted origins, and what must not leak.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { button, partnerPage } from './support/page.mjs';
import { Dialog, assertError, assertValid, visit } from './support/visitor.mjs';
import { HOSTILE, createWorld } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

const LISTENER = `<!doctype html><title>x</title><script>
  var heard = [];
  addEventListener('message', function (event) { heard.push(event.data); });
</script>`;

const post = ([message, name]) => window[name].postMessage(message, '*');

function attemptState(visitor) {
  return new URL(visitor.calls('/button/authorize')[0].url()).searchParams.get('state');
}

function authorizeUrl(values) {
  const query = new URLSearchParams({
    btn: world.buttons.main,
    origin: world.origins.partner,
    state: 'S'.repeat(43),
    code_challenge: 'C'.repeat(43),
    mode: 'popup',
    return_to: `${world.origins.partner}/page`,
    ...values,
  });
  return `${world.issuer}/button/authorize?${query}`;
}

async function onPartner(t, options = {}) {
  const visitor = await visit(t);
  return visitor.open(world.origins.partner + world.sites.serve('/page', partnerPage(world, options)));
}

test('P1 P2 a hostile opener hears nothing, not even of a user who has consented', async (t) => {
  const visitor = await onPartner(t);
  await visitor.signIn(world.person());
  await visitor.open(world.origins.evil + world.sites.serve('/evil', LISTENER));
  // With the partner's origin: the answer is posted to that origin, where the opener is not.
  const [popup] = await Promise.all([
    visitor.page.waitForEvent('popup'),
    visitor.page.evaluate((url) => void open(url), authorizeUrl({})),
  ]);
  if (!popup.isClosed()) await popup.waitForEvent('close');
  assert.deepEqual(await visitor.page.evaluate(() => heard), []);
});

test('P2 an opener that gives its own, unlisted origin gets an error page, which says nothing to it', async (t) => {
  const visitor = await onPartner(t);
  await visitor.signIn(world.person());
  await visitor.open(world.origins.evil + world.sites.serve('/evil', LISTENER));
  for (const origin of [world.origins.evil, `${world.origins.partner}.evil.test`, '*', 'null', '']) {
    const [popup] = await Promise.all([
      visitor.page.waitForEvent('popup'),
      visitor.page.evaluate((url) => void open(url), authorizeUrl({ origin })),
    ]);
    await popup.waitForLoadState('load');
    assert.equal(await popup.locator('#le-dialog').count(), 0, origin);
    await popup.close();
  }
  assert.deepEqual(await visitor.page.evaluate(() => heard), []);
});

test('P3 forged messages from other windows and frames do nothing; the real answer still arrives', async (t) => {
  const visitor = await onPartner(t);
  const dialog = await visitor.openDialog();
  await dialog.logIn(world.person());
  const state = attemptState(visitor);
  assert.match(state, /^[\w-]{43}$/);
  const forged = { le: 1, type: 'result', state, iss: world.issuer, error: 'access_denied' };

  // The page itself, and a frame of another origin.
  await visitor.page.evaluate(post, [forged, 'self']);
  world.sites.serve('/frame', '<!doctype html><title>x</title>');
  await visitor.page.evaluate((src) => {
    const frame = document.body.appendChild(document.createElement('iframe'));
    return new Promise((resolve) => {
      frame.onload = resolve;
      frame.src = src;
    });
  }, `${world.origins.evil}/frame`);
  await visitor.page.frames()[1].evaluate(post, [forged, 'parent']);

  // Another window of the right origin: a dialog that somebody else opened.
  const [stranger] = await Promise.all([
    visitor.page.waitForEvent('popup'),
    visitor.page.evaluate((url) => void open(url), authorizeUrl({})),
  ]);
  await stranger.getByRole('button', { name: 'Cancel', exact: true }).waitFor();
  await stranger.evaluate(post, [forged, 'opener']);
  await stranger.close();

  // The right window, with something wrong in each.
  for (const wrong of [{ state: 'A'.repeat(43) }, { le: 2 }, { le: '1' }, { type: 'ready' }, { state: '__proto__' }]) {
    await dialog.page.evaluate(post, [{ ...forged, ...wrong }, 'opener']);
  }
  for (const nonsense of [null, 'x', 7, [], { le: 1 }]) await dialog.page.evaluate(post, [nonsense, 'opener']);

  await visitor.countsResults(0);
  await dialog.allow();
  assertValid(await visitor.result(), { auto: false });
  await visitor.countsResults(1);
});

test('P3 the pop-up itself is not believed once it shows another origin', async (t) => {
  const visitor = await onPartner(t);
  const { page: popup } = await visitor.openDialog();
  const message = { le: 1, type: 'result', state: attemptState(visitor), iss: world.issuer, error: 'access_denied' };
  const there = world.origins.evil + world.sites.serve('/evil', LISTENER);
  // By script: a browser that is told to go elsewhere drops the opener by itself.
  await popup.evaluate((url) => void (location.href = url), there);
  await popup.waitForURL(there);
  await popup.evaluate(post, [message, 'opener']);
  await visitor.countsResults(0);
  await popup.close();
  assertError(await visitor.result(), 'popup_closed');
});

test('P6 names and states with markup in them stay text', async (t) => {
  const visitor = await visit(t);
  const alerts = [];
  visitor.context.on('dialog', (dialog) => (alerts.push(dialog.message()), dialog.dismiss()));
  const body = button(world.buttons.nasty);
  await visitor.open(world.origins.partner + world.sites.serve('/page', partnerPage(world, { body })));
  const dialog = await visitor.openDialog();
  await dialog.logIn(world.person());
  assert.ok((await dialog.page.textContent('body')).includes(world.apps.nasty.name));
  await dialog.allow();
  assertValid(await visitor.result(), { auto: false });
  await visitor.open(`${world.issuer}/account`);
  assert.ok((await visitor.page.textContent('body')).includes(world.apps.nasty.name));
  for (const state of [HOSTILE, `"'\u2028\u2029${HOSTILE}`]) {
    await visitor.open(authorizeUrl({ state, lang: HOSTILE, mode: HOSTILE }));
    await visitor.open(authorizeUrl({ state }));
    assert.equal(await visitor.page.locator('img[src=x]').count(), 0);
  }
  assert.deepEqual(alerts, []);
});

test('P3 an answer that names another issuer is no sign-in (RFC 9207)', async (t) => {
  const visitor = await onPartner(t);
  const dialog = await visitor.openDialog();
  const message = { le: 1, type: 'result', state: attemptState(visitor), iss: 'https://elsewhere.test', code: 'x' };
  await dialog.page.evaluate(post, [message, 'opener']);
  assertError(await visitor.result(), 'server_error');
  assert.equal(visitor.calls('/button/token').length, 0);
});

test('P9 the button of another partner on an unlisted site: no automatic sign-in, no code, origin_not_allowed', async (t) => {
  const visitor = await onPartner(t);
  await visitor.signIn(world.person());
  const answer = await fetch(`${world.server.api}/button/resume`, {
    method: 'POST',
    headers: { Origin: world.origins.evil, 'Content-Type': 'application/json' },
    body: JSON.stringify({ btns: [world.buttons.main], return_to: `${world.origins.evil}/page` }),
  });
  assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [403, null]);
  await visitor.open(`${world.origins.evil}/page`);
  assert.equal((await visitor.event('idle')).detail.error, 'origin_not_allowed');
  await visitor.countsResults(0);
  const popup = await visitor.click();
  await popup.waitForLoadState();
  assert.equal(await popup.locator('#le-dialog').count(), 0);
  assertError(await visitor.result(), 'origin_not_allowed', { auto: false });
  assert.equal(popup.isClosed(), false, 'the error page stays to be read');
  await visitor.countsResults(1);
});

test('who clicks before a refusal is known hears it when it is, once, in a pop-up and by redirect', async (t) => {
  for (const attributes of ['', 'data-mode="redirect"']) {
    const visitor = await visit(t);
    let answer;
    const held = new Promise((resolve) => (answer = resolve));
    await visitor.context.route('**/button/resume', async (route) => {
      await held;
      await route.continue();
    });
    const body = button(world.buttons.scorer, `id="foreign" ${attributes}`);
    await visitor.open(world.origins.near + world.sites.serve('/page', partnerPage(world, { body })));
    await visitor.page.locator('#foreign').click();
    await visitor.countsResults(0);
    answer();
    assertError(await visitor.result(1), 'origin_not_allowed', { buttonId: world.buttons.scorer });
    await visitor.page.waitForTimeout(1500);
    await visitor.countsResults(1);
  }
});

test('an origin that is listed for another button, and a button that does not exist', async (t) => {
  const visitor = await visit(t);
  const body = button(world.buttons.scorer, 'id="foreign"') + button('btn-nowhere', 'id="unknown"');
  await visitor.open(world.origins.near + world.sites.serve('/page', partnerPage(world, { body })));
  assert.equal((await visitor.event('idle', 'foreign')).detail.error, 'origin_not_allowed');
  assert.equal((await visitor.event('idle', 'unknown')).detail.error, 'invalid_button');
  await visitor.countsResults(0);
  await visitor.click('#foreign');
  assertError(await visitor.result(1), 'origin_not_allowed', { buttonId: world.buttons.scorer });
  await visitor.click('#unknown');
  assertError(await visitor.result(2), 'invalid_button', { buttonId: 'btn-nowhere' });
  await visitor.countsResults(2);
});

test('C1 the dialog and the account page refuse to be framed', async (t) => {
  const visitor = await onPartner(t);
  await visitor.signIn(world.person());
  for (const url of [authorizeUrl({ state: 'F'.repeat(43) }), `${world.issuer}/account`]) {
    const frame = `<!doctype html><title>x</title><iframe src="${url.replaceAll('&', '&amp;')}"></iframe>`;
    for (const origin of [world.origins.evil, world.origins.partner]) {
      await visitor.open(origin + world.sites.serve('/framing', frame));
      const [, inner] = visitor.page.frames();
      await inner.waitForURL('chrome-error://**');
      assert.equal(await inner.locator('form').count(), 0);
    }
  }
});

test('C2 Allow waits for a real input and for half a second of focus (double click-jacking)', async (t) => {
  const visitor = await onPartner(t);
  const dialog = await visitor.openDialog();
  await dialog.logIn(world.person());
  const allow = dialog.button('Allow');
  await allow.and(dialog.page.locator('[aria-disabled=true]')).waitFor();
  await dialog.page.evaluate(() => {
    for (const type of ['pointermove', 'pointerdown', 'keydown', 'click', 'focus']) {
      document.body.dispatchEvent(new PointerEvent(type, { bubbles: true, movementX: 5 }));
    }
  });
  // Past the half second: it is the missing input that keeps it shut.
  await dialog.page.waitForTimeout(900);
  assert.equal(await allow.isDisabled(), true);
  await dialog.page.mouse.move(30, 30);
  await dialog.page.mouse.move(50, 50);
  await dialog.page.waitForFunction(() => document.querySelector('button[value=allow]').getAttribute('aria-disabled') === 'false');
  // The window loses the focus and gets it back: half a second again.
  await dialog.page.evaluate(() => {
    dispatchEvent(new Event('blur'));
    dispatchEvent(new Event('focus'));
  });
  assert.equal(await allow.isDisabled(), true);
  await dialog.allow();
  assertValid(await visitor.result(), { auto: false });
});

test('voice and switch control: without pointer or key Allow opens after a while', async (t) => {
  const visitor = await onPartner(t);
  const dialog = await visitor.openDialog();
  await dialog.logIn(world.person());
  // The script is there: a click before that would prove nothing.
  await dialog.button('Allow').and(dialog.page.locator('[aria-disabled]')).waitFor();
  await dialog.decide('Allow');
  assertValid(await visitor.result(), { auto: false });
});

test('without script the dialog is plain forms up to the end, and Allow is not held back', async (t) => {
  const visitor = await visit(t, { javaScriptEnabled: false });
  await visitor.open(authorizeUrl({}));
  const dialog = new Dialog(visitor.page);
  await dialog.logIn(world.person());
  await dialog.button('Allow').click();
  await visitor.page.getByText('You can close this window').first().waitFor();
});

test('P8 P10 no token in any URL, history entry or referrer, and no code after completion', async (t) => {
  const visitor = await onPartner(t);
  const addresses = [];
  visitor.context.on('page', (page) => page.on('framenavigated', (frame) => addresses.push(frame.url())));
  const bodies = [];
  visitor.context.on('request', (request) => bodies.push([request.url(), request.postData() ?? '']));
  const result = await visitor.signIn(world.person());
  await visitor.page.reload();
  await visitor.result();
  const code = bodies.map(([url, body]) => url.endsWith('/button/token') && JSON.parse(body || '{}').code).find(Boolean);
  assert.ok(code);
  const referrers = visitor.requests.map((request) => request.headers().referer);
  assert.ok(referrers.some(Boolean));
  const urls = visitor.requests.map((request) => request.url());
  const everything = [...addresses, ...urls, ...referrers, visitor.page.url()].filter(Boolean);
  assert.ok(addresses.length > 1 && urls.length > 5);
  for (const secret of [result.refreshToken, result.authToken, code]) {
    for (const text of everything) assert.ok(!text.includes(secret), text);
  }
  const stored = await visitor.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.equal(stored, '[{},{}]');
  // The dialog's address tells the partner's page, or anyone it links to, nothing: its own site only.
  const leaving = referrers.filter((referrer, index) => referrer?.includes('/dialog/') && !urls[index].startsWith(world.issuer));
  assert.deepEqual(leaving, []);
});

test('B19 P5 the dialog\'s pages: no store, no framing, no opener policy, referrer kept on the own site', async (t) => {
  const visitor = await onPartner(t);
  const documents = [];
  visitor.context.on('response', (response) => {
    if (new URL(response.url()).pathname.startsWith('/dialog/')) documents.push(response);
  });
  await visitor.signIn(world.person());
  const pages = documents.filter((response) => response.status() < 300 || response.status() >= 400);
  assert.ok(pages.length >= 3, 'login, consent, finished');
  for (const response of pages) {
    const headers = response.headers();
    assert.match(headers['cache-control'], /no-store/);
    assert.match(headers['content-security-policy'], /frame-ancestors 'none'/);
    assert.doesNotMatch(headers['content-security-policy'], /unsafe-|\*/);
    assert.match(headers['cross-origin-opener-policy'] ?? 'unsafe-none', /^unsafe-none$/);
    assert.equal(headers['referrer-policy'], 'same-origin');
    assert.equal(headers['x-frame-options'], 'DENY');
  }
  for (const response of documents.filter((one) => one.status() >= 300 && one.status() < 400)) {
    assert.equal(response.status(), 303);
  }
});
