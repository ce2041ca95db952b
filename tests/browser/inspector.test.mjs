// The inspector: what happens in the sandbox, live, and making things happen by hand.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { partnerPage } from './support/page.mjs';
import { tabTo, visit } from './support/visitor.mjs';
import { HOSTILE, createWorld, refresh } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

class Inspector {
  constructor(visitor) {
    this.visitor = visitor;
    this.page = visitor.page;
    this.rows = this.page.locator('#rows .row');
    this.steps = this.page.locator('#story .row');
    this.details = this.page.locator('#details');
  }

  async live() {
    await this.page.locator('#live[data-state=live]').waitFor();
    return this;
  }

  async view(name) {
    await this.page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name }).click();
  }

  button(name, within = this.page) {
    return within.getByRole('button', { name, exact: true });
  }

  /** The newest request of this title. */
  row(title) {
    return this.rows.filter({ hasText: title }).first();
  }

  async select(title) {
    await this.row(title).click();
    await this.details.getByRole('heading', { level: 2 }).waitFor();
  }

  async complaint() {
    return (await this.page.locator('#problem').isVisible()) ? this.page.textContent('#problem') : null;
  }
}

/** Opens the inspector with an empty list. */
async function inspect(t, options = {}) {
  const visitor = await visit(t, options);
  const violations = [];
  visitor.page.on('console', (message) => message.text().includes('Content Security Policy') && violations.push(message.text()));
  visitor.page.on('pageerror', (error) => violations.push(String(error)));
  t.after(() => assert.deepEqual(violations, []));
  await plane('DELETE', '/requests');
  await visitor.open(`${world.issuer}/inspector`);
  return new Inspector(visitor).live();
}

