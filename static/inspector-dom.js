// What the inspector's parts share: their texts, and putting things on the page. Whatever came with a request is put
// there as text, never as markup.
const { base, outcomes, text } = JSON.parse(document.getElementById('inspector-config').textContent);

export { base, outcomes, text };

export const byId = (id) => document.getElementById(id);

/** A new element; children are elements or text, and what is null is left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** A text with its gap filled. */
export function fill(pattern, value) {
  return pattern.replace('{}', () => value);
}

/** Tells somebody who listens; who looks sees it anyway. */
export function say(sentence) {
  byId('said').textContent = sentence;
}

/** Shows what went wrong until something goes right; `link` is an address with its name. */
export function complain(sentence, link) {
  const place = byId('problem');
  place.replaceChildren(sentence, ...(link ? [' ', make('a', { href: link.href }, link.name)] : []));
  place.hidden = false;
  place.scrollIntoView({ block: 'nearest' });
}

export function settle() {
  byId('problem').hidden = true;
}

/** Asks before something is lost. */
export function ask(question, yes) {
  const dialog = byId('ask');
  byId('ask-text').textContent = question;
  byId('ask-yes').textContent = yes;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** A moment as people here read it: the time of day by UTC, as the journal and the tokens have it. */
export function timeOfDay(rfc3339) {
  return rfc3339.slice(11, 23);
}

export function moment(date) {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1_000], ['ms', 1]];

/** Milliseconds as a span of time that the server reads, too. */
export function span(milliseconds) {
  let left = Math.abs(Math.round(milliseconds));
  const parts = [];
  for (const [unit, size] of UNITS) {
    if (left >= size) {
      parts.push(Math.floor(left / size) + unit);
      left %= size;
    }
  }
  return parts.slice(0, 3).join(' ') || '0s';
}

/** The other way; null for what is no span. */
export function milliseconds(given) {
  const signed = /^(-?)((?:\d+(?:ms|s|m|h|d))+)$/.exec(given.trim());
  if (!signed) return null;
  const parts = signed[2].matchAll(/(\d+)(ms|s|m|h|d)/g);
  const total = [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * new Map(UNITS).get(unit), 0);
  return signed[1] ? -total : total;
}

/** Copies, and says so on the button. */
export async function copy(button, content) {
  let word = text.copied;
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(content);
    else copyBySelection(content);
  } catch {
    word = text.copyFailed;
  }
  button.dataset.label ??= button.textContent;
  button.textContent = word;
  say(word);
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    button.textContent = button.dataset.label;
  }, 1600);
}

// Off https and localhost there is no clipboard object; a selection can still be copied.
function copyBySelection(content) {
  const area = make('textarea', { class: 'sr' });
  area.value = content;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) throw new Error('not copied');
}

/** Headers and JSON with their names set off. */
export function code(content) {
  const place = make('code');
  content.split('\n').forEach((line, index) => {
    const named = /^(\s*"(?:[^"\\]|\\.)*"(?=:)|[a-z][a-z0-9-]*(?=: ))(.*)$/.exec(line);
    if (index) place.append('\n');
    if (named) place.append(make('span', { class: 'k' }, named[1]), named[2]);
    else place.append(line);
  });
  return make('pre', { class: 'code', tabindex: '0' }, place);
}
