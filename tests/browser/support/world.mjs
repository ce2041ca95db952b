// One server, one seed and one partner web server: everything that a test file needs but the browser.
import { randomBytes, randomUUID } from 'node:crypto';

import { startLeadgate } from './leadgate.mjs';
import { startSites } from './sites.mjs';

function table(name, values) {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return `[[${name}]]\n${lines.join('\n')}\n`;
}

const PASSWORD = 'correct horse battery';
// Hashed once: a seed of many users would otherwise spend its time on that.
const PASSWORD_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$PMbG86TAeWaSetkWZbVJQg$BYXnCM0MZPU/1WmO6dhBQv4Z5Q0LbB2Lx3JLl80dnKY';
const PEOPLE = 48;

/** Text that would run if a page did not escape it. */
export const HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(2)>';

function seedText(world) {
  const { people: persons, staff, apps } = world;
  const people = [...persons, ...Object.values(staff)].map(({ email, name, role = 'member' }) =>
    table('users', { email, password_hash: PASSWORD_HASH, name, account: world.account, role }),
  );
  const applications = Object.values(apps).map(({ buttons = [], ...app }) =>
    [
      table('apps', {
        grant_types: ['refresh_token'],
        scopes: ['account_api', 'data_api'],
        owner: staff.partner.email,
        ...app,
      }),
      ...buttons.map((button) => table('apps.buttons', button)),
    ].join('\n'),
  );
  return [table('accounts', { id: world.account, name: 'Acme Mortgage', api_keys: [world.apiKey] }), ...people, ...applications].join('\n');
}

/**
 * Names are new in every world, so that several may share one database.
 *
 * Origins: `partner` and `other` are sites of their own, `near` is on the server's site, `plain` is an http
 * page without crypto.subtle, `evil` is listed nowhere. `moreApps` makes applications out of them. `server` is how
 * the server is started.
 */
export async function createWorld(moreApps = () => ({}), server = {}) {
  const run = randomBytes(4).toString('hex');
  const sites = await startSites();
  const origins = {
    partner: sites.origin('partner.localhost'),
    other: sites.origin('other.localhost'),
    near: sites.origin('auth.localhost'),
    plain: sites.origin('partner.test'),
    evil: sites.origin('evil.localhost'),
  };
  const buttons = { main: `btn-main-${run}`, sibling: `btn-sibling-${run}`, scorer: `btn-scorer-${run}`, nasty: `btn-nasty-${run}` };
  const world = {
    account: `acme-${run}`,
    apiKey: randomUUID(),
    people: Array.from({ length: PEOPLE }, (_, index) => ({
      email: `person-${index}-${run}@acme.test`,
      password: PASSWORD,
      name: `Person ${index} of ${run}`,
    })),
    /** Who may do more than sign in. */
    staff: {
      partner: { email: `partner-${run}@rates.test`, password: PASSWORD, name: `Partner of ${run}`, role: 'partner' },
      admin: { email: `admin-${run}@leadgate.test`, password: PASSWORD, name: `Admin of ${run}`, role: 'admin' },
    },
    apps: {
      finder: {
        id: randomUUID(),
        name: `Rate Finder ${run}`,
        publisher: 'Rate Finder Inc.',
        buttons: [
          {
            id: buttons.main,
            origins: [origins.partner, origins.near, origins.plain],
            return_urls: [`${origins.partner}/registered`],
          },
          { id: buttons.sibling, origins: [origins.partner, origins.other] },
        ],
      },
      scorer: {
        id: randomUUID(),
        name: `Lead Scorer ${run}`,
        publisher: 'Scorer Ltd.',
        buttons: [{ id: buttons.scorer, origins: [origins.partner] }],
      },
      nasty: {
        id: randomUUID(),
        name: `Nasty ${run} ${HOSTILE}`,
        publisher: HOSTILE,
        buttons: [{ id: buttons.nasty, origins: [origins.partner] }],
      },
      ...moreApps(origins, run),
    },
  };
  const started = await startLeadgate(seedText(world), server).catch(async (error) => {
    await sites.stop();
    throw error;
  });
  const newcomers = [...world.people];
  return {
    ...world,
    /** Somebody who has not consented to anything yet. */
    person: () => newcomers.pop(),
    origins,
    buttons,
    server: started,
    issuer: started.issuer,
    sites,
    async stop() {
      await started.stop();
      await sites.stop();
    },
  };
}

/** What the partner's back end would ask: is this refresh token good for this application? */
export async function refresh(world, refreshToken, app = world.apps.finder) {
  const answer = await fetch(
    `${world.server.api}/authorize/refreshaccesstoken/${encodeURIComponent(refreshToken)}?appid=${app.id}`,
  );
  return answer.json();
}
