// The partners' web server: one port, many hosts. Names under .localhost are sites of their own to a browser.
import { createServer } from 'node:http';

async function bodyOf(request) {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  return body;
}

export async function startSites() {
  const pages = new Map();
  const received = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    received.push({ method: request.method, url, headers: request.headers, body: await bodyOf(request) });
    const page = pages.get(url.pathname);
    const headers = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', ...page?.headers };
    response.writeHead(page?.status ?? 404, headers);
    response.end(request.method === 'HEAD' ? undefined : page?.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    origin: (host) => `http://${host}:${port}`,
    /** Puts a page at a path of every host. */
    serve(path, body, headers = {}) {
      pages.set(path, { status: 200, body, headers });
      return path;
    },
    /** Sends on whoever comes to a path. */
    redirect(path, to) {
      pages.set(path, { status: 303, body: '', headers: { Location: to } });
      return path;
    },
    /** The requests for a path so far, oldest first. */
    received: (path) => received.filter(({ url }) => url.pathname === path),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
