// The client and the starter against a real server.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { DEMONSTRATION, LeadgateError, startLeadgate } from 'leadgate';

let leadgate;
before(async () => {
  leadgate = await startLeadgate();
});
after(() => leadgate?.stop());

test('the generated files are of this server', async () => {
  const served = await (await fetch(`${leadgate.address}/_sandbox/openapi.json`)).json();
  const kept = JSON.parse(await readFile(new URL('../../openapi.json', import.meta.url), 'utf8'));
  assert.deepEqual({ ...served, servers: null }, { ...kept, servers: null }, 'run scripts/sdk');
});

test('the codes of AuthorizeResult are those of the button and of the documentation', async () => {
  const types = await readFile(new URL('../src/result.ts', import.meta.url), 'utf8');
  const typed = [...types.split('AuthorizeErrorCode =')[1].split(';')[0].matchAll(/'(\w+)'/g)].map(([, code]) => code).sort();
  const page = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const table = page.split('### Error codes')[1].split('## What the back end sees')[0];
  assert.deepEqual(typed, [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code).sort());
  const script = await (await fetch(`${leadgate.address}/js/le-app-button.js`)).text();
  for (const code of typed) assert.ok(script.includes(`${code}: [`), code);
});

test('a sign-in has the members that the types say, allowed and denied', async () => {
  const keys = ['valid', 'error', 'errorMessage', 'refreshToken', 'authToken', 'expireDate', 'buttonId', 'auto', 'connectionId'];
  const allowed = await leadgate.authorize(DEMONSTRATION.user);
  const denied = await leadgate.authorize(DEMONSTRATION.user, { decision: 'deny' });
  for (const result of [allowed, denied]) assert.deepEqual(Object.keys(result).sort(), [...keys].sort());
  assert.equal(denied.error, 'access_denied');
  assert.equal((await leadgate.me(allowed.authToken)).user.email, DEMONSTRATION.user);
  assert.equal((await leadgate.disconnect(allowed.refreshToken)).valid, true);
  assert.equal(await leadgate.me(allowed.authToken), null);
});

test('time passes for one world alone, and a snapshot brings a state back', async () => {
  const world = await leadgate.namespace();
  const { authToken, refreshToken } = await world.authorize(DEMONSTRATION.user);
  await world.takeSnapshot('connected');
  await world.advanceToNextExpiry();
  assert.equal(await world.me(authToken), null);
  assert.equal((await leadgate.clock()).offset_ms, 0);
  await world.disconnect(refreshToken);
  await world.restoreSnapshot('connected');
  assert.equal((await world.refresh(refreshToken)).valid, true);
  await world.reset();
  assert.equal((await world.refresh(refreshToken)).valid, false);
  await world.end();
  await assert.rejects(world.clock(), { status: 404 });
});

test('the journal is waited for and counted, and the integration check read', async () => {
  const world = await leadgate.namespace();
  const { refreshToken } = await world.authorize(DEMONSTRATION.user);
  const [seen] = await Promise.all([world.waitFor({ endpoint: 'refreshaccesstoken' }), world.refresh(refreshToken)]);
  assert.equal(seen.outcome, 'ok');
  assert.equal(await world.verify({ endpoint: 'refreshaccesstoken' }, 1), 1);
  await assert.rejects(world.verify({ endpoint: 'refreshaccesstoken' }, 2), { status: 409 });
  await assert.rejects(world.waitFor({ endpoint: 'revoke' }, '10ms'), /no request within 10ms/);
  assert.equal((await world.check()).checks.find(({ name }) => name === 'refresh_works').status, 'pass');
  assert.match(await world.checkAsJUnit(), /<testsuites?/);
  assert.equal(JSON.parse(await world.har()).log.version, '1.2');
});

test('an authorization request is decided without a browser', async () => {
  const asked = new URLSearchParams({ client_id: DEMONSTRATION.app, response_type: 'code', redirect_uri: 'http://localhost:3000/callback' });
  const world = await leadgate.namespace();
  const { redirect_to } = await world.authorizeUrl(DEMONSTRATION.user, `/oauth/authorize?${asked}`);
  assert.match(redirect_to, /^http:\/\/localhost:3000\/callback\?code=lgo_/);
});

test('what is refused says where and why', async () => {
  await assert.rejects(leadgate.call('makeButton', { body: { app: DEMONSTRATION.app, orgins: [] } }), (error) => {
    assert.ok(error instanceof LeadgateError);
    assert.match(error.message, /makeButton: 400 .*`orgins` is not known here; the nearest known name is `origins`.*\/orgins/);
    return true;
  });
});

test('a server that runs already is taken, and left running', async () => {
  process.env.LEADGATE_URL = leadgate.address;
  process.env.LEADGATE_SANDBOX_TOKEN = leadgate.sandboxToken;
  try {
    const same = await startLeadgate();
    assert.equal(same.issuer, leadgate.issuer);
    await same.stop();
    assert.equal((await leadgate.clock()).frozen, false);
  } finally {
    delete process.env.LEADGATE_URL;
    delete process.env.LEADGATE_SANDBOX_TOKEN;
  }
  await assert.rejects(startLeadgate({ url: leadgate.address }), /sandbox token .* is missing/);
});

test('a server that cannot start says why, with what it printed', async () => {
  await assert.rejects(startLeadgate({ environment: { LEADGATE_SEED: '/nowhere.toml' } }), /did not start: it ended \(exit code 1\)[^]*nowhere\.toml/);
});

test('a program that is not there is an error that says how it gets there', async () => {
  await assert.rejects(startLeadgate({ binary: '/nowhere/leadgate' }), /did not start: .*ENOENT.*cargo install .*LEADGATE_BIN/);
});

test('a stopped server is gone', async () => {
  const other = await startLeadgate();
  await other.stop();
  await assert.rejects(fetch(`${other.address}/livez`));
});
