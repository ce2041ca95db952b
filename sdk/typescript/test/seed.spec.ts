// A seed of one's own, which has no button of the demonstration.
import { expect, test } from 'leadgate/playwright';

test.use({ leadgateOptions: { seed: new URL('seed.toml', import.meta.url).pathname }, baseURL: 'http://localhost:3001' });

test('its users are there, and that a button is missing is no failure', async ({ world }) => {
  const { users } = await world.call('listUsers');
  expect(users.map(({ email }) => email)).toEqual(['lin@rates.test']);
});
