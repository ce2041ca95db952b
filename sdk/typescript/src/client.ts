import type { components, operations } from './openapi.js';
import { OPERATIONS } from './operations.js';

export type Schemas = components['schemas'];
/** An operation of the control plane, by its `operationId` in the OpenAPI document. */
export type Operation = keyof typeof OPERATIONS;

type Parameters<O extends Operation> = operations[O]['parameters'];
type Path<O extends Operation> = Parameters<O> extends { path: infer P } ? { path: P } : { path?: never };
type Query<O extends Operation> = { query?: Exclude<Parameters<O>['query'], undefined> };
type Json<R> = R extends { content: { 'application/json': infer B } } ? B : never;
type Body<O extends Operation> = [Exclude<operations[O]['requestBody'], undefined>] extends [never]
  ? { body?: never }
  : operations[O] extends { requestBody: infer R }
    ? { body: Json<R> }
    : { body?: Json<Exclude<operations[O]['requestBody'], undefined>> };

/** What an operation takes: the parameters of its path and query, and its body. */
export type Asked<O extends Operation> = Path<O> & Query<O> & Body<O>;

type Success<R> = { [S in keyof R]: S extends 200 | 201 | 202 ? Json<R[S]> : never }[keyof R];

/** What an operation answers where it succeeds: JSON, or nothing. */
export type Answer<O extends Operation> = [Success<operations[O]['responses']>] extends [never]
  ? void
  : Success<operations[O]['responses']>;

type Arguments<O extends Operation> = {} extends Asked<O> ? [asked?: Asked<O>] : [asked: Asked<O>];

interface Loose {
  path?: Record<string, string>;
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
}

/** An operation was not carried out. The message says what was wrong, and what to do. */
export class LeadgateError extends Error {
  constructor(
    readonly operation: string,
    readonly status: number,
    /** Empty where the answer was no problem (RFC 9457). */
    readonly problem: Partial<Schemas['Problem']>,
  ) {
    const where = problem.pointer ?? problem.parameter;
    super(`${operation}: ${status} ${problem.title ?? ''}: ${problem.detail ?? 'no more was said'}${where ? ` (${where})` : ''}`);
    this.name = 'LeadgateError';
  }
}

/** The control plane of a server, or of a namespace of one. */
export class ControlPlane {
  constructor(
    /** The address that the world is reached at, without a slash at its end. */
    readonly address: string,
    readonly sandboxToken: string,
  ) {}

  /** Any operation of the control plane; types follow the OpenAPI document. */
  async call<O extends Operation>(operation: O, ...[asked]: Arguments<O>): Promise<Answer<O>> {
    const response = await this.#send(operation, (asked ?? {}) as Loose, 'application/json');
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as Answer<O>;
  }

  /** The same, with the answer as text in another form. */
  async text<O extends Operation>(operation: O, accept: string, ...[asked]: Arguments<O>): Promise<string> {
    return (await this.#send(operation, (asked ?? {}) as Loose, accept)).text();
  }

  async #send(operation: Operation, { path = {}, query = {}, body }: Loose, accept: string): Promise<Response> {
    const [method, template] = OPERATIONS[operation];
    const route = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
    const url = new URL(this.address + route);
    for (const [name, value] of Object.entries(query)) if (value != null) url.searchParams.set(name, String(value));
    const headers: Record<string, string> = { authorization: `Bearer ${this.sandboxToken}`, accept };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!response.ok) {
      const problem = await response.json().catch(() => ({}));
      throw new LeadgateError(operation, response.status, problem as Partial<Schemas['Problem']>);
    }
    return response;
  }
}