async function plane(method, path, body) {
  const headers = { Authorization: `Bearer ${world.server.sandboxToken}`, 'Content-Type': 'application/json' };
  const answer = await fetch(`${world.server.api}/_sandbox${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

/** A connection without a browser. */
async function connect(person = world.person()) {
  return plane('POST', '/authorize', { user: person.email, button: world.buttons.main, decision: 'allow' });
}

async function me(token) {
  const answer = await fetch(`${world.server.api}/v1/me`, { headers: { Authorization: `Bearer ${token}` } });
  return answer.status;
}

async function signIn(visitor) {
  const page = await visitor.tab();
  const path = world.sites.serve('/page', partnerPage(world));
  await page.open(world.origins.partner + path);
  const person = world.person();
  return { person, tokens: await page.signIn(person) };
}

async function overflows(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

test('e from the start page to a click that appears as it happens, with every step after it', async (t) => {
  const visitor = await visit(t);
  await plane('DELETE', '/requests');
  await visitor.open(world.issuer);
  await visitor.page.getByRole('link', { name: 'Inspector' }).click();
  const inspector = await new Inspector(visitor).live();
  await inspector.page.getByText('No requests yet').waitFor();
  const { person } = await signIn(visitor);
  await inspector.row('Tokens for the page').waitFor();
  for (const step of ['Click on the button', 'Dialog', 'Login', 'Decision']) await inspector.row(step).waitFor();
  const decision = await inspector.row('Decision').textContent();
  assert.ok(decision.includes(person.email) && decision.includes(world.apps.finder.name), decision);
  assert.equal(await inspector.page.getByText('No requests yet').isVisible(), false);
  assert.equal(visitor.calls('/inspector/events').length, 1, 'one stream brought them all');
});

test('e a refusal shows its reason, with the rule and what would have matched', async (t) => {
  const inspector = await inspect(t);
  const { refreshToken } = await connect();
  await refresh(world, refreshToken, world.apps.scorer);
  const row = inspector.row('Refresh');
  await row.waitFor();
  assert.match(await row.textContent(), new RegExp(`belongs to application ${world.apps.finder.id}`));
  await inspector.select('Refresh');
  const shown = await inspector.details.textContent();
  for (const part of ['refresh_token.other_app', `Nearest: application ${world.apps.finder.id}`, world.apps.scorer.name]) {
    assert.ok(shown.includes(part), `${part}: ${shown}`);
  }
  assert.ok(!shown.includes(refreshToken) && shown.includes('lgr_***'), 'masked');
});

test('e one sign-in from click to disconnect, and it goes on growing', async (t) => {
  const inspector = await inspect(t);
  await refresh(world, (await connect()).refreshToken);
  const { tokens } = await signIn(inspector.visitor);
  await refresh(world, tokens.refreshToken);
  await refresh(world, tokens.refreshToken, world.apps.scorer);
  // What comes last is there, so what came before is: the exchange too, and not the browser's question before it alone.
  await inspector.rows.filter({ hasText: 'Refresh' }).nth(2).waitFor();
  await inspector.select('Tokens for the page');
  await inspector.details.getByRole('link', { name: 'From click to disconnect' }).click();
  await inspector.steps.filter({ hasText: 'Refresh' }).nth(1).waitFor();
  await fetch(`${world.server.api}/authorize/disconnectapplicationtoken/${tokens.refreshToken}`);
  await me(tokens.authToken);
  await inspector.steps.filter({ hasText: 'API call' }).waitFor();
  const titles = await inspector.page.locator('#story .row-title').allTextContents();
  const told = ['Click on the button', 'Dialog', 'Login', 'Dialog', 'Decision', 'Tokens for the page', 'Refresh', 'Refresh', 'Disconnect', 'API call'];
  assert.deepEqual(titles, told);
  await inspector.steps.filter({ hasText: 'API call' }).click();
  await inspector.details.getByText('connection.disconnected').waitFor();
  await inspector.page.getByRole('link', { name: '← All requests' }).first().click();
  await inspector.rows.nth(told.length).waitFor();
});

test('e an hour passes: the access token has expired, a refresh helps, and every view says that a clock was moved', async (t) => {
  const inspector = await inspect(t);
  t.after(() => plane('POST', '/clock', { offset_ms: 0 }));
  const { authToken, refreshToken } = await connect();
  assert.equal(await me(authToken), 200);
  await inspector.view('Clocks');
  const server = inspector.page.locator('.clock').first();
  await inspector.button('+1 h, Server', server).click();
  await server.getByText('1h ahead').waitFor();
  await inspector.view('Requests');
  await inspector.page.locator('#clocks-note').waitFor();
  assert.equal(await me(authToken), 401);
  await inspector.row('API call').filter({ hasText: '401' }).waitFor();
  assert.equal(await me((await refresh(world, refreshToken)).authToken), 200);

  await inspector.view('Clocks');
  const app = inspector.page.locator('.clock').filter({ has: inspector.page.getByRole('heading', { name: world.apps.finder.name }) });
  await app.getByLabel('Set it ahead by').fill('-30m');
  await inspector.button('Set', app).click();
  await app.getByText('30m behind').waitFor();
  await inspector.button(`Stop, ${world.apps.finder.name}`, app).click();
  await app.getByText('stopped', { exact: true }).waitFor();
  const reading = await plane('GET', `/clock?app=${world.apps.finder.id}`);
  assert.deepEqual([reading.offset_ms, reading.frozen], [-1_800_000, true]);
  assert.ok((await app.locator('time').textContent()).startsWith(reading.now.slice(0, 19).replace('T', ' ')), 'it stands');
  await app.getByLabel('Advance by').fill('soon');
  await inspector.button('Advance', app).click();
  assert.match(await inspector.complaint(), /Write a span of time/);
  for (const name of ['Server', world.apps.finder.name]) await inspector.page.getByRole('button', { name: `Back to real time, ${name}` }).click();
  await server.getByText("Goes with the machine's clock").waitFor();
  await app.getByText("Goes with the server's clock").waitFor();
  await app.getByText('stopped', { exact: true }).waitFor({ state: 'hidden' });
  assert.deepEqual((await plane('GET', `/clock?app=${world.apps.finder.id}`)).frozen, false);
});

test('e a reading that was asked for before a clock was set does not put the page back', async (t) => {
  const inspector = await inspect(t);
  t.after(() => plane('POST', '/clock', { app: world.apps.finder.id, offset_ms: 0 }));
  let release;
  const held = new Promise((resolve) => (release = resolve));
  // The first reading is of the time before; its answer comes after the setting's.
  const before = await plane('GET', `/clock?app=${world.apps.finder.id}`);
  await inspector.page.route(`**/clock?app=${world.apps.finder.id}`, async (route) => {
    await held;
    await route.fulfill({ json: before });
  }, { times: 1 });
  await inspector.view('Clocks');
  const app = inspector.page.locator('.clock').filter({ has: inspector.page.getByRole('heading', { name: world.apps.finder.name }) });
  await app.getByLabel('Set it ahead by').fill('-30m');
  await inspector.button('Set', app).click();
  await app.getByText('30m behind').waitFor();
  const read = () => inspector.page.waitForResponse((response) => response.request().method() === 'GET' && response.url().endsWith(`/clock?app=${world.apps.finder.id}`));
  const old = read();
  release();
  await old;
  await read();
  await app.getByText('30m behind').waitFor();
  await inspector.page.locator('#clocks-note').waitFor();
});

test('e a ready-made fault acts as often as was said, and is known for one; the set can be written by hand', async (t) => {
  const inspector = await inspect(t);
  t.after(() => plane('DELETE', '/faults'));
  const { refreshToken } = await connect();
  await inspector.view('Faults');
  await inspector.page.getByRole('button', { name: 'Add: Refresh answers 503 once' }).click();
  await inspector.page.getByText('acted 0 / 1').waitFor();
  const call = () => fetch(`${world.server.api}/authorize/refreshaccesstoken/${refreshToken}?appid=${world.apps.finder.id}`);
  assert.equal((await call()).status, 503);
  assert.equal((await call()).status, 200);
  await inspector.page.getByText('acted 1 / 1, used up').waitFor();
  await inspector.view('Requests');
  const faulty = inspector.row('503');
  await faulty.waitFor();
  assert.equal(await faulty.getAttribute('data-outcome'), 'fault');
  await faulty.click();
  await inspector.details.getByText('refresh-unavailable').first().waitFor();

  await inspector.view('Faults');
  await inspector.page.getByLabel('For', { exact: true }).selectOption({ label: world.apps.scorer.name });
  await inspector.page.getByLabel('How often').fill('always');
  await inspector.page.getByRole('button', { name: 'Add: valid: true with an empty token' }).click();
  await inspector.page.getByText('acted 0 / always').waitFor();
  assert.equal((await (await call()).json()).valid, true, 'another application is not affected');
  await inspector.page.locator('summary', { hasText: 'Edit as JSON' }).click();
  await inspector.page.getByLabel('Edit as JSON').fill('[{"match":{"endpoint":"refreshaccestoken"},"effect":{"status":500}}]');
  await inspector.button('Apply').click();
  await inspector.page.locator('#problem').waitFor();
  assert.match(await inspector.complaint(), /refreshaccesstoken.*\/0\/match\/endpoint/);
  await inspector.button('Remove all').click();
  await inspector.page.getByText('Nothing goes wrong on purpose.').waitFor();
  assert.deepEqual(await plane('GET', '/faults'), []);
});

test('e each ready-made fault is one that the server takes', async (t) => {
  const inspector = await inspect(t);
  t.after(() => plane('DELETE', '/faults'));
  await inspector.view('Faults');
  const buttons = inspector.page.getByRole('button', { name: /^Add: / });
  const count = await buttons.count();
  for (let nth = 0; nth < count; nth++) {
    await buttons.nth(nth).click();
    await inspector.page.locator('.fault').nth(nth).waitFor();
    assert.equal(await inspector.complaint(), null);
  }
  assert.equal((await plane('GET', '/faults')).length, 7);
});

test('e a snapshot, a reset that is asked about first, and back to the snapshot; a namespace has an inspector of its own', async (t) => {
  const inspector = await inspect(t);
  const { refreshToken } = await connect();
  await inspector.view('World');
  await inspector.page.getByLabel('Name').fill('before');
  await inspector.button('Save').click();
  await inspector.page.getByRole('button', { name: 'Restore: before' }).waitFor();
  await inspector.button('Reset the world').click();
  await inspector.button('Cancel', inspector.page.getByRole('dialog')).click();
  assert.equal((await refresh(world, refreshToken)).valid, true);
  await inspector.button('Reset the world').click();
  await inspector.button('Reset the world', inspector.page.getByRole('dialog')).click();
  await assertSoon(async () => (await plane('GET', '/requests')).requests.length === 0);
  assert.equal((await refresh(world, refreshToken)).valid, false);
  await inspector.view('Requests');
  await inspector.rows.first().waitFor();
  assert.equal(await inspector.rows.count(), 1, 'what was before the reset is forgotten');
  await inspector.view('World');
  await inspector.page.getByRole('button', { name: 'Restore: before' }).click();
  await inspector.button('Restore', inspector.page.getByRole('dialog')).click();
  await assertSoon(async () => (await refresh(world, refreshToken)).valid);
  await inspector.page.getByRole('button', { name: 'Delete: before' }).click();
  await inspector.page.getByText('No snapshot yet.').waitFor();

  await inspector.button('Make one').click();
  await inspector.page.getByRole('link', { name: /^Open: / }).click();
  await inspector.page.waitForURL(/\/ns\/[^/]+\/inspector$/);
  await inspector.live();
  const below = new URL(inspector.page.url()).pathname.replace('/inspector', '');
  await fetch(`${world.server.api}${below}/v1/me`, { headers: { Authorization: 'Bearer nonsense' } });
  await inspector.row('API call').waitFor();
  await inspector.view('Clocks');
  await inspector.page.locator('.clock').first().waitFor();
  await inspector.view('World');
  await inspector.page.getByRole('link', { name: world.apps.finder.name }).click();
  await inspector.page.getByRole('heading', { level: 1 }).filter({ hasText: 'Integration check' }).waitFor();
  assert.ok(inspector.page.url().includes(`${below}/inspector/checks/`));
});

async function assertSoon(holds) {
  const end = Date.now() + 10_000;
  while (!(await holds())) assert.ok(Date.now() < end, 'it never held');
}

test('e the copied line runs in a shell as it is', async (t) => {
  const inspector = await inspect(t);
  await inspector.visitor.context.grantPermissions(['clipboard-write'], { origin: world.issuer });
  const { refreshToken, authToken } = await connect();
  await refresh(world, refreshToken);
  await me(authToken);
  const run = async (title, env) => {
    await inspector.select(title);
    await inspector.button('Copy as curl').click();
    await inspector.button('Copied').waitFor();
    // The page itself may not read the clipboard; a person may paste.
    await inspector.page.evaluate(() => document.body.appendChild(document.createElement('textarea')).focus());
    await inspector.page.keyboard.press('Control+V');
    const line = await inspector.page.locator('body > textarea').inputValue();
    await inspector.page.locator('body > textarea').evaluate((area) => area.remove());
    const { stdout } = await promisify(execFile)('sh', ['-c', line], { env: { PATH: process.env.PATH, ...env } });
    return stdout;
  };
  assert.match(await run('API call', { ACCESS_TOKEN: authToken }), /^HTTP\/1.1 200 OK/);
  const again = await run('Refresh', { REFRESH_TOKEN: refreshToken });
  assert.match(again, /"valid":true/);
  assert.equal(await me(/"authToken":"([^"]+)"/.exec(again)[1]), 200);
});

test('e filters, search and pause', async (t) => {
  const inspector = await inspect(t);
  const [one, two] = [world.person(), world.person()];
  const tokens = await connect(one);
  await refresh(world, tokens.refreshToken);
  await refresh(world, (await connect(two)).refreshToken);
  await me('nonsense');
  await inspector.rows.nth(2).waitFor();
  await inspector.page.getByLabel('Outcome').selectOption('refused');
  await inspector.row('API call').waitFor();
  await assertSoon(async () => (await inspector.rows.count()) === 1);
  await me('more nonsense');
  await inspector.rows.nth(1).waitFor();
  await inspector.button('Show all').click();
  await inspector.rows.nth(3).waitFor();
  await inspector.page.getByLabel('User').fill(two.email);
  await inspector.page.getByLabel('User').press('Enter');
  await assertSoon(async () => (await inspector.rows.count()) === 1);
  assert.ok((await inspector.rows.first().textContent()).includes(two.email));
  await inspector.button('Show all').click();
  await inspector.rows.nth(3).waitFor();
  await inspector.page.getByLabel('Search').fill('NONSENSE-that-is-nowhere');
  await inspector.page.getByText('Nothing matches.').waitFor();
  await inspector.page.getByLabel('Search').fill(one.email.toUpperCase());
  await assertSoon(async () => (await inspector.page.locator('#rows li:not([hidden])').count()) === 1);
  await inspector.page.getByLabel('Search').fill('');

  await inspector.button('Pause').click();
  await refresh(world, tokens.refreshToken);
  await inspector.page.locator('#live').filter({ hasText: '1 more meanwhile' }).waitFor();
  assert.equal(await inspector.rows.count(), 4);
  await inspector.button('Go on').click();
  await inspector.rows.nth(4).waitFor();
  await inspector.page.getByRole('status').filter({ hasText: 'new requests' }).waitFor({ state: 'attached' });

  const [download] = await Promise.all([inspector.page.waitForEvent('download'), inspector.button('Save as HAR').click()]);
  assert.equal(download.suggestedFilename(), 'leadgate.har');
});

test('e by keyboard alone: through the list, into a request, and back to where one was', async (t) => {
  const inspector = await inspect(t);
  const { page } = inspector;
  const { refreshToken } = await connect();
  for (const app of [world.apps.finder, world.apps.scorer, world.apps.finder]) await refresh(world, refreshToken, app);
  await inspector.rows.nth(2).waitFor();
  await tabTo(page, inspector.rows.first());
  await page.keyboard.press('ArrowDown');
  const outline = await inspector.rows.nth(1).evaluate((row) => [row === document.activeElement, getComputedStyle(row).outlineStyle]);
  assert.deepEqual(outline, [true, 'solid'], 'the focus is there, and to be seen');
  await page.keyboard.press('Enter');
  await inspector.details.getByText('refresh_token.other_app').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'details-title');
  await page.keyboard.press('Escape');
  await inspector.details.waitFor({ state: 'hidden' });
  await assertSoon(() => inspector.rows.nth(1).evaluate((row) => row === document.activeElement));
  await page.keyboard.press('End');
  await page.keyboard.press('Tab');
  assert.equal(await inspector.page.locator('#rows :focus').count(), 0, 'the list is one stop');
  const tabs = page.getByRole('navigation', { name: 'Views' });
  await tabTo(page, tabs.getByRole('link', { name: 'Faults' }));
  await page.keyboard.press('Enter');
  await page.locator('#faults').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'faults-title');
});

test('e on a phone nothing is cut off, and a request is a view of its own', async (t) => {
  const inspector = await inspect(t, { viewport: { width: 360, height: 740 } });
  const { page } = inspector;
  const { refreshToken } = await connect();
  await refresh(world, refreshToken, world.apps.scorer);
  await inspector.row('Refresh').waitFor();
  assert.equal(await overflows(page), false);
  await inspector.select('Refresh');
  assert.equal(await inspector.rows.first().isVisible(), false);
  assert.equal(await overflows(page), false);
  await page.getByRole('link', { name: '← All requests' }).click();
  await inspector.rows.first().waitFor();
  for (const view of ['Clocks', 'Faults', 'World']) {
    await inspector.view(view);
    await page.locator(`#${view.toLowerCase()} .panel`).first().waitFor();
    assert.equal(await overflows(page), false, view);
  }
  const small = await page.$$eval('#world button, #world a.button', (all) =>
    all.filter((one) => one.offsetHeight && one.offsetHeight < 44).map((one) => one.textContent),
  );
  assert.deepEqual(small, [], 'everything can be hit with a thumb');
});

