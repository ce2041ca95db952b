import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { start } from './leadgate.mjs';

const APP = '0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001';

let leadgate;
before(async () => {
  leadgate = await start();
});
after(() => leadgate?.stop());

async function sandbox(path, body) {
  const headers = { authorization: `Bearer ${leadgate.token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${leadgate.url}/_sandbox${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200);
  return answer.json();
}

const me = (token) => fetch(`${leadgate.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });

test('an hour after the sign-in the token is refreshed', async () => {
  const signIn = await sandbox('/authorize', { user: 'ada@acme.test', button: 'btn-demonstration', decision: 'allow' });
  assert.equal((await me(signIn.authToken)).status, 200);

  await sandbox('/clock', { advance: '1h' });
  assert.equal((await me(signIn.authToken)).status, 401);

  const answer = await fetch(`${leadgate.url}/authorize/refreshaccesstoken/${signIn.refreshToken}?appid=${APP}`);
  const { valid, authToken } = await answer.json();
  assert.equal(valid, true);
  assert.equal((await (await me(authToken)).json()).user.email, 'ada@acme.test');

  // The issuer is the address that pages reach.
  const metadata = await (await fetch(`${leadgate.url}/.well-known/openid-configuration`)).json();
  assert.equal(metadata.issuer, leadgate.url);
});
