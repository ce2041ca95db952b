// The list as it grows, one request in full, and the sign-in that it belongs to.
import { apps, attempt, call, file, loadApps, offerApps } from './inspector-api.js';
import { base, byId, code, copy, fill, make, outcomes, say, span, text, timeOfDay } from './inspector-dom.js';

// Rows that the page keeps; the journal has more.
const MAX_ROWS = 1000;
const RECONNECT_MS = 1500;
const ANNOUNCE_MS = 2000;
const TERMINAL = 2;

const requests = new Map();
const rows = byId('rows');
const filters = byId('filters');
const steps = new Map(text.steps);
let source = null;
let newest = null;
let isPaused = false;
let heldBack = [];
let fresh = [];
let open = null;
let story = null;

// --- The stream -----------------------------------------------------------------------------------

function chosen() {
  const given = [...new FormData(filters)].filter(([, value]) => value.trim());
  return new URLSearchParams(given.map(([name, value]) => [name, value.trim()]));
}

function isFiltered() {
  return chosen().size > 0 || byId('filter-text').value !== '';
}

function connect() {
  source?.close();
  const query = chosen();
  if (newest) query.set('after', newest);
  source = new EventSource(`${base}/inspector/events?${query}`);
  source.addEventListener('start', (event) => {
    if (JSON.parse(event.data).fresh) forgetRows();
    showState();
    showEmptiness();
  });
  source.addEventListener('request', (event) => {
    newest = event.lastEventId;
    receive(JSON.parse(event.data));
  });
  const mine = source;
  source.addEventListener('error', () => {
    showState();
    // The browser comes again by itself, but not after an answer that is no stream.
    if (mine.readyState === TERMINAL && mine === source) setTimeout(() => mine === source && reconnect(), RECONNECT_MS);
  });
}

// A session that is over is told as such; anything else may pass.
async function reconnect() {
  if (await attempt(() => call('GET', '/clock'))) connect();
  else setTimeout(reconnect, RECONNECT_MS);
}

function begin() {
  newest = null;
  forgetRows();
  connect();
}

function showState() {
  const isOpen = source?.readyState === EventSource.OPEN;
  const live = byId('live');
  const state = isPaused ? 'paused' : isOpen ? 'live' : 'connecting';
  const waiting = isPaused && heldBack.length ? ` · ${fill(text.waiting, heldBack.length)}` : '';
  if (live.dataset.state !== state || isPaused) live.textContent = text[state] + waiting;
  live.dataset.state = state;
}

// --- The list -------------------------------------------------------------------------------------

function receive(request) {
  if (requests.has(request.id)) return;
  if (isPaused) {
    heldBack.push(request);
    if (heldBack.length > MAX_ROWS) heldBack.shift();
    showState();
    return;
  }
  requests.set(request.id, request);
  if (!fresh.length) requestAnimationFrame(showFresh);
  fresh.push(request);
}

function showFresh() {
  const come = fresh;
  fresh = [];
  if (come.some(({ app }) => app && !apps.has(app))) loadAppNames();
  const added = come.map((request) => {
    const row = make('li', {}, link(request, `#requests/${request.id}`));
    row.dataset.id = request.id;
    search(row, request);
    suggest('known-users', request.user);
    suggest('known-endpoints', request.endpoint);
    return row;
  });
  rows.prepend(...added.reverse());
  while (rows.children.length > MAX_ROWS) {
    requests.delete(rows.lastElementChild.dataset.id);
    rows.lastElementChild.remove();
  }
  showEmptiness();
  keepReachable();
  announce(come);
  if (story && come.some(belongsToStory)) showStory(story);
}

function forgetRows() {
  requests.clear();
  fresh = [];
  heldBack = [];
  rows.replaceChildren();
}

const icons = { ok: '✓', refused: '✕', error: '!', fault: '⚡' };

function badge({ outcome, status }) {
  const mark = make('span', { 'aria-hidden': 'true' }, icons[outcome]);
  return make('span', { class: 'badge', 'data-outcome': outcome }, mark, ` ${status || '—'} `, make('span', { class: 'sr' }, outcomes[outcome]));
}

function who({ user, app }) {
  return [user, app && (apps.get(app) ?? app)].filter(Boolean).join(' · ');
}

function what({ method, route }) {
  return make('code', { class: 'row-what' }, make('b', {}, method), ` ${route}`);
}

