// Pages and a back end that name apps.leadexec.net, unchanged, against `leadgate impersonate`: the browser trusts its authority
// as it would any other, and only looks the name up elsewhere.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { freePort } from './support/leadgate.mjs';
import { assertValid, visit } from './support/visitor.mjs';

const run = promisify(execFile);
const BINARY = path.resolve(fileURLToPath(new URL('../../', import.meta.url)), process.env.LEADGATE_BIN ?? 'target/debug/leadgate');
const HOST = 'apps.leadexec.net';
const APP = '0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001';
const ADA = { email: 'ada@acme.test', password: 'correct horse battery' };
/** Where the demonstration's button works: whichever is free. */
const PORTS = [3000, 3001, 4173, 4200, 5000, 5173, 5174, 5500, 8000, 8001, 8081, 9000];

/** As partners have it: both schemes, one host, and nothing that is Leadgate's. */
const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Partner</title>
<script>
  var results = [];
  function AuthorizeResult(result) { results.push(result); }
</script>
<script type="text/javascript">
  (function () {
    var scheme = document.location.protocol == 'https:' ? 'https://' : 'http://';
    var script = document.createElement('script');
    script.async = true;
    script.src = scheme + '${HOST}/js/le-app-button.js';
    document.head.appendChild(script);
    var style = document.createElement('link');
    style.rel = 'stylesheet';
    style.href = 'data:text/css,' + escape("@import url('" + scheme + "${HOST}/css/le-app-button.css');");
    document.head.appendChild(style);
  })();
</script>
<button id="leAppButton" class="le-app-button" data-btnId="btn-demonstration">Sign in with LeadExec</button>`;

async function startPartner(t) {
  for (const port of PORTS) {
    const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(PAGE));
    const listens = await new Promise((resolve) => {
      server.once('error', () => resolve(false)).listen(port, 'localhost', () => resolve(true));
    });
    if (!listens) continue;
    t.after(() => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }));
    return `http://localhost:${port}`;
  }
  throw new Error(`none of the ports ${PORTS} is free`);
}

async function directoryFor(t) {
  const directory = await mkdtemp(path.join(tmpdir(), 'leadgate-impersonation-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** Starts the program and waits for its last line. */
async function start(t, directory, words) {
  const ours = Object.entries(process.env).filter(([name]) => !name.startsWith('LEADGATE_'));
  const child = spawn(BINARY, words, { cwd: directory, env: Object.fromEntries(ours), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const end = Date.now() + 30_000;
  while (!output.includes('Ready at ')) {
    assert.ok(child.exitCode === null && Date.now() < end, output);
    await delay(20);
  }
}

test('an unchanged page and its back end work against leadgate impersonate', async (t) => {
  const directory = await directoryFor(t);
  const [https, http] = [await freePort(), await freePort()];
  await start(t, directory, ['impersonate', '--listen', `127.0.0.1:${https}`, '--http-listen', `127.0.0.1:${http}`]);
  const authority = path.join(directory, 'data/impersonation/ca.pem');
  const home = path.join(directory, 'home');
  const store = `sql:${home}/.pki/nssdb`;
  await mkdir(path.join(home, '.pki/nssdb'), { recursive: true });
  await run('certutil', ['-d', store, '-N', '--empty-password']);
  const map = `MAP ${HOST}:443 127.0.0.1:${https}, MAP ${HOST}:80 127.0.0.1:${http}`;
  const options = { env: { ...process.env, HOME: home }, args: [`--host-resolver-rules=${map}`] };

  const wary = await visit(t, options);
  await assert.rejects(wary.page.goto(`https://${HOST}/`), /ERR_CERT_AUTHORITY_INVALID/);
  await wary.context.close();

  await run('certutil', ['-d', store, '-A', '-t', 'C,,', '-n', 'leadgate', '-i', authority]);
  const partner = await startPartner(t);
  const visitor = await visit(t, options);
  await visitor.open(partner);
  const dialog = await visitor.openDialog();
  assert.equal(new URL(dialog.page.url()).origin, `https://${HOST}`);
  await dialog.logIn(ADA);
  await dialog.allow();
  const result = await visitor.result();
  assertValid(result, { auto: false });
  const styled = await visitor.page.$eval('#leAppButton', (button) => getComputedStyle(button).minHeight);
  assert.notEqual(styled, 'auto', 'the style sheet came');
  await visitor.page.reload();
  assertValid(await visitor.result(), { auto: true, refreshToken: result.refreshToken });

  const backEnd = async (place) => {
    const words = ['--silent', '--show-error', '--cacert', authority, '--connect-to', `${HOST}:443:127.0.0.1:${https}`, `https://${HOST}${place}`];
    return JSON.parse((await run('curl', words)).stdout);
  };
  const refresh = `/authorize/refreshaccesstoken/${result.refreshToken}?appid=${APP}`;
  assert.equal((await backEnd(refresh)).valid, true);
  assert.equal((await backEnd(`/authorize/disconnectapplicationtoken/${result.refreshToken}`)).valid, true);
  assert.equal((await backEnd(refresh)).valid, false);
});

test('the module for Playwright routes unchanged pages to a server, and nothing to the real host', async (t) => {
  const directory = await directoryFor(t);
  const port = await freePort();
  await start(t, directory, ['serve', '--issuer', `https://${HOST}`, '--mode', 'sandbox', '--listen', `127.0.0.1:${port}`]);
  const module = path.join(directory, 'leadexec.mjs');
  await writeFile(module, (await run(BINARY, ['impersonate', '--playwright'], { cwd: directory })).stdout);
  const { routeLeadExec } = await import(pathToFileURL(module));
  const partner = await startPartner(t);
  // Where the name led nowhere, whatever got past the route would fail.
  const visitor = await visit(t, { args: [`--host-resolver-rules=MAP ${HOST} 127.0.0.1:9`] });
  await routeLeadExec(visitor.context, `http://127.0.0.1:${port}`);
  await visitor.open(partner);
  const dialog = await visitor.openDialog();
  await dialog.logIn(ADA);
  await dialog.allow();
  const result = await visitor.result();
  assertValid(result, { auto: false });
  await visitor.page.reload();
  assertValid(await visitor.result(), { auto: true, refreshToken: result.refreshToken });
  const failed = visitor.requests.filter((request) => request.failure());
  assert.deepEqual(failed.map((request) => request.url()), []);
});
