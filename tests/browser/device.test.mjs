// The device flow (RFC 8628): a screen shows a code, a person types it at /device, the screen gets its tokens.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { DEVICE_GRANT, apiStatus, createOAuthWorld } from './support/oauth.mjs';
import { Dialog, tabTo, visit } from './support/visitor.mjs';

let world;
before(async () => {
  world = await createOAuthWorld();
});
after(() => world?.stop());

async function begin(scope = 'openid data_api') {
  const device = await world.wall.post('/oauth/device_authorization', { scope });
  assert.equal(device.status, 200, device.error_description);
  assert.match(device.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  return device;
}

function poll(device) {
  return world.wall.token({ grant_type: DEVICE_GRANT, device_code: device.device_code });
}

async function type(visitor, code) {
  await visitor.page.getByLabel('Code').fill(code);
  await new Dialog(visitor.page).button('Continue').click();
}

async function assertRefused(visitor) {
  await visitor.page.getByRole('alert').filter({ hasText: 'This code is not known, or it has expired.' }).waitFor();
  assert.equal(await visitor.page.getByLabel('Code').getAttribute('aria-invalid'), 'true');
}

test('a typed code, sign-in, consent, and the screen has its tokens; the code is used up then', async (t) => {
  const visitor = await visit(t);
  const person = world.person();
  const device = await begin();
  assert.deepEqual([device.verification_uri, device.expires_in, device.interval], [`${world.issuer}/device`, 600, 5]);
  assert.equal((await poll(device)).error, 'authorization_pending');
  await visitor.open(device.verification_uri);
  await type(visitor, device.user_code);
  const dialog = new Dialog(visitor.page);
  await dialog.logIn(person);

  const text = await visitor.page.getByRole('main').innerText();
  for (const named of [world.wall.app.name, 'Acme Mortgage', person.email, device.user_code, 'Only continue if you started this']) {
    assert.ok(text.includes(named), `${named} in ${text}`);
  }
  assert.equal((await poll(device)).error, 'slow_down');
  await dialog.allow();
  await visitor.page.getByRole('heading', { name: 'You can go back to your device' }).waitFor();
  const tokens = await poll(device);
  assert.deepEqual([tokens.status, tokens.scope], [200, 'data_api openid']);
  assert.equal(await apiStatus(world, '/oauth/userinfo', tokens.access_token), 200);
  assert.equal((await poll(device)).error, 'invalid_grant');

  await visitor.open(device.verification_uri);
  await type(visitor, device.user_code);
  await assertRefused(visitor);
});

test('verification_uri_complete fills the code in, asks to compare it, and goes on only by a click', async (t) => {
  const visitor = await visit(t);
  const device = await begin();
  await visitor.open(device.verification_uri_complete);
  assert.equal(await visitor.page.getByLabel('Code').inputValue(), device.user_code);
  await visitor.page.getByText('Check that this is the code on your device.').waitFor();
  const dialog = new Dialog(visitor.page);
  await dialog.button('Continue').click();
  await dialog.logIn(world.person());
  await dialog.allow();
  await visitor.page.getByRole('heading', { name: 'You can go back to your device' }).waitFor();
  assert.equal((await poll(device)).status, 200);
});

test('lower case, no hyphen, spaces: it is the same code', async (t) => {
  const visitor = await visit(t);
  const device = await begin();
  const [left, right] = device.user_code.toLowerCase().split('-');
  await visitor.open(device.verification_uri);
  for (const typed of [`${left}${right}`, ` ${left} ${right} `]) {
    await visitor.open(device.verification_uri);
    await type(visitor, typed);
    await new Dialog(visitor.page).button('Sign in').waitFor();
  }
});

test('a wrong code is told at its field, keeps what was typed, and the right one still works', async (t) => {
  const visitor = await visit(t);
  const device = await begin();
  await visitor.open(device.verification_uri);
  const wrong = device.user_code.startsWith('B') ? 'CCCC-CCCC' : 'BBBB-BBBB';
  await type(visitor, wrong);
  await assertRefused(visitor);
  assert.equal(await visitor.page.getByLabel('Code').inputValue(), wrong);
  await visitor.page.locator('#user_code:focus').waitFor();
  await type(visitor, device.user_code);
  await new Dialog(visitor.page).button('Sign in').waitFor();
});

test('Cancel: the page says that nothing was given, and the screen learns access_denied', async (t) => {
  const visitor = await visit(t);
  const device = await begin();
  await visitor.open(device.verification_uri_complete);
  const dialog = new Dialog(visitor.page);
  await dialog.button('Continue').click();
  await dialog.logIn(world.person());
  await dialog.cancel();
  await visitor.page.getByRole('heading', { name: 'Access was not given' }).waitFor();
  await visitor.page.getByText(`Nothing was shared with ${world.wall.app.name}.`).waitFor();
  assert.equal((await poll(device)).error, 'access_denied');
});

test('RFC 8628 5.4: whoever has connected such a screen before is asked again for the next', async (t) => {
  const visitor = await visit(t);
  const dialog = new Dialog(visitor.page);
  for (const round of ['first', 'second']) {
    const device = await begin();
    await visitor.open(device.verification_uri_complete);
    await dialog.button('Continue').click();
    if (round === 'first') await dialog.logIn(world.person());
    assert.equal((await poll(device)).error, 'authorization_pending');
    await dialog.allow();
    await visitor.page.getByRole('heading', { name: 'You can go back to your device' }).waitFor();
    assert.equal((await poll(device)).status, 200);
  }
});

test('keyboard only, and without JavaScript', async (t) => {
  const visitor = await visit(t, { javaScriptEnabled: false });
  const { page } = visitor;
  const person = world.person();
  const device = await begin();
  await visitor.open(device.verification_uri);
  await tabTo(page, page.getByLabel('Code'));
  await page.keyboard.type(device.user_code);
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByLabel('Email'));
  await page.keyboard.type(person.email);
  await tabTo(page, page.getByLabel('Password'));
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Allow' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'You can go back to your device' }).waitFor();
  assert.equal((await poll(device)).status, 200);
});

