"""Debian's glewlwyd on SQLite, from its packages unpacked below ./glewlwyd: `python glewlwyd_server.py PORT`."""

import ctypes
import gzip
import http.cookiejar
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

port = int(sys.argv[1])
base = f"http://127.0.0.1:{port}"
root = Path("glewlwyd").resolve()
place = Path(os.environ["BENCH_DIRECTORY"])
database = place / "glewlwyd.db"
modules = root / "usr/lib/glewlwyd"

CONFIGURATION = f"""
port={port}
bind_address="127.0.0.1"
external_url="{base}"
api_prefix="api"
log_mode="file"
log_level="NONE"
log_file="/dev/null"
cookie_domain="127.0.0.1"
cookie_secure=0
session_expiration=3600
session_key="GLEWLWYD2_SESSION_ID"
admin_session_authentication="cookie"
profile_session_authentication="cookie"
login_api_enabled=true
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="{modules}/user"
user_middleware_module_path="{modules}/user_middleware"
client_module_path="{modules}/client"
user_auth_scheme_module_path="{modules}/scheme"
plugin_module_path="{modules}/plugin"
use_secure_connection=false
secure_connection_key_file=""
secure_connection_pem_file=""
secure_connection_ca_file=""
hash_algorithm="SHA512"
database = {{ type = "sqlite3"; path = "{database}"; }};
"""

PLUGIN = {
    "module": "oauth2-glewlwyd",
    "name": "oauth2",
    "display_name": "OAuth 2",
    "enabled": True,
    "parameters": {
        "jwt-type": "sha",
        "jwt-key-size": "256",
        "key": "a-key-of-this-bench",
        "access-token-duration": 3600,
        "refresh-token-duration": 1209600,
        "code-duration": 600,
        "refresh-token-rolling": True,
        "auth-type-code-enabled": False,
        "auth-type-implicit-enabled": False,
        "auth-type-password-enabled": False,
        "auth-type-client-enabled": True,
        "auth-type-refresh-enabled": True,
        "scope": [],
    },
}

CLIENT = {
    "client_id": "bench",
    "name": "Bench",
    "enabled": True,
    "confidential": True,
    "password": "a-secret-of-this-bench",
    "authorization_type": ["client_credentials"],
    "redirect_uri": [],
    "scope": ["read"],
}


def make_database():
    connection = sqlite3.connect(database)
    script = root / "usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz"
    connection.executescript(gzip.decompress(script.read_bytes()).decode())
    connection.execute("PRAGMA journal_mode = WAL")
    # Its slow hash of the client's secret would be measured and nothing else.
    parameters = "SELECT gcmi_parameters FROM g_client_module_instance WHERE gcmi_name = 'database'"
    changed = json.loads(connection.execute(parameters).fetchone()[0]) | {"pbkdf2-iterations": 1}
    connection.execute("UPDATE g_client_module_instance SET gcmi_parameters = ?", [json.dumps(changed)])
    connection.commit()
    connection.close()


def administer():
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def post(address, body):
        request = urllib.request.Request(base + address, json.dumps(body).encode(), {"Content-Type": "application/json"})
        opener.open(request).read()

    while True:
        try:
            post("/api/auth/", {"username": "admin", "password": "password"})
            break
        except OSError as why:
            if hasattr(why, "code"):
                raise
            time.sleep(0.1)
    post("/api/scope/", {"name": "read", "display_name": "Read", "password_required": True, "password_max_age": 0, "scheme": {}})
    post("/api/mod/plugin/", PLUGIN)
    post("/api/client/", CLIENT)


make_database()
configuration = place / "glewlwyd.conf"
configuration.write_text(CONFIGURATION)
environment = os.environ | {"LD_LIBRARY_PATH": str(root / "usr/lib/x86_64-linux-gnu")}



def end_with_parent():
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


command = [root / "usr/bin/glewlwyd", "--config-file", configuration]
server = subprocess.Popen(command, env=environment, preexec_fn=end_with_parent)
administer()
print("Request /api/oauth2/token bench:a-secret-of-this-bench grant_type=client_credentials&scope=read", flush=True)
print(f"Ready at {base}", flush=True)
server.wait()
