// A person with a browser: a fresh Chromium profile, and what people do on partner pages and in the dialog.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // The one partner that is not on a loopback name, to have a page without a secure context.
  '--host-resolver-rules=MAP partner.test 127.0.0.1',
];
const WAIT_MS = 15_000;
// How long to look for a second call of a callback that must be called once: an absence cannot be awaited.
const QUIET_MS = 350;

async function freshProfile(blockThirdPartyCookies) {
  const profile = await mkdtemp(path.join(tmpdir(), 'leadgate-profile-'));
  await mkdir(path.join(profile, 'Default'));
  // 0 allows third-party cookies, 1 blocks them. Playwright's own contexts count as incognito, which blocks them.
  const preferences = { profile: { cookie_controls_mode: blockThirdPartyCookies ? 1 : 0 } };
  await writeFile(path.join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
  return profile;
}

/** A browser for many contexts, where no profile matters. */
export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS });
}

/** A visitor for one test; `t` ends it. Other options are the browser context's. */
export async function visit(t, options = {}) {
  const { blockThirdPartyCookies = false, popupBlocker = false, args = [], ...rest } = options;
  const profile = await freshProfile(blockThirdPartyCookies);
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    // Of a switch that comes twice the browser takes the last.
    args: [...ARGUMENTS, ...args],
    ...rest,
    ignoreDefaultArgs: popupBlocker ? ['--disable-popup-blocking'] : [],
  });
  t.after(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  context.setDefaultTimeout(WAIT_MS);
  return new Visitor(context, context.pages()[0]);
}

export class Visitor {
  constructor(context, page) {
    this.context = context;
    this.page = page;
    this.requests = [];
    context.on('request', (request) => this.requests.push(request));
  }

  /** The same person in another tab. */
  async tab() {
    const other = Object.create(this);
    other.page = await this.context.newPage();
    return other;
  }

  async open(url) {
    await this.page.goto(url);
    return this;
  }

  /** Clicks and returns the pop-up. */
  async click(selector = '#leAppButton') {
    const [popup] = await Promise.all([this.page.waitForEvent('popup'), this.page.click(selector)]);
    return popup;
  }

  async openDialog(selector) {
    const popup = await this.click(selector);
    await popup.waitForLoadState();
    return new Dialog(popup);
  }

  /** The whole first sign-in, up to the result. */
  async signIn(user, selector) {
    const count = await this.page.evaluate(() => results.length);
    const dialog = await this.openDialog(selector);
    await dialog.logIn(user);
    await dialog.allow();
    return this.result(count + 1);
  }

  /** The `n`th result that the page's callback got. */
  async result(n = 1) {
    await this.page.waitForFunction((count) => window.results && results.length >= count, n);
    return this.page.evaluate((index) => results[index], n - 1);
  }

  /** Proves that the callback was called exactly this often. */
  async countsResults(n) {
    await this.page.waitForTimeout(QUIET_MS);
    assert.equal(await this.page.evaluate(() => results.length), n, 'calls of AuthorizeResult');
  }

  async event(type, on) {
    const found = await this.page.waitForFunction(
      ([wanted, id]) => window.events && events.find((event) => event.type === wanted && (!id || event.on === id)),
      [type, on],
    );
    return found.jsonValue();
  }

  /** Calls to an endpoint so far, pre-flights not counted. */
  calls(endpoint) {
    return this.requests.filter((one) => one.method() !== 'OPTIONS' && new URL(one.url()).pathname === endpoint);
  }
}

/** The dialog in its pop-up, or in the page itself after a redirect. */
export class Dialog {
  constructor(page) {
    this.page = page;
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** Posts the sign-in form, whatever comes then. */
  async enter(user) {
    await this.page.getByLabel('Email').fill(user.email);
    await this.page.getByLabel('Password').fill(user.password);
    await this.button('Sign in').click();
  }

  async logIn(user) {
    await this.enter(user);
    await this.button('Cancel').waitFor();
  }

  /** Moves the pointer first, as people do: the button waits for that. */
  async allow() {
    // The page's script, once it is there, drops a click that came too early: no click before it says that it takes one.
    await this.button('Allow').and(this.page.locator('[aria-disabled]')).waitFor();
    await this.page.mouse.move(40, 40);
    await this.page.mouse.move(60, 80);
    await this.button('Allow').and(this.page.locator('[aria-disabled=false]')).waitFor();
    await this.decide('Allow');
  }

  async cancel() {
    await this.decide('Cancel');
  }

  // The window may be gone before the click is reported as done.
  async decide(name) {
    await this.button(name).click().catch((error) => {
      if (!this.page.isClosed()) throw error;
    });
  }

  async closed() {
    if (!this.page.isClosed()) await this.page.waitForEvent('close');
  }
}

/** Presses Tab until the focus is there. */
export async function tabTo(page, target) {
  await target.waitFor();
  for (let presses = 0; presses < 80; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail('the Tab key does not reach it');
}

const KEYS = ['auto', 'authToken', 'buttonId', 'error', 'errorMessage', 'expireDate', 'refreshToken', 'valid'];

/** A plain object with all the keys of the contract, and consistent. */
export function assertValid(result, expected = {}) {
  assert.deepEqual(Object.keys(result).sort(), [...KEYS].sort());
  assert.deepEqual([result.valid, result.error, result.errorMessage], [true, null, null], JSON.stringify(result));
  assert.match(result.expireDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  for (const key of ['refreshToken', 'authToken']) assert.match(result[key], /^[\w.~-]{20,}$/, key);
  for (const [key, value] of Object.entries(expected)) assert.equal(result[key], value, key);
}

export function assertError(result, code, expected = {}) {
  assert.deepEqual(Object.keys(result).sort(), [...KEYS].sort());
  assert.deepEqual([result.valid, result.error], [false, code], JSON.stringify(result));
  assert.deepEqual([result.refreshToken, result.authToken, result.expireDate], [null, null, null]);
  assert.ok(result.errorMessage.length > 5, 'a sentence for people');
  for (const [key, value] of Object.entries(expected)) assert.equal(result[key], value, key);
}
