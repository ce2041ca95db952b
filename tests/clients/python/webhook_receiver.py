"""A partner's receiver of webhooks, with the library of the specification's authors. It prints its port, then a line of
JSON for each message: what the library made of it. The first one is refused, so that it comes again."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook

secret = Webhook(os.environ["WEBHOOK_SECRET"])
received = 0


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        global received
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        line = {"id": headers.get("webhook-id")}
        try:
            line["payload"] = secret.verify(body, headers)
        except Exception as error:
            line["refused"] = f"{type(error).__name__}: {error}"
        try:
            secret.verify(body + " ", headers)
            line["altered"] = "accepted"
        except Exception:
            line["altered"] = "refused"
        received += 1
        self.send_response(400 if "refused" in line or received == 1 else 204)
        self.end_headers()
        print(json.dumps(line, default=str), flush=True)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
