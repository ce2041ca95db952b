// OAuth clients as partners have them: a site with a back end, a page without one, a program on the user's own machine,
// and a screen on a wall.
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';

import { createWorld } from './world.mjs';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const SECRET = 'client-secret-of-the-browser-tests';

function clients(origins, run) {
  const scopes = ['account_api', 'data_api'];
  const publisher = 'Rate Finder Inc.';
  const grants = ['authorization_code', 'refresh_token'];
  return {
    web: {
      id: randomUUID(),
      name: `Rate Site ${run}`,
      publisher,
      client_secret: SECRET,
      grant_types: [...grants, 'password'],
      redirect_uris: [`${origins.partner}/callback`, `${origins.partner}/onward`],
      post_logout_redirect_uris: [`${origins.partner}/bye`],
      scopes,
    },
    spa: { id: randomUUID(), name: `Rate Page ${run}`, publisher, grant_types: grants, redirect_uris: [`${origins.partner}/spa`], scopes },
    native: {
      id: randomUUID(),
      name: `Rate Desk ${run}`,
      publisher,
      grant_types: grants,
      // Any port, as a program takes the one that is free (RFC 8252, section 7.3).
      redirect_uris: ['http://127.0.0.1/native'],
      scopes,
    },
    wall: { id: randomUUID(), name: `Lead Wall ${run}`, publisher, grant_types: [DEVICE_GRANT, 'refresh_token'], scopes },
  };
}

/** A world that has `web`, `spa`, `native` and `wall` among its applications. */
export async function createOAuthWorld() {
  const world = await createWorld(clients);
  const client = (name) => new Client(world, world.apps[name]);
  return { ...world, web: client('web'), spa: client('spa'), native: client('native'), wall: client('wall') };
}

/** What an application does at the server, past the browser. */
export class Client {
  constructor(world, app) {
    this.world = world;
    this.app = app;
  }

  /** An authorization request with PKCE: its address, and what the client keeps until the answer comes. */
  request(parameters = {}) {
    const [verifier, state] = [32, 16].map((bytes) => randomBytes(bytes).toString('base64url'));
    const asked = {
      client_id: this.app.id,
      response_type: 'code',
      redirect_uri: this.app.redirect_uris[0],
      scope: 'openid account_api',
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    };
    const address = `${this.world.issuer}/oauth/authorize`;
    return { url: `${address}?${new URLSearchParams(asked)}`, address, parameters: asked, verifier };
  }

  /** Posts a form, authenticated as far as this client can. */
  async post(path, fields) {
    const credentials = this.app.client_secret ? { client_secret: this.app.client_secret } : {};
    const body = new URLSearchParams({ client_id: this.app.id, ...credentials, ...fields });
    const answer = await fetch(`${this.world.server.api}${path}`, { method: 'POST', body });
    const text = await answer.text();
    return { status: answer.status, ...(text ? JSON.parse(text) : {}) };
  }

  token(fields) {
    return this.post('/oauth/token', fields);
  }

  exchange(request, code) {
    const { redirect_uri } = request.parameters;
    return this.token({ grant_type: 'authorization_code', code, redirect_uri, code_verifier: request.verifier });
  }

  refresh(refresh_token) {
    return this.token({ grant_type: 'refresh_token', refresh_token });
  }
}

/** Checks what came back to a redirect URI against its request (RFC 9207, too), and returns it. */
export function assertAnswer(world, request, answer) {
  const { state, iss, ...rest } = Object.fromEntries(answer);
  assert.deepEqual({ state, iss }, { state: request.parameters.state, iss: world.issuer });
  return rest;
}

/** The code that came back, and nothing else did. */
export function assertCode(world, request, answer) {
  const { code, ...rest } = assertAnswer(world, request, answer);
  assert.match(code, /^lgo_[\w-]{20,}$/);
  assert.deepEqual(rest, {});
  return code;
}

export function assertErrorAnswer(world, request, answer, expected) {
  const { error, error_description, ...rest } = assertAnswer(world, request, answer);
  assert.equal(error, expected, error_description);
  assert.ok(error_description.length > 5);
  assert.deepEqual(rest, {});
}

/** What a JWT says; its signature is not the point here. */
export function claims(jwt) {
  return JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString());
}

/** How this server's own APIs answer an access token. */
export async function apiStatus(world, path, accessToken) {
  const answer = await fetch(`${world.server.api}${path}`, { headers: { Authorization: `Bearer ${accessToken}` } });
  return answer.status;
}
