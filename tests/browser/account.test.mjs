// The account pages, signing up and an invitation, as people use them: with and without JavaScript, by keyboard, on a
// phone, in Spanish and in the dark.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { partnerPage } from './support/page.mjs';
import { tabTo, visit } from './support/visitor.mjs';
import { createWorld } from './support/world.mjs';

const TABS = ['', '/profile', '/password', '/sessions', '/history', '/data'];
// A directory to look at the pages in; without it none are taken.
const SHOTS = process.env.SCREENSHOTS;
const NEW = 'an entirely new one';

let world;
let partner;
before(async () => {
  world = await createWorld();
  partner = world.origins.partner + world.sites.serve('/signin', partnerPage(world));
});
after(() => world?.stop());

const account = (tab = '') => `${world.issuer}/account${tab}`;

async function shot(page, name) {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
}

async function logIn(page, person, password = person.password) {
  await page.locator('#email').fill(person.email);
  await page.locator('#password').fill(password);
  await page.locator('#password').press('Enter');
}

async function signedIn(t, options) {
  const visitor = await visit(t, options);
  const person = world.person();
  await visitor.open(account());
  await logIn(visitor.page, person);
  await visitor.page.locator('nav.tabs').waitFor();
  return { visitor, page: visitor.page, person };
}

/** Nothing is wider than the screen. */
async function assertFits(page) {
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= screen, `${page.url()}: ${content} px on a screen of ${screen}`);
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';

  test(`C14 ${how}: profile, password, sessions, history and data do what they say`, async (t) => {
    const { page, person } = await signedIn(t, { javaScriptEnabled });
    const other = await visit(t, { javaScriptEnabled });
    await other.open(account('/history'));
    await logIn(other.page, person);
    await other.page.waitForURL(account('/history'));

    await page.goto(account('/profile'));
    await page.getByLabel('Name').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('#problems').waitFor();
    await page.locator('#problems a').click();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'name');
    await page.getByLabel('Name').fill('Lin Tester');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor();

    await page.goto(account('/sessions'));
    await page.getByRole('row').filter({ hasText: 'This browser' }).filter({ hasText: 'Chrome' }).waitFor();
    await page.getByRole('button', { name: 'End all others' }).click();
    await page.getByText('All other sessions are over.').waitFor();
    await other.page.reload();
    await other.page.locator('#password').waitFor();

    await page.goto(account('/password'));
    await page.getByLabel('Present password').fill(person.password);
    await page.getByLabel('New password (required)', { exact: true }).fill(NEW);
    await page.getByLabel('New password, again').fill(NEW);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('status').filter({ hasText: 'Your password is changed' }).waitFor();

    await page.goto(account('/data'));
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Download as JSON').click()]);
    assert.equal(download.suggestedFilename(), 'leadgate-export.json');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await logIn(page, person, NEW);
    await page.locator('nav.tabs').waitFor();
  });

  test(`wire 0 ${how}: somebody signs up, after a mistake`, async (t) => {
    const visitor = await visit(t, { javaScriptEnabled });
    const { page } = visitor;
    await visitor.open(account());
    await page.getByText('Sign up as a partner').click();
    await page.getByLabel('Your name').fill('Lin Tester');
    await page.getByLabel('Email').fill(world.people[0].email);
    await page.getByLabel('Company').fill('New Co');
    await page.getByLabel('Password').fill(NEW);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.locator('#email-error').waitFor();
    assert.equal(await page.getByLabel('Company').inputValue(), 'New Co');
    assert.equal(await page.getByLabel('Password').inputValue(), '');
    await shot(page, `sign-up-refused-${javaScriptEnabled}`);
    await page.getByLabel('Email').fill(`lin-${javaScriptEnabled}-${Date.now()}@new.test`);
    await page.getByLabel('Password').fill(NEW);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.waitForURL(`${world.issuer}/console`);
    await visitor.open(account('/profile'));
    await page.getByText('Partner: may register applications').waitFor();
  });
}

test('C14 by keyboard: from the login to the end of another session', async (t) => {
  const { page, person } = await signedIn(t);
  const other = await visit(t);
  await other.open(account());
  await logIn(other.page, person);
  await other.page.locator('nav.tabs').waitFor();
  await tabTo(page, page.getByRole('link', { name: 'Sessions' }));
  await page.keyboard.press('Enter');
  await page.waitForURL(account('/sessions'));
  await tabTo(page, page.getByRole('button', { name: /^End / }).first());
  await page.keyboard.press('Enter');
  await page.getByText('The session is over.').waitFor();
  await other.page.reload();
  await other.page.locator('#password').waitFor();
});

for (const [name, options] of Object.entries({
  'on a phone': { viewport: { width: 360, height: 740 } },
  'on a small phone, in the dark, in Spanish': {
    viewport: { width: 320, height: 640 },
    colorScheme: 'dark',
    locale: 'es-MX',
  },
  'on a desk': { viewport: { width: 1280, height: 800 } },
})) {
  test(`C14 ${name}: each page fits, in its language`, async (t) => {
    const { visitor, page } = await signedIn(t, options);
    const shotName = name.replaceAll(/\W+/g, '-');
    await visitor.open(partner);
    const dialog = await visitor.openDialog();
    // The dialog speaks the partner page's language.
    await dialog.button('Allow').waitFor();
    await dialog.allow();
    await visitor.result();
    for (const tab of TABS) {
      await visitor.open(account(tab));
      assert.equal(await page.locator('nav.tabs a[aria-current=page]').count(), 1);
      assert.equal(await page.locator('html').getAttribute('lang'), options.locale ? 'es' : 'en');
      await assertFits(page);
      await shot(page, `${shotName}${tab.replace('/', '-')}`);
    }
    await visitor.open(account('/password'));
    await page.locator('form.form button').click();
    await page.locator('#problems').waitFor();
    await assertFits(page);
    await shot(page, `${shotName}-refused`);
    await page.locator('.who button').click();
    await page.locator('#password').waitFor();
    await shot(page, `${shotName}-login`);
    for (const card of ['/sign-up', '/invitation?token=lgv_x']) {
      await visitor.open(world.issuer + card);
      await assertFits(page);
      await shot(page, `${shotName}${card.split('?')[0].replace('/', '-')}`);
    }
  });
}
