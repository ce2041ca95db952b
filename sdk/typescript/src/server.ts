import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { makeNamespace, World, type Namespace, type Span } from './world.js';

const KEPT_OUTPUT = 50_000;
const STOP_MS = 15_000;
const ATTEMPTS = 3;

export interface StartOptions {
  /** A server that runs already. Left out: `LEADGATE_URL`, where that is set. */
  url?: string;
  /** Of a server that runs already: `LEADGATE_SANDBOX_TOKEN`, where it is left out. Of another one: made. */
  sandboxToken?: string;
  /** The program to run. Left out: `LEADGATE_BIN`, else `leadgate` of the search path. */
  binary?: string;
  /** A container image to run, with `docker`, in place of a program. */
  image?: string;
  /** The port on this machine; a free one where it is left out. */
  port?: number;
  /** What the server calls itself; `http://localhost:PORT` where it is left out. */
  issuer?: string;
  /** The path of a seed file; the demonstration where it is left out. */
  seed?: string;
  /** More settings, as environment variables: `{ LEADGATE_LOG_LEVEL: 'debug' }`. */
  environment?: Record<string, string>;
  /** How long it may take until it is ready: 30 seconds, where it is left out. */
  readyWithinMs?: number;
}

/** A server for tests. */
export class Leadgate extends World {
  constructor(
    address: string,
    sandboxToken: string,
    issuer: string,
    /** What it printed last. Nothing of a server that ran before. */
    readonly log: () => string,
    /** Ends it, unless it ran before. */
    readonly stop: () => Promise<void>,
  ) {
    super(address, sandboxToken, issuer);
  }

  /** A world of its own, for a test that runs beside others. */
  namespace(ttl?: Span): Promise<Namespace> {
    return makeNamespace(this, ttl);
  }
}

/** Starts a server with a database in memory on a free port, or takes one that runs; and waits until it is ready. */
export async function startLeadgate(options: StartOptions = {}): Promise<Leadgate> {
  const started = options.binary ?? options.image;
  const url = options.url ?? (started ? undefined : process.env.LEADGATE_URL);
  if (url) return connect(url, options);
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options);
    } catch (error) {
      // Somebody else took the port between our look at it and the start.
      const taken = error instanceof Error && /cannot be listened on|port is already allocated/.test(error.message);
      if (!taken || options.port !== undefined || attempt === ATTEMPTS) throw error;
    }
  }
}

async function connect(url: string, options: StartOptions): Promise<Leadgate> {
  const address = url.replace(/\/+$/, '');
  const sandboxToken = options.sandboxToken ?? process.env.LEADGATE_SANDBOX_TOKEN;
  if (!sandboxToken) {
    throw new Error(`the sandbox token of ${address} is missing: name it in sandboxToken or LEADGATE_SANDBOX_TOKEN`);
  }
  // A server below a path has its probes at the root.
  await untilReady(new URL('/readyz', address).href, options.readyWithinMs, () => null);
  const metadata = await fetch(`${address}/.well-known/openid-configuration`).then((response) => response.json());
  const { issuer } = metadata as { issuer: string };
  return new Leadgate(address, sandboxToken, issuer, () => '', async () => {});
}

async function start(options: StartOptions): Promise<Leadgate> {
  const port = options.port ?? (await freePort());
  const address = `http://localhost:${port}`;
  const sandboxToken = options.sandboxToken ?? randomBytes(24).toString('base64url');
  const issuer = options.issuer ?? address;
  const settings = {
    LEADGATE_ISSUER: issuer,
    // An issuer that is not this machine would else mean production.
    LEADGATE_MODE: 'sandbox',
    LEADGATE_SANDBOX_TOKEN: sandboxToken,
    LEADGATE_DATABASE_URL: 'sqlite::memory:',
    ...options.environment,
  };
  const directory = await mkdtemp(path.join(tmpdir(), 'leadgate-'));
  const child = options.image ? inContainer(options, port, settings) : asProgram(options, port, settings, directory);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-KEPT_OUTPUT)));
  }
  let failure: string | null = null;
  child.once('error', (error: NodeJS.ErrnoException) => (failure = unstarted(error, options)));
  child.once('exit', (code, signal) => (failure ??= `it ended (${signal ?? `exit code ${code}`})`));
  // `docker` hands it on to the container; a program that is killed would leave that behind.
  const end = () => void child.kill('SIGTERM');
  process.once('exit', end);
  const stop = async () => {
    process.off('exit', end);
    await ended(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await untilReady(`${address}/readyz`, options.readyWithinMs, () => failure);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${output}`);
  }
  return new Leadgate(address, sandboxToken, issuer, () => output, stop);
}

/** Why nothing was started, and where the program is not there, how it gets there. */
function unstarted(error: NodeJS.ErrnoException, { image }: StartOptions): string {
  if (error.code !== 'ENOENT') return error.message;
  if (image) return `${error.message}. Install Docker, or leave \`image\` out to start a program`;
  return (
    `${error.message}. Install the program (\`cargo install --path . --locked\` in a checkout of Leadgate), ` +
    'or name it with its whole path in LEADGATE_BIN (after `cargo build` it is target/debug/leadgate there)'
  );
}

function asProgram(options: StartOptions, port: number, settings: Record<string, string>, directory: string): ChildProcess {
  const binary = options.binary ?? process.env.LEADGATE_BIN ?? 'leadgate';
  // The server refuses variables that it does not know, and others' settings are none of this one's.
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('LEADGATE_'));
  const seed = options.seed ? { LEADGATE_SEED: path.resolve(options.seed) } : {};
  const env = { ...Object.fromEntries(kept), LEADGATE_LISTEN: `127.0.0.1:${port}`, ...seed, ...settings };
  return spawn(binary, ['serve'], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

function inContainer(options: StartOptions, port: number, settings: Record<string, string>): ChildProcess {
  const seed = options.seed ? ['--volume', `${path.resolve(options.seed)}:/seed.toml:ro`] : [];
  const all: Record<string, string> = { ...(options.seed ? { LEADGATE_SEED: '/seed.toml' } : {}), ...settings };
  // Names alone: the values, a token among them, are nobody's who lists processes.
  const names = Object.keys(all).flatMap((name) => ['--env', name]);
  const words = ['run', '--rm', '--read-only', '--publish', `127.0.0.1:${port}:8080`, ...seed, ...names, options.image as string];
  return spawn('docker', words, { env: { ...process.env, ...all }, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exit;
  clearTimeout(late);
}

async function untilReady(probe: string, within = 30_000, failure: () => string | null): Promise<void> {
  const end = Date.now() + within;
  while (Date.now() < end) {
    const wrong = failure();
    if (wrong !== null) throw new Error(`Leadgate did not start: ${wrong}`);
    const response = await fetch(probe).catch(() => null);
    if (response?.ok) return;
    await delay(50);
  }
  throw new Error(`Leadgate was not ready at ${probe} within ${within} ms`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('this machine gave no free port');
  return address.port;
}
