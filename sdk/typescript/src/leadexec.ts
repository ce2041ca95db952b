import type { APIResponse, BrowserContext, Route } from '@playwright/test';

/** Where pages for the real thing have the button from. */
export const LEADEXEC = 'https://apps.leadexec.net';

const SCRIPT = '/js/le-app-button.js';

/** In the script's place: the same script, from where it goes by its own address. */
const loader = (issuer: string) => `(function () {
  var own = document.currentScript, script = document.createElement('script');
  script.src = ${JSON.stringify(issuer + SCRIPT)};
  if (own && own.nonce) script.nonce = own.nonce;
  if (own) own.parentNode.replaceChild(script, own);
  else document.head.appendChild(script);
})();`;

export interface LeadExecRoutes {
  /** What the pages name: `https://apps.leadexec.net`, where it is left out. */
  host?: string;
  /** Where Leadgate is reached, if that is not its issuer. */
  address?: string;
}

/**
 * Sends what pages ask of LeadExec to Leadgate: pages that name `https://apps.leadexec.net` work as they are, and nothing
 * of them reaches LeadExec. The dialog opens at the issuer's own address; where the server was started with the host as
 * its issuer, pages see no other address at all.
 */
export async function routeLeadExec(context: BrowserContext, issuer: string, options: LeadExecRoutes = {}): Promise<void> {
  const { host = LEADEXEC, address = issuer } = options;
  const { origin, pathname } = new URL(issuer);
  const below = origin === host ? `${pathname.replace(/\/$/, '')}/` : null;
  await context.route(`${host}/**`, async (route) => {
    const asked = new URL(route.request().url());
    if (asked.pathname === SCRIPT && issuer !== host) {
      await route.fulfill({ contentType: 'text/javascript; charset=utf-8', body: loader(issuer) });
      return;
    }
    // An address of the issuer's own, which has its path already.
    const base = below && asked.pathname.startsWith(below) ? new URL(address).origin : address;
    await forward(route, base + asked.pathname + asked.search);
  });
  if (origin === host) return;
  // Browsers keep pages that Playwright answers for off the local network; only the dialog's own pages go there by themselves.
  await context.route(`${issuer}/**`, async (route) => {
    if (route.request().isNavigationRequest()) return route.fallback();
    const asked = new URL(route.request().url());
    await forward(route, new URL(address).origin + asked.pathname + asked.search);
  });
}

async function forward(route: Route, url: string): Promise<void> {
  try {
    const response = await route.fetch({ url, maxRedirects: 0 });
    const location = response.headers().location;
    if (location && route.request().isNavigationRequest()) await lead(route, response, location);
    else await route.fulfill({ response });
  } catch (error) {
    // A page that is left while it waits takes its route along.
    if (!/closed|disposed/i.test(String(error))) await route.abort('failed').catch(() => {});
  }
}

/** Playwright routes no request that a redirect makes: the page itself goes on, with the cookies of the answer. */
async function lead(route: Route, response: APIResponse, location: string): Promise<void> {
  const cookies = response.headersArray().filter(({ name }) => name.toLowerCase() === 'set-cookie');
  const target = location.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
  await route.fulfill({
    contentType: 'text/html; charset=utf-8',
    headers: cookies.length ? { 'set-cookie': cookies.map(({ value }) => value).join('\n') } : {},
    body: `<!doctype html><meta http-equiv="refresh" content="0;url=${target}">`,
  });
}
