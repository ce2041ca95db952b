import { DEMONSTRATION, LEADEXEC } from 'leadgate';
import type { Page } from '@playwright/test';

const ORIGIN = 'http://localhost:3000';

/** A page as it is in production: it names LeadExec's host and no other. */
export async function open(page: Page, headers: Record<string, string> = {}, origin = ORIGIN): Promise<void> {
  const body = `<!doctype html><title>Partner</title>
<link rel="stylesheet" href="${LEADEXEC}/css/le-app-button.css">
<button class="le-app-button" data-btnId="${DEMONSTRATION.button}">Sign in with LeadExec</button>
<script nonce="n">var results = []; function AuthorizeResult(result) { results.push(result); }</script>
<script nonce="n" src="${LEADEXEC}/js/le-app-button.js"></script>`;
  await page.route(`${origin}/`, (route) => route.fulfill({ contentType: 'text/html', headers, body }));
  await page.goto(`${origin}/`);
}

export const results = (page: Page) => page.evaluate('results.length');
