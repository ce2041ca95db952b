"""Fixtures for pytest, also under pytest-xdist: a server for each worker, a world for each test."""

from __future__ import annotations

from typing import Any, Dict, Generator, Iterator, List

import pytest

from ._client import LeadgateError, Namespace, World
from ._server import Leadgate, start
from .models import RequestSummary

SHOWN = 30


@pytest.fixture(scope="session")
def leadgate_options() -> Dict[str, Any]:
    """What `leadgate.start` is called with. Define your own in conftest.py to change it."""
    return {}


@pytest.fixture(scope="session")
def leadgate(leadgate_options: Dict[str, Any]) -> Iterator[Leadgate]:
    """A server: the one that LEADGATE_URL names, else one that is started for this run, or this worker of it."""
    with start(**leadgate_options) as server:
        yield server


@pytest.fixture
def leadgate_world(leadgate: Leadgate) -> Iterator[Namespace]:
    """A world of the test's own: users, applications, clocks, faults, journal."""
    with leadgate.namespace("1h") as world:
        yield world


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> Generator[None, Any, None]:
    """A test that failed shows what the server was asked, and why it refused."""
    outcome = yield
    report = outcome.get_result()
    world = getattr(item, "funcargs", {}).get("leadgate_world")
    if report.when == "call" and report.failed and isinstance(world, World):
        report.sections.append(("Leadgate's journal, newest first", "\n".join(_lines(world)) or "(nothing was asked of it)"))


def _lines(world: World) -> List[str]:
    try:
        requests = world.journal(limit=SHOWN)
    except (LeadgateError, OSError) as error:
        return [f"(not to be had: {error})"]
    return [_line(one) for one in requests]


def _line(one: RequestSummary) -> str:
    why = one.get("why")
    words = [one["at"], one["method"], one["route"], str(one["status"]), one["outcome"]]
    return " ".join([*words, why["message"]] if why else words)
