// axios, which writes and reads JSON itself and throws what is not 2xx.
import assert from 'node:assert/strict';

import axios from 'axios';

const { SERVER, CLIENT_ID, CLIENT_SECRET, API_KEY, EMAIL } = process.env;
const client = axios.create({ baseURL: SERVER });

const credentials = { client_id: CLIENT_ID, client_secret: CLIENT_SECRET, grant_type: 'client_credentials' };
const { data: token } = await client.post('/v1/authorization/token', credentials);
await assert.rejects(client.post('/v1/authorization/token', { ...credentials, client_id: 'nobody' }), (error) => {
  assert.deepEqual([error.response.status, error.response.data.error], [401, 'invalid_client']);
  return true;
});
const bearer = { headers: { Authorization: `Bearer ${token.access_token}` } };

// Another spelling of the members, as some clients have it.
const leads = {
  Source: { VID: '1041', LID: '4204', returnUrl: 'https://partner.test/done' },
  Leads: [{ Fields: { firstName: 'Ada', lastName: 'Buyer', email: EMAIL } }, { Fields: { firstName: 'Grace' } }, 'no lead'],
};
const { data: answers } = await client.post('/v2/insert/general', leads, { headers: { 'api-key': API_KEY } });
assert.deepEqual(answers.map((answer) => answer.ResponseType), [0, 9, 9]);
await assert.rejects(client.post('/v2/insert/general', leads), (error) => error.response.status === 401);

const day = new Date().toISOString().slice(0, 10);
const asked = { StartDate: day, EndDate: day, Query: { Email: EMAIL }, SortFields: ['Email'], SortOrder: 1, Fields: ['FirstName'] };
const { data: found } = await client.post('/v1/leads/query/4204', asked, bearer);
assert.deepEqual(found.Leads.map((lead) => lead.Fields), [{ FirstName: 'Ada' }]);
await assert.rejects(client.post('/v1/leads/query/4204', { ...asked, Take: 1001 }, bearer), (error) => error.response.status === 400);

const { data: me } = await client.get('/v1/me', bearer);
assert.deepEqual([me.account.id, me.user], ['acme', null]);
