// The world as a whole: start over, keep it, come back to it; worlds beside it; what was seen of each application.
import { attempt, call, loadApps } from './inspector-api.js';
import { ask, base, byId, fill, make, say, text } from './inspector-dom.js';

function list(id, items, none) {
  byId(id).replaceChildren(...(items.length ? items : [make('li', { class: 'soft' }, none)]));
}

function act(label, name, action) {
  return make('button', { class: 'link', type: 'button', 'aria-label': `${label}: ${name}`, onclick: action }, label);
}

function readable(rfc3339) {
  return rfc3339 ? rfc3339.slice(0, 16).replace('T', ' ') : '';
}

async function readSnapshots() {
  const { snapshots } = await call('GET', '/snapshots');
  const item = ({ name, created_at: at }) =>
    make(
      'li',
      {},
      make('span', {}, make('strong', {}, name), ' ', make('span', { class: 'soft' }, readable(at))),
      act(text.restore, name, () => restore(name)),
      act(text.delete, name, () => attempt(() => call('DELETE', `/snapshots/${encodeURIComponent(name)}`).then(readSnapshots))),
    );
  list('snapshot-list', snapshots.map(item), text.noSnapshots);
}

async function restore(name) {
  if (!(await ask(`${text.restoreAsk} (${name})`, text.restore))) return;
  await attempt(async () => {
    await call('POST', `/snapshots/${encodeURIComponent(name)}/restore`);
    say(text.done);
  });
}

async function readNamespaces() {
  const { namespaces } = await call('GET', '/namespaces');
  const item = ({ id, issuer, expires_at: until }) =>
    make(
      'li',
      {},
      make('span', {}, make('code', {}, issuer), ' ', make('span', { class: 'soft' }, fill(text.until, readable(until)))),
      // It was made by this server, below its own address.
      make('a', { class: 'link', href: `${base}/ns/${encodeURIComponent(id)}/inspector`, 'aria-label': `${text.open}: ${id}` }, text.open),
      act(text.delete, id, () => attempt(() => call('DELETE', `/namespaces/${encodeURIComponent(id)}`).then(readNamespaces))),
    );
  list('namespace-list', namespaces.map(item), text.noNamespaces);
}

async function readChecks() {
  const apps = await loadApps();
  const item = ([id, name]) => make('li', {}, make('a', { href: `${base}/inspector/checks/${encodeURIComponent(id)}` }, name));
  list('check-list', [...apps].map(item), text.noApps);
}

export async function show() {
  // One that fails does not take the others with it.
  for (const read of [readChecks, readSnapshots, readNamespaces]) if (!(await attempt(read))) return;
}

export function start() {
  byId('reset').addEventListener('click', async () => {
    if (!(await ask(text.resetAsk, byId('reset').textContent))) return;
    await attempt(async () => {
      await call('POST', '/reset');
      say(text.done);
    });
    document.dispatchEvent(new Event('inspector:changed'));
  });
  byId('snapshot-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const field = byId('snapshot-name');
    attempt(async () => {
      await call('PUT', `/snapshots/${encodeURIComponent(field.value)}`);
      field.value = '';
      await readSnapshots();
      say(text.done);
    });
  });
  byId('namespace-form').addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(async () => {
      await call('POST', '/namespaces', { ttl: byId('namespace-ttl').value.trim() });
      await readNamespaces();
      say(text.done);
    });
  });
}
