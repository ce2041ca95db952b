"""A real server with a seed of its own, on a free port of 127.0.0.1, for the clients of other projects."""

import base64
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

CLIENTS = Path(__file__).resolve().parent
ROOT = CLIENTS.parent.parent
TARGET = (ROOT / os.environ.get("CARGO_TARGET_DIR", "target")).resolve()
SANDBOX_TOKEN = "client-matrix-sandbox-token"
START_SECONDS = 30


def run_step(what, command, **options):
    print(f"-- {what}", flush=True)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        sys.exit(f"clients: {what} failed (exit code {done.returncode})")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def database(postgres, directory):
    """The URL of an empty database."""
    if postgres is None:
        yield f"sqlite://{directory}/leadgate.db"
        return
    name = f"leadgate_clients_{os.getpid()}"
    psql = ["psql", "--quiet", "--no-psqlrc", "--dbname", postgres, "--command"]
    run_step(f"a database {name}", [*psql, f"CREATE DATABASE {name}"])
    try:
        yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
    finally:
        subprocess.run([*psql, f"DROP DATABASE {name} WITH (FORCE)"], check=False)


@contextmanager
def server(database_url, directory, seed):
    """A running server; its issuer."""
    port = free_port()
    issuer = f"http://localhost:{port}"
    (directory / "seed.toml").write_text(seed)
    # The server refuses variables that it does not know.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADGATE_")}
    environment["LEADGATE_MASTER_KEY"] = base64.b64encode(os.urandom(32)).decode()
    command = [TARGET / "debug/leadgate", "serve", "--listen", f"127.0.0.1:{port}", "--issuer", issuer]
    command += ["--database-url", database_url, "--seed", directory / "seed.toml", "--sandbox-token", SANDBOX_TOKEN]
    log = directory / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        wait_until_ready(process, port, log)
        yield issuer
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(process, port, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    sys.exit(f"clients: the server did not become ready:\n{log.read_text()}")