test('e in Spanish, and in the dark', async (t) => {
  const visitor = await visit(t, { locale: 'es-MX', colorScheme: 'dark' });
  await visitor.open(`${world.issuer}/inspector`);
  await visitor.page.getByText('En directo').waitFor();
  await visitor.page.getByRole('link', { name: 'Fallos' }).click();
  await visitor.page.getByText('La renovación responde 503 una vez').waitFor();
  const [background, color] = await visitor.page.$eval('.panel', (panel) => {
    const style = getComputedStyle(panel);
    return [style.backgroundColor, style.color].map((value) => value.match(/\d+/g).reduce((sum, part) => sum + Number(part), 0));
  });
  assert.ok(background < 150 && color > 500, `${background} ${color}`);
});

test('P6 what came with a request stays text', async (t) => {
  const inspector = await inspect(t);
  inspector.page.on('dialog', (dialog) => assert.fail(dialog.message()));
  const { refreshToken } = await connect();
  const address = `${world.server.api}/authorize/refreshaccesstoken/${refreshToken}`;
  const query = new URLSearchParams({ appid: HOSTILE, page: HOSTILE, [HOSTILE]: HOSTILE });
  await fetch(`${address}?${query}`, { headers: { 'User-Agent': HOSTILE, Accept: `text/html, ${HOSTILE}` } });
  await fetch(`${world.server.api}/button/authorize?${new URLSearchParams({ btn: HOSTILE, origin: HOSTILE, state: HOSTILE })}`);
  await plane('POST', '/authorize', { user: world.person().email, button: world.buttons.nasty, decision: 'allow' })
    .then((nasty) => refresh(world, nasty.refreshToken, world.apps.nasty));
  await inspector.rows.nth(2).waitFor();
  for (const nth of [0, 1, 2]) {
    await inspector.rows.nth(nth).click();
    await inspector.details.locator('.code').nth(1).waitFor();
  }
  assert.ok((await inspector.details.textContent()).includes('<img src=x onerror'), 'it is shown as it came');
  for (const view of ['Clocks', 'Faults', 'World', 'Requests']) {
    await inspector.view(view);
    await inspector.page.locator(`#${view.toLowerCase()}`).waitFor();
  }
  assert.equal(await inspector.page.locator('img, script:not([src]):not([type="application/json"])').count(), 0);
});

