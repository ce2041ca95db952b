"""HTTP clients of other projects against Leadgate's receivers, and Leadgate's test leads against a server of another
project's. Takes the program as its argument; exits with 1 where anything is not as it should be."""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import requests
from flask import Flask
from flask_httpauth import HTTPDigestAuth as DigestServer
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

TOKEN = "delivery-clients-sandbox-token"
LOGIN = ("crm", "correct: hörse")
LEAD = {"FirstName": "Zoë", "Email": "zoe@lead.test"}
WAIT_SECONDS = 30


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def leadgate(program):
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="leadgate-deliveries-") as directory:
        arguments = ["serve", "--listen", f"127.0.0.1:{port}", "--database-url", "sqlite::memory:"]
        log = open(f"{directory}/log", "w")
        process = subprocess.Popen(
            [program, *arguments, "--sandbox-token", TOKEN], cwd=directory, stdout=log, stderr=log
        )
        try:
            issuer = f"http://127.0.0.1:{port}"
            end = time.monotonic() + WAIT_SECONDS
            while not is_ready(issuer):
                assert process.poll() is None and time.monotonic() < end, open(f"{directory}/log").read()
                time.sleep(0.05)
            yield issuer
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)


def is_ready(issuer):
    try:
        return urllib.request.urlopen(f"{issuer}/readyz", timeout=2).status == 200
    except (urllib.error.URLError, OSError):
        return False


class Deliveries:
    def __init__(self, issuer):
        self.address = f"{issuer}/api/deliveries"
        self.issuer = issuer

    def call(self, path, body):
        answer = requests.post(f"{self.address}{path}", json=body, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.ok, answer.text
        return answer.json()

    def make(self, **settings):
        made = self.call("", {"name": "Leads", **settings})
        return made["id"], f"{self.issuer}/deliveries/{made['id']}/receive"

    def test(self, delivery, url):
        return self.call(f"/{delivery}/test", {"url": url, "lead": LEAD})


def curl(url, *options):
    command = ["curl", "--silent", "--show-error", "--json", json.dumps(LEAD), "--write-out", "\n%{http_code}", *options, url]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(answer.rsplit("\n", 1)[1])


def receivers(deliveries):
    """Each client gets in with the right credentials, and not with wrong ones."""
    wrong = (LOGIN[0], "wrong")
    _, basic = deliveries.make(method="basic", username=LOGIN[0], password=LOGIN[1])
    # requests encodes texts as Latin-1 unless it is given bytes.
    encoded = tuple(part.encode() for part in LOGIN)
    yield "requests: Basic", requests.post(basic, json=LEAD, auth=HTTPBasicAuth(*encoded)).status_code == 200
    yield "requests: Basic, wrong", requests.post(basic, json=LEAD, auth=HTTPBasicAuth(*wrong)).status_code == 401
    yield "httpx: Basic", httpx.post(basic, json=LEAD, auth=httpx.BasicAuth(*LOGIN)).status_code == 200
    yield "httpx: Basic, wrong", httpx.post(basic, json=LEAD, auth=httpx.BasicAuth(*wrong)).status_code == 401
    yield "curl: Basic", curl(basic, "--basic", "--user", ":".join(LOGIN)) == 200
    yield "curl: Basic, wrong", curl(basic, "--basic", "--user", ":".join(wrong)) == 401
    for algorithms in (["SHA-256"], ["MD5"], ["SHA-256", "MD5"]):
        name = " and ".join(algorithms)
        _, digest = deliveries.make(method="digest", username=LOGIN[0], password=LOGIN[1], algorithms=algorithms)
        right, other = HTTPDigestAuth(*LOGIN), HTTPDigestAuth(*wrong)
        # The second use of a nonce has a count of two.
        statuses = [requests.post(digest, json=LEAD, auth=right).status_code for _ in range(2)]
        yield f"requests: Digest, {name}", statuses == [200, 200]
        yield f"requests: Digest, {name}, wrong", requests.post(digest, json=LEAD, auth=other).status_code == 401
        with httpx.Client(auth=httpx.DigestAuth(*LOGIN)) as client:
            statuses = [client.post(digest, json=LEAD).status_code for _ in range(2)]
        yield f"httpx: Digest, {name}", statuses == [200, 200]
        yield f"httpx: Digest, {name}, wrong", httpx.post(digest, json=LEAD, auth=httpx.DigestAuth(*wrong)).status_code == 401
        yield f"curl: Digest, {name}", curl(digest, "--digest", "--user", ":".join(LOGIN)) == 200
        yield f"curl: Digest, {name}, wrong", curl(digest, "--digest", "--user", ":".join(wrong)) == 401
    _, bearer = deliveries.make(method="bearer", prefix="Token", token="t0ken")
    yield "requests: prefix", requests.post(bearer, json=LEAD, headers={"Authorization": "Token t0ken"}).status_code == 200
    yield "curl: another prefix", curl(bearer, "--header", "Authorization: Bearer t0ken") == 401
    _, plain = deliveries.make(method="bearer", token="t0ken")
    yield "curl: --oauth2-bearer", curl(plain, "--oauth2-bearer", "t0ken") == 200


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def digest_server():
    """Flask-HTTPAuth, which knows MD5; leads that it took are in the list."""
    app, taken = Flask(__name__), []
    app.config["SECRET_KEY"] = "of this run alone"
    auth = DigestServer(realm="leads", qop="auth")
    # Without cookies, which a delivery does not keep.
    auth.generate_nonce(lambda: "nonce-of-this-run")
    auth.verify_nonce(lambda nonce: nonce == "nonce-of-this-run")
    auth.generate_opaque(lambda: "opaque-of-this-run")
    auth.verify_opaque(lambda opaque: opaque == "opaque-of-this-run")
    auth.get_password(lambda name: LOGIN[1] if name == LOGIN[0] else None)

    @app.post("/leads")
    @auth.login_required
    def leads():
        from flask import request

        taken.append(request.get_json())
        return {"taken": True}

    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/leads?from=here", taken
    finally:
        server.shutdown()


def senders(deliveries):
    """A test lead gets into a server of another project's."""
    with digest_server() as (url, taken):
        right, _ = deliveries.make(method="digest", username=LOGIN[0], password=LOGIN[1], algorithms=["SHA-256", "MD5"])
        tested = deliveries.test(right, url)
        yield "Flask-HTTPAuth: Digest", tested["status"] == 200 and tested["exchange"]["why"] is None and taken == [LEAD]
        wrong, _ = deliveries.make(method="digest", username=LOGIN[0], password="wrong", algorithms=["MD5"])
        yield "Flask-HTTPAuth: Digest, wrong", deliveries.test(wrong, url)["status"] == 401
        strict, _ = deliveries.make(method="digest", username=LOGIN[0], password=LOGIN[1], algorithms=["SHA-256"])
        tested = deliveries.test(strict, url)
        yield "Flask-HTTPAuth: MD5 where it is not configured", "SHA-256" in tested["exchange"]["why"] and len(taken) == 1


def main():
    failures = 0
    with leadgate(sys.argv[1]) as issuer:
        for check in (receivers, senders):
            for name, is_good in check(Deliveries(issuer)):
                failures += not is_good
                print(f"{'ok' if is_good else 'FAILED':8}{name}", flush=True)
    sys.exit(1 if failures else 0)


main()
