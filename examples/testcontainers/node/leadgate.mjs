import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';

/** The server that LEADGATE_URL names, else a container. */
export async function start() {
  if (process.env.LEADGATE_URL) return { url: process.env.LEADGATE_URL, token: process.env.LEADGATE_SANDBOX_TOKEN, stop: async () => {} };
  const { GenericContainer, Wait } = await import('testcontainers');
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const token = randomBytes(24).toString('hex');
  const container = await new GenericContainer(process.env.LEADGATE_TEST_IMAGE ?? 'leadgate')
    .withExposedPorts({ container: 8080, host: port })
    .withEnvironment({
      LEADGATE_ISSUER: url,
      LEADGATE_MODE: 'sandbox',
      LEADGATE_SANDBOX_TOKEN: token,
      LEADGATE_DATABASE_URL: 'sqlite::memory:',
    })
    .withWaitStrategy(Wait.forHttp('/readyz', 8080))
    .start();
  return { url, token, stop: () => container.stop() };
}

async function freePort() {
  const probe = createServer().listen(0);
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
