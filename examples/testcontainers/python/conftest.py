import os
import secrets
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest


class Leadgate(NamedTuple):
    url: str
    token: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def leadgate() -> Iterator[Leadgate]:
    """The server that LEADGATE_URL names, else a container."""
    if "LEADGATE_URL" in os.environ:
        yield Leadgate(os.environ["LEADGATE_URL"], os.environ["LEADGATE_SANDBOX_TOKEN"])
        return
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy

    port, token = free_port(), secrets.token_hex(24)
    container = (
        DockerContainer(os.environ.get("LEADGATE_TEST_IMAGE", "leadgate"))
        .with_bind_ports(8080, port)
        .with_env("LEADGATE_ISSUER", f"http://localhost:{port}")
        .with_env("LEADGATE_MODE", "sandbox")
        .with_env("LEADGATE_SANDBOX_TOKEN", token)
        .with_env("LEADGATE_DATABASE_URL", "sqlite::memory:")
        .waiting_for(HttpWaitStrategy(8080, "/readyz"))
    )
    with container:
        yield Leadgate(f"http://localhost:{port}", token)
