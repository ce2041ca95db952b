"""A client for the control plane, and what a partner's back end asks."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Type, Union, cast
from urllib.parse import quote, urlencode

from . import models
from ._operations import OPERATIONS

TIMEOUT_SECONDS = 40
# A proxy of the environment has no business between a test and the server on its machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Demonstration:
    """What everybody finds in a server that was started without a seed file."""

    APP = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001"
    CLIENT_SECRET = "app-secret"
    BUTTON = "btn-demonstration"
    USER = "ada@acme.test"
    PASSWORD = "correct horse battery"


class LeadgateError(Exception):
    """An operation was not carried out. The text says what was wrong, and what to do."""

    def __init__(self, operation: str, status: int, problem: Mapping[str, Any]):
        self.operation, self.status, self.problem = operation, status, problem
        where = problem.get("pointer") or problem.get("parameter")
        text = f"{operation}: {status} {problem.get('title', '')}: {problem.get('detail', 'no more was said')}"
        super().__init__(f"{text} ({where})" if where else text)


def fetch(url: str, method: str = "GET", headers: Optional[Mapping[str, str]] = None, body: Any = None) -> "tuple[int, bytes]":
    """Status and body, whatever the status."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, dict(headers or {}), method=method)
    if data is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


class World:
    """Users, applications, clocks, faults and a journal of their own: a server's, or those of a namespace."""

    def __init__(self, address: str, sandbox_token: str, issuer: str):
        #: Where it is reached, without a slash at its end.
        self.address = address
        self.sandbox_token = sandbox_token
        #: What it calls itself, and what pages and libraries are told.
        self.issuer = issuer

    def call(
        self,
        operation: str,
        body: Any = None,
        path: Optional[Mapping[str, str]] = None,
        query: Optional[Mapping[str, Any]] = None,
    ) -> Any:
        """Any operation of the control plane, by its ``operationId`` in the OpenAPI document."""
        text = self.text(operation, body, path, query)
        return json.loads(text) if text else None

    def text(
        self,
        operation: str,
        body: Any = None,
        path: Optional[Mapping[str, str]] = None,
        query: Optional[Mapping[str, Any]] = None,
        accept: str = "application/json",
    ) -> str:
        """The same, with the answer as text, perhaps in another form."""
        method, template = OPERATIONS[operation]
        route = template.format_map({name: quote(value, safe="") for name, value in (path or {}).items()})
        asked = urlencode({name: value for name, value in (query or {}).items() if value is not None})
        headers = {"Authorization": f"Bearer {self.sandbox_token}", "Accept": accept}
        status, answer = fetch(self.address + route + (f"?{asked}" if asked else ""), method, headers, body)
        if status >= 400:
            try:
                problem = json.loads(answer)
            except ValueError:
                problem = {}
            raise LeadgateError(operation, status, problem)
        return answer.decode()

    def authorize(
        self,
        user: str,
        button: str = Demonstration.BUTTON,
        decision: models.Decision = "allow",
        scopes: Optional[List[str]] = None,
    ) -> models.Authorized:
        """The outcome of a click on a button, without a browser."""
        body: Dict[str, Any] = {"user": user, "button": button, "decision": decision}
        if scopes is not None:
            body["scopes"] = scopes
        return cast(models.Authorized, self.call("decideSignIn", body))

    def authorize_url(self, user: str, url: str, decision: models.Decision = "allow") -> models.Redirected:
        """Where a browser would be sent by an authorization request that the user decides.

        ``/oauth/authorize?…``, or with the issuer before it.
        """
        body = {"user": user, "authorize_url": self.issuer + url if url.startswith("/") else url, "decision": decision}
        return cast(models.Redirected, self.call("decideSignIn", body))

    def advance(self, span: str, app: Optional[str] = None) -> models.Clock:
        """Time passes, ``59m59s`` for instance: for all, or for one application."""
        return self._change_clock({"advance": span}, app)

    def advance_to_next_expiry(self, app: Optional[str] = None) -> models.Clock:
        """To the moment at which the next token, code or connection expires."""
        return self._change_clock({"advance_to": "next_expiry"}, app)

    def _change_clock(self, change: Dict[str, Any], app: Optional[str]) -> models.Clock:
        return cast(models.Clock, self.call("postClock", change if app is None else {**change, "app": app}))

    def clock(self, app: Optional[str] = None) -> models.Clock:
        return cast(models.Clock, self.call("getClock", query={"app": app}))

    def fault(self, *rules: models.FaultRule) -> List[models.CountedRule]:
        """These rules, and no others. Their counts begin at nothing."""
        return cast(List[models.CountedRule], self.call("putFaults", list(rules)))

    def faults(self) -> List[models.CountedRule]:
        return cast(List[models.CountedRule], self.call("getFaults"))

    def clear_faults(self) -> None:
        self.call("deleteFaults")

    def journal(self, limit: Optional[int] = None, **match: str) -> List[models.RequestSummary]:
        """What was asked of the server, newest first."""
        return cast(List[models.RequestSummary], self.call("getRequests", query={**match, "limit": limit})["requests"])

    def wait_for(self, within: str = "10s", **match: str) -> models.RequestSummary:
        """The first request that matches, which may be still to come."""
        found = self.call("getRequests", query={**match, "wait": within})["requests"]
        if not found:
            raise TimeoutError(f"no request within {within} that matches {match}")
        return cast(models.RequestSummary, found[-1])

    def verify(self, count: Union[int, models.CountBounds, None] = None, **match: str) -> int:
        """Fails unless so many requests match (at least one), and then names those that came near."""
        body: Dict[str, Any] = {"match": match}
        if count is not None:
            body["count"] = count
        return int(self.call("postRequestsVerify", body)["matched"])

    def har(self) -> str:
        """The journal as an HTTP Archive, for the results of a run that failed."""
        return self.text("getRequestsHar")

    def check(self, app: str = Demonstration.APP) -> models.IntegrationCheck:
        """What an integration does right and wrong, so far."""
        return cast(models.IntegrationCheck, self.call("getChecksApp", path={"app": app}))

    def check_as_junit(self, app: str = Demonstration.APP) -> str:
        """The same, as JUnit's XML."""
        return self.text("getChecksApp", path={"app": app}, accept="application/xml")

    def reset(self) -> None:
        """Back to what the server began with."""
        self.call("postReset")

    def take_snapshot(self, name: str) -> None:
        self.call("takeSnapshot", path={"name": name})

    def restore_snapshot(self, name: str) -> None:
        self.call("restoreSnapshot", path={"name": name})

    def allow_origin(self, origin: str, button: str = Demonstration.BUTTON) -> None:
        """Lets the button stand on pages of one more origin."""
        origins = self.call("showButton", path={"id": button})["origins"]
        if origin not in origins:
            self.call("changeButton", {"origins": [*origins, origin]}, path={"id": button})

    def refresh(self, refresh_token: str, app: str = Demonstration.APP) -> Dict[str, Any]:
        """What a partner's back end does once an hour."""
        return self._get(f"/authorize/refreshaccesstoken/{quote(refresh_token, safe='')}?appid={quote(app, safe='')}")

    def disconnect(self, refresh_token: str) -> Dict[str, Any]:
        """Ends the connection."""
        return self._get(f"/authorize/disconnectapplicationtoken/{quote(refresh_token, safe='')}")

    def me(self, access_token: str) -> Optional[Dict[str, Any]]:
        """Whom an access token stands for; None where it is good for nothing any more."""
        status, answer = fetch(f"{self.address}/v1/me", headers={"Authorization": f"Bearer {access_token}"})
        if status == 401:
            return None
        if status != 200:
            raise LeadgateError("/v1/me", status, {"detail": answer.decode(errors="replace")})
        return cast(Dict[str, Any], json.loads(answer))

    def _get(self, path: str) -> Dict[str, Any]:
        return cast(Dict[str, Any], json.loads(fetch(self.address + path)[1]))

    def namespace(self, ttl: str = "10m") -> "Namespace":
        """A world of its own on this server, for a test that runs beside others. At most 64 live at once."""
        made = cast(models.NamespaceAnswer, self.call("makeNamespace", {"ttl": ttl}))
        return Namespace(self, made["id"], made["issuer"])


class Namespace(World):
    """A world beside the server's; as a context manager it ends with its block."""

    def __init__(self, server: World, id: str, issuer: str):
        super().__init__(f"{server.address}/ns/{id}", server.sandbox_token, issuer)
        self.server, self.id = server, id

    def end(self) -> None:
        """It is gone at once; else when its time is over."""
        self.server.call("deleteNamespace", path={"id": self.id})

    def __enter__(self) -> "Namespace":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], where: Optional[TracebackType]) -> None:
        self.end()