test('e the server restarts: the page goes on by itself', async (t) => {
  const own = await createWorld();
  t.after(() => own.stop());
  const visitor = await visit(t);
  await visitor.open(`${own.issuer}/inspector`);
  const inspector = await new Inspector(visitor).live();
  const call = () => fetch(`${own.server.api}/v1/me`, { headers: { Authorization: 'Bearer nonsense' } });
  await call();
  await inspector.row('API call').waitFor();
  const began = Date.now();
  await own.server.restart();
  assert.ok(Date.now() - began < 9_000, 'an open stream does not hold the server up');
  await call();
  await assertSoon(async () => (await inspector.rows.count()) === 1);
  await inspector.live();
  await call();
  await inspector.rows.nth(1).waitFor();
});

// A proxy says whom it forwards for: then the peer's address proves nothing, and the token is asked for.
const FORWARDED = { extraHTTPHeaders: { 'X-Forwarded-For': '203.0.113.7' } };

test('e away from the machine nothing is to be seen without the token; the link with it signs in, and hides it', async (t) => {
  const visitor = await visit(t, FORWARDED);
  const { page } = visitor;
  await visitor.open(`${world.issuer}/inspector`);
  await page.getByRole('heading', { name: 'Open the inspector' }).waitFor();
  assert.equal(await page.locator('#rows').count(), 0);
  const statuses = await page.evaluate(async () => {
    const headers = { 'Leadgate-Inspector': '1' };
    const answers = await Promise.all(['/_sandbox/clock', '/_sandbox/requests', '/inspector/events'].map((path) => fetch(path, { headers })));
    return answers.map(({ status }) => status);
  });
  assert.deepEqual(statuses, [401, 401, 403]);
  await page.getByLabel('Sandbox token').fill('nonsense');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('alert').filter({ hasText: 'not the sandbox token' }).waitFor();
  await page.getByLabel('Sandbox token').fill(world.server.sandboxToken);
  await page.getByRole('button', { name: 'Open' }).click();
  await new Inspector(visitor).live();

  const other = await visit(t, FORWARDED);
  await other.page.goto(`${world.issuer}/inspector#token=${world.server.sandboxToken}`);
  await new Inspector(other).live();
  assert.equal(other.page.url(), `${world.issuer}/inspector`);
  await other.page.goto(`${world.issuer}/inspector?again#token=${world.server.sandboxToken}`);
  await new Inspector(other).live();
  assert.equal(new URL(other.page.url()).hash, '', 'who is signed in already does not keep it in the address either');
  await other.page.goBack();
  await other.page.goBack().catch(() => {});
  const html = await other.page.content();
  assert.ok(!other.page.url().includes('token') && !html.includes(world.server.sandboxToken), 'nor in the history');
  const cookies = await other.context.cookies();
  const session = cookies.find(({ name }) => name.includes('inspector'));
  assert.deepEqual([session.httpOnly, session.sameSite], [true, 'Strict']);
});

