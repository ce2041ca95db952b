// What partner pages look like: callback forms, snippet forms, policies, and the script's own budget.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { parse } from 'acorn';

import { CALLBACK, asyncSnippet, button, partnerPage, plainTags } from './support/page.mjs';
import { assertValid, visit } from './support/visitor.mjs';
import { createWorld } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

async function onPage(t, options = {}, headers = {}, origin = world.origins.partner) {
  const visitor = await visit(t);
  return visitor.open(origin + world.sites.serve('/page', partnerPage(world, options), headers));
}

const CALLBACKS = {
  'a function declaration': CALLBACK,
  'a const': 'const AuthorizeResult = (result) => results.push(result);',
  'a property of window': 'window.AuthorizeResult = function (result) { results.push(result); };',
  'defined a second after the result':
    "addEventListener('leappbutton:result', function () { setTimeout(function () { window.AuthorizeResult = function (result) { results.push(result); }; }, 1000); });",
};

for (const [form, callback] of Object.entries(CALLBACKS)) {
  test(`trap: AuthorizeResult is ${form}: called once`, async (t) => {
    const visitor = await onPage(t, { callback });
    assertValid(await visitor.signIn(world.person()), { auto: false });
    await visitor.countsResults(1);
  });
}

test('trap: a const AuthorizeResult in a later script is waited for, at an automatic sign-in, too', async (t) => {
  const visitor = await onPage(t);
  await visitor.signIn(world.person());
  const addLater = `addEventListener('leappbutton:result', function () { setTimeout(function () {
    var script = document.createElement('script');
    script.text = 'const AuthorizeResult = function (result) { results.push(result); };';
    document.head.appendChild(script);
  }, 300); });`;
  world.sites.serve('/page', partnerPage(world, { callback: addLater }));
  await visitor.page.reload();
  assertValid(await visitor.result(), { auto: true });
  await visitor.countsResults(1);
});

test('AuthorizeResult never comes: the event tells, the console warns after ten seconds, nothing breaks', async (t) => {
  const visitor = await visit(t);
  await visitor.page.clock.install();
  const path = world.sites.serve('/page', partnerPage(world, { callback: '' }));
  await visitor.open(world.origins.partner + path);
  const dialog = await visitor.openDialog();
  await dialog.page.close();
  await visitor.page.clock.runFor(2000);
  const { detail } = await visitor.event('result');
  assert.equal(detail.error, 'popup_closed');
  const [warning] = await Promise.all([
    visitor.page.waitForEvent('console', (message) => message.type() === 'warning'),
    visitor.page.clock.runFor(11_000),
  ]);
  assert.match(warning.text(), /AuthorizeResult/);
});

test('O10 the published snippet: script made by script, style sheet imported by a data: URL', async (t) => {
  const visitor = await onPage(t);
  const style = await visitor.page.$eval('#leAppButton', (element) => {
    const { minHeight, cursor } = getComputedStyle(element);
    return { minHeight, cursor, type: element.type };
  });
  assert.deepEqual(style, { minHeight: '44px', cursor: 'pointer', type: 'button' });
  assertValid(await visitor.signIn(world.person()));
});

test('snippet forms: plain tags in the head, before the button exists', async (t) => {
  const visitor = await onPage(t, { script: '</script>' + plainTags(world.issuer) + '<script>', tags: ' ' });
  assertValid(await visitor.signIn(world.person()));
});

test('snippet forms: in the head with defer; twice on one page; as a module loads it', async (t) => {
  const source = `${world.issuer}/js/le-app-button.js`;
  const load = `import('${source}');`;
  for (const tags of [
    `<script defer src="${source}"></script>`,
    `<script src="${source}"></script><script>${asyncSnippet(world.issuer)}</script>`,
    // No currentScript here: the script finds its own element.
    `<script type="module" src="${source}?v=2"></script><script type="module">${load}</script>`,
  ]) {
    const visitor = await onPage(t, { tags });
    assertValid(await visitor.signIn(world.person()));
    await visitor.countsResults(1);
    await visitor.context.close();
  }
});

