// The button doctor: each way in which a page can be wrong, what it says of it, and that the word arrives.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { CALLBACK, asyncSnippet, button, partnerPage, plainTags } from './support/page.mjs';
import { assertError, assertValid, visit } from './support/visitor.mjs';
import { createWorld } from './support/world.mjs';

const FACTS = ['button_found', 'stylesheet_loaded', 'callback_found', 'callback_valid', 'callback_denied', 'callback_failed'];

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

/** A visitor who hears what the console says. `clock`: the page's time stands until it is moved. */
async function patient(t, { clock = false, ...options } = {}) {
  const visitor = await visit(t, options);
  visitor.said = [];
  visitor.arrived = []; // what a policy blocks is a request, too
  visitor.context.on('requestfinished', (request) => visitor.arrived.push(request));
  visitor.context.on('console', (message) => visitor.said.push(`${message.type()} ${message.text()}`));
  if (clock) await visitor.page.clock.install();
  return visitor;
}

async function onPage(t, options = {}, headers = {}, place = {}) {
  const { origin = world.origins.partner, path = '/page', ...profile } = place;
  const visitor = await patient(t, profile);
  return visitor.open(origin + world.sites.serve(path, partnerPage(world, options), headers));
}

function report(request) {
  const url = new URL(request.url());
  if (url.pathname !== '/button/report') return null;
  return JSON.parse(request.method() === 'POST' ? request.postData() : url.searchParams.get('report'));
}

const codeOf = (request) => report(request)?.problem ?? report(request)?.fact;

/** The report of this code, when the server has it. */
async function told(visitor, code) {
  const is = (request) => codeOf(request) === code;
  const request = visitor.arrived.find(is) ?? (await visitor.context.waitForEvent('requestfinished', { predicate: is }));
  return { ...report(request), request };
}

