"""Authlib with requests: an OpenID Connect client, as its Flask, Django and Starlette integrations are."""

import json
import os

from authlib.common.security import generate_token
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OAuthError, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.errors import InvalidClaimError
from joserfc.jwk import ECKey, KeySet
from matrix import API, EMAIL, ISSUER, NATIVE, PASSWORD, REDIRECT_URI, SECRET, SIGNED_OUT, WEB, browse, refused, run

SCOPE = "openid profile email account_api"


class App(OAuth2Mixin, OpenIDMixin, BaseApp):
    client_cls = OAuth2Session


def app(client_id=WEB, client_secret=SECRET):
    return App(
        framework=None,
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
    )


WEB_APP = app()
SERVER = WEB_APP.load_server_metadata()
TOKEN = SERVER["token_endpoint"]


def session(secret=SECRET, **options):
    return OAuth2Session(WEB, secret, **options)


def sign_in(client=WEB_APP, redirect_uri=REDIRECT_URI):
    """The user's way through the dialog. Returns what the exchange of the code takes, and the nonce."""
    begun = client.create_authorization_url(redirect_uri)
    answer = browse(begun["url"])
    exchange = {"authorization_response": answer, "redirect_uri": redirect_uri}
    return exchange | {name: begun[name] for name in ("state", "code_verifier")}, begun["nonce"]


def tokens():
    return WEB_APP.fetch_access_token(**sign_in()[0])


def calls_api(token):
    return OAuth2Session(token=token).get(API).status_code == 200


def introspected(token):
    return session().introspect_token(SERVER["introspection_endpoint"], token=token).json()


def discovery():
    assert SERVER["issuer"] == ISSUER
    assert {key["kty"] for key in WEB_APP.fetch_jwk_set()["keys"]} >= {"EC", "RSA"}


def code():
    token = tokens()
    assert token["token_type"] == "Bearer" and not token.is_expired()
    assert set(token["scope"].split()) == set(SCOPE.split())
    assert calls_api(token)


def public():
    native = app(NATIVE, None)
    token = native.fetch_access_token(**sign_in(native, "http://127.0.0.1:9177/callback")[0])
    assert calls_api(token)
    fresh = OAuth2Session(NATIVE).refresh_token(TOKEN, refresh_token=token["refresh_token"])
    assert fresh["refresh_token"] != token["refresh_token"]


def errors():
    exchange, _ = sign_in()
    assert refused(OAuthError, app(client_secret="wrong").fetch_access_token, **exchange).error == "invalid_client"
    token = WEB_APP.fetch_access_token(**exchange)
    assert refused(OAuthError, WEB_APP.fetch_access_token, **exchange).error == "invalid_grant"
    assert not calls_api(token), "the code's second use ends what its first use gave"


def id_token():
    exchange, nonce = sign_in()
    token = WEB_APP.fetch_access_token(**exchange)
    user = WEB_APP.parse_id_token(token, nonce)
    assert (user["iss"], user["aud"], user["email"]) == (ISSUER, WEB, EMAIL)
    refused(InvalidClaimError, WEB_APP.parse_id_token, token, "another nonce")
    refused(InvalidClaimError, WEB_APP.parse_id_token, token | {"access_token": "another"}, nonce)


def userinfo():
    exchange, nonce = sign_in()
    token = WEB_APP.fetch_access_token(**exchange)
    user = WEB_APP.userinfo(token=token)
    assert user["email"] == EMAIL and user["email_verified"] is not None and user["name"]
    assert user["sub"] == WEB_APP.parse_id_token(token, nonce)["sub"]


