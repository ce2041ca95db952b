// Node.js' own fetch: a token, leads with it and with an API key, the query, and who it is for.
import assert from 'node:assert/strict';

const { SERVER, CLIENT_ID, CLIENT_SECRET, API_KEY, EMAIL } = process.env;

async function post(path, body, headers = {}) {
  const response = await fetch(SERVER + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const credentials = { client_id: CLIENT_ID, client_secret: CLIENT_SECRET, grant_type: 'client_credentials' };
const { status, body: issued } = await post('/v1/authorization/token', credentials);
assert.equal(status, 200);
assert.deepEqual({ ...issued, access_token: null }, { access_token: null, token_type: 'Bearer', expires_in: 3600, error: null });
const refused = await post('/v1/authorization/token', { ...credentials, client_secret: 'wrong' });
assert.equal(refused.status, 401);
assert.deepEqual(refused.body, { access_token: null, token_type: null, expires_in: null, error: 'invalid_client' });
const bearer = { Authorization: `Bearer ${issued.access_token}` };

const leads = {
  source: { vid: 1041, lid: 4204, aid: 0, sendDelay: 0.0, returnURL: '' },
  leads: [
    { properties: { reference: 'fetch', noSell: false }, fields: { FirstName: 'Ada', LastName: 'Buyer', Email: EMAIL, LoanAmount: 250000, IPAddress: '192.0.2.1' } },
  ],
};
const [taken] = (await post('/v2/insert/general', leads, bearer)).body;
assert.deepEqual([taken.isValidPost, taken.ResponseType], [true, 0]);
const [again] = (await post('/v2/insert/general', leads, { 'api-key': API_KEY })).body;
assert.deepEqual([again.isValidPost, again.ResponseType], [false, 6]);

const now = new Date();
const asked = {
  StartDate: new Date(now - 3_600_000).toISOString(),
  EndDate: new Date(now.valueOf() + 60_000).toISOString(),
  Query: { Email: { $eq: EMAIL }, LoanAmount: { $gte: 1000 } },
  Skip: 0,
  Take: 50,
};
const found = await post('/v1/leads/query/4204', asked, bearer);
assert.equal(found.status, 200);
assert.equal(found.body.Total, 1);
assert.deepEqual(found.body.Leads[0].Fields, leads.leads[0].fields);

const me = await fetch(`${SERVER}/v1/me`, { headers: bearer });
assert.equal((await me.json()).account.id, 'acme');
