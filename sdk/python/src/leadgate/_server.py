"""Starts a server for tests, or takes one that runs."""

from __future__ import annotations

import atexit
import os
import secrets
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Dict, List, Mapping, Optional, Type, Union
from urllib.parse import urljoin

from ._client import World, fetch

STOP_SECONDS = 15
ATTEMPTS = 3
HOW_TO_GET_IT = (
    "Install the program (`cargo install --path . --locked` in a checkout of Leadgate), "
    "or name it with its whole path in LEADGATE_BIN (after `cargo build` it is target/debug/leadgate there)"
)


class Leadgate(World):
    """A server for tests; as a context manager it ends with its block."""

    def __init__(self, address: str, sandbox_token: str, issuer: str, process: "Optional[_Process]" = None):
        super().__init__(address, sandbox_token, issuer)
        self._process = process

    def log(self) -> str:
        """What it printed. Nothing of a server that ran before."""
        return self._process.log() if self._process else ""

    def stop(self) -> None:
        """Ends it, unless it ran before."""
        if self._process:
            self._process.stop()

    def __enter__(self) -> "Leadgate":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], where: Optional[TracebackType]) -> None:
        self.stop()


class _Process:
    def __init__(self, command: List[str], environment: Mapping[str, str]):
        # A working directory of its own: a leadgate.toml of somebody else is not for this server.
        self._directory = tempfile.TemporaryDirectory(prefix="leadgate-")
        self._output = Path(self._directory.name) / "output"
        try:
            with self._output.open("wb") as output:
                self._child = subprocess.Popen(
                    command, env=dict(environment), cwd=self._directory.name, stdin=subprocess.DEVNULL, stdout=output, stderr=output
                )
        except FileNotFoundError as error:
            self._directory.cleanup()
            raise RuntimeError(f"Leadgate did not start: {error}. {HOW_TO_GET_IT}") from error
        except OSError as error:
            self._directory.cleanup()
            raise RuntimeError(f"Leadgate did not start: {error}") from error
        self._kept = ""
        atexit.register(self.stop)

    def log(self) -> str:
        return self._output.read_text(errors="replace") if self._output.exists() else self._kept

    def failure(self) -> Optional[str]:
        code = self._child.poll()
        return None if code is None else f"it ended (exit code {code})"

    def stop(self) -> None:
        atexit.unregister(self.stop)
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._kept = self.log()
        self._directory.cleanup()


def start(
    url: Optional[str] = None,
    sandbox_token: Optional[str] = None,
    binary: Union[str, "os.PathLike[str]", None] = None,
    port: Optional[int] = None,
    issuer: Optional[str] = None,
    seed: Union[str, "os.PathLike[str]", None] = None,
    environment: Optional[Mapping[str, str]] = None,
    ready_within: float = 30,
) -> Leadgate:
    """Starts a server with a database in memory on a free port, or takes one that runs; and waits until it is ready.

    ``url`` (or the variable LEADGATE_URL) names one that runs; its token is ``sandbox_token`` or LEADGATE_SANDBOX_TOKEN.
    ``binary`` (or LEADGATE_BIN, else ``leadgate`` of the search path) is started otherwise, with ``environment`` as more
    settings.
    """
    url = url or (None if binary else os.environ.get("LEADGATE_URL"))
    if url:
        return _connect(url, sandbox_token or os.environ.get("LEADGATE_SANDBOX_TOKEN"), ready_within)
    program = os.fspath(binary or os.environ.get("LEADGATE_BIN") or "leadgate")
    token = sandbox_token or secrets.token_urlsafe(24)
    # An issuer that is not this machine would else mean production.
    settings = {"LEADGATE_MODE": "sandbox", "LEADGATE_SANDBOX_TOKEN": token, "LEADGATE_DATABASE_URL": "sqlite::memory:"}
    if seed:
        settings["LEADGATE_SEED"] = os.path.abspath(seed)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _start(program, port or _free_port(), issuer, token, {**settings, **(environment or {})}, ready_within)
        except RuntimeError as error:
            # Somebody else took the port between our look at it and the start.
            if "cannot be listened on" not in str(error) or port is not None or attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _connect(url: str, token: Optional[str], ready_within: float) -> Leadgate:
    address = url.rstrip("/")
    if not token:
        raise RuntimeError(f"the sandbox token of {address} is missing: name it in sandbox_token or LEADGATE_SANDBOX_TOKEN")
    # A server below a path has its probes at the root.
    _until_ready(urljoin(address, "/readyz"), ready_within, None)
    running = Leadgate(address, token, address)
    running.issuer = str(running._get("/.well-known/openid-configuration")["issuer"])
    return running


def _start(program: str, port: int, issuer: Optional[str], token: str, settings: Dict[str, str], ready_within: float) -> Leadgate:
    address = f"http://localhost:{port}"
    # The server refuses variables that it does not know, and others' settings are none of this one's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADGATE_")}
    environment.update({"LEADGATE_LISTEN": f"127.0.0.1:{port}", "LEADGATE_ISSUER": issuer or address, **settings})
    process = _Process([program, "serve"], environment)
    try:
        _until_ready(f"{address}/readyz", ready_within, process)
    except RuntimeError as error:
        process.stop()
        raise RuntimeError(f"{error}\n{process.log()}") from None
    return Leadgate(address, token, issuer or address, process)


def _until_ready(probe: str, within: float, process: Optional[_Process]) -> None:
    end = time.monotonic() + within
    while time.monotonic() < end:
        failure = process.failure() if process else None
        if failure:
            raise RuntimeError(f"Leadgate did not start: {failure}")
        try:
            if fetch(probe)[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"Leadgate was not ready at {probe} within {within} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
