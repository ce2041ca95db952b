// Every page of the server: axe finds nothing serious on it, in light and dark, on a desk and on a phone, and nothing of
// it has to be scrolled for sideways, in any language.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { assertAccessible, assertNoOverflow } from './support/a11y.mjs';
import { createOAuthWorld } from './support/oauth.mjs';
import { partnerPage } from './support/page.mjs';
import { launch } from './support/visitor.mjs';
import { createWorld } from './support/world.mjs';

let world;
let production;
let browser;
before(async () => {
  [world, production, browser] = await Promise.all([createOAuthWorld(), createWorld(undefined, { isProduction: true }), launch()]);
  world.sites.serve('/partner', partnerPage(world, { lang: null }));
  await connect();
  await postLead();
  await deliver();
  world.invitation = await invite();
});

/** A connection without a browser, and a webhook that hears of it: for lists to have something to show. */
async function connect() {
  const hook = { app: world.apps.finder.id, url: 'http://localhost:9/webhooks' };
  await control('/_sandbox/webhooks', hook, 201);
  await control('/_sandbox/authorize', { user: world.person().email, button: world.buttons.main, decision: 'allow' }, 200);
}

async function control(path, asked, status) {
  const headers = { Authorization: `Bearer ${world.server.sandboxToken}`, 'Content-Type': 'application/json' };
  const answer = await fetch(`${world.server.api}${path}`, { method: 'POST', headers, body: JSON.stringify(asked) });
  assert.equal(answer.status, status);
}

/** A lead, for the administration to have one. */
async function postLead() {
  const headers = { 'api-key': world.apiKey, 'Content-Type': 'application/json' };
  const leads = [{ properties: { reference: 'r-1', noSell: true }, fields: { FirstName: 'Ada', Comment: 'x'.repeat(300), LoanAmount: 250000 } }];
  const body = JSON.stringify({ source: { vid: 1, lid: 1, aid: 7, returnURL: 'https://partner.test/done' }, leads });
  const answer = await fetch(`${world.server.api}/v2/insert/general`, { method: 'POST', headers, body });
  assert.equal((await answer.json())[0].ResponseType, 0);
}