// A token in the path is no address of its own.
function title({ route, endpoint }) {
  return steps.get(route.replace(/\/(\{\*.*)?$/, '')) ?? endpoint;
}

function link(request, href) {
  return make(
    'a',
    { class: 'row', href, 'data-outcome': request.outcome, 'aria-current': open === request.id },
    badge(request),
    make('span', { class: 'row-title' }, title(request)),
    make('time', { datetime: request.at, title: request.at }, timeOfDay(request.at).slice(0, 8)),
    make('span', { class: 'row-about' }, what(request), make('span', { class: 'row-who' }, who(request))),
    request.why ? make('span', { class: 'row-why', 'data-outcome': request.outcome }, sentence(request.why.message)) : null,
  );
}

function sentence(message) {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

function announce(come) {
  announce.count = (announce.count ?? 0) + come.length;
  announce.last = come[come.length - 1];
  announce.timer ??= setTimeout(() => {
    const { method, route, status, outcome } = announce.last;
    say(`${fill(text.announced, announce.count)}${method} ${route} ${status}, ${outcomes[outcome]}`);
    announce.count = 0;
    announce.timer = null;
  }, ANNOUNCE_MS);
}

function showEmptiness() {
  const visible = [...rows.children].filter((row) => !row.hidden).length;
  byId('empty').hidden = story !== null || visible > 0 || isFiltered() || source?.readyState !== EventSource.OPEN;
  byId('no-match').hidden = story !== null || visible > 0 || !isFiltered();
  byId('show-all').hidden = !isFiltered();
}

async function loadAppNames() {
  if (loadAppNames.running) return;
  loadAppNames.running = true;
  const known = apps.size;
  await loadApps().catch(() => {});
  loadAppNames.running = false;
  if (apps.size === known) return;
  offerApps(byId('filter-app'), byId('filter-app').options[0].text);
  for (const row of rows.children) {
    const request = requests.get(row.dataset.id);
    row.querySelector('.row-who').textContent = who(request);
    search(row, request);
  }
}

function suggest(list, value) {
  const place = byId(list);
  if (!value || place.children.length > 200 || [...place.children].some((option) => option.value === value)) return;
  place.append(new Option(value));
}

function search(row, request) {
  const wanted = byId('filter-text').value.trim().toLowerCase();
  const { method, route, status, user, app, button, connection, flow, why, fault, id } = request;
  const all = [method, route, status, user, app, apps.get(app), button, connection, flow, why?.rule, why?.message, why?.nearest, fault, id];
  row.hidden = wanted !== '' && !all.some((value) => value != null && String(value).toLowerCase().includes(wanted));
}

// One row is reached by Tab, the others from there by the arrow keys.
function keepReachable() {
  for (const list of [rows, byId('story')]) {
    const links = [...list.querySelectorAll('li:not([hidden]) > a')];
    const current = links.find((one) => one === document.activeElement) ?? links.find((one) => one.ariaCurrent) ?? links[0];
    for (const one of links) one.tabIndex = one === current ? 0 : -1;
  }
}

function move(event) {
  const links = [...event.currentTarget.querySelectorAll('li:not([hidden]) > a')];
  const at = links.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  links[Math.max(0, Math.min(to, links.length - 1))].focus();
  keepReachable();
}

// --- One request ----------------------------------------------------------------------------------

function fact(name, value) {
  return value ? make('div', {}, make('dt', {}, name), make('dd', {}, value)) : null;
}

function reason({ outcome, why: { rule, message, nearest } }) {
  return make(
    'div',
    { class: 'outcome', 'data-state': { ok: 'success', fault: 'pending' }[outcome] ?? 'failure' },
    make('h3', { class: 'outcome-title' }, text.why),
    make('p', { class: 'outcome-text' }, sentence(message)),
    nearest ? make('p', {}, `${text.nearest}: `, make('strong', {}, nearest)) : null,
    make('p', { class: 'soft' }, `${text.rule}: `, make('code', {}, rule)),
  );
}

function exchange(title, { line, headers, body }) {
  const head = [line, ...headers.map(({ name, value }) => `${name}: ${value}`)].join('\n');
  const shown = code(body ? `${head}\n\n${pretty(body)}` : head);
  shown.setAttribute('aria-label', title);
  shown.setAttribute('role', 'region');
  return [make('h3', { class: 'small' }, title), shown];
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function details(request) {
  const { id, at, app_at: appAt, duration_ms: took, app, user, button, connection, fault, why, curl } = request;
  const appName = app && (apps.has(app) ? `${apps.get(app)} (${app})` : app);
  const hasStory = request.flow || connection;
  return [
    make('div', { class: 'details-head' },
      make('p', {}, make('a', { class: 'back', href: story ? `#story/${story}` : '#requests' }, `← ${story ? text.wholeStory : text.allRequests}`)),
      badge(request),
      make('h2', { id: 'details-title', tabindex: '-1' }, title(request)),
      what(request)),
    make('div', { class: 'tools' },
      make('button', { class: 'button small', type: 'button', onclick: (event) => copy(event.currentTarget, curl) }, text.copyCurl),
      hasStory && !story ? make('a', { class: 'button small', href: `#story/${id}/${id}` }, text.wholeStory) : null),
    why ? reason(request) : null,
    make('dl', { class: 'facts' },
      fact(text.at, `${at.replace('T', ' ').replace('Z', ' UTC')}`),
      appAt === at ? null : fact(text.appAt, appAt.replace('T', ' ').replace('Z', ' UTC')),
      fact(text.took, `${took} ms`),
      fact(text.app, appName), fact(text.user, user), fact(text.button, button), fact(text.connection, connection), fact(text.fault, fault),
      fact('ID', id)),
    ...exchange(text.request, request.request),
    ...(request.status ? exchange(text.response, request.response) : [make('p', { class: 'soft' }, text.dropped)]),
  ];
}

async function showDetails(id) {
  const place = byId('details');
  open = id;
  for (const one of document.querySelectorAll('.rows a[aria-current]')) one.removeAttribute('aria-current');
  for (const one of document.querySelectorAll(`.rows a[href$="/${CSS.escape(id ?? '')}"]`)) one.setAttribute('aria-current', 'true');
  document.body.classList.toggle('has-details', id !== null);
  byId('choose').hidden = id !== null;
  place.hidden = id === null;
  keepReachable();
  if (id === null) return;
  const found = await attempt(async () => {
    const request = await call('GET', `/requests/${encodeURIComponent(id)}`);
    if (open !== id) return;
    place.replaceChildren(...details(request).filter((part) => part !== null));
    byId('details-title').focus();
  });
  if (!found && open === id) place.replaceChildren(make('p', { id: 'details-title' }, text.gone));
}

// --- One sign-in ----------------------------------------------------------------------------------

function belongsToStory({ flow, connection }) {
  return (flow && showStory.flows?.has(flow)) || (connection && showStory.connections?.has(connection));
}

async function showStory(id) {
  const isNew = story !== id;
  story = id;
  rows.hidden = id !== null;
  filters.hidden = id !== null;
  byId('story').hidden = id === null;
  byId('story-head').hidden = id === null;
  document.querySelector('.list-tools').hidden = id !== null;
  showEmptiness();
  if (id === null) return;
  await attempt(async () => {
    const { requests: all } = await call('GET', `/requests/${encodeURIComponent(id)}/timeline`);
    if (story !== id) return;
    showStory.flows = new Set(all.map(({ flow }) => flow).filter(Boolean));
    showStory.connections = new Set(all.map(({ connection }) => connection).filter(Boolean));
    let before = null;
    const told = all.map((request) => {
      const at = Date.parse(request.at);
      const waited = before === null ? 0 : at - before;
      const later = waited < 1000 ? null : make('span', { class: 'later' }, fill(text.later, span(1000 * Math.round(waited / 1000))));
      before = at;
      return make('li', { 'data-outcome': request.outcome }, link(request, `#story/${id}/${request.id}`), later);
    });
    byId('story').replaceChildren(...told);
    keepReachable();
    if (isNew && open === null) byId('story-title').focus();
  });
}

// --- The page -------------------------------------------------------------------------------------

/** `#requests`, `#requests/ID`, `#story/ID` or `#story/ID/ID`. */
export async function show(view, [first = null, second = null]) {
  if (view === 'story') {
    const isSame = story === first;
    const details = showDetails(second);
    if (!isSame) await showStory(first);
    await details;
    return;
  }
  await showStory(null);
  await showDetails(first);
}

/** Back to the list, to where one was in it. Answers whether there was anything to close. */
export function close() {
  if (open === null && story === null) return false;
  const was = open;
  location.hash = open !== null && story !== null ? `#story/${story}` : '#requests';
  setTimeout(() => document.querySelector(`.rows:not([hidden]) a[href$="/${CSS.escape(was ?? '')}"]`)?.focus());
  return true;
}

export function start() {
  offerApps(byId('filter-app'), byId('filter-app').options[0].text);
  for (const list of [rows, byId('story')]) list.addEventListener('keydown', move);
  filters.addEventListener('submit', (event) => event.preventDefault());
  filters.addEventListener('change', (event) => event.target.id !== 'filter-text' && begin());
  byId('filter-text').addEventListener('input', () => {
    for (const row of rows.children) search(row, requests.get(row.dataset.id));
    showEmptiness();
    keepReachable();
  });
  byId('show-all').addEventListener('click', () => {
    filters.reset();
    begin();
    byId('filter-app').focus();
  });
  byId('pause').addEventListener('click', pause);
  byId('forget').addEventListener('click', () => attempt(() => call('DELETE', '/requests')));
  byId('save-har').addEventListener('click', () => attempt(save));
  connect();
}

function pause() {
  isPaused = !isPaused;
  byId('pause').textContent = isPaused ? text.resume : text.pause;
  byId('pause').setAttribute('aria-pressed', String(isPaused));
  const come = isPaused ? [] : heldBack;
  heldBack = [];
  come.forEach(receive);
  showState();
}

async function save() {
  const address = URL.createObjectURL(await file(`/requests.har?${chosen()}`));
  make('a', { href: address, download: 'leadgate.har' }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
