// The inspector: its views and which of them is shown. It is a client of the control plane at the address that the page
// came from, and keeps nothing.
import { loadApps } from './inspector-api.js';
import * as clocks from './inspector-clocks.js';
import { byId, settle } from './inspector-dom.js';
import * as faults from './inspector-faults.js';
import * as requests from './inspector-requests.js';
import * as world from './inspector-world.js';

const WATCH_MS = 5000;

// The link in the server's start message has the token behind its `#`: who is signed in already does not need it.
if (location.hash.startsWith('#token=')) history.replaceState(null, '', location.pathname + location.search);

const views = { requests, story: requests, clocks, faults, world };

function place() {
  const [view, ...rest] = location.hash.slice(1).split('/');
  return view in views ? [view, rest.map(decodeURIComponent)] : ['requests', []];
}

async function show(isFirst) {
  settle();
  const [view, rest] = place();
  const section = view === 'story' ? 'requests' : view;
  for (const name of ['requests', 'clocks', 'faults', 'world']) byId(name).hidden = name !== section;
  for (const tab of document.querySelectorAll('.tabs a')) {
    if (tab.dataset.view === section) tab.setAttribute('aria-current', 'page');
    else tab.removeAttribute('aria-current');
  }
  if (section !== 'requests') document.body.classList.remove('has-details');
  if (!isFirst && rest.length === 0) byId(`${section}-title`).focus();
  await views[view].show(view, rest);
}

// A clock that was moved and a fault that is in force are the first things to look at when something is odd.
async function watch() {
  if (document.hidden) return;
  await Promise.allSettled([clocks.watch(), faults.watch()]);
}

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || byId('ask').open || byId('requests').hidden) return;
  if (requests.close()) event.preventDefault();
});
document.addEventListener('inspector:changed', watch);
window.addEventListener('hashchange', () => show(false));

await loadApps().catch(() => {});
for (const part of [requests, clocks, faults, world]) part.start();
show(true);
watch();
setInterval(watch, WATCH_MS);
