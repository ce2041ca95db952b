// The server's clock and each application's: what they show, and moving them.
import { apps, attempt, call, loadApps } from './inspector-api.js';
import { byId, complain, fill, milliseconds, moment, say, span, text } from './inspector-dom.js';

// Clocks that are shown; the control plane has them all.
const MAX_CLOCKS = 50;

const cards = new Map();
let server = null;
// How often a clock was moved here: what was read before that is no longer so.
let changes = 0;

function address(app) {
  return app ? `/clock?app=${encodeURIComponent(app)}` : '/clock';
}

/** What a clock shows by now: it was read a while ago. An application's stands where the server's does. */
function now({ reading, app }) {
  const stands = reading.frozen || (app && server?.frozen);
  return new Date(Date.parse(reading.now) + (stands ? 0 : performance.now() - reading.readAt));
}

function offset({ offset_ms: ahead }, app) {
  if (!ahead) return app ? text.asServer : text.asMachine;
  return fill(ahead > 0 ? text.ahead : text.behind, span(ahead));
}

function keep(app, reading) {
  reading.readAt = performance.now();
  if (!app) server = reading;
  const card = cards.get(app);
  if (!card) return;
  card.reading = reading;
  const { element } = card;
  element.querySelector('.clock-offset').textContent = offset(reading, app);
  const chip = element.querySelector('.chip');
  chip.textContent = text.stands;
  chip.hidden = !reading.frozen;
  element.querySelector('[data-freeze]').textContent = reading.frozen ? text.thaw : text.freeze;
  tick();
}

function tick() {
  for (const card of cards.values()) {
    if (!card.reading) continue;
    const time = card.element.querySelector('time');
    const shown = moment(now(card));
    if (time.textContent !== shown) time.textContent = shown;
    time.dateTime = now(card).toISOString();
  }
}

async function change(app, wanted) {
  await attempt(async () => {
    let reading;
    for (const one of wanted) reading = await call('POST', '/clock', app ? { ...one, app } : one);
    changes += 1;
    keep(app, reading);
    say(fill(text.clockIsNow, moment(new Date(reading.now))));
    // The applications' clocks go by the server's.
    if (!app) await readAll();
  });
}

function given(form, isSigned) {
  const field = form.elements.span;
  const found = milliseconds(field.value);
  if (found === null || (found < 0 && !isSigned)) {
    complain(text.badDuration);
    field.focus();
    return null;
  }
  return found;
}

function card(app, name) {
  const element = byId('clock-template').content.firstElementChild.cloneNode(true);
  element.querySelector('h3').textContent = name;
  for (const field of element.querySelectorAll('.field')) {
    const input = field.querySelector('input');
    input.id = `clock-${app || 'server'}-${field.closest('form').dataset.form}`;
    field.querySelector('label').htmlFor = input.id;
  }
  for (const button of element.querySelectorAll('button')) {
    if (button.type === 'button') button.setAttribute('aria-label', `${button.textContent}, ${name}`);
  }
  const on = (selector, type, act) => element.querySelector(selector).addEventListener(type, act);
  for (const button of element.querySelectorAll('[data-advance]')) {
    button.addEventListener('click', () => change(app, [{ advance: button.dataset.advance }]));
  }
  on('[data-next]', 'click', () => change(app, [{ advance_to: 'next_expiry' }]));
  on('[data-freeze]', 'click', () => change(app, [{ freeze: !cards.get(app).reading.frozen }]));
  on('[data-real]', 'click', () => change(app, [{ freeze: false }, { offset_ms: 0 }]));
  on('[data-form=advance]', 'submit', (event) => {
    event.preventDefault();
    if (given(event.target, false) !== null) change(app, [{ advance: event.target.elements.span.value.trim() }]);
  });
  on('[data-form=ahead]', 'submit', (event) => {
    event.preventDefault();
    const ahead = given(event.target, true);
    if (ahead !== null) change(app, [{ offset_ms: ahead }]);
  });
  return element;
}

async function readAll() {
  const ids = ['', ...[...apps.keys()].slice(0, MAX_CLOCKS)];
  const before = changes;
  const readings = await Promise.all(ids.map((app) => call('GET', address(app))));
  if (before !== changes) return readAll();
  ids.forEach((app, at) => keep(app, readings[at]));
  showNote(readings);
}

function showNote(readings) {
  const moved = readings.some(({ offset_ms: ahead, frozen }) => ahead !== 0 || frozen);
  const note = byId('clocks-note');
  note.hidden = !moved;
  note.textContent = moved ? text.clockMoved : '';
}

/** Whether a clock is not the machine's is told on every view. */
export async function watch() {
  showNote([await call('GET', '/clock')]);
}

export async function show() {
  await attempt(async () => {
    await loadApps();
    const list = byId('clock-list');
    const wanted = [['', text.server], ...[...apps].slice(0, MAX_CLOCKS)];
    for (const app of cards.keys()) if (app && !apps.has(app)) drop(app);
    for (const [app, name] of wanted) {
      if (cards.has(app)) continue;
      cards.set(app, { app, element: card(app, name), reading: null });
      list.append(cards.get(app).element);
    }
    await readAll();
  });
}

function drop(app) {
  cards.get(app).element.remove();
  cards.delete(app);
}

export function start() {
  setInterval(tick, 250);
}
