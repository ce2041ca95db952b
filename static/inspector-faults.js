// Faults: those in force with how often each acted, ready-made ones, and the whole set as JSON.
import { apps, attempt, call, loadApps, offerApps } from './inspector-api.js';
import { byId, complain, fill, make, say, text } from './inspector-dom.js';

const REFRESH = { endpoint: 'refreshaccesstoken' };
const EMPTY = { valid: true, refreshToken: '', authToken: '', expireDate: null, errorMessage: null };
const PAGE = '<!doctype html><title>Bad gateway</title><h1>Bad gateway</h1>';
const RECIPES = {
  refreshUnavailable: { id: 'refresh-unavailable', match: REFRESH, effect: { status: 503 } },
  refreshLost: { id: 'lost-refresh', match: REFRESH, when: 'after', effect: { drop: true } },
  emptyToken: { id: 'empty-token', match: REFRESH, effect: { body: EMPTY } },
  html: { id: 'html-page', match: REFRESH, effect: { body: PAGE, content_type: 'text/html' } },
  dropped: { id: 'dropped', match: REFRESH, effect: { drop: true } },
  slow: { id: 'slow', match: REFRESH, effect: { delay_ms: 5000 } },
  silentDisconnect: {
    id: 'silent-disconnect',
    match: { endpoint: 'disconnectapplicationtoken' },
    when: 'after',
    effect: { body: '', content_type: 'text/javascript' },
  },
};

const ALWAYS = 'always';

function left({ times = 1, hits = 0 }) {
  return times === ALWAYS ? Infinity : times - hits;
}

/** The set that is in force now, as it would be put again: a put begins all counts anew. */
function remaining(rules) {
  return rules
    .filter((rule) => left(rule) > 0)
    .map(({ hits, ...rule }) => ({ ...rule, times: rule.times === ALWAYS ? ALWAYS : (rule.times ?? 1) - (hits ?? 0) }));
}

function put(rules) {
  return call('PUT', '/faults', rules);
}

async function change(alter) {
  await attempt(async () => {
    await put(alter(remaining(await call('GET', '/faults'))));
    await read();
  });
}

function describe({ match, when, effect }) {
  const where = [match.endpoint, match.app && (apps.get(match.app) ?? match.app), match.user].filter(Boolean).join(', ');
  return `${where} · ${when ?? 'before'} · ${JSON.stringify(effect)}`;
}

function row(rule) {
  const isUsedUp = left(rule) <= 0;
  const times = rule.times === ALWAYS ? text.always : rule.times ?? 1;
  const count = `${fill(text.acted, `${rule.hits} / ${times}`)}${isUsedUp ? `, ${text.usedUp}` : ''}`;
  return make(
    'li',
    { class: 'fault', 'data-used-up': isUsedUp },
    make('p', { class: 'fault-name' }, make('strong', {}, rule.id), make('span', { class: 'badge', 'data-outcome': 'fault' }, count)),
    make('p', { class: 'soft' }, make('code', {}, describe(rule))),
    make('button', { class: 'link', type: 'button', 'aria-label': `${text.remove}: ${rule.id}`, onclick: () => change((rules) => rules.filter(({ id }) => id !== rule.id)) }, text.remove),
  );
}

async function read() {
  const rules = await call('GET', '/faults');
  byId('fault-list').replaceChildren(...rules.map(row));
  byId('no-faults').hidden = rules.length > 0;
  byId('clear-faults').hidden = rules.length === 0;
  const field = byId('fault-set');
  if (document.activeElement !== field) field.value = JSON.stringify(rules.map(({ hits, ...rule }) => rule), null, 2);
  showNote(rules);
}

function showNote(rules) {
  const active = rules.filter((rule) => left(rule) > 0).length;
  byId('faults-note').hidden = active === 0;
  byId('faults-note').textContent = `${active} ${text.active}`;
}

/** How many faults are in force is told on every view. */
export async function watch() {
  const rules = await call('GET', '/faults');
  if (byId('faults').hidden) showNote(rules);
  else await read();
}

function add(name) {
  const times = byId('recipe-times').value.trim();
  const count = times === ALWAYS ? ALWAYS : Number(times);
  if (count !== ALWAYS && !(Number.isInteger(count) && count > 0)) {
    complain(text.badTimes);
    byId('recipe-times').focus();
    return;
  }
  const recipe = RECIPES[name];
  const app = byId('recipe-app').value;
  const rule = { ...recipe, match: app ? { ...recipe.match, app } : recipe.match, times: count };
  change((rules) => [...rules.filter(({ id }) => id !== rule.id), rule]).then(() => {
    say(fill(text.added, text.recipes[name].title));
  });
}

export async function show() {
  await attempt(async () => {
    await loadApps();
    offerApps(byId('recipe-app'), text.everyApp);
    await read();
  });
}

export function start() {
  offerApps(byId('recipe-app'), text.everyApp);
  byId('recipes').replaceChildren(
    ...Object.keys(RECIPES).map((name) => {
      const { title, text: purpose } = text.recipes[name];
      const button = make('button', { class: 'button small', type: 'button', 'aria-label': `${text.add}: ${title}`, onclick: () => add(name) }, text.add);
      return make('li', {}, make('div', {}, make('strong', {}, title), make('p', { class: 'soft' }, purpose)), button);
    }),
  );
  byId('recipe-form').addEventListener('submit', (event) => event.preventDefault());
  byId('clear-faults').addEventListener('click', () =>
    attempt(async () => {
      await call('DELETE', '/faults');
      await read();
    }),
  );
  byId('fault-json').addEventListener('submit', (event) => {
    event.preventDefault();
    let rules;
    try {
      rules = JSON.parse(byId('fault-set').value);
    } catch (error) {
      complain(fill(text.badJson, error.message));
      byId('fault-set').focus();
      return;
    }
    attempt(async () => {
      await put(rules);
      await read();
      say(text.done);
    });
  });
}
