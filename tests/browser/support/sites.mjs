// The partners' web server: one port, many hosts. Names under .localhost are sites of their own to a browser.
import { createServer } from 'node:http';

export async function startSites() {
  const pages = new Map();
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://any').pathname;
    const page = pages.get(path);
    const headers = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', ...page?.headers };
    response.writeHead(page ? 200 : 404, headers);
    response.end(request.method === 'HEAD' ? undefined : page?.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    origin: (host) => `http://${host}:${port}`,
    /** Puts a page at a path of every host. */
    serve(path, body, headers = {}) {
      pages.set(path, { body, headers });
      return path;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
