import { defineConfig } from '@playwright/test';

import type { LeadgateWorkerOptions } from 'leadgate/playwright';

export default defineConfig<object, LeadgateWorkerOptions>({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  // Run by scripts/sdk, beside the packed package.
  testIgnore: '**/test/readme/**',
  outputDir: './test-results',
  fullyParallel: true,
  workers: 2,
  // A browser shares the machine with the server and with another browser: what failed runs once more, and is called flaky.
  retries: 1,
  reporter: 'list',
  timeout: 60_000,
  use: {
    launchOptions: { executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
  },
});
