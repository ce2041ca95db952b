// What a partner does with the fixtures, in a real Chromium.
import { DEMONSTRATION, LEADEXEC } from 'leadgate';
import { deny, expect, openDialog, signIn, test } from 'leadgate/playwright';

import { open, results } from './partner.js';

test('an unchanged page signs a user in, and its back end refreshes and disconnects', async ({ page, world }) => {
  await open(page);
  const result = await signIn(page, 'grace@acme.test');
  expect(result).toMatchObject({ valid: true, error: null, buttonId: DEMONSTRATION.button, auto: false });
  expect(await results(page)).toBe(1);
  if (!result.valid) return;
  expect((await world.me(result.authToken))?.user?.email).toBe('grace@acme.test');
  expect((await world.refresh(result.refreshToken)).valid).toBe(true);
  // From the page, as JSONP: it goes to Leadgate, too.
  const answer = await page.evaluate(
    ([host, token]) =>
      new Promise((resolve) => {
        Object.assign(window, { done: resolve });
        const script = document.createElement('script');
        script.src = `${host}/authorize/disconnectapplicationtoken/${token}?callback=done`;
        document.head.append(script);
      }),
    [LEADEXEC, result.refreshToken],
  );
  expect(answer).toEqual({ valid: true, errorMessage: null });
  expect((await world.refresh(result.refreshToken)).valid).toBe(false);
});

test('the stylesheet of the routed host applies', async ({ page, world: _world }) => {
  await open(page);
  const size = () => page.locator('[data-btnid]').evaluate((button) => getComputedStyle(button).minHeight);
  await expect.poll(size).not.toBe('auto');
});

test('a user who cancels', async ({ page, world }) => {
  await open(page);
  expect(await deny(page, DEMONSTRATION.user)).toMatchObject({ valid: false, error: 'access_denied', refreshToken: null });
  expect(await world.journal({ endpoint: 'token' })).toEqual([]);
});

test('another user after the first, by the dialog step by step', async ({ page, world: _world }) => {
  await open(page);
  const first = await openDialog(page);
  await first.continueAs('ada@acme.test');
  await first.continueAs('grace@acme.test');
  const closed = first.page.waitForEvent('close');
  await first.allow();
  await closed;
  await expect.poll(() => results(page)).toBe(1);
  // Who has allowed it signs in by a click alone.
  expect((await signIn(page, 'grace@acme.test')).valid).toBe(true);
});

test('the dialog is not answered before its script is there: a click that meets it would be dropped', async ({ page, context, world: _world }) => {
  const order: string[] = [];
  await context.route('**/static/dialog.js*', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    order.push('script');
    await route.continue();
  });
  context.on('request', (request) => {
    if (request.method() === 'POST' && request.postData()?.includes('decision=allow')) order.push('answer');
  });
  await open(page);
  expect((await signIn(page, 'ada@acme.test')).valid).toBe(true);
  // Of the login page and of the consent page; then comes the answer.
  expect(order.slice(0, 3)).toEqual(['script', 'script', 'answer']);
});

test('an origin that is not listed is told so, until it is allowed', async ({ page, world }) => {
  await open(page, {}, 'http://localhost:3999');
  const dialog = openDialog(page);
  await expect.poll(() => page.evaluate('results.map((one) => one.error)'), { timeout: 20_000 }).toEqual(['origin_not_allowed']);
  await (await dialog).page.close();
  await world.allowOrigin('http://localhost:3999');
  await page.reload();
  expect((await signIn(page, DEMONSTRATION.user)).valid).toBe(true);
});

test('a sign-in that cannot succeed ends with what the page was told, and not with the time', async ({ page, world: _world }) => {
  await open(page, {}, 'http://localhost:3998');
  expect(await signIn(page, DEMONSTRATION.user)).toMatchObject({ valid: false, error: 'origin_not_allowed' });
});

test('a user who is not there is named, with those who are', async ({ page, world: _world }) => {
  await open(page);
  await expect(signIn(page, 'nobody@acme.test')).rejects.toThrow(
    /the dialog does not offer nobody@acme\.test; it offers: .*grace@acme\.test/,
  );
});

test('two worlds on one server know nothing of each other', async ({ world, leadgate }) => {
  const other = await leadgate.namespace();
  const { refreshToken } = await other.authorize(DEMONSTRATION.user);
  await other.advance('1h');
  expect((await other.clock()).offset_ms).toBe(3_600_000);
  expect((await world.clock()).offset_ms).toBe(0);
  expect((await world.refresh(refreshToken as string)).valid).toBe(false);
  await other.end();
});