/** A delivery of the partner's, for its pages to have something to show. */
async function deliver() {
  const headers = { Authorization: `Bearer ${world.server.sandboxToken}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ name: 'Leads to the CRM', method: 'digest', username: 'crm', password: 'correct', owner: world.staff.partner.email });
  const answer = await fetch(`${world.server.api}/api/deliveries`, { method: 'POST', headers, body });
  assert.equal(answer.status, 201);
}

/** The link of an invitation that nobody has followed yet. */
async function invite() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, world, world.staff.admin);
  await posted('/admin/new/invitation', { email: `invited@${world.account}.test` })(page, world);
  const link = await page.textContent('#made-link');
  await context.close();
  return link;
}
after(() => Promise.all([world?.stop(), production?.stop(), browser?.close()]));

// Where the ids of addresses are looked up that no seed file has.
const LISTS = {
  user: '/admin/users',
  connection: '/admin/connections',
  invitation: '/admin/invitations',
  key: '/admin/accounts/{account}',
  lead: '/admin/leads',
  delivery: '/console/deliveries',
  webhook: '/console/apps/{app}/webhooks',
  message: '/console/webhooks/{webhook}',
};

/** Goes to a route, as src/web/urls.rs writes it: its parameters are the world's own, or the last ones of a list. `of` is
    the application that it is about. */
async function go(page, context, route) {
  const known = { app: context.apps[context.of ?? 'finder'].id, button: context.buttons.main, account: context.account };
  let path = route.replace(/\{(\w+)\}/g, (parameter, name) => known[name] ?? parameter);
  for (let unknown; (unknown = path.match(/\{(\w+)\}/)); ) {
    await go(page, context, LISTS[unknown[1]]);
    const before = path.slice(0, unknown.index);
    const address = await page.locator(`main a[href^="${before}"]`).last().getAttribute('href');
    path = path.replace(unknown[0], address.slice(before.length).split('/')[0]);
  }
  return page.goto(context.server.site + path);
}

// How to get where a page is. Each gets the visitor's page, the world, and who is at the keyboard.
const at = (route) => (page, context) => go(page, context, route);

async function signIn(page, { server }, person) {
  await page.goto(`${server.site}/account`);
  await page.locator('[name=email]').fill(person.email);
  await page.locator('[name=password]').fill(person.password);
  await page.locator('form:has([name=password]) [type=submit]').click();
  await page.locator(`form[action$="/logout"]`).waitFor();
}

/** What the form answers as it comes, or once `fields` are filled in: what is wrong, or what was done. */
const posted = (route, fields = {}) => async (page, context) => {
  await go(page, context, route);
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`main form.form [name=${name}]`);
    if ((await field.first().getAttribute('type')) === 'radio') await page.check(`[name=${name}][value=${value}]`);
    else await field.fill(value);
  }
  await clickOn(page, 'main form.form [type=submit]');
};

/** The page of an invitation; the link is good for as many looks as it takes. */
const invited = (then = async () => {}) => async (page, context) => {
  await page.goto(context.invitation);
  await then(page, context);
};

async function clickOn(page, selector) {
  await Promise.all([page.waitForNavigation(), page.locator(selector).first().click()]);
}

/** Shows the consent page that somebody is there; it takes an answer from then on. */
async function present(page) {
  await page.locator('[name=decision][value=allow][aria-disabled]').waitFor();
  await page.mouse.move(40, 40);
  await page.mouse.move(60, 80);
  await page.locator('[name=decision][value=allow][aria-disabled=false]').waitFor();
}

/** A request of a client that needs the user's word. */
const authorization = (parameters) => (page) => page.goto(world.web.request(parameters).url);

async function enter(page, person) {
  await page.locator('[name=email]').fill(person.email);
  await page.locator('[name=password]').fill(person.password);
  await clickOn(page, 'form:has([name=password]) [type=submit]');
}

const consent = (parameters) => async (page, { person }) => {
  await authorization(parameters)(page);
  await enter(page, person);
};

async function device(page, { person }, decision) {
  const begun = await world.wall.post('/oauth/device_authorization', { scope: 'openid data_api' });
  await page.goto(begun.verification_uri_complete);
  await clickOn(page, 'main [type=submit]');
  if (!decision) return;
  await enter(page, person);
  await present(page);
  await clickOn(page, `[name=decision][value=${decision}]`);
}

/** The inspector's view of this name, with a request in it. */
const inspector = (view, then = async () => {}) => async (page, context) => {
  await at('/inspector')(page, context);
  await page.locator('#live[data-state=live]').waitFor();
  await fetch(`${world.server.api}/v1/me`, { headers: { Authorization: 'Bearer nonsense' } });
  await page.locator('#rows .row').first().waitFor({ state: 'attached' });
  await page.locator(`.tabs [data-view=${view}]`).click();
  await page.locator(`section#${view}`).waitFor();
  await then(page);
};

const FORWARDED = { extraHTTPHeaders: { 'X-Forwarded-For': '203.0.113.7' } };

/** Pages that are looked at as they come, each with its heading. */
const pages = (as, listed) => listed.map(([route, heading]) => ({ route, what: 'as it comes', as, heading }));

/**
 * `route` is as src/web/urls.rs writes it, `what` tells pages of one route apart, `heading` is the English one. `open`
 * does what leads there, at the route's own address where nothing else is said; `as` signs in first; `of` is the
 * application that it is about.
 */
const PAGES = [
  { route: '/', what: 'to try everything', heading: 'Try' },
  { route: '/', what: 'in production', in: 'production', heading: 'Leadgate' },
  { route: '/account', what: 'sign-in', heading: 'Sign in' },
  { route: '/account', what: 'sign-in in production', in: 'production', heading: 'Sign in' },
  { route: '/account', what: 'nothing connected', as: 'person', heading: 'Connected applications' },
  { route: '/account', what: 'of an admin', in: 'production', as: 'admin', heading: 'Connected applications' },
  {
    route: '/account',
    what: 'one application connected',
    heading: 'Connected applications',
    async open(page, context) {
      await device(page, context, 'allow');
      await at('/account')(page, context);
    },
  },
  {
    route: '/account/login',
    what: 'refused',
    heading: 'Sign in',
    async open(page, context) {
      await at('/account')(page, context);
      await enter(page, { email: context.person.email, password: 'wrong' });
      await page.locator('#password-error').waitFor();
    },
  },
  { route: '/dialog/{flow}', what: 'sign-in', heading: 'Sign in', open: authorization() },
  { route: '/dialog/{flow}', what: 'consent', heading: 'wants to use your account', open: consent() },
  {
    route: '/dialog/{flow}',
    what: 'sign-in in the pop-up',
    heading: 'Sign in',
    async open(page) {
      await page.goto(`${world.origins.partner}/partner`);
      const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#leAppButton')]);
      await popup.waitForLoadState();
    },
  },
  {
    route: '/dialog/{flow}/login',
    what: 'refused',
    heading: 'Sign in',
    async open(page, { person }) {
      await authorization()(page);
      await enter(page, { email: person.email, password: 'wrong' });
      await page.locator('#password-error').waitFor();
    },
  },
  { route: '/dialog/{flow}/decision', what: 'allowed for a device', heading: 'You can go back to your device', open: (page, context) => device(page, context, 'allow') },
  { route: '/dialog/{flow}/decision', what: 'denied for a device', heading: 'Access was not given', open: (page, context) => device(page, context, 'deny') },
  {
    route: '/dialog/{flow}/decision',
    what: 'on the way back by a form',
    heading: 'Going back to',
    async open(page, context) {
      await page.route(`${world.origins.partner}/**`, (route) => route.fulfill({ status: 204 }));
      await consent({ response_mode: 'form_post' })(page, context);
      await present(page);
      await page.locator('[name=decision][value=allow]').click({ noWaitAfter: true });
      await page.locator('form[action*="/callback"]').waitFor();
    },
  },
  { route: '/device', what: 'empty', heading: 'Connect a device' },
  {
    route: '/device',
    what: 'a code that is not known',
    heading: 'Connect a device',
    async open(page, context) {
      await at('/device')(page, context);
      await page.locator('[name=user_code]').fill('BBBB-BBBB');
      await clickOn(page, 'main [type=submit]');
      await page.locator('#code-error').waitFor();
    },
  },
  { route: '/oauth/authorize', what: 'refused', heading: 'Unknown application', open: authorization({ client_id: 'nobody' }) },
  { route: '/oauth/logout', what: 'asks', as: 'person', heading: 'Sign out of Leadgate?' },
  {
    route: '/oauth/logout',
    what: 'signed out',
    as: 'person',
    heading: 'You are signed out',
    async open(page, context) {
      await at('/oauth/logout')(page, context);
      await clickOn(page, 'main [type=submit]');
    },
  },
  { route: '/button/authorize', what: 'refused', heading: 'The request is not complete' },
  { route: '/doctor', what: 'findings', heading: 'doctor' },
  { route: '/docs', what: 'the index', heading: 'Documentation' },
  { route: '/docs', what: 'the index, in production', in: 'production', heading: 'Documentation' },
  { route: '/docs/search', what: 'found', heading: 'Search the documentation', open: at('/docs/search?q=popup') },
  { route: '/docs/search', what: 'found nothing', heading: 'Search the documentation', open: at('/docs/search?q=xyzzyplugh') },
  ...[['sign-in-button', 'Sign in with LeadExec'], ['back-end', 'Refresh and disconnect'], ['comparison', 'Leadgate and the others'], ['errors', 'Errors']].map(
    ([name, heading]) => ({ route: '/docs/{*page}', what: name, heading, open: at(`/docs/${name}`) })),
  { route: '/_sandbox/docs', what: 'reference', heading: 'Control plane' },
  { route: '/_sandbox/docs', what: 'an operation', heading: 'Control plane', async open(page, context) {
    await at('/_sandbox/docs')(page, context);
    await page.locator('details[id] > summary').first().click();
  } },
  { route: '/_sandbox/fidelity', what: 'ledger', heading: 'Fidelity' },
  { route: '/inspector', what: 'requests', heading: 'Inspector', open: inspector('requests') },
  {
    route: '/inspector',
    what: 'a request',
    heading: 'Inspector',
    open: inspector('requests', async (page) => {
      await page.locator('#rows .row').first().click();
      await page.locator('#details h2').waitFor();
    }),
  },
  { route: '/inspector', what: 'clocks', heading: 'Inspector', open: inspector('clocks') },
  { route: '/inspector', what: 'faults', heading: 'Inspector', open: inspector('faults') },
  { route: '/inspector', what: 'the world', heading: 'Inspector', open: inspector('world') },
  {
    route: '/inspector',
    what: 'a question',
    heading: 'Inspector',
    open: inspector('world', async (page) => {
      await page.locator('#reset').click();
      await page.locator('dialog[open]').waitFor();
    }),
  },
  { route: '/inspector', what: 'from elsewhere', heading: 'Open the inspector', options: FORWARDED },
  {
    route: '/inspector/session',
    what: 'a wrong token',
    heading: 'Open the inspector',
    options: FORWARDED,
    async open(page, context) {
      await at('/inspector')(page, context);
      await page.locator('#token').fill('nonsense');
      await clickOn(page, 'main [type=submit]');
      await page.locator('#token-error').waitFor();
    },
  },
  { route: '/inspector/checks/{app}', what: 'of an application', heading: 'Integration check', open: (page, context) => at(`/inspector/checks/${world.apps.finder.id}`)(page, context) },
  ...pages('person', [
    ['/account/profile', 'Profile'],
    ['/account/password', 'Password'],
    ['/account/sessions', 'Sessions'],
    ['/account/history', 'History'],
    ['/account/data', 'Your data'],
  ]),
  { route: '/account/password', what: 'what is wrong', as: 'person', heading: 'Password', open: posted('/account/password') },
  { route: '/account/history', what: 'of a connection', heading: 'History', open: async (page, context) => {
    await device(page, context, 'allow');
    await at('/account/history')(page, context);
  } },
  { route: '/sign-up', what: 'empty', heading: 'Become a partner' },
  { route: '/sign-up', what: 'what is wrong', heading: 'Become a partner', open: posted('/sign-up') },
  { route: '/sign-up', what: 'of a member', as: 'person', heading: 'Become a partner' },
  { route: '/sign-up', what: 'in production', in: 'production', heading: 'Become a partner' },
  { route: '/invitation', what: 'an open one', heading: 'Welcome', open: invited() },
  { route: '/invitation', what: 'what is wrong', heading: 'Welcome', open: invited((page) => clickOn(page, 'main form.form [type=submit]')) },
  { route: '/invitation', what: 'without one', heading: 'This link is over' },
  ...pages('partner', [
    ['/console', 'Your applications'],
    ['/console/apps', 'Your applications'],
    ['/console/apps/new', 'New application'],
    ['/console/apps/{app}', 'Rate Finder'],
    ['/console/apps/{app}/edit', 'Rate Finder'],
    ['/console/apps/{app}/logo', 'Rate Finder'],
    ['/console/apps/{app}/logo/remove', 'Rate Finder'],
    ['/console/apps/{app}/secret', 'Rate Finder'],
    ['/console/apps/{app}/secret/previous', 'Rate Finder'],
    ['/console/apps/{app}/callback', 'Rate Finder'],
    ['/console/apps/{app}/callback/test', 'Rate Finder'],
    ['/console/apps/{app}/callback/rotate-secret', 'Rate Finder'],
    ['/console/apps/{app}/callback/remove', 'Rate Finder'],
    ['/console/apps/{app}/usage', 'Rate Finder'],
    ['/console/apps/{app}/delete', 'Delete Rate Finder'],
    ['/console/apps/{app}/buttons/new', 'Rate Finder'],
    ['/console/apps/{app}/webhooks', 'Rate Finder'],
    ['/console/apps/{app}/webhooks/new', 'Rate Finder'],
    ['/console/webhooks/{webhook}', 'Rate Finder'],
    ['/console/webhooks/{webhook}/edit', 'Rate Finder'],
    ['/console/webhooks/{webhook}/secret', 'Rate Finder'],
    ['/console/webhooks/{webhook}/test', 'Rate Finder'],
    ['/console/webhooks/{webhook}/replay', 'Rate Finder'],
    ['/console/webhooks/{webhook}/delete', 'Delete the webhook?'],
    ['/console/webhooks/{webhook}/messages/{message}', 'Rate Finder'],
    ['/console/webhooks/{webhook}/messages/{message}/replay', 'Rate Finder'],
    ['/console/buttons/{button}', 'Rate Finder'],
    ['/console/buttons/{button}/edit', 'Rate Finder'],
    ['/console/buttons/{button}/delete', 'Delete the button btn-main-'],
    ['/console/deliveries', 'Deliveries'],
    ['/console/deliveries/new', 'New delivery'],
    ['/console/deliveries/{delivery}', 'Leads to the CRM'],
    ['/console/deliveries/{delivery}/authentication', 'Leads to the CRM'],
    ['/console/deliveries/{delivery}/test', 'Leads to the CRM'],
    ['/console/deliveries/{delivery}/delete', 'Delete Leads to the CRM'],
    ['/settings/api', 'API'],
  ]),
  { route: '/console/deliveries/{delivery}/exchanges/{exchange}', what: 'of a test lead', as: 'partner', heading: 'Leads to the CRM', open: posted('/console/deliveries/{delivery}/test') },
  ...['basic', 'digest', 'bearer', 'oauth2'].map((method) => (
    { route: '/console/deliveries/new', what: method, as: 'partner', heading: 'New delivery', open: (page, { server }) => page.goto(`${server.site}/console/deliveries/new?method=${method}`) })),
  { route: '/console/deliveries', what: 'nothing made yet', as: 'admin', heading: 'Deliveries' },
  { route: '/console', what: 'sign-in', heading: 'Sign in' },
  { route: '/console', what: 'of a member', as: 'person', heading: 'Become a partner' },
  { route: '/console', what: 'in production', in: 'production', as: 'partner', heading: 'Your applications' },
  { route: '/console', what: 'of a member, in production', in: 'production', as: 'person', heading: 'Become a partner' },
  { route: '/console', what: 'nothing made yet', as: 'admin', heading: 'Your applications' },
  { route: '/console/apps/new', what: 'what is wrong', as: 'partner', heading: 'New application', open: posted('/console/apps/new') },
  { route: '/console/apps/new', what: 'made', as: 'partner', heading: 'Rate Watch', open: posted('/console/apps/new', { name: 'Rate Watch' }) },
  { route: '/console/apps/{app}/buttons/new', what: 'what is wrong', as: 'partner', heading: 'Rate Finder', open: posted('/console/apps/{app}/buttons/new') },
  { route: '/console/apps/{app}/callback', what: 'what is wrong', as: 'partner', heading: 'Rate Finder', open: posted('/console/apps/{app}/callback', { url: 'nowhere' }) },
  { route: '/console/apps/{app}/callback', what: 'made', of: 'web', as: 'partner', heading: 'Rate Site', open: posted('/console/apps/{app}/callback', { url: 'http://localhost:9/callback', on_failure: 'allow' }) },
  { route: '/console/apps/{app}/webhooks', what: 'none made yet', of: 'web', as: 'partner', heading: 'Rate Site' },
  { route: '/console/apps/{app}/webhooks/new', what: 'what is wrong', as: 'partner', heading: 'Rate Finder', open: posted('/console/apps/{app}/webhooks/new') },
  { route: '/console/apps/{app}/webhooks/new', what: 'made', of: 'scorer', as: 'partner', heading: 'Lead Scorer', open: posted('/console/apps/{app}/webhooks/new', { url: 'http://localhost:9/webhooks' }) },
  { route: '/console/apps/{app}/secret', what: 'made', of: 'web', as: 'partner', heading: 'Rate Site', open: posted('/console/apps/{app}/secret') },
  { route: '/console/apps/{app}/secret', what: 'of a client that has one', of: 'web', as: 'partner', heading: 'Rate Site' },
  { route: '/settings/api', what: 'what is wrong', as: 'partner', heading: 'API', open: posted('/settings/api') },
  { route: '/settings/api', what: 'made', as: 'partner', heading: 'Desk is ready', open: posted('/settings/api', { name: 'Desk', kind: 'client_credentials' }) },
  ...pages('admin', [
    ['/admin', 'Administration'],
    ['/admin/accounts', 'Accounts'],
    ['/admin/accounts/{account}', 'Acme Mortgage'],
    ['/admin/accounts/{account}/edit', 'Acme Mortgage'],
    ['/admin/accounts/{account}/delete', 'Delete: Acme Mortgage'],
    ['/admin/accounts/{account}/add-key', 'Add an API key: Acme Mortgage'],
    ['/admin/accounts/{account}/replace-keys', 'Replace all API keys: Acme Mortgage'],
    ['/admin/accounts/{account}/keys/{key}/remove', 'Remove the API key: Acme Mortgage'],
    ['/admin/apps', 'Applications'],
    ['/admin/apps/{app}', 'Rate Finder'],
    ['/admin/apps/{app}/owner', 'Rate Finder'],
    ['/admin/apps/{app}/disable', 'Disable the application: Rate Finder'],
    ['/admin/apps/{app}/enable', 'Enable the application: Rate Finder'],
    ['/admin/apps/{app}/delete', 'Delete the application: Rate Finder'],
    ['/admin/connections', 'Connections'],
    ['/admin/connections/{connection}/end', 'End the connection'],
    ['/admin/events', 'Event log'],
    ['/admin/invitations', 'Invitations'],
    ['/admin/invitations/{invitation}/revoke', 'Revoke the invitation'],
    ['/admin/keys', 'Keys'],
    ['/admin/keys/rotate', 'Rotate a key'],
    ['/admin/leads', 'Leads'],
    ['/admin/leads/{lead}', 'Lead 1'],
    ['/admin/new/account', 'New account'],
    ['/admin/new/invitation', 'Invite'],
    ['/admin/new/user', 'New user'],
    ['/admin/users', 'Users'],
    ['/admin/users/{user}', 'person-'],
    ['/admin/users/{user}/edit', 'person-'],
    ['/admin/users/{user}/disable', 'Disable the user: person-'],
    ['/admin/users/{user}/enable', 'Enable the user: person-'],
    ['/admin/users/{user}/reset-password', 'Reset the password: person-'],
    ['/admin/users/{user}/end-sessions', 'End all sessions: person-'],
    ['/admin/users/{user}/delete', 'Delete the user: person-'],
  ]),
  { route: '/admin', what: 'in production', in: 'production', as: 'admin', heading: 'Administration' },
  { route: '/admin', what: 'of a partner', as: 'partner', heading: 'Nothing here' },
  { route: '/admin/new/user', what: 'what is wrong', as: 'admin', heading: 'New user', open: posted('/admin/new/user') },
  { route: '/admin/new/user', what: 'made', as: 'admin', heading: 'User created', open: (page, context) =>
    posted('/admin/new/user', { email: `made-${randomUUID()}@acme.test`, name: 'Mia Made', account: context.account })(page, context) },
  { route: '/admin/users/{user}/reset-password', what: 'done', as: 'admin', heading: 'Password reset offered', open: posted('/admin/users/{user}/reset-password') },
  { route: null, what: 'an address that is none', heading: 'Nothing here', open: at('/nonsense') },
  { route: null, what: 'an address that is none, in production', in: 'production', heading: 'Nothing here', open: at('/nonsense') },
];

/** Routes that show nothing of their own to a person: what they answer is data, a file, or a redirect to a page above. */
const NO_PAGE = [
  /^\/(js|css|static|logos)\//,
  /^\/button\/(token|resume|report)$/,
  /^\/authorize\//,
  /^\/v[12]\//,
  /^\/api\//,
  '/deliveries/{delivery}/receive',
  /^\/\.well-known\//,
  /^\/oauth\/(token|revoke|introspect|userinfo|par|device_authorization|register)/,
  // The page of /inspector/checks/{app}, for who has the sandbox token.
  /^\/_sandbox(\/(?!docs$|fidelity$).*)?$/,
  '/account/export',
  '/inspector/events',
  '/docs/',
  '/livez',
  '/metrics',
  '/readyz',
  // Forms whose answer is a redirect.
  '/account/connections/{connection}/disconnect',
  '/account/sessions/end',
  '/account/sessions/{session}/end',
  '/sign-up/partner',
  '/logout',
  '/dialog/{flow}/switch',
];

const isNoPage = (route) => NO_PAGE.some((pattern) => (typeof pattern === 'string' ? pattern === route : pattern.test(route)));

test('every route that shows a page has one in this table', async () => {
  const source = await readFile(new URL('../../src/web/urls.rs', import.meta.url), 'utf8');
  const [, list] = source.match(/\n    routes! \{\n([\s\S]*?)\n    \}\n/);
  const routes = [...list.matchAll(/^ +[A-Z_]+ = "([^"]+)";$/gm)].map(([, route]) => route);
  assert.ok(routes.length > 60 && routes.includes('/account'), `${routes.length} routes`);
  const shown = new Set(PAGES.map(({ route }) => route));
  assert.deepEqual(routes.filter((route) => !shown.has(route) && !isNoPage(route)), [], 'neither a page nor none');
  assert.deepEqual([...shown].filter((route) => route && !routes.includes(route)), [], 'no route any more');
  assert.deepEqual([...shown].filter((route) => route && isNoPage(route)), [], 'a page and none');
});

/** The page in a language, in a browser that knows nothing yet. */
async function reach(t, { route, as, of, options, open = at(route), ...entry }, locale) {
  const there = entry.in === 'production' ? production : world;
  const visitor = await browser.newContext({ ...options, locale });
  t.after(() => visitor.close());
  const page = await visitor.newPage();
  let somebody = there.staff[as];
  const context = {
    ...there,
    of,
    get person() {
      return (somebody ??= there.person());
    },
  };
  if (as) await signIn(page, there, context.person);
  await open(page, context);
  // The newest: a pop-up is in front.
  return visitor.pages().at(-1);
}

for (const entry of PAGES) {
  const name = `${entry.route ?? 'no route'}, ${entry.what}`;
  test(`axe: ${name}`, async (t) => {
    const page = await reach(t, entry, 'en-US');
    const heading = await page.locator('h1').innerText();
    assert.ok(heading.includes(entry.heading), `${heading} instead of ${entry.heading}`);
    await assertAccessible(page, name);
    await assertNoOverflow(page, name);
  });
  test(`no overflow in Spanish: ${name}`, async (t) => {
    const page = await reach(t, entry, 'es-MX');
    assert.equal(await page.locator('html').getAttribute('lang'), 'es');
    await assertNoOverflow(page, name);
  });
}

test('axe sees, past the policy of a page, what is wrong with it in the dark alone; and what sticks out is told', async (t) => {
  const page = await reach(t, { route: '/device' }, 'en-US');
  await page.evaluate(() => {
    const wrong = document.querySelector('main').appendChild(document.createElement('p'));
    wrong.textContent = 'Black on nearly black';
    wrong.style.cssText = 'color: #000; width: 500px';
  });
  await assert.rejects(assertAccessible(page, 'broken'), /360 px, dark: color-contrast \(serious\)/);
  await assert.rejects(assertNoOverflow(page, 'broken'), /broken at 360 px/);
});
