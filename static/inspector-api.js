// The control plane, as the inspector's session may use it. The header says that the call comes from this page: no page
// of another origin can send it.
import { base, complain, settle, text } from './inspector-dom.js';

class Refusal extends Error {
  constructor(message, link) {
    super(message);
    this.link = link;
  }
}

async function send(method, path, body) {
  const headers = { 'Leadgate-Inspector': '1', Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store' };
  const answer = await fetch(`${base}/_sandbox${path}`, request).catch(() => {
    throw new Refusal(text.unreachable);
  });
  if (answer.ok) return answer;
  if (answer.status === 401) throw new Refusal(text.signedOut, { href: `${base}/inspector`, name: text.signInAgain });
  const problem = await answer.json().catch(() => ({}));
  const where = problem.pointer || problem.parameter;
  const about = where ? ` (${where})` : answer.status === 404 ? ` (${method} ${path})` : '';
  throw new Refusal((problem.detail ?? `${answer.status} ${answer.statusText}`) + about);
}

/** The answer's JSON; null where it has none. Throws what the server said. */
export async function call(method, path, body) {
  const answer = await send(method, path, body);
  return answer.status === 204 ? null : answer.json();
}

export async function file(path) {
  return (await send('GET', path)).blob();
}

/** Runs an action; what goes wrong in it is shown. Answers whether it went well. */
export async function attempt(action) {
  try {
    await action();
    settle();
    return true;
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    complain(refusal.message, refusal.link);
    return false;
  }
}

/** The applications, by their ids. */
export const apps = new Map();

export async function loadApps() {
  let next = '';
  do {
    const page = await call('GET', `/apps?limit=1000${next && `&after=${encodeURIComponent(next)}`}`);
    for (const app of page.apps) apps.set(app.id, app.name);
    next = page.next;
  } while (next);
  return apps;
}

/** Lets every list of applications to choose from have them all, and keep what is chosen. */
export function offerApps(select, first) {
  const chosen = select.value;
  select.replaceChildren(new Option(first, ''), ...[...apps].map(([id, name]) => new Option(name, id)));
  select.value = apps.has(chosen) ? chosen : '';
}
