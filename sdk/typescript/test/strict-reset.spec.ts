import { LEADEXEC } from 'leadgate';
import { test } from 'leadgate/playwright';

import { strictPage } from './strict.js';

test.use({ leadgateOptions: { issuer: LEADEXEC }, isolation: 'reset' });
strictPage();
