"""The client and the starter against a real server."""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path

import leadgate as package
import pytest
from leadgate import Demonstration, Leadgate, LeadgateError, Namespace
from leadgate._client import fetch
from leadgate._operations import OPERATIONS

SDK = Path(os.environ["LEADGATE_TEST_SDK"])
DOCUMENT = json.loads((SDK / "openapi.json").read_text())


def test_each_operation_of_the_client_is_in_the_document_with_its_parameters() -> None:
    tree = ast.parse((SDK / "python/src/leadgate/_client.py").read_text())
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("call", "text")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    assert len(calls) >= 20
    for call in calls:
        name = call.args[0].value
        method, path = OPERATIONS[name]
        parameters = DOCUMENT["paths"][path][method.lower()].get("parameters", [])
        given = {word.arg: word.value for word in call.keywords}
        assert set(re.findall(r"\{(\w+)\}", path)) == {key.value for key in getattr(given.get("path"), "keys", [])}, name
        query = {key.value for key in getattr(given.get("query"), "keys", []) if key is not None}
        assert query <= {one["name"] for one in parameters if one["in"] == "query"}, name


def test_the_generated_files_are_of_this_server(leadgate: Leadgate) -> None:
    served = json.loads(fetch(f"{leadgate.address}/_sandbox/openapi.json")[1])
    assert {**served, "servers": None} == {**DOCUMENT, "servers": None}, "run scripts/sdk"


def test_a_sign_in_and_its_end(leadgate_world: Namespace) -> None:
    denied = leadgate_world.authorize(Demonstration.USER, decision="deny")
    assert (denied["valid"], denied["error"]) == (False, "access_denied")
    allowed = leadgate_world.authorize(Demonstration.USER, scopes=["account_api"])
    token = str(allowed["refreshToken"])
    assert leadgate_world.disconnect(token)["valid"]
    assert not leadgate_world.refresh(token)["valid"]
    assert leadgate_world.me(str(allowed["authToken"])) is None


def test_time_snapshots_and_reset(leadgate: Leadgate, leadgate_world: Namespace) -> None:
    world = leadgate_world
    result = world.authorize(Demonstration.USER)
    world.take_snapshot("connected")
    world.advance_to_next_expiry()
    assert world.me(str(result["authToken"])) is None
    assert (world.clock()["offset_ms"] > 0, leadgate.clock()["offset_ms"]) == (True, 0)
    assert world.clock(Demonstration.APP)["frozen"] is False
    world.disconnect(str(result["refreshToken"]))
    world.restore_snapshot("connected")
    assert world.refresh(str(result["refreshToken"]))["valid"]
    world.reset()
    assert not world.refresh(str(result["refreshToken"]))["valid"]


def test_faults_and_journal(leadgate_world: Namespace) -> None:
    world = leadgate_world
    token = str(world.authorize(Demonstration.USER)["refreshToken"])
    world.fault({"match": {"endpoint": "refreshaccesstoken"}, "times": "always", "effect": {"status": 500}})
    assert not world.refresh(token)["valid"]
    assert world.faults()[0]["hits"] == 1
    world.clear_faults()
    assert world.refresh(token)["valid"]
    assert world.verify(2, endpoint="refreshaccesstoken") == 2
    assert world.verify(endpoint="refreshaccesstoken") == 2
    with pytest.raises(LeadgateError, match="postRequestsVerify: 409"):
        world.verify(3, endpoint="refreshaccesstoken")
    assert [one["outcome"] for one in world.journal(endpoint="refreshaccesstoken")] == ["ok", "fault"]
    assert world.wait_for(endpoint="refreshaccesstoken", outcome="ok")["status"] == 200
    with pytest.raises(TimeoutError):
        world.wait_for("10ms", endpoint="revoke")
    assert json.loads(world.har())["log"]["version"] == "1.2"
    assert world.check()["summary"]["pass"] >= 1
    assert "<testsuite" in world.check_as_junit()


def test_an_authorization_request(leadgate_world: Namespace) -> None:
    asked = f"response_type=code&client_id={Demonstration.APP}&redirect_uri=http://localhost:3000/callback"
    answer = leadgate_world.authorize_url(Demonstration.USER, f"/oauth/authorize?{asked}")
    assert "code=lgo_" in answer["redirect_to"]


def test_what_is_refused_says_where_and_why(leadgate_world: Namespace) -> None:
    with pytest.raises(LeadgateError, match=r"makeButton: 400 .*nearest known name is `origins`.*\(/orgins\)"):
        leadgate_world.call("makeButton", {"app": Demonstration.APP, "orgins": []})
    leadgate_world.allow_origin("http://localhost:3999")
    assert "http://localhost:3999" in leadgate_world.call("showButton", path={"id": Demonstration.BUTTON})["origins"]


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"did not start: it ended \(exit code 1\)(.|\n)*nowhere\.toml"):
        package.start(binary=os.environ["LEADGATE_BIN"], seed=tmp_path / "nowhere.toml")
    with pytest.raises(RuntimeError, match="sandbox token .* is missing"):
        package.start(url="http://localhost:9")


def test_a_program_that_is_not_there_is_an_error_that_says_how_it_gets_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="did not start: .*No such file.*cargo install .*LEADGATE_BIN"):
        package.start(binary=tmp_path / "leadgate")


def test_a_running_server_is_taken_and_left_running(leadgate: Leadgate) -> None:
    with package.start(url=leadgate.address, sandbox_token=leadgate.sandbox_token) as same:
        assert same.issuer == leadgate.issuer
    assert leadgate.clock()["frozen"] is False


def test_a_stopped_server_is_gone() -> None:
    with package.start(binary=os.environ["LEADGATE_BIN"]) as other:
        address = other.address
    assert "Ready at" in other.log()
    with pytest.raises(OSError):
        fetch(f"{address}/livez")


def test_a_failed_test_shows_the_journal(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_fails(leadgate_world):\n    leadgate_world.refresh('nonsense')\n    assert False\n")
    result = pytester.runpytest_subprocess()
    result.stdout.fnmatch_lines(["*Leadgate's journal*", "*refreshaccesstoken* 200 refused *"])


def test_two_workers_have_a_server_each(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_alone(leadgate, leadgate_world, n, worker_id):
            leadgate.advance("1h")
            assert leadgate_world.clock()["offset_ms"] == 0
            open(f"{worker_id}", "a").write(leadgate.address + "\\n")
        """
    )
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=4)
    addresses = [set(file.read_text().split()) for file in sorted(pytester.path.glob("gw*"))]
    assert [len(one) for one in addresses] == [1, 1] and addresses[0] != addresses[1]
