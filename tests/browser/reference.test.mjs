// Pages about the sandbox that are read rather than worked with: the API's reference and the integration check.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { visit } from './support/visitor.mjs';
import { createWorld } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

async function read(t, path) {
  const visitor = await visit(t);
  const problems = [];
  visitor.page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  visitor.page.on('pageerror', (error) => problems.push(String(error)));
  t.after(() => assert.deepEqual(problems, []));
  await visitor.context.grantPermissions(['clipboard-write'], { origin: world.issuer });
  await visitor.page.goto(`${world.issuer}${path}`);
  return visitor.page;
}

/** What a person would paste; the page itself may not read the clipboard. */
async function pasted(page) {
  await page.evaluate(() => document.body.appendChild(document.createElement('textarea')).focus());
  await page.keyboard.press('Control+V');
  return page.locator('body > textarea').inputValue();
}

test('e a command of the reference is copied, and who listens hears of it', async (t) => {
  const page = await read(t, '/_sandbox/docs');
  const command = await page.textContent('#first-request');
  await page.locator('[data-copy="first-request"]').click();
  await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor({ state: 'attached' });
  assert.equal(await pasted(page), command);
});

test('e the address of an operation opens it', async (t) => {
  const page = await read(t, '/_sandbox/docs');
  const id = await page.locator('details[id]').last().getAttribute('id');
  await page.goto(`${world.issuer}/_sandbox/docs#${id}`);
  await page.locator(`details#${id}[open]`).waitFor();
  assert.equal(await page.locator('details[id][open]').count(), 1);
});

test('e the check names a command for continuous integration, to copy', async (t) => {
  const page = await read(t, `/inspector/checks/${world.apps.finder.id}`);
  const command = await page.textContent('#junit');
  await page.locator('[data-copy="junit"]').click();
  await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor({ state: 'attached' });
  assert.equal(await pasted(page), command);
});

test('e the ledger says of each behaviour how sure it is', async (t) => {
  const page = await read(t, '/_sandbox/fidelity');
  for (const word of ['documented', 'inferred', 'ours']) {
    assert.ok((await page.getByText(word, { exact: true }).count()) > 0, word);
  }
});
