// Starts the server under test with a database and a seed of its own, and ends it by its process handle.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const START_MS = 30_000;

function binary() {
  return path.resolve(REPOSITORY, process.env.LEADGATE_BIN ?? 'target/debug/leadgate');
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

// The harness's own variables begin with LEADGATE_ too, and the server refuses what it does not know.
function cleanEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('LEADGATE_'));
  // One key for all, because servers that share a database have to open each other's sealed keys.
  return { ...Object.fromEntries(kept), LEADGATE_MASTER_KEY: Buffer.alloc(32, 'browser tests ').toString('base64') };
}

async function waitUntilReady(api, child, log) {
  const end = Date.now() + START_MS;
  while (Date.now() < end) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`${api}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await delay(50);
  }
  throw new Error(`the server did not become ready:\n${log()}`);
}

/**
 * `seed` is the text of a seed file. A production server insists on an issuer with https; that it is behind no proxy here
 * makes no difference to its pages, which a browser opens at `site`.
 */
export async function startLeadgate(seed, { host = 'auth.localhost', isProduction = false } = {}) {
  const port = await freePort();
  const directory = await mkdtemp(path.join(tmpdir(), 'leadgate-browser-'));
  const seedFile = path.join(directory, 'seed.toml');
  await writeFile(seedFile, seed);
  const site = `http://${host}:${port}`;
  const issuer = isProduction ? `https://${host}:${port}` : site;
  const sandboxToken = 'test-sandbox-token';
  const api = `http://127.0.0.1:${port}`;
  const words = [
    'serve',
    ...['--listen', `127.0.0.1:${port}`],
    ...['--issuer', issuer],
    ...['--database-url', process.env.LEADGATE_TEST_DATABASE_URL ?? `sqlite://${directory}/leadgate.db`],
    ...['--seed', seedFile],
    ...(isProduction ? ['--mode', 'production'] : ['--sandbox-token', sandboxToken]),
  ];
  let output = '';
  let child;
  const start = async () => {
    child = spawn(binary(), words, { cwd: directory, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(-20_000)));
    }
    child.on('error', (error) => (output += String(error)));
    await waitUntilReady(api, child, () => output);
  };
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(late);
  };
  const stop = async () => {
    await end();
    await rm(directory, { recursive: true, force: true });
  };
  const restart = async () => {
    await end();
    await start();
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { issuer, site, api, sandboxToken, log: () => output, restart, stop };
}