test('O12 trap: a partner policy that lists only this server; nothing is violated', async (t) => {
  const policy = [
    "default-src 'none'",
    `script-src ${world.issuer} 'nonce-partner'`,
    `connect-src ${world.issuer}`,
    `style-src data: ${world.issuer}`,
  ].join('; ');
  const script = `var violations = [];
    document.addEventListener('securitypolicyviolation', function (event) {
      violations.push(event.effectiveDirective + ' ' + event.blockedURI);
    });`;
  const visitor = await onPage(t, { script, nonce: 'partner' }, { 'Content-Security-Policy': policy });
  assertValid(await visitor.signIn(world.person()));
  await visitor.page.reload();
  assertValid(await visitor.result(), { auto: true });
  assert.deepEqual(await visitor.page.evaluate(() => violations), []);
  const status = await visitor.page.getByRole('status').boundingBox();
  assert.ok(status.width <= 1 && status.height <= 1, 'the status region is for screen readers');
});

test('trap: PKCE on an http page, which has no crypto.subtle', async (t) => {
  const visitor = await onPage(t, {}, {}, world.origins.plain);
  assert.deepEqual(await visitor.page.evaluate(() => [isSecureContext, typeof crypto.subtle]), [false, 'undefined']);
  assertValid(await visitor.signIn(world.person()));
});

test('D10 S256: the challenge is the SHA-256 of the verifier, and both are new in every attempt', async (t) => {
  const visitor = await onPage(t);
  const person = world.person();
  await visitor.signIn(person);
  for (let round = 2; round < 6; round++) {
    await visitor.click();
    await visitor.result(round);
  }
  const challenges = visitor.calls('/button/authorize').map((call) => new URL(call.url()).searchParams.get('code_challenge'));
  const verifiers = visitor.calls('/button/token').map((call) => call.postDataJSON().code_verifier);
  const expected = await Promise.all(
    verifiers.map(async (verifier) => {
      const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
      return Buffer.from(hash).toString('base64url');
    }),
  );
  assert.deepEqual(challenges, expected);
  assert.equal(new Set(verifiers).size, 5);
});

test('other elements and sizes keep a target of 44 pixels, themes differ', async (t) => {
  const looks = ['data-size="small"', 'data-size="medium"', 'data-size="large"', 'data-theme="light"', 'data-theme="dark"'];
  const body = looks.map((look) => button(world.buttons.main, look)).join(' ');
  const visitor = await onPage(t, { body });
  const boxes = await visitor.page.$$eval('.le-app-button', (all) =>
    all.map((element) => [element.offsetHeight, element.offsetWidth, getComputedStyle(element).backgroundColor]),
  );
  for (const [height, width] of boxes) assert.ok(height >= 44 && width >= 44, `${width}x${height}`);
  assert.notEqual(boxes[3][2], boxes[4][2]);
});

test('O10 O12 the script: ES5, no eval, no markup, no inline style, at most 5 KiB gzipped; headers for any page', async () => {
  const answer = await fetch(`${world.server.api}/js/le-app-button.js`);
  const served = await answer.text();
  parse(served, { ecmaVersion: 5 });
  assert.doesNotMatch(served, /\beval\b|new Function|innerHTML|outerHTML|insertAdjacent|document\.write|\.style\b|localStorage/);
  // This server is a sandbox: the button doctor goes in front of what production serves.
  const source = await readFile(new URL('../../static/le-app-button.js', import.meta.url), 'utf8');
  assert.ok(served.endsWith(source) && served.length > source.length);
  assert.ok(gzipSync(source).length <= 5 * 1024, `${gzipSync(source).length} bytes`);
  assert.match(answer.headers.get('content-type'), /^(text|application)\/javascript/);
  const sheet = await fetch(`${world.server.api}/css/le-app-button.css`);
  assert.match(sheet.headers.get('content-type'), /^text\/css/);
  for (const { headers } of [answer, sheet]) {
    assert.equal(headers.get('access-control-allow-origin'), '*');
    assert.match(headers.get('cross-origin-resource-policy') ?? 'cross-origin', /^cross-origin$/);
    assert.match(headers.get('cache-control'), /max-age=\d+/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('set-cookie'), null);
    assert.ok(headers.get('etag'));
  }
});
