"""oidc-provider-mock as its own command runs it, with nothing logged: `python oidc_provider_mock_server.py PORT`.

It keeps everything in memory and has no client credentials grant; its refresh tokens stay the same.
"""

import json
import logging
import os
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode

import uvicorn
from oidc_provider_mock import app

port = int(sys.argv[1])
base = f"http://127.0.0.1:{port}"
redirect_uri = "http://127.0.0.1/callback"


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def form(address, fields, headers=None):
    body = urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(base + address, body, headers or {})
    try:
        return urllib.request.build_opener(Stay).open(request)
    except urllib.error.HTTPError as answer:
        return answer


def sign_in():
    """One user's way to a refresh token."""
    while True:
        try:
            urllib.request.urlopen(base + "/.well-known/openid-configuration").read()
            break
        except OSError:
            time.sleep(0.05)
    body = json.dumps({"redirect_uris": [redirect_uri], "token_endpoint_auth_method": "client_secret_basic"})
    request = urllib.request.Request(base + "/oauth2/clients", body.encode(), {"Content-Type": "application/json"})
    client = json.load(urllib.request.urlopen(request))
    asked = {"client_id": client["client_id"], "redirect_uri": redirect_uri, "response_type": "code", "scope": "openid"}
    answer = form("/oauth2/authorize?" + urllib.parse.urlencode(asked), {"sub": "ada"})
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["Location"]).query)["code"][0]
    credentials = f"{client['client_id']}:{client['client_secret']}"
    basic = {"Authorization": "Basic " + b64encode(credentials.encode()).decode()}
    redeemed = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    token = json.load(form("/oauth2/token", redeemed, basic))["refresh_token"]
    print(f"Request /oauth2/token {credentials} grant_type=refresh_token&refresh_token={token}", flush=True)
    print(f"Ready at {base}", flush=True)


os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
logging.disable(logging.CRITICAL)
threading.Thread(target=sign_in, daemon=True).start()
uvicorn.run(app(require_client_registration=True), interface="wsgi", host="127.0.0.1", port=port, log_config=None)
