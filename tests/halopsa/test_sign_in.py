"""Signing in with a tenant, of the connection or reported by the instance, at its host or another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from connector.catalog.service import Service
from connector.client.auth import token_file
from connector.client.browser_sign_in import sign_in
from connector.connections.connection import Connection
from connector.errors import ConnectionSetupError, RowError
from connector.http.messages import USER_AGENT, Request
from tests.fakes import FakeTransport
from tests.halopsa.conftest import SECRET, TOKEN, Answer, Api, Asked, OpenClient, Says
from tests.loopback import Server

READ = Request("GET", "/api/Client")


def ok(_: Asked) -> Says:
    return Says({"ok": True})


def telling(info: Any, status: int = 200, *headers: str) -> Answer:
    """A sign-in that is asked where it is, and says this."""

    def respond(asked: Asked) -> Says:
        return Says(info, status, headers) if asked.path == "/api/authinfo" else Says(TOKEN)

    return respond


def refused(open_client: OpenClient, sign_in: Answer, **settings: Any) -> RowError:
    api = Api(ok, sign_in)
    with pytest.raises(RowError) as raised:
        open_client(api, **settings).send(READ)
    assert api.asked == []
    return raised.value


def test_a_given_tenant_is_sent_and_nothing_is_asked(open_client: OpenClient) -> None:
    api = Api(ok)
    assert open_client(api, tenant="acme & co").send(READ).json() == {"ok": True}
    (sign_in,) = api.sign_ins
    assert (sign_in.method, sign_in.path, sign_in.query) == ("POST", "/auth/token", {"tenant": "acme & co"})
    assert parse_qs(sign_in.body) == {
        "grant_type": ["client_credentials"],
        "client_id": ["an-app"],
        "client_secret": [SECRET],
        "scope": ["all"],
    }
    assert api.asked[0].headers["authorization"] == "Bearer token-1"


def test_the_scope_of_the_connection_replaces_the_default_one(open_client: OpenClient) -> None:
    api = Api(ok)
    open_client(api, scope="read:tickets").send(READ)
    assert parse_qs(api.sign_ins[0].body)["scope"] == ["read:tickets"]


def test_without_a_tenant_the_instance_is_asked_once(open_client: OpenClient) -> None:
    api = Api(ok)
    api.sign_in = lambda asked: telling(
        {"auth_url": f"http://{asked.headers['host']}/auth/", "tenant_id": "t1"}
    )(asked)
    client = open_client(api, tenant="")
    client.send(READ)
    client._auth.renew("token-0")
    client._auth.renew("token-1")
    assert [(asked.method, asked.path, asked.query) for asked in api.sign_ins] == [
        ("GET", "/api/authinfo", {}),
        ("POST", "/auth/token", {"tenant": "t1"}),
        ("POST", "/auth/token", {"tenant": "t1"}),
    ]


def test_every_request_names_its_client(open_client: OpenClient) -> None:
    api = Api(ok)
    api.sign_in = lambda asked: telling({"auth_url": f"http://{asked.headers['host']}/auth"})(asked)
    open_client(api, tenant="").send(READ)
    assert [asked.path for asked in (*api.sign_ins, *api.asked)] == [
        "/api/authinfo",
        "/auth/token",
        "/api/Client",
    ]
    assert {asked.headers["user-agent"] for asked in (*api.sign_ins, *api.asked)} == {USER_AGENT}
    assert "authorization" not in api.sign_ins[0].headers


@pytest.mark.parametrize("tenant", [{}, {"tenant_id": None}, {"tenant_id": ""}])
def test_a_sign_in_at_another_host_and_without_a_tenant(open_client: OpenClient, tenant: Any) -> None:
    other = Api(ok)
    with Server((other.talk,)) as elsewhere:
        api = Api(ok, telling({"auth_url": f"{elsewhere.base_url}/elsewhere", **tenant}))
        open_client(api, tenant="").send(READ)
    assert [asked.path for asked in api.sign_ins] == ["/api/authinfo"]
    assert [(asked.path, asked.query) for asked in other.sign_ins] == [("/elsewhere/token", {})]


@pytest.mark.parametrize(
    ("info", "code", "message"),
    [
        ({}, "bad_response", "responded with 200 ({})"),
        ({"tenant_id": "t1"}, "bad_response", 'the response contains no sign-in address ("auth_url")'),
        ({"auth_url": 7}, "bad_response", 'no sign-in address ("auth_url")'),
        ({"auth_url": "http://auth.example.com"}, "auth_failed", "auth_url must use https://"),
        ({"auth_url": "ftp://auth.example.com"}, "auth_failed", "auth_url must look like https://"),
        ({"auth_url": "auth.example.com"}, "auth_failed", "auth_url must look like https://"),
        ({"auth_url": "https://u:p@auth.example.com"}, "auth_failed", "auth_url must look like https://"),
    ],
)
def test_what_the_instance_says_must_be_a_safe_address(
    open_client: OpenClient, info: Any, code: str, message: str
) -> None:
    error = refused(open_client, telling(info), tenant="")
    assert (error.code, message in str(error), "/api/authinfo" in str(error)) == (code, True, True), error


def test_an_instance_with_https_cannot_send_the_secret_to_http(halopsa: Service) -> None:
    from connector.client.sign_in_address import told_address

    connection = Connection("halopsa", "https://acme.example.com", "an-app", SECRET)
    about = halopsa.sign_in
    assert about.discovery
    with pytest.raises(RowError, match="would send secrets unencrypted"):
        told_address(about, about.discovery, connection, {"auth_url": "http://127.0.0.1:1/auth"})


@pytest.mark.parametrize(
    ("says", "code", "message"),
    [
        (Says(b"<html>no</html>", 404, ("Content-Type: text/html",)), "auth_failed", "is that of HaloPSA"),
        (Says(b"", 302, ("Location: /portal",)), "bad_response", "a redirect to /portal"),
        (Says(b"", 401), "auth_failed", "responded with 401 (nothing)"),
        (Says(b"", 429), "rate_limited", "responded with 429"),
        (Says(b"", 503), "bad_response", "responded with 503"),
        (Says([1]), "bad_response", "responded with 200"),
    ],
)
def test_an_instance_that_does_not_say_where_to_sign_in(
    open_client: OpenClient, says: Says, code: str, message: str
) -> None:
    error = refused(open_client, lambda _: says, tenant="")
    assert (error.code, message in str(error)) == (code, True), error
    assert str(error).startswith("asking http://127.0.0.1:")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"error": "invalid_client"}, 400, "or refuses its secret"),
        ({"error": "invalid_request"}, 400, "the tenant may be missing or another one"),
        ({"error": "invalid_scope"}, 400, "> Permissions"),
        ({"error": "invalid_grant"}, 400, "agents who sign in by SSO cannot be used"),
        ({"error": "unauthorized_client"}, 400, "Client ID and Secret (Services)"),
        (b"", 403, "must not be one that signs in by SSO"),
        (b"", 401, "whose agent must be active and must not sign in by SSO"),
        (b"", 404, "remove the tenant from the connection"),
    ],
)
def test_a_refusal_says_what_to_look_at_in_halopsa(
    open_client: OpenClient, body: Any, status: int, message: str
) -> None:
    error = refused(open_client, lambda _: Says(body, status))
    assert (error.code, message in str(error)) == ("auth_failed", True), error


def test_another_tenant_does_not_use_the_saved_token() -> None:
    one = Connection("halopsa", "https://acme.example.com", "an-app", SECRET)
    files = {token_file(replace(one, settings=own)) for own in ({}, {"tenant": "a"}, {"tenant": "b"})}
    assert len(files) == 3


def test_a_service_without_a_browser_sign_in_says_so(halopsa: Service) -> None:
    connection = Connection("halopsa", "https://acme.example.com", "an-app")
    with pytest.raises(ConnectionSetupError, match="HaloPSA does not support sign-in with a browser"):
        sign_in(halopsa, connection, FakeTransport(), say=pytest.fail)
