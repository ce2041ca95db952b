import { ControlPlane, type Answer, type Schemas } from './client.js';
import type { AuthorizeResult, DisconnectAnswer, Me, RefreshAnswer } from './result.js';

/** What everybody finds in a server that was started without a seed file. */
export const DEMONSTRATION = {
  app: '0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001',
  clientSecret: 'app-secret',
  button: 'btn-demonstration',
  user: 'ada@acme.test',
  password: 'correct horse battery',
} as const;

export interface SignIn {
  /** The demonstration's, where it is left out. */
  button?: string;
  /** `allow`, where it is left out. */
  decision?: 'allow' | 'deny';
  /** Fewer than the button asks for. */
  scopes?: string[];
}

/** A span of time such as `59m59s`: numbers with `ms`, `s`, `m`, `h` or `d`. */
export type Span = string;

/** Users, applications, clocks, faults and a journal of their own: a server's, or those of a namespace. */
export class World extends ControlPlane {
  constructor(
    address: string,
    sandboxToken: string,
    /** What it calls itself, and what pages and libraries are told. */
    readonly issuer: string,
  ) {
    super(address, sandboxToken);
  }

  /** The outcome of a click on a button, without a browser. */
  async authorize(user: string, { button = DEMONSTRATION.button, decision = 'allow', scopes }: SignIn = {}) {
    const body = { user, button, decision, ...(scopes ? { scopes } : {}) };
    return (await this.call('decideSignIn', { body })) as AuthorizeResult & { connectionId: string | null };
  }

  /** Where a browser would be sent by an authorization request that `user` decides: `/oauth/authorize?…`, or with the issuer. */
  async authorizeUrl(user: string, url: string, decision: 'allow' | 'deny' = 'allow') {
    const whole = url.startsWith('/') ? this.issuer + url : url;
    return (await this.call('decideSignIn', { body: { user, authorize_url: whole, decision } })) as Schemas['Redirected'];
  }

  /** Time passes: for all, or for one application. */
  advance(span: Span, app?: string): Promise<Schemas['Clock']> {
    return this.call('postClock', { body: { advance: span, ...(app ? { app } : {}) } });
  }

  /** To the moment at which the next token, code or connection expires. */
  advanceToNextExpiry(app?: string): Promise<Schemas['Clock']> {
    return this.call('postClock', { body: { advance_to: 'next_expiry', ...(app ? { app } : {}) } });
  }

  clock(app?: string): Promise<Schemas['Clock']> {
    return this.call('getClock', { query: app ? { app } : {} });
  }

  /** These rules, and no others. Their counts begin at nothing. */
  fault(...rules: Schemas['FaultRule'][]): Promise<Schemas['CountedRule'][]> {
    return this.call('putFaults', { body: rules });
  }

  faults(): Promise<Schemas['CountedRule'][]> {
    return this.call('getFaults');
  }

  clearFaults(): Promise<void> {
    return this.call('deleteFaults');
  }

  /** What was asked of the server, newest first. */
  async journal(match: Schemas['RequestMatch'] & { limit?: number } = {}): Promise<Schemas['RequestSummary'][]> {
    return (await this.call('getRequests', { query: defined(match) })).requests;
  }

  /** The first request that matches, which may be still to come. */
  async waitFor(match: Schemas['RequestMatch'], within: Span = '10s'): Promise<Schemas['RequestSummary']> {
    const { requests } = await this.call('getRequests', { query: { ...defined(match), wait: within } });
    const last = requests.at(-1);
    if (!last) throw new Error(`no request within ${within} that matches ${JSON.stringify(match)}`);
    return last;
  }

  /** Fails unless so many requests match, and then names those that came near. */
  async verify(match: Schemas['RequestMatch'], count: Schemas['CountForm'] = { at_least: 1 }): Promise<number> {
    return (await this.call('postRequestsVerify', { body: { match, count } })).matched;
  }

  /** The journal as an HTTP Archive, for the results of a run that failed. */
  har(): Promise<string> {
    return this.text('getRequestsHar', 'application/json');
  }

  /** What an integration does right and wrong, so far. */
  check(app: string = DEMONSTRATION.app): Promise<Answer<'getChecksApp'>> {
    return this.call('getChecksApp', { path: { app } });
  }

  /** The same, as JUnit's XML. */
  checkAsJUnit(app: string = DEMONSTRATION.app): Promise<string> {
    return this.text('getChecksApp', 'application/xml', { path: { app } });
  }

  /** Back to what the server began with. */
  async reset(): Promise<void> {
    await this.call('postReset');
  }

  async takeSnapshot(name: string): Promise<void> {
    await this.call('takeSnapshot', { path: { name } });
  }

  async restoreSnapshot(name: string): Promise<void> {
    await this.call('restoreSnapshot', { path: { name } });
  }

  /** Lets the button stand on pages of one more origin. */
  async allowOrigin(origin: string, button: string = DEMONSTRATION.button): Promise<void> {
    const { origins } = await this.call('showButton', { path: { id: button } });
    if (!origins.includes(origin)) await this.call('changeButton', { path: { id: button }, body: { origins: [...origins, origin] } });
  }

  /** What a partner's back end does once an hour. */
  refresh(refreshToken: string, app: string = DEMONSTRATION.app): Promise<RefreshAnswer> {
    return this.#get(`/authorize/refreshaccesstoken/${encodeURIComponent(refreshToken)}?appid=${encodeURIComponent(app)}`);
  }

  /** Ends the connection. */
  disconnect(refreshToken: string): Promise<DisconnectAnswer> {
    return this.#get(`/authorize/disconnectapplicationtoken/${encodeURIComponent(refreshToken)}`);
  }

  /** Whom an access token stands for; null where it is good for nothing any more. */
  async me(accessToken: string): Promise<Me | null> {
    const response = await fetch(`${this.address}/v1/me`, { headers: { authorization: `Bearer ${accessToken}` } });
    if (response.status === 401) return null;
    if (!response.ok) throw new Error(`/v1/me: ${response.status}: ${await response.text()}`);
    return (await response.json()) as Me;
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(this.address + path);
    return (await response.json()) as T;
  }
}

/** A world beside the server's: for tests that run at once. */
export class Namespace extends World {
  constructor(
    readonly server: World,
    readonly id: string,
    issuer: string,
  ) {
    super(`${server.address}/ns/${id}`, server.sandboxToken, issuer);
  }

  /** It is gone at once; else when its time is over. */
  async end(): Promise<void> {
    await this.server.call('deleteNamespace', { path: { id: this.id } });
  }
}

/** A world of its own, on the same server, for as long as `ttl` (10m). At most 64 live at once. */
export async function makeNamespace(server: World, ttl: Span = '10m'): Promise<Namespace> {
  const { id, issuer } = await server.call('makeNamespace', { body: { ttl } });
  return new Namespace(server, id, issuer);
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], null | undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value != null);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], null | undefined> };
}