/** A problem, told once in the console and once to the server, which took it. */
async function finds(visitor, code, expected = {}) {
  const { request, ...said } = await told(visitor, code);
  const { page, ...rest } = said;
  assert.equal(rest.problem, code);
  for (const [key, value] of Object.entries(expected)) assert.match(rest[key] ?? '(none)', value, key);
  assert.doesNotMatch(page, /[?#]/);
  const answer = await request.response();
  assert.equal(answer.status(), request.method() === 'POST' ? 204 : 200);
  assert.equal(answer.headers()['access-control-allow-origin'], '*');
  await saysOnce(visitor, code);
  return said;
}

async function saysOnce(visitor, code) {
  const lines = visitor.said.filter((line) => line.includes(`[Leadgate] ${code}:`));
  assert.equal(lines.length, 1, visitor.said.join('\n'));
  assert.match(lines[0], new RegExp(`^warning .*\\. .*${world.issuer}/doctor#${code}$`));
}

/** What was reported besides facts. */
function problems(visitor) {
  return visitor.requests.map(codeOf).filter((code) => code && !FACTS.includes(code));
}

/** Lets the page settle: what is missing after five seconds is missing. */
async function settle(visitor) {
  await visitor.page.waitForLoadState('load');
  await visitor.page.clock.runFor(6_000);
}

test('e a page that is right: facts alone, nothing in the console', async (t) => {
  const visitor = await onPage(t, {}, {}, { clock: true });
  await settle(visitor);
  for (const fact of ['button_found', 'stylesheet_loaded', 'callback_found']) {
    const { request, ...said } = await told(visitor, fact);
    assert.deepEqual(said, { fact, page: `${world.origins.partner}/page`, btn: world.buttons.main });
    assert.equal((await request.response()).status(), 204);
  }
  assert.deepEqual(problems(visitor), []);
  assert.deepEqual(visitor.said.filter((line) => line.includes('Leadgate')), []);
});

test('e what the callback got: a sign-in, an automatic one, a denial, a closed pop-up', async (t) => {
  const visitor = await onPage(t);
  const denied = await visitor.openDialog();
  await denied.logIn(world.person());
  await denied.cancel();
  assertError(await visitor.result(), 'access_denied');
  assert.equal((await told(visitor, 'callback_denied')).detail, 'access_denied');

  const closed = await visitor.openDialog();
  await closed.button('Cancel').waitFor();
  await closed.page.close();
  assertError(await visitor.result(2), 'popup_closed');
  assert.equal((await told(visitor, 'callback_failed')).detail, 'popup_closed');

  const allowed = await visitor.openDialog();
  await allowed.allow();
  assertValid(await visitor.result(3));
  assert.equal((await told(visitor, 'callback_valid')).detail, 'click');
  await visitor.page.reload();
  await visitor.result();
  const isAuto = (request) => report(request)?.detail === 'auto';
  if (!visitor.requests.some(isAuto)) await visitor.context.waitForEvent('request', { predicate: isAuto });
  assert.deepEqual(problems(visitor), []);
});

test('e no_button: nothing to wire, and what comes near', async (t) => {
  const body = '<button id="leAppButton" class="le-app-button" data-btn-id="x">Sign in</button>';
  const visitor = await onPage(t, { body }, {}, { clock: true });
  await settle(visitor);
  await finds(visitor, 'no_button', { detail: /^<button id class data-btn-id>$/ });
});

test('e empty_button_id', async (t) => {
  const visitor = await onPage(t, { body: button(' ') });
  await finds(visitor, 'empty_button_id');
});

test('e unknown_button', async (t) => {
  const visitor = await onPage(t, { body: button(`${world.buttons.main}x`) });
  await finds(visitor, 'unknown_button', { btn: new RegExp(`^${world.buttons.main}x$`) });
});

test('e origin_not_listed', async (t) => {
  const visitor = await onPage(t, {}, {}, { origin: world.origins.evil });
  const { page } = await finds(visitor, 'origin_not_listed', { btn: /^btn-main-/, detail: /^http:\/\/evil\.localhost:\d+$/ });
  assert.equal(page, `${world.origins.evil}/page`);
});

test('e opaque_origin: a sandbox took it away', async (t) => {
  const visitor = await onPage(t, {}, { 'Content-Security-Policy': 'sandbox allow-scripts' });
  await finds(visitor, 'opaque_origin');
});

test('e insecure_page: http from elsewhere', async (t) => {
  const visitor = await onPage(t, {}, {}, { origin: world.origins.plain });
  await finds(visitor, 'insecure_page', { detail: /^http:\/\/partner\.test:\d+$/ });
});

test('e framed', async (t) => {
  const visitor = await patient(t);
  world.sites.serve('/inner', partnerPage(world));
  await visitor.open(world.origins.partner + world.sites.serve('/outer', '<!doctype html><iframe src="/inner"></iframe>'));
  const { page } = await finds(visitor, 'framed');
  assert.equal(page, `${world.origins.partner}/inner`);
});

test('e script_twice: said once, and the button works', async (t) => {
  const tags = plainTags(world.issuer);
  const visitor = await onPage(t, { tags: `${tags}${tags}${tags}` });
  await finds(visitor, 'script_twice');
  assertValid(await visitor.signIn(world.person()));
});

test('e script_shadowed: another server came first', async (t) => {
  const script = await readFile(new URL('../../static/le-app-button.js', import.meta.url), 'utf8');
  world.sites.serve('/js/le-app-button.js', script, { 'Content-Type': 'text/javascript' });
  const tags = `<script src="${world.origins.other}/js/le-app-button.js"></script>${plainTags(world.issuer)}`;
  const visitor = await onPage(t, { tags });
  await finds(visitor, 'script_shadowed');
});

test('e script_host: by another name of the server, whose answers the page then refuses', async (t) => {
  const visitor = await onPage(t, { tags: plainTags(world.server.api) });
  await finds(visitor, 'script_host', { detail: /^http:\/\/127\.0\.0\.1:\d+$/ });
});

test('e script_detached: in an inline script, and by import() alone', async (t) => {
  const source = `${world.issuer}/js/le-app-button.js`;
  for (const tags of [
    `<script>fetch('${source}').then(function (answer) { return answer.text(); }).then(function (text) {
      var script = document.createElement('script');
      script.text = text;
      document.head.appendChild(script);
    });</script>`,
    `<script type="module">import('${source}').catch(function () {});</script>`,
  ]) {
    const visitor = await onPage(t, { tags });
    await finds(visitor, 'script_detached');
    await visitor.context.close();
  }
});

test('e stylesheet_missing, and a button without the class', async (t) => {
  const tags = `<script src="${world.issuer}/js/le-app-button.js"></script>`;
  const visitor = await onPage(t, { tags }, {}, { clock: true });
  await settle(visitor);
  await finds(visitor, 'stylesheet_missing', { detail: /none/ });

  const plain = `<button data-btnid="${world.buttons.main}">Sign in</button>`;
  const other = await onPage(t, { body: plain, tags: plainTags(world.issuer) }, {}, { clock: true });
  await settle(other);
  await finds(other, 'stylesheet_missing', { detail: /^class$/ });
});

/** A policy that has all the button needs, with some directives changed; `null` takes one away. */
function policy(changes) {
  const directives = {
    'default-src': "'none'",
    'script-src': `${world.issuer} 'nonce-partner'`,
    'connect-src': world.issuer,
    'style-src': `data: ${world.issuer}`,
    ...changes,
  };
  const kept = Object.entries(directives).filter(([, sources]) => sources !== null);
  return { 'Content-Security-Policy': kept.map(([name, sources]) => `${name} ${sources}`).join('; ') };
}

test('e csp_connect: the report takes the way that is open: a script, or else an image', async (t) => {
  const byScript = await onPage(t, { nonce: 'partner' }, policy({ 'connect-src': null }));
  await finds(byScript, 'csp_connect');
  const reports = byScript.arrived.filter((request) => report(request)?.problem === 'csp_connect');
  assert.deepEqual(reports.map((request) => request.resourceType()), ['script']);

  const changes = { 'connect-src': null, 'script-src': `${world.issuer}/js/ 'nonce-partner'`, 'img-src': world.issuer };
  const tags = `<script src="${world.issuer}/js/le-app-button.js"></script>`;
  const byImage = await onPage(t, { nonce: 'partner', tags }, policy(changes));
  await finds(byImage, 'csp_connect');
  const images = byImage.arrived.filter((request) => report(request)?.problem === 'csp_connect');
  assert.deepEqual(images.map((request) => request.resourceType()), ['image']);
});

test('e csp_connect: where no way is open, the console still says it', async (t) => {
  const tags = `<script src="${world.issuer}/js/le-app-button.js"></script>`;
  const headers = policy({ 'connect-src': null, 'script-src': `${world.issuer}/js/ 'nonce-partner'` });
  const visitor = await patient(t);
  const path = world.sites.serve('/page', partnerPage(world, { nonce: 'partner', tags }), headers);
  const isIt = (message) => message.text().includes('[Leadgate] csp_connect:');
  await Promise.all([visitor.page.waitForEvent('console', isIt), visitor.open(world.origins.partner + path)]);
  await saysOnce(visitor, 'csp_connect');
});

test('e csp_script: the inline callback was blocked', async (t) => {
  const body = `<script>${CALLBACK}</script>${button(world.buttons.main)}`;
  const visitor = await onPage(t, { body, callback: '', nonce: 'partner' }, policy({}), { clock: true });
  const dialog = await visitor.openDialog();
  await dialog.page.close();
  await visitor.page.clock.runFor(12_000);
  await finds(visitor, 'csp_script');
  await finds(visitor, 'no_callback');
});

test('e csp_style: of the published link, and of a plain one', async (t) => {
  const published = await onPage(t, { nonce: 'partner' }, policy({ 'style-src': world.issuer }));
  await finds(published, 'csp_style', { detail: /^data:$/ });

  const tags = plainTags(world.issuer);
  const plain = await onPage(t, { nonce: 'partner', tags }, policy({ 'style-src': 'data:' }));
  await finds(plain, 'csp_style', { detail: new RegExp(`^${world.issuer}$`) });
});

test('e a policy that only reports is none of the doctor’s business', async (t) => {
  const { 'Content-Security-Policy': strict } = policy({ 'connect-src': null, 'style-src': null });
  const headers = { 'Content-Security-Policy-Report-Only': strict };
  const visitor = await onPage(t, { nonce: 'partner' }, headers, { clock: true });
  await settle(visitor);
  await told(visitor, 'stylesheet_loaded');
  assert.deepEqual(problems(visitor), []);
});

test('e opener_severed: Cross-Origin-Opener-Policy', async (t) => {
  const visitor = await onPage(t, {}, { 'Cross-Origin-Opener-Policy': 'same-origin' });
  await visitor.click();
  await finds(visitor, 'opener_severed', { btn: /^btn-main-/ });
});

const CLICK_BY_SCRIPT = `document.addEventListener('leappbutton:idle', function (event) {
  if (location.search === '?click') setTimeout(function () { event.target.click(); });
});`;

test('e popup_blocked: with nowhere to return to', async (t) => {
  const page = partnerPage(world, { script: CLICK_BY_SCRIPT });
  const visitor = await patient(t, { popupBlocker: true });
  await visitor.open(`${world.origins.partner}${world.sites.serve('/page', page)}?click`);
  await finds(visitor, 'popup_blocked', { btn: /^btn-main-/ });
});

test('e popup_redirected: blocked, and the page went itself', async (t) => {
  const page = partnerPage(world, { script: CLICK_BY_SCRIPT });
  const visitor = await patient(t, { popupBlocker: true });
  await visitor.open(`${world.origins.partner}${world.sites.serve('/registered', page)}?click`);
  await visitor.page.getByLabel('Email').waitFor();
  await finds(visitor, 'popup_redirected', { btn: /^btn-main-/ });
});

test('e return_not_registered', async (t) => {
  const visitor = await onPage(t, { body: button(world.buttons.main, 'id="leAppButton" data-mode="redirect"') });
  await visitor.page.click('#leAppButton');
  await finds(visitor, 'return_not_registered', { btn: /^btn-main-/ });
});

test('e no_callback: ten seconds after the result', async (t) => {
  const visitor = await onPage(t, { callback: '' }, {}, { clock: true });
  const dialog = await visitor.openDialog();
  await dialog.page.close();
  await visitor.page.clock.runFor(9_000);
  assert.ok(!problems(visitor).includes('no_callback'));
  await visitor.page.clock.runFor(3_000);
  await finds(visitor, 'no_callback');
});

test('e callback_not_function: an element of that name', async (t) => {
  const body = `<div id="AuthorizeResult"></div>${button(world.buttons.main)}`;
  const visitor = await onPage(t, { body, callback: '' }, {}, { clock: true });
  const dialog = await visitor.openDialog();
  await dialog.page.close();
  await visitor.page.clock.runFor(12_000);
  await finds(visitor, 'callback_not_function', { detail: /^object$/ });
});

for (const [form, callback] of Object.entries({
  function: 'function AuthorizeResult(result) { results.push(result); throw new Error("lost " + result.refreshToken); }',
  const: 'const AuthorizeResult = (result) => { results.push(result); throw new Error("lost " + result.refreshToken); };',
})) {
  test(`e callback_threw: a ${form}; its message, and no token in it`, async (t) => {
    const visitor = await onPage(t, { callback });
    assertValid(await visitor.signIn(world.person()));
    await finds(visitor, 'callback_threw', { btn: /^btn-main-/, detail: /^Error: lost …$/ });
    assert.ok(!visitor.requests.some((request) => codeOf(request) === 'callback_valid'));
  });
}

test('e server_unreachable: in the console, for there is nobody to tell', async (t) => {
  const visitor = await patient(t);
  await visitor.context.route(`${world.issuer}/**`, (route) => {
    const isFile = /\.(js|css)$/.test(route.request().url());
    return isFile ? route.continue() : route.abort();
  });
  const isIt = (message) => message.text().includes('[Leadgate] server_unreachable:');
  const path = world.sites.serve('/page', partnerPage(world));
  await Promise.all([visitor.page.waitForEvent('console', isIt), visitor.open(world.origins.partner + path)]);
  await saysOnce(visitor, 'server_unreachable');
});

test('e no token, query or fragment leaves the page, and no cookie goes along', async (t) => {
  const visitor = await patient(t);
  await visitor.open(`${world.origins.partner}${world.sites.serve('/page', partnerPage(world))}?secret=quarry#treasure`);
  const result = await visitor.signIn(world.person());
  await told(visitor, 'callback_valid');
  await visitor.page.reload();
  await visitor.result();
  const reports = visitor.requests.filter((request) => report(request));
  assert.ok(reports.length >= 2);
  for (const request of reports) {
    const whole = `${request.url()} ${request.postData()}`;
    for (const secret of ['quarry', 'treasure', result.refreshToken, result.authToken]) assert.ok(!whole.includes(secret), whole);
    assert.equal((await request.allHeaders()).cookie, undefined);
  }
});

test('e the link in the console leads to the explanation, in the reader’s language', async (t) => {
  for (const [locale, words] of [['en-US', 'What to do'], ['es-MX', 'Qué hacer']]) {
    const visitor = await patient(t, { locale });
    await visitor.open(world.origins.partner + world.sites.serve('/page', partnerPage(world, { body: button('x') })));
    const { problem } = await told(visitor, 'unknown_button');
    const link = visitor.said.find((line) => line.includes(problem)).split(' ').pop();
    await visitor.open(link);
    const target = visitor.page.locator(':target');
    assert.match(await target.innerText(), new RegExp(`unknown_button[\\s\\S]*${words}`));
    await visitor.context.close();
  }
});
