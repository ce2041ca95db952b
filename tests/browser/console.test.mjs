// The console, from becoming a partner to a snippet that signs in; without script, by keyboard, on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertValid, tabTo, visit } from './support/visitor.mjs';
import { createWorld, refresh } from './support/world.mjs';

let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

/** Somebody who has just become a partner. */
async function partner(t, options) {
  const visitor = await visit(t, options);
  const person = world.person();
  await visitor.open(`${world.issuer}/console`);
  const { page } = visitor;
  await page.fill('#email', person.email);
  await page.fill('#password', person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Become a partner' }).click();
  await page.waitForURL(`${world.issuer}/console`);
  return Object.assign(visitor, { person });
}

/** Registers an application; its id and its secret. */
async function register({ page }, name) {
  await page.goto(`${world.issuer}/console/apps/new`);
  await page.fill('#name', name);
  await page.locator('[name=grants][value=client_credentials]').check();
  await page.getByRole('button', { name: 'Register' }).click();
  const secret = await page.textContent('#client-secret');
  const id = await page.textContent('#app-id');
  await page.getByRole('link', { name: 'I have copied it' }).click();
  return { id, secret };
}

async function makeButton({ page }, app, origin, { theme = 'auto', size = 'medium' } = {}) {
  await page.goto(`${world.issuer}/console/apps/${app.id}/buttons/new`);
  await page.fill('#origins', origin);
  await page.selectOption('#theme', theme);
  await page.selectOption('#size', size);
  await page.getByRole('button', { name: 'Create' }).click();
  await page.waitForURL(/\/console\/buttons\/.*done=created/);
  return { id: await page.textContent('#button-id') };
}

/** Puts what a partner pasted on a page of the partner's, with a callback that keeps results. */
function paste(path, html) {
  const kept = '<script>var results = []; addEventListener("leappbutton:result", (e) => results.push(e.detail));</script>';
  return world.origins.partner + world.sites.serve(path, html.replace('<head>', `<head>${kept}`));
}

test('C11 from nobody to a page that signs in: the pasted HTML page', async (t) => {
  const visitor = await partner(t);
  const app = await register(visitor, 'Lead Radar');
  await makeButton(visitor, app, world.origins.partner, { theme: 'dark', size: 'large' });
  const html = await visitor.page.textContent('#snippet-html');
  await visitor.open(paste('/pasted', html));
  assert.equal(await visitor.page.getAttribute('#leAppButton', 'data-theme'), 'dark');
  const dialog = await visitor.openDialog();
  await dialog.allow();
  const result = await visitor.result();
  assertValid(result, { auto: false });
  assert.equal((await refresh(world, result.refreshToken, app)).valid, true);
  assert.match(await visitor.page.textContent('#outcome'), /refreshToken/);
});

test('the plain script signs in as well', async (t) => {
  const visitor = await partner(t);
  const app = await register(visitor, 'Lead Radar');
  const button = await makeButton(visitor, app, world.origins.partner, { size: 'small' });
  const script = await visitor.page.textContent('#snippet-script');
  const page = `<!doctype html><html lang="en"><head><title>Partner</title></head><body><script>${script}</script></body></html>`;
  await visitor.open(paste('/plain-script', page));
  assert.equal(await visitor.page.getAttribute('#leAppButton', 'data-size'), 'small');
  const dialog = await visitor.openDialog();
  await dialog.allow();
  assertValid(await visitor.result(), { auto: false, buttonId: button.id });
});

test('the preview follows what is chosen', async (t) => {
  const visitor = await partner(t);
  const app = await register(visitor, 'Lead Radar');
  const { page } = visitor;
  await page.goto(`${world.issuer}/console/apps/${app.id}/buttons/new`);
  const drawn = page.locator('#preview .le-app-button');
  const small = await drawn.boundingBox();
  await page.selectOption('#size', 'large');
  assert.ok((await drawn.boundingBox()).height > small.height);
  const light = await drawn.evaluate((element) => getComputedStyle(element).backgroundColor);
  await page.selectOption('#theme', 'dark');
  assert.equal(await drawn.getAttribute('data-theme'), 'dark');
  await page.waitForFunction(
    (before) => getComputedStyle(document.querySelector('#preview .le-app-button')).backgroundColor !== before,
    light,
  );
});

test('without script everything can be done that a form can do', async (t) => {
  const visitor = await partner(t, { javaScriptEnabled: false });
  const { page } = visitor;
  const app = await register(visitor, 'Lead Radar');
  await page.goto(`${world.issuer}/console/apps/${app.id}/edit`);
  await page.fill('#redirect_uris', 'localhost:3000/cb');
  await page.getByRole('button', { name: 'Save' }).click();
  assert.match(await page.textContent('#redirect_uris-error'), /http:\/\/localhost:3000\/cb/);
  assert.equal(await page.inputValue('#redirect_uris'), 'localhost:3000/cb');
  await page.fill('#redirect_uris', 'http://localhost:3000/cb');
  await page.getByRole('button', { name: 'Save' }).click();
  assert.match(await page.textContent('[role=status]'), /Saved/);
  const button = await makeButton(visitor, app, world.origins.partner);
  assert.match(await page.textContent('#snippet-html'), new RegExp(button.id));
  await page.goto(`${world.issuer}/console/apps/${app.id}/secret`);
  await page.locator('[name=overlap][value="0"]').check();
  await page.getByRole('button', { name: 'Make a new secret' }).click();
  assert.notEqual(await page.textContent('#client-secret'), app.secret);
  await page.goto(`${world.issuer}/console/apps/${app.id}/delete`);
  await page.fill('#name', 'Lead Radar');
  await page.getByRole('button', { name: 'Delete this application' }).click();
  await page.waitForURL(`${world.issuer}/console?done=deleted`);
});

test('C16 a logo is uploaded, and shown by the dialog', async (t) => {
  const visitor = await partner(t);
  const app = await register(visitor, 'Lead Radar');
  const { page } = visitor;
  const picture = await page.screenshot({ clip: { x: 0, y: 0, width: 300, height: 200 } });
  await page.goto(`${world.issuer}/console/apps/${app.id}/logo`);
  await page.setInputFiles('#logo', { name: 'logo.png', mimeType: 'image/png', buffer: picture });
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.waitForURL(/done=set/);
  assert.equal(await page.locator('img.logo').evaluate((image) => image.naturalWidth), 256);
  const button = await makeButton(visitor, app, world.origins.partner);
  const html = `<button id="leAppButton" class="le-app-button" data-btnid="${button.id}">Sign in</button><script src="${world.issuer}/js/le-app-button.js"></script>`;
  await visitor.open(paste('/logo', `<!doctype html><html lang="en"><head><title>P</title></head><body>${html}</body></html>`));
  const dialog = await visitor.openDialog();
  await dialog.page.waitForFunction(() => document.querySelector('img.logo')?.naturalWidth === 256);
});

test('by keyboard alone: the errors have the focus, and lead to their fields', async (t) => {
  const visitor = await partner(t);
  const { page } = visitor;
  await page.goto(`${world.issuer}/console/apps/new`);
  await page.focus('#name');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#problems');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'problems');
  await tabTo(page, page.locator('#problems a').first());
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'name');
});

for (const [what, options] of Object.entries({
  'on a phone': { viewport: { width: 360, height: 740 } },
  'in Spanish, in the dark': { locale: 'es-MX', colorScheme: 'dark' },
})) {
  test(`${what} nothing of the console runs out of the page`, async (t) => {
    const visitor = await partner(t, { ...options, locale: 'en' });
    const app = await register(visitor, 'Lead Radar with a name that is rather long for a phone');
    const button = await makeButton(visitor, app, world.origins.partner);
    const { page } = visitor;
    await page.setExtraHTTPHeaders({ 'Accept-Language': options.locale ?? 'en' });
    for (const path of [
      '/console',
      `/console/apps/${app.id}`,
      `/console/apps/${app.id}/edit`,
      `/console/apps/${app.id}/secret`,
      `/console/apps/${app.id}/usage`,
      `/console/buttons/${button.id}`,
      '/settings/api',
    ]) {
      await page.goto(world.issuer + path);
      assert.equal(await page.getAttribute('html', 'lang'), options.locale ? 'es' : 'en');
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`);
    }
  });
}
