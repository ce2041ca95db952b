// What a page with the button has. `import 'leadgate/page'` in a file of the page declares it; there is no code in it.
import type { AuthorizeResult } from './result.js';

export type * from './result.js';

declare global {
  interface Window {
    /** Yours: called once for each attempt, by a click or by itself for a user who returns. */
    AuthorizeResult?: (result: AuthorizeResult) => void;
  }

  interface DocumentEventMap {
    'leappbutton:ready': CustomEvent<{ buttonId: string }>;
    'leappbutton:idle': CustomEvent<{ buttonId: string; error: string | null }>;
    'leappbutton:redirect': CustomEvent<{ buttonId: string }>;
    'leappbutton:severed': CustomEvent<{ buttonId: string }>;
    'leappbutton:result': CustomEvent<AuthorizeResult>;
    /** `detail` is what `AuthorizeResult` threw. */
    'leappbutton:error': CustomEvent<unknown>;
  }
}
