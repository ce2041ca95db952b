// The published disconnect function, run by each jQuery line in a real browser.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { button, partnerPage } from './support/page.mjs';
import { visit } from './support/visitor.mjs';
import { createWorld, refresh } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

/** The published call: JSONP, with options that jQuery ignores or warns about there. */
function disconnectScript(base) {
  return `var answers = [], failures = [];
  function disconnectUser(refresh_token) {
    $.ajax({
      type: 'GET',
      url: '${base}/authorize/disconnectapplicationtoken/' + refresh_token,
      async: false,
      contentType: 'application/json',
      dataType: 'jsonp',
      success: function (result) { answers.push(result); },
      error: function (request, status) { failures.push(status); }
    });
  }
  $('#revokeButton').click(disconnectUser);`;
}

function jquerySource(jquery) {
  return readFile(new URL(`./node_modules/${jquery}/dist/jquery.min.js`, import.meta.url), 'utf8');
}

async function disconnectPage(jquery) {
  world.sites.serve(`/${jquery}.js`, await jquerySource(jquery), { 'Content-Type': 'text/javascript' });
  const body = `${button(world.buttons.main)}<button id="revokeButton">Disconnect</button>
    <script src="/${jquery}.js"></script><script>${disconnectScript(world.issuer)}</script>`;
  return world.sites.serve('/page', partnerPage(world, { body }));
}

async function answer(page, count) {
  await page.waitForFunction((wanted) => answers.length + failures.length >= wanted, count);
  const [answers, failures] = await page.evaluate(() => [answers, failures]);
  assert.deepEqual(failures, []);
  assert.equal(answers.length, count, 'success is called once for each call');
  return answers.at(-1);
}

for (const [jquery, version] of [
  ['jquery-1.12', '1.12.4'],
  ['jquery-2.2', '2.2.4'],
  ['jquery-3.7', '3.7.1'],
  ['jquery-4.0', '4.0.0'],
]) {
  test(`O6 O7 N9 jQuery ${version}, cross-site: disconnects; again; and wired to a click as published`, async (t) => {
    const visitor = await visit(t);
    await visitor.open(world.origins.partner + (await disconnectPage(jquery)));
    assert.equal(await visitor.page.evaluate(() => $.fn.jquery), version);
    const { refreshToken } = await visitor.signIn(world.person());
    assert.equal((await refresh(world, refreshToken)).valid, true);
    await visitor.page.evaluate((token) => disconnectUser(token), refreshToken);
    assert.deepEqual(await answer(visitor.page, 1), { valid: true, errorMessage: null });
    assert.equal((await refresh(world, refreshToken)).valid, false);

    await visitor.page.evaluate((token) => disconnectUser(token), refreshToken);
    const again = await answer(visitor.page, 2);
    assert.equal(again.valid, false);
    assert.ok(again.errorMessage.length > 5);

    // The published wiring passes the click's event as the token.
    await visitor.page.click('#revokeButton');
    const wired = await answer(visitor.page, 3);
    assert.equal(wired.valid, false);
    assert.ok(wired.errorMessage.length > 5);
    const sent = visitor.requests.map((request) => request.url()).filter((url) => url.includes('object'));
    assert.equal(sent.length, 1);
    assert.match(sent[0], /\[object%20Object\]\?callback=jQuery\w+&_=\d+$/);
  });

  test(`O6 jQuery ${version}, same origin`, async (t) => {
    // The server's own pages refuse foreign script, rightly: this visitor's browser looks away.
    const visitor = await visit(t, { bypassCSP: true });
    await visitor.open(world.origins.partner + (await disconnectPage(jquery)));
    const { refreshToken } = await visitor.signIn(world.person());
    await visitor.open(`${world.issuer}/account`);
    await visitor.page.addScriptTag({ content: await jquerySource(jquery) });
    await visitor.page.addScriptTag({ content: disconnectScript('') });
    await visitor.page.evaluate((token) => disconnectUser(token), refreshToken);
    assert.deepEqual(await answer(visitor.page, 1), { valid: true, errorMessage: null });
    assert.equal((await refresh(world, refreshToken)).valid, false);
  });
}

test('O8 JSONP depends on no cookie: a signed-in user\'s other connection is untouched by a foreign page', async (t) => {
  const visitor = await visit(t);
  await visitor.open(world.origins.partner + (await disconnectPage('jquery-3.7')));
  const { refreshToken } = await visitor.signIn(world.person());
  await visitor.open(`${world.origins.evil}/page`);
  await visitor.page.evaluate(() => disconnectUser('unknown'));
  assert.equal((await answer(visitor.page, 1)).valid, false);
  assert.equal((await refresh(world, refreshToken)).valid, true);
});
