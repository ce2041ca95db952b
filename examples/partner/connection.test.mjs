// Against a Leadgate that runs already: LEADGATE_URL, with LEADGATE_SANDBOX_TOKEN.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Connection, Disconnected, Unavailable } from './connection.mjs';

const HOST = process.env.LEADGATE_URL ?? 'http://localhost:8080';
const APP = '0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001';

async function sandbox(method, path, body) {
  const headers = { authorization: `Bearer ${process.env.LEADGATE_SANDBOX_TOKEN}`, 'content-type': 'application/json' };
  const answer = await fetch(`${HOST}/_sandbox${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

/** What the button would have given to the page. */
async function connected() {
  const { refreshToken } = await sandbox('POST', '/authorize', { user: 'ada@acme.test', button: 'btn-demonstration', decision: 'allow' });
  return new Connection({ host: HOST, app: APP, refreshToken });
}

test('an hour later the token is replaced', async () => {
  const connection = await connected();
  assert.equal((await connection.get('/v1/me')).user.email, 'ada@acme.test');
  await sandbox('POST', '/clock', { advance: '1h' });
  assert.equal((await connection.get('/v1/me')).user.email, 'ada@acme.test');
});

test('a failure of LeadExec is no disconnect', async () => {
  const connection = await connected();
  await sandbox('PUT', '/faults', [{ match: { endpoint: 'refreshaccesstoken' }, effect: { status: 500 } }]);
  await assert.rejects(connection.get('/v1/me'), Unavailable);
  assert.equal((await connection.get('/v1/me')).user.email, 'ada@acme.test');
});

test('a connection that the user ended is over', async () => {
  const connection = await connected();
  const { connections } = await sandbox('GET', `/connections?app=${APP}&user=ada@acme.test`);
  await sandbox('DELETE', `/connections/${connections[0].id}`);
  await assert.rejects(connection.get('/v1/me'), Disconnected);
});

test('and so is one that we end', async () => {
  const connection = await connected();
  assert.equal((await connection.get('/v1/me')).account.id, 'acme');
  await connection.disconnect();
  await assert.rejects(connection.get('/v1/me'), Disconnected);
});
