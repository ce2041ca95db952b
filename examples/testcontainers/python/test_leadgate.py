import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from conftest import Leadgate

APP = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001"


def ask(url: str, token: str = "", body: Any = None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urlopen(Request(url, None if body is None else json.dumps(body).encode(), headers)) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, None


def test_an_hour_after_the_sign_in_the_token_is_refreshed(leadgate: Leadgate) -> None:
    asked = {"user": "ada@acme.test", "button": "btn-demonstration", "decision": "allow"}
    status, sign_in = ask(f"{leadgate.url}/_sandbox/authorize", leadgate.token, asked)
    assert status == 200
    assert ask(f"{leadgate.url}/v1/me", sign_in["authToken"])[0] == 200

    assert ask(f"{leadgate.url}/_sandbox/clock", leadgate.token, {"advance": "1h"})[0] == 200
    assert ask(f"{leadgate.url}/v1/me", sign_in["authToken"])[0] == 401

    _, fresh = ask(f"{leadgate.url}/authorize/refreshaccesstoken/{sign_in['refreshToken']}?appid={APP}")
    assert fresh["valid"]
    assert ask(f"{leadgate.url}/v1/me", fresh["authToken"])[1]["user"]["email"] == "ada@acme.test"

    # The issuer is the address that pages reach.
    assert ask(f"{leadgate.url}/.well-known/openid-configuration")[1]["issuer"] == leadgate.url
