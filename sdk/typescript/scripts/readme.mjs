// The README's own code becomes tests: what people copy has been run.
import { mkdir, readFile, writeFile } from 'node:fs/promises';

const here = (path) => new URL(`../${path}`, import.meta.url);
const text = await readFile(here('README.md'), 'utf8');
const [browser, page] = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
const [client] = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
await mkdir(here('test/readme'), { recursive: true });
await writeFile(here('test/readme/browser.spec.ts'), browser);
await writeFile(here('test/readme/page.ts'), page);
await writeFile(here('test/readme/client.test.mjs'), client);
