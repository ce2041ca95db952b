import { test as base, type Page, type TestInfo } from '@playwright/test';

import { LeadgateError } from './client.js';
import { LEADEXEC, routeLeadExec } from './leadexec.js';
import type { AuthorizeResult } from './result.js';
import { startLeadgate, type Leadgate, type StartOptions } from './server.js';
import type { World } from './world.js';

export { expect } from '@playwright/test';
export { LEADEXEC, routeLeadExec, type LeadExecRoutes } from './leadexec.js';

/** How to find the button on a page. */
export interface Click {
  /** A selector; `[data-btnid]`, where it is left out. */
  button?: string;
}

/** The dialog in its pop-up, or in the page itself after a redirect. */
export class Dialog {
  constructor(readonly page: Page) {}

  /** Signs a user in by the one click that a sandbox offers, whoever was signed in before. Does not decide. */
  async continueAs(user: string): Promise<void> {
    const people = this.page.locator('button[name="continue_as"]');
    const person = this.page.locator(`button[name="continue_as"][value=${JSON.stringify(user)}]`);
    const other = this.page.locator('form[action$="/switch"] button');
    await people.or(other).first().waitFor();
    if (!(await person.isVisible()) && (await other.isVisible())) {
      await other.click();
      await people.first().waitFor();
    }
    if (!(await person.isVisible())) {
      const known = await people.evaluateAll((buttons) => buttons.map((button) => (button as HTMLButtonElement).value));
      throw new Error(`the dialog does not offer ${user}; it offers: ${known.join(', ')}`);
    }
    await person.click();
    await this.#decision('allow').waitFor();
  }

  /** Moves the pointer first, as people do: the button waits for that. */
  async allow(): Promise<void> {
    const button = this.#decision('allow');
    // The page's script, once it is there, drops a click that came too early: no click before it says that it takes one.
    await button.and(this.page.locator('[aria-disabled]')).waitFor();
    await this.page.mouse.move(40, 40);
    await this.page.mouse.move(60, 80);
    await button.and(this.page.locator('[aria-disabled="false"]')).waitFor();
    await this.#press('allow');
  }

  async deny(): Promise<void> {
    await this.#press('deny');
  }

  #decision(value: 'allow' | 'deny') {
    return this.page.locator(`button[name="decision"][value="${value}"]`);
  }

  // The window may be gone before the click is reported as done.
  async #press(value: 'allow' | 'deny'): Promise<void> {
    await this.#decision(value).click().catch((error: unknown) => {
      if (!this.page.isClosed()) throw error;
    });
  }
}

/** Clicks the button and returns the pop-up. */
export async function openDialog(page: Page, { button = '[data-btnid]' }: Click = {}): Promise<Dialog> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.locator(button).first().click()]);
  await popup.waitForLoadState();
  return new Dialog(popup);
}

async function outcome(page: Page, user: string, click: Click, decide: (dialog: Dialog) => Promise<void>): Promise<AuthorizeResult> {
  const result = page.evaluate(
    () =>
      new Promise<AuthorizeResult>((resolve) => {
        document.addEventListener('leappbutton:result', (event) => {
          const { detail } = event as CustomEvent<AuthorizeResult>;
          // An automatic sign-in may come between.
          if (!detail.auto) resolve(detail);
        });
      }),
  );
  let opened: Dialog | undefined;
  const decided = openDialog(page, click).then(async (dialog) => {
    opened = dialog;
    try {
      await dialog.continueAs(user);
      await decide(dialog);
    } catch (error) {
      // It closes by itself for a user who has allowed this before, and the page is told of all else.
      if (!dialog.page.isClosed()) throw error;
    }
  });
  // A dialog that shows an error is never decided on, and stays open; the page has its result all the same.
  const told = await Promise.race([result, decided.then(() => result)]);
  if (!told.valid) await opened?.page.close();
  return told;
}

/** Clicks the button, signs `user` in and allows; returns what the page's `AuthorizeResult` gets. */
export function signIn(page: Page, user: string, click: Click = {}): Promise<AuthorizeResult> {
  return outcome(page, user, click, (dialog) => dialog.allow());
}

/** The same, for a user who presses Cancel. */
export function deny(page: Page, user: string, click: Click = {}): Promise<AuthorizeResult> {
  return outcome(page, user, click, (dialog) => dialog.deny());
}

export interface LeadgateWorkerOptions {
  /** How each worker's server is started, or which one it takes. */
  leadgateOptions: StartOptions;
  /**
   * How tests are kept apart. `namespace`: each has a world of its own. `reset`: the server's world is reset before each;
   * for a page whose back end calls the server at one address, with one worker for each server.
   */
  isolation: 'namespace' | 'reset';
}

export interface LeadgateOptions {
  /** Hosts that pages have the button from; what is asked of them goes to the test's world. */
  leadExecHosts: string[];
}

interface WorkerFixtures extends LeadgateWorkerOptions {
  /** A server, one for each worker. */
  leadgate: Leadgate;
}

interface Fixtures extends LeadgateOptions {
  /** The test's own world, to which the hosts of `leadExecHosts` lead. */
  world: World;
}

/** Another seed may have no button of the demonstration. */
function unlessMissing(error: unknown): void {
  if (!(error instanceof LeadgateError && error.status === 404)) throw error;
}

async function attach(world: World, leadgate: Leadgate, info: TestInfo): Promise<void> {
  await info.attach('leadgate.har', { body: await world.har(), contentType: 'application/json' });
  if (leadgate.log()) await info.attach('leadgate.log', { body: leadgate.log(), contentType: 'text/plain' });
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  leadgateOptions: [{}, { option: true, scope: 'worker' }],
  isolation: ['namespace', { option: true, scope: 'worker' }],
  leadExecHosts: [[LEADEXEC], { option: true }],

  leadgate: [
    async ({ leadgateOptions }, use) => {
      const leadgate = await startLeadgate(leadgateOptions);
      await use(leadgate);
      await leadgate.stop();
    },
    { scope: 'worker' },
  ],

  world: async ({ leadgate, isolation, leadExecHosts, context, baseURL }, use, info) => {
    const namespace = isolation === 'namespace' ? await leadgate.namespace('1h') : null;
    const world = namespace ?? leadgate;
    if (!namespace) await leadgate.reset();
    for (const host of leadExecHosts) await routeLeadExec(context, world.issuer, { host, address: world.address });
    if (baseURL) await world.allowOrigin(new URL(baseURL).origin).catch(unlessMissing);
    await use(world);
    if (info.status !== info.expectedStatus) await attach(world, leadgate, info);
    await namespace?.end();
  },
});
