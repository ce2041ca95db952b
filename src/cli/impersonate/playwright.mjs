// Routes apps.leadexec.net to a Leadgate of your own, for tests with Playwright in Chromium: your pages stay as they are, and
// the machine needs neither a line in its hosts file nor another certificate authority. The server is started by
//
//   leadgate serve --issuer https://apps.leadexec.net --mode sandbox
//
// and the test begins with
//
//   import { routeLeadExec } from './leadexec.mjs';    // leadgate impersonate --playwright > leadexec.mjs
//   await routeLeadExec(context);                      // or with another address than http://localhost:8080
//
// Nothing is ever passed on to the real host: what Leadgate does not answer fails.

const HOST = 'apps.leadexec.net';
const OURS = /^https?:\/\/apps\.leadexec\.net\//;
const SCRIPT = '/js/le-app-button.js';
/** Of the connection, and not of the request or the answer. */
const DROPPED = ['host', 'connection', 'content-length', 'content-encoding', 'transfer-encoding', 'accept-encoding', 'keep-alive'];

const kept = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.includes(name)));

/** The cookies that a browser would send along. */
async function cookies(context, request, url) {
  const { origin, referer } = request.headers();
  const isOwn = [origin, referer].some((from) => from && URL.canParse(from) && new URL(from).hostname === HOST);
  const isOpened = request.isNavigationRequest();
  const top = isOpened ? undefined : new URL(request.frame().page().url()).hostname;
  const found = await context.cookies(`https://${HOST}${url.pathname}`);
  const sent = found.filter(({ sameSite, partitionKey }) => {
    if (partitionKey && (isOpened || !`.${top}`.endsWith(`.${new URL(partitionKey).hostname}`))) return false;
    return isOpened || isOwn || sameSite === 'None';
  });
  return sent.map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** A redirect would leave the route: the browser is led on by a page. */
const onwards = (there) => `<!doctype html><meta charset="utf-8"><script>location.replace(${JSON.stringify(there).replaceAll('<', '\\u003c')})</script>`;

/** The published snippet fetches the script over http where the page is on http; it has to come from where the server is. */
const loader = `(function (doc) {
  var script = doc.createElement('script');
  script.src = 'https://${HOST}${SCRIPT}';
  doc.head.appendChild(script);
})(document);`;

async function answer(route, context, target) {
  const request = route.request();
  const url = new URL(request.url());
  if (url.protocol === 'http:' && url.pathname === SCRIPT) {
    return route.fulfill({ status: 200, contentType: 'text/javascript', body: loader });
  }
  const headers = kept(request.headers());
  const cookie = await cookies(context, request, url);
  if (cookie) headers.cookie = cookie;
  const body = request.postDataBuffer() ?? undefined;
  const answered = await fetch(target + url.pathname + url.search, { method: request.method(), headers, body, redirect: 'manual' });
  const answers = kept(Object.fromEntries(answered.headers));
  // It would outlive the test in a profile that is kept.
  delete answers['strict-transport-security'];
  if (answered.headers.getSetCookie().length > 0) answers['set-cookie'] = answered.headers.getSetCookie().join('\n');
  if (answered.status >= 300 && answered.status < 400 && answers.location && request.isNavigationRequest()) {
    const there = new URL(answers.location, url).href;
    for (const name of ['location', 'content-security-policy']) delete answers[name];
    return route.fulfill({ status: 200, headers: { ...answers, 'content-type': 'text/html; charset=utf-8' }, body: onwards(there) });
  }
  return route.fulfill({ status: answered.status, headers: answers, body: Buffer.from(await answered.arrayBuffer()) });
}

/** `context` is Playwright's browser context, so that pop-ups are routed, too. */
export async function routeLeadExec(context, target = 'http://localhost:8080') {
  const server = target.replace(/\/+$/, '');
  await context.route(OURS, async (route) => {
    try {
      await answer(route, context, server);
    } catch (error) {
      console.warn(`${route.request().method()} ${HOST}: ${error.cause?.message ?? error.message}. Does Leadgate run at ${server}?`);
      await route.abort('connectionrefused').catch(() => {});
    }
  });
}