test('C14 the account page ends a screen\'s access at once', async (t) => {
  const visitor = await visit(t);
  const { page } = visitor;
  const device = await begin('openid account_api');
  await visitor.open(device.verification_uri_complete);
  const dialog = new Dialog(page);
  await dialog.button('Continue').click();
  await dialog.logIn(world.person());
  await dialog.allow();
  await page.getByRole('heading', { name: 'You can go back to your device' }).waitFor();
  const tokens = await poll(device);
  assert.equal(await apiStatus(world, '/v1/me', tokens.access_token), 200);

  await visitor.open(`${world.issuer}/account`);
  await page.getByRole('heading', { name: world.wall.app.name }).waitFor();
  await dialog.button('Disconnect').click();
  await page.getByText(`${world.wall.app.name} is disconnected.`).waitFor();
  assert.equal(await apiStatus(world, '/v1/me', tokens.access_token), 401);
  assert.equal(await apiStatus(world, '/oauth/userinfo', tokens.access_token), 401);
  assert.equal((await world.wall.refresh(tokens.refresh_token)).error, 'invalid_grant');
});

test('C7 another site can neither post the code nor frame the page', async (t) => {
  const visitor = await visit(t);
  const device = await begin();
  const form = `<form method="post" action="${world.issuer}/device"><input name="user_code" value="${device.user_code}"><button>Go</button></form>`;
  await visitor.open(world.origins.evil + world.sites.serve('/trap', form));
  await visitor.page.getByRole('button').click();
  await visitor.page.getByRole('heading', { name: 'This form is out of date' }).waitFor();
  const frame = `<iframe src="${device.verification_uri_complete}"></iframe>`;
  await visitor.open(world.origins.evil + world.sites.serve('/trap', frame));
  assert.equal(await visitor.page.frames()[1].getByLabel('Code').count(), 0);
});
