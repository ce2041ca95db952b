"""What the Python clients share: their world, the user's browser, and the report."""

import json
import os
import subprocess
import sys
import traceback

ISSUER = os.environ["ISSUER"]
EMAIL = os.environ["USER_EMAIL"]
PASSWORD = os.environ["USER_PASSWORD"]

WEB, SECRET = "web-app", "web-app-secret"
NATIVE = "native-app"
REDIRECT_URI = "http://127.0.0.1:9100/callback"
SIGNED_OUT = "http://127.0.0.1:9100/signed-out"
API = f"{ISSUER}/v1/me"


def browse(url, *options):
    """Sends the user to an address, and tells where that led."""
    browser = subprocess.run([os.environ["BROWSER"], *options, url], capture_output=True, text=True)
    if browser.returncode != 0:
        raise AssertionError(f"browser: {browser.stderr.strip()}")
    return json.loads(browser.stdout)["url"]


def refused(error, call, *arguments, **options):
    """Fails unless the call raises the library's own error. Returns that."""
    try:
        call(*arguments, **options)
    except error as raised:
        return raised
    raise AssertionError(f"no {error.__name__}")


def run(*flows, missing):
    """Runs the flows in order; each is a function that bears the flow's name."""
    for flow in flows:
        try:
            flow()
        except Exception as error:  # the next flow may well work
            traceback.print_exc(file=sys.stderr)
            print(json.dumps({"flow": flow.__name__, "failed": f"{type(error).__name__}: {error}"}), flush=True)
        else:
            print(json.dumps({"flow": flow.__name__}), flush=True)
    for name, reason in missing.items():
        print(json.dumps({"flow": name, "missing": reason}))
