// The action call-back: what a user sees of an application's own server that refuses, and what the page gets.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { partnerPage } from './support/page.mjs';
import { assertError, assertValid, visit } from './support/visitor.mjs';
import { createWorld } from './support/world.mjs';

const MESSAGE = 'Your trial is over: <b>choose</b> a plan first.';

let world;
let answer = { allow: false, message: MESSAGE };
let server;
before(async () => {
  world = await createWorld();
  server = createServer((request, response) => {
    request.resume().on('end', () => response.end(JSON.stringify(answer)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const set = await fetch(`${world.server.api}/_sandbox/apps/${world.apps.finder.id}/callback`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${world.server.sandboxToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/callback` }),
  });
  assert.equal(set.status, 201);
});
after(async () => {
  server?.closeAllConnections();
  server?.close();
  await world?.stop();
});

async function refused(t, options = {}) {
  const visitor = await visit(t, options);
  await visitor.open(world.origins.partner + world.sites.serve('/page', partnerPage(world, {})));
  const dialog = await visitor.openDialog();
  await dialog.logIn(world.person());
  await dialog.allow();
  await dialog.page.getByText(MESSAGE).waitFor();
  return { visitor, dialog };
}

test('part F a refusal is read first, and goes to the page when Continue is pressed', async (t) => {
  const { visitor, dialog } = await refused(t);
  await visitor.countsResults(0);
  await dialog.button('Continue').click();
  const result = await visitor.result();
  assertError(result, 'access_denied', { buttonId: world.buttons.main, auto: false });
  assert.equal(result.errorMessage, MESSAGE);
  await dialog.closed();
  await visitor.countsResults(1);
});

test('part F closing the window in place of that is popup_closed, once', async (t) => {
  const { visitor, dialog } = await refused(t, { colorScheme: 'dark' });
  await dialog.page.close();
  assertError(await visitor.result(), 'popup_closed', { buttonId: world.buttons.main, auto: false });
  await visitor.countsResults(1);
});

test('part F a refusal is good for this once: allowed at the next click', async (t) => {
  const { visitor, dialog } = await refused(t);
  await dialog.button('Continue').click();
  await visitor.result();
  await dialog.closed();
  answer = { allow: true };
  t.after(() => (answer = { allow: false, message: MESSAGE }));
  const again = await visitor.openDialog();
  await again.allow();
  assertValid(await visitor.result(2), { auto: false });
});
