// The documentation that the server serves: every link of it leads somewhere, its buttons work, it fits a phone and a
// keyboard, and those recipes of the cookbook that need a browser do what they say.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { assertNoOverflow } from './support/a11y.mjs';
import { partnerPage } from './support/page.mjs';
import { Dialog, visit } from './support/visitor.mjs';
import { createWorld } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
  // A button for the server's own pages, as the demonstration has one.
  const headers = { Authorization: `Bearer ${world.server.sandboxToken}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ app: world.apps.scorer.id, origins: [world.issuer] });
  const answer = await fetch(`${world.server.api}/_sandbox/buttons`, { method: 'POST', headers, body });
  assert.equal(answer.status, 201, await answer.text());
});
after(() => world?.stop());

/** Addresses of links, and ids of places, as the page has them. */
function linksAndPlaces(html) {
  const values = (name) => [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value]) => value.replaceAll('&amp;', '&'));
  return { links: values('href'), places: new Set(values('id')) };
}

/** Each page below /docs that can be reached by links, with its HTML. */
async function crawl() {
  const pages = new Map();
  const waiting = ['/docs'];
  for (let path; (path = waiting.pop()); ) {
    if (pages.has(path)) continue;
    const answer = await fetch(world.server.api + path);
    assert.equal(answer.status, 200, path);
    pages.set(path, await answer.text());
    waiting.push(...linksAndPlaces(pages.get(path)).links.map((link) => link.split('#')[0]).filter((link) => /^\/docs(\/|$)/.test(link)));
  }
  return pages;
}

test('every page is reached, and every link of it leads to a page, a place or a file', async () => {
  const pages = await crawl();
  assert.ok(pages.size > 40, `${pages.size} pages`);
  const places = new Map([...pages].map(([path, html]) => [path, linksAndPlaces(html).places]));
  const asked = new Set();
  for (const [path, html] of pages) {
    for (const link of linksAndPlaces(html).links) {
      const { origin, pathname, search, hash } = new URL(link, world.issuer + path);
      if (origin !== world.issuer) continue;
      if (hash && places.has(pathname)) assert.ok(places.get(pathname).has(decodeURIComponent(hash.slice(1))), `${path}: ${link}`);
      if (!places.has(pathname)) asked.add(pathname + search);
    }
  }
  for (const path of asked) {
    const { status } = await fetch(world.server.api + path, { redirect: 'manual' });
    assert.ok(status === 200 || status === 303, `${path}: ${status}`);
  }
});

test('a button of a page signs in through the pop-up, and the page shows what it got', async (t) => {
  const visitor = await visit(t);
  const problems = [];
  visitor.page.on('pageerror', (error) => problems.push(String(error)));
  visitor.page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await visitor.open(`${world.issuer}/docs/sign-in-button`);
  const live = visitor.page.locator('.live');
  assert.ok((await live.count()) >= 4);
  assert.deepEqual(await live.nth(1).locator('button').evaluateAll((buttons) => buttons.map((button) => button.dataset.theme)), ['light', 'dark']);
  const [popup] = await Promise.all([visitor.page.waitForEvent('popup'), live.nth(1).locator('button').last().click()]);
  await popup.waitForLoadState();
  const dialog = new Dialog(popup);
  await dialog.logIn(world.person());
  await dialog.allow();
  const outcome = live.nth(1).locator('.outcome');
  await outcome.getByText('"valid": true').waitFor();
  assert.match(await outcome.textContent(), /"refreshToken": "lgr_/);
  assert.deepEqual(problems, []);
});

test('no page is wider than a phone', async (t) => {
  const visitor = await visit(t);
  for (const path of (await crawl()).keys()) {
    await visitor.page.goto(world.issuer + path);
    await assertNoOverflow(visitor.page, path);
  }
});

test('it is read by keyboard: skip, search, open the list, copy', async (t) => {
  const visitor = await visit(t, { viewport: { width: 390, height: 800 } });
  const { page } = visitor;
  await visitor.context.grantPermissions(['clipboard-write'], { origin: world.issuer });
  await page.goto(`${world.issuer}/docs`);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
  await page.keyboard.type('popup_severed');
  await Promise.all([page.waitForURL(/\/docs\/search\?q=popup_severed$/), page.keyboard.press('Enter')]);
  await page.locator('.hits a').first().waitFor();

  const list = page.locator('.docs-pages');
  assert.equal(await list.getAttribute('open'), null, 'on a phone the list of pages waits to be asked for');
  await page.locator('.docs-pages > summary').focus();
  await page.keyboard.press('Enter');
  await Promise.all([page.waitForURL(/\/docs\/back-end$/), page.getByRole('link', { name: 'Refresh and disconnect', exact: true }).press('Enter')]);
  const copy = page.locator('.listing .copy').first();
  await copy.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor({ state: 'attached' });
});

test('what a browser has is not sent again, also after somebody signed in', async (t) => {
  const visitor = await visit(t);
  const { page } = visitor;
  // Of the wire: a browser calls a 304 by the status of what it has.
  const sent = async (answer) => (await answer.request().sizes()).responseBodySize;
  const first = await page.goto(`${world.issuer}/docs/oauth`);
  assert.equal(first.status(), 200);
  assert.ok((await sent(first)) > 0, 'the first time the page is sent');
  const again = await page.reload();
  assert.ok(again.ok() || again.status() === 304, `${again.status()}`);
  assert.equal(await sent(again), 0, 'what it has is not sent again');
  await page.goto(`${world.issuer}/account`);
  await page.locator('[name=email]').fill(world.staff.admin.email);
  await page.locator('[name=password]').fill(world.staff.admin.password);
  await page.locator('form:has([name=password]) [type=submit]').click();
  await page.locator('form[action$="/logout"]').waitFor();
  await page.goto(`${world.issuer}/docs/oauth`);
  await page.locator('nav a[href="/admin"]').waitFor();
});

const RECIPES = [...(await readFile(new URL('../../docs/cookbook.md', import.meta.url), 'utf8')).matchAll(/\n## ([^\n]+)|\n```js browser\n([\s\S]*?)```\n/g)];

test('recipes of the cookbook that need a browser', async (t) => {
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  const PAGE = world.origins.partner + world.sites.serve('/recipe', partnerPage(world));
  let heading;
  let count = 0;
  for (const [, title, code] of RECIPES) {
    heading = title ?? heading;
    if (!code) continue;
    count += 1;
    await t.test(heading, async (t) => {
      const visitor = await visit(t);
      const { email, password } = world.person();
      const recipe = new AsyncFunction('page', 'PAGE', 'EMAIL', 'PASSWORD', 'assert', code);
      await recipe(visitor.page, PAGE, email, password, assert);
    });
  }
  assert.ok(count >= 2, `${count} recipes`);
});
