"""requests-oauthlib, which is oauthlib on requests: OAuth 2.0 alone. Nothing is discovered; addresses are settings."""

import os

from matrix import API, EMAIL, ISSUER, NATIVE, PASSWORD, REDIRECT_URI, SECRET, WEB, browse, refused, run
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient, WebApplicationClient
from oauthlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidClientError,
    InvalidGrantError,
    InvalidScopeError,
)
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

# Only because this server speaks plain http on a loopback address.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

AUTHORIZE = f"{ISSUER}/oauth/authorize"
TOKEN = f"{ISSUER}/oauth/token"
SCOPE = ["openid", "email", "account_api"]
CREDENTIALS = HTTPBasicAuth(WEB, SECRET)


def sign_in(client_id=WEB, redirect_uri=REDIRECT_URI):
    """The user's way through the dialog. Returns the session, and the address that it led back to."""
    session = OAuth2Session(client_id, scope=SCOPE, redirect_uri=redirect_uri, pkce="S256")
    url, _ = session.authorization_url(AUTHORIZE)
    return session, browse(url)


def signed_in():
    session, answer = sign_in()
    session.fetch_token(TOKEN, authorization_response=answer, client_secret=SECRET)
    return session


def calls_api(session):
    return session.get(API).status_code == 200


def code():
    session = signed_in()
    assert session.token["token_type"] == "Bearer" and set(session.token.scopes) == set(SCOPE)
    assert calls_api(session)


def public():
    session, answer = sign_in(NATIVE, "http://127.0.0.1:9188/callback")
    first = session.fetch_token(TOKEN, authorization_response=answer, include_client_id=True)
    assert calls_api(session)
    second = session.refresh_token(TOKEN, client_id=NATIVE)
    assert second["refresh_token"] != first["refresh_token"]


def denied():
    session = OAuth2Session(WEB, scope=SCOPE, redirect_uri=REDIRECT_URI, pkce="S256")
    url, _ = session.authorization_url(AUTHORIZE, prompt="consent")
    answer = browse(url, "--deny")
    refused(AccessDeniedError, session.fetch_token, TOKEN, authorization_response=answer, client_secret=SECRET)


def errors():
    session, answer = sign_in()
    exchange = {"authorization_response": answer}
    refused(InvalidClientError, session.fetch_token, TOKEN, client_secret="wrong", **exchange)
    token = session.fetch_token(TOKEN, client_secret=SECRET, **exchange)
    refused(InvalidGrantError, session.fetch_token, TOKEN, client_secret=SECRET, **exchange)
    assert not calls_api(OAuth2Session(token=token)), "the code's second use ends what its first use gave"


def userinfo():
    user = signed_in().get(f"{ISSUER}/oauth/userinfo").json()
    assert user["email"] == EMAIL and user["sub"]


def refresh():
    session = signed_in()
    first = session.token["refresh_token"]
    second = session.refresh_token(TOKEN, auth=CREDENTIALS)["refresh_token"]
    assert second != first
    assert calls_api(session)
    # The spent one is theft now, which ends its successor too (RFC 9700 section 4.14.2).
    for spent in (first, second):
        refused(InvalidGrantError, session.refresh_token, TOKEN, refresh_token=spent, auth=CREDENTIALS)


def client_credentials():
    session = OAuth2Session(client=BackendApplicationClient(WEB))
    token = session.fetch_token(TOKEN, client_secret=SECRET)
    assert "refresh_token" not in token
    assert calls_api(session)
    session.fetch_token(TOKEN, client_secret=SECRET, include_client_id=True)
    assert calls_api(session)
    refused(InvalidScopeError, session.fetch_token, TOKEN, client_secret=SECRET, scope="unheard_of")


def password():
    session = OAuth2Session(client=LegacyApplicationClient(WEB, scope=["account_api"]))
    session.fetch_token(TOKEN, username=EMAIL, password=PASSWORD, client_secret=SECRET)
    assert calls_api(session)
    refused(InvalidGrantError, session.fetch_token, TOKEN, username=EMAIL, password="wrong", client_secret=SECRET)


def revocation():
    session = signed_in()

    def revoke(name):
        url, headers, body = WebApplicationClient(WEB).prepare_token_revocation_request(
            f"{ISSUER}/oauth/revoke", session.token[name], name
        )
        return session.post(url, data=body, headers=headers, auth=CREDENTIALS, withhold_token=True)

    assert revoke("access_token").ok
    assert not calls_api(session)
    session.refresh_token(TOKEN, auth=CREDENTIALS)
    assert calls_api(session)
    assert revoke("refresh_token").ok
    assert not calls_api(session)
    refused(InvalidGrantError, session.refresh_token, TOKEN, auth=CREDENTIALS)


run(
    code,
    public,
    denied,
    errors,
    userinfo,
    refresh,
    client_credentials,
    password,
    revocation,
    missing={
        "discovery": "no interface",
        "form_post": "it reads the address only",
        "id_token": "it hands ID tokens on unread",
        "device": "it would send the parameters in the query",
        "introspection": "no interface",
        "par": "no interface",
        "dpop": "no interface",
        "private_key_jwt": "no interface",
        "registration": "no interface",
        "logout": "no interface",
        "jwt_access_token": "no interface",
    },
)
