// Writes src/operations.ts: which method and address an operation of the OpenAPI document has.
import { readFile, writeFile } from 'node:fs/promises';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];
const document = JSON.parse(await readFile(new URL('../../openapi.json', import.meta.url), 'utf8'));
const lines = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => `  ${item[method].operationId}: ['${method.toUpperCase()}', '${path}'],`),
);
const text = `// Generated from sdk/openapi.json by \`npm run generate\`.
export const OPERATIONS = {
${lines.sort().join('\n')}
} as const;
`;
await writeFile(new URL('../src/operations.ts', import.meta.url), text);
