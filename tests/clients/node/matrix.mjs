// What the JavaScript clients share: their world, the user's browser, and the report.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const { env } = process;

export const ISSUER = new URL(env.ISSUER);
export const API = new URL(`${env.ISSUER}/v1/me`);
export const EMAIL = env.USER_EMAIL;
export const PASSWORD = env.USER_PASSWORD;
export const REGISTRATION_TOKEN = env.REGISTRATION_TOKEN;

export const WEB = 'web-app';
export const SECRET = 'web-app-secret';
export const NATIVE = 'native-app';
export const REDIRECT_URI = 'http://127.0.0.1:9100/callback';
export const SIGNED_OUT = 'http://127.0.0.1:9100/signed-out';
export const SCOPE = 'openid profile email account_api';

const ES256 = { name: 'ECDSA', namedCurve: 'P-256' };

/** The private key of the application `key-app`. */
export function clientKey() {
  return crypto.subtle.importKey('jwk', JSON.parse(env.CLIENT_KEY), ES256, false, ['sign']);
}

/** Sends the user to an address. Returns where that led, and the form that is to be posted there, if any. */
export async function browse(url, ...options) {
  const { stdout } = await promisify(execFile)(env.BROWSER, [...options, String(url)]).catch(({ stderr }) => {
    throw new Error(`browser: ${stderr}`);
  });
  const { url: led, form } = JSON.parse(stdout);
  return { url: new URL(led), form };
}

/**
 * Fails unless the promise is rejected with an error of the library's own class, which tells `what`: the OAuth error,
 * that of a `WWW-Authenticate` challenge, the HTTP status or the library's code.
 */
export async function refused(promise, type, what) {
  await assert.rejects(promise, (error) => {
    assert(error instanceof type, error);
    const challenges = Array.isArray(error.cause) ? error.cause.map(({ parameters }) => parameters.error) : [];
    const told = [error.error, error.status, error.code, ...challenges];
    assert(what === undefined || told.includes(what), `${what} is not told: ${told}`);
    return true;
  });
}

/** Runs the flows in order. */
export async function run(flows, missing) {
  for (const [flow, work] of Object.entries(flows)) {
    try {
      await work();
      console.log(JSON.stringify({ flow }));
    } catch (error) {
      console.error(error);
      console.log(JSON.stringify({ flow, failed: `${error.name}: ${error.message}` }));
    }
  }
  for (const [flow, reason] of Object.entries(missing)) console.log(JSON.stringify({ flow, missing: reason }));
}