def refresh():
    first = tokens()
    web = session(scope=SCOPE)
    second = web.refresh_token(TOKEN, refresh_token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert calls_api(second)
    # The spent one is theft now, which ends its successor too (RFC 9700 section 4.14.2).
    for spent in (first, second):
        error = refused(OAuthError, web.refresh_token, TOKEN, refresh_token=spent["refresh_token"])
        assert error.error == "invalid_grant"


def client_credentials():
    for method in ("client_secret_basic", "client_secret_post"):
        token = session(token_endpoint_auth_method=method).fetch_token(TOKEN, grant_type="client_credentials")
        assert "refresh_token" not in token
        assert calls_api(token)
    error = refused(OAuthError, session().fetch_token, TOKEN, grant_type="client_credentials", scope="unheard_of")
    assert error.error == "invalid_scope"


def password():
    token = session(scope="account_api").fetch_token(TOKEN, username=EMAIL, password=PASSWORD)
    assert calls_api(token)
    error = refused(OAuthError, session().fetch_token, TOKEN, username=EMAIL, password="wrong")
    assert error.error == "invalid_grant"


def revocation():
    token = tokens()
    web, endpoint = session(), SERVER["revocation_endpoint"]
    assert web.revoke_token(endpoint, token["access_token"], "access_token").ok
    assert not calls_api(token)
    token = web.refresh_token(TOKEN, refresh_token=token["refresh_token"])
    assert web.revoke_token(endpoint, token["refresh_token"], "refresh_token").ok
    assert introspected(token["access_token"]) == {"active": False}
    assert web.revoke_token(endpoint, "unheard of").ok


def introspection():
    token = tokens()
    state = introspected(token["access_token"])
    assert state["active"] is True and state["username"] == EMAIL
    assert (state["client_id"], state["iss"], state["token_type"]) == (WEB, ISSUER, "Bearer")
    assert introspected(token["refresh_token"])["active"] is True
    assert introspected("unheard of") == {"active": False}


def private_key_jwt():
    key = ECKey.import_key(json.loads(os.environ["CLIENT_KEY"]))
    client = OAuth2Session("key-app", key, token_endpoint_auth_method="private_key_jwt")
    client.register_client_auth_method(PrivateKeyJWT(TOKEN, alg="ES256"))

    def fetch():
        return client.fetch_token(TOKEN, grant_type="client_credentials")

    assert calls_api(fetch())
    assert calls_api(fetch())
    client.client_secret = ECKey.generate_key("P-256")
    assert refused(OAuthError, fetch).error == "invalid_client"


def logout():
    token = tokens()
    there = WEB_APP.create_logout_url(SIGNED_OUT, token["id_token"], state="bye")
    assert browse(there["url"]) == f"{SIGNED_OUT}?state=bye"
    silent = WEB_APP.create_authorization_url(REDIRECT_URI, prompt="none")
    assert "error=login_required" in browse(silent["url"])


class Validator(JWTBearerTokenValidator):
    def get_jwks(self):
        return KeySet.import_key_set(WEB_APP.fetch_jwk_set())


def jwt_access_token():
    token = tokens()
    validator = Validator(ISSUER, resource_server=ISSUER)
    claims = validator.authenticate_token(token["access_token"])
    validator.validate_token(claims, ["account_api"], None)
    assert claims["client_id"] == WEB and claims["jti"]
    refused(InsufficientScopeError, validator.validate_token, claims, ["data_api"], None)
    for other, text in (
        (Validator(ISSUER, resource_server="https://elsewhere.test"), token["access_token"]),
        (validator, token["id_token"]),
    ):
        refused(InvalidTokenError, lambda: other.validate_token(other.authenticate_token(text), [], None))


run(
    discovery,
    code,
    public,
    errors,
    id_token,
    userinfo,
    refresh,
    client_credentials,
    password,
    revocation,
    introspection,
    private_key_jwt,
    logout,
    jwt_access_token,
    missing={
        "form_post": "its framework integrations read the posted form",
        "denied": "its framework integrations read the error",
        "device": "it asks the token endpoint, but does not start the flow",
        "par": "no interface",
        "dpop": "no interface",
        "registration": "no interface for clients",
    },
)
