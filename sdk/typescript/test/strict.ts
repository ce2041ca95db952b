import { DEMONSTRATION, LEADEXEC } from 'leadgate';
import { expect, openDialog, test } from 'leadgate/playwright';

import type { Page } from '@playwright/test';

import { open } from './partner.js';

/** A page whose policy lets in LeadExec alone, at a server that calls itself so. */
export function strictPage(): void {
  const outcomes = (page: Page) => page.evaluate('results.map(({ valid, auto }) => ({ valid, auto }))');

  test('the dialog has its address, and a strict policy of the page holds', async ({ page, world }) => {
    const policy = `default-src 'none'; script-src 'nonce-n' ${LEADEXEC}; connect-src ${LEADEXEC}; style-src ${LEADEXEC}`;
    await open(page, { 'content-security-policy': policy });
    const dialog = await openDialog(page);
    await dialog.continueAs(DEMONSTRATION.user);
    expect(new URL(dialog.page.url()).origin).toBe(LEADEXEC);
    await dialog.allow();
    await expect.poll(() => outcomes(page)).toEqual([{ valid: true, auto: false }]);
    const token = await page.evaluate<string>('results[0].refreshToken');
    expect((await world.refresh(token)).valid).toBe(true);
    // Who returns is signed in without a click.
    await page.reload();
    await expect.poll(() => outcomes(page)).toEqual([{ valid: true, auto: true }]);
  });
}
