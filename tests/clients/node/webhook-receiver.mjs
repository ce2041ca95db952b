// A partner's receiver of webhooks, with the library of the specification's authors. It prints its port, then a line of
// JSON for each message: what the library made of it. The first one is refused, so that it comes again.
import http from 'node:http';
import { Webhook } from 'standardwebhooks';

const secret = new Webhook(process.env.WEBHOOK_SECRET);
let received = 0;

const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const line = { id: request.headers['webhook-id'] };
  try {
    line.payload = secret.verify(body, request.headers);
  } catch (error) {
    line.refused = String(error);
  }
  try {
    secret.verify(`${body} `, request.headers);
    line.altered = 'accepted';
  } catch {
    line.altered = 'refused';
  }
  received += 1;
  response.writeHead(line.refused || received === 1 ? 400 : 204).end();
  console.log(JSON.stringify(line));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