test('e a page of another origin gets nothing out of a session', async (t) => {
  const inspector = await inspect(t);
  const page = await inspector.visitor.tab();
  const path = world.sites.serve('/curious', '<!doctype html><title>Curious</title>');
  for (const origin of [world.origins.near, world.origins.evil]) {
    await page.open(origin + path);
    const outcomes = await page.page.evaluate(async (issuer) => {
      const attempt = (url, options) =>
        fetch(issuer + url, { credentials: 'include', ...options }).then((answer) => answer.type === 'opaque' || answer.status, () => 'failed');
      const stream = new EventSource(`${issuer}/inspector/events`, { withCredentials: true });
      const streamed = await new Promise((resolve) => {
        stream.onerror = () => resolve('failed');
        stream.onopen = () => resolve('open');
      });
      return [
        await attempt('/_sandbox/requests', { headers: { 'Leadgate-Inspector': '1' } }),
        await attempt('/_sandbox/requests', {}),
        streamed,
      ];
    }, world.issuer);
    assert.deepEqual(outcomes, ['failed', 'failed', 'failed'], origin);
    const frame = await page.page.evaluate(async (issuer) => {
      await fetch(`${issuer}/_sandbox/requests`, { method: 'DELETE', mode: 'no-cors', credentials: 'include' }).catch(() => {});
      return true;
    }, world.issuer);
    assert.ok(frame);
  }
});
