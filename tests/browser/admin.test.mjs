// The administration, by an administrator with a browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertNoOverflow } from './support/a11y.mjs';
import { launch } from './support/visitor.mjs';
import { createWorld } from './support/world.mjs';

const SHOTS = process.env.SHOTS;

let world;
let browser;
before(async () => {
  [world, browser] = await Promise.all([createWorld(), launch()]);
});
after(() => Promise.all([world?.stop(), browser?.close()]));

/** An administrator at `/admin`, who was asked to sign in there. */
async function administrator(t, options = {}) {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && !message.text().includes('422') && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  t.after(() => assert.deepEqual(complaints, []));
  await page.goto(`${world.issuer}/admin`);
  const { email, password } = world.staff.admin;
  await page.locator('[name=email]').fill(email);
  await page.locator('[name=password]').fill(password);
  await page.locator('form:has([name=password]) [type=submit]').click();
  await page.waitForURL('**/admin');
  return page;
}

async function shot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

const tab = (page, name) => page.locator('nav.tabs').getByRole('link', { name, exact: true });
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

for (const javaScriptEnabled of [true, false]) {
  test(`R14: a user's life ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async (t) => {
    const page = await administrator(t, { javaScriptEnabled });
    const email = `new-${javaScriptEnabled}@acme.test`;
    await tab(page, 'Users').click();
    await page.getByRole('link', { name: 'New user' }).click();
    await page.getByLabel('Name').fill('Kept Name');
    await press(page, 'Create');
    assert.equal(await page.getByLabel('Name').inputValue(), 'Kept Name', 'what was typed stays');
    assert.match(await page.locator('#email-error').textContent(), /Enter an e-mail address/);
    await shot(page, `refused-${javaScriptEnabled}`);
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Account').fill(world.account);
    await press(page, 'Create');
    assert.equal((await page.locator('#made-password').textContent()).length, 20);
    await shot(page, `made-${javaScriptEnabled}`);
    await page.getByRole('link', { name: 'To the user' }).click();
    await shot(page, `user-${javaScriptEnabled}`);
    for (const [action, done] of [['Disable', 'User disabled'], ['Enable', 'User enabled'], ['End all sessions', 'All sessions ended']]) {
      await page.getByRole('link', { name: action, exact: true }).click();
      await press(page, action);
      assert.equal(await page.getByRole('status').first().textContent(), done);
    }
    await page.getByRole('link', { name: 'Make a link' }).click();
    await press(page, 'Make a link');
    const link = await page.locator('#made-link').textContent();
    assert.match(link, /\/invitation\?token=lgv_/);
    await tab(page, 'Users').click();
    await page.getByLabel('E-mail address or name').fill(email.toUpperCase());
    await press(page, 'Show');
    await page.getByRole('link', { name: email }).click();
    await page.getByRole('link', { name: 'Delete', exact: true }).click();
    await press(page, 'Delete');
    assert.equal(await page.getByRole('link', { name: email }).count(), 0);
  });
}

test('R14: keys, applications and the log', async (t) => {
  const page = await administrator(t);
  await shot(page, 'start');
  await tab(page, 'Applications').click();
  await shot(page, 'apps');
  await page.getByRole('link', { name: world.apps.finder.name }).click();
  await shot(page, 'app');
  await page.getByRole('link', { name: 'Disable', exact: true }).click();
  await shot(page, 'disable');
  await press(page, 'Disable');
  assert.match(await page.locator('dl.facts').first().textContent(), /Disabled since/);
  await page.getByRole('link', { name: 'Enable', exact: true }).click();
  await press(page, 'Enable');
  await tab(page, 'Keys').click();
  await page.getByRole('link', { name: 'Rotate a key' }).click();
  await press(page, 'Rotate a key');
  await shot(page, 'keys');
  assert.match(await page.locator('tbody').textContent(), /Announced/);
  await tab(page, 'Event log').click();
  await page.getByLabel('Changes only').check();
  await press(page, 'Show');
  const log = await page.locator('tbody').textContent();
  assert.match(log, /Signing key rotated/);
  assert.doesNotMatch(log, /Signed in/);
  await shot(page, 'events');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'As JSON lines' }).click()]);
  assert.equal(download.suggestedFilename(), 'leadgate-events.jsonl');
});

test('R14: by keyboard alone', async (t) => {
  const page = await administrator(t);
  await page.goto(`${world.issuer}/admin/new/account`);
  await page.getByLabel('Name').focus();
  await page.keyboard.press('Enter');
  await page.locator('#problems').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'problems', 'the summary has the focus');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'name', 'its link leads to the field');
  await page.keyboard.type('By Keyboard');
  await page.keyboard.press('Enter');
  await page.locator('#made-key').waitFor();
});

const PAGES = ['', '/accounts', '/users', '/invitations', '/apps', '/connections', '/keys', '/events', '/new/user', '/new/account', '/new/invitation', '/keys/rotate'];

for (const [name, options] of [
  ['phone', { viewport: { width: 360, height: 740 } }],
  ['small', { viewport: { width: 320, height: 640 }, locale: 'es-ES' }],
  ['dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
]) {
  test(`R14: each page fits, ${name}`, async (t) => {
    const page = await administrator(t, options);
    for (const path of PAGES) {
      await page.goto(`${world.issuer}/admin${path}`);
      await assertNoOverflow(page, path);
      await page.setViewportSize(options.viewport);
      await shot(page, `${name}${path.replaceAll('/', '-')}`);
    }
    if (name === 'small') assert.equal(await page.locator('h1').textContent(), 'Rotar una clave');
  });
}
