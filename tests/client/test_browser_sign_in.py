"""Signing in with a browser: a real authorization server on loopback, and requests of other programs."""

from __future__ import annotations

import base64
import hashlib
import socket
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connector.catalog.service import Service
from connector.client import browser_sign_in
from connector.client.browser_sign_in import sign_in
from connector.common.listening import LOOPBACK
from connector.connections.connection import Connection
from connector.errors import ConnectionSetupError
from connector.http.transport import HttpTransport
from connector.sandbox.ninjaone.oauth.client_apps import NATIVE, REDIRECT_URI, WEB
from connector.sandbox.ninjaone.server import Sandbox
from tests.conftest import OpenTransport
from tests.fakes import wait_until
from tests.loopback import free_port

TIMEOUT_S = 10
Browser = Callable[[str], object]
SignIn = Callable[..., str]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser_sign_in.PATIENCE_S == 300
    monkeypatch.setattr(browser_sign_in, "PATIENCE_S", 120.0)  # no test that succeeds waits for it


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def sandbox(port: int) -> Iterator[Sandbox]:
    with Sandbox(redirect_uris=[f"http://127.0.0.1:{port}/"]) as running:
        yield running


@pytest.fixture
def connection(sandbox: Sandbox) -> Connection:
    return Connection("ninjaone", sandbox.base_url, NATIVE.client_id)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def sign_in_with(
    service: Service, connection: Connection, port: int, said: list[str], open_transport: OpenTransport
) -> SignIn:
    """Signs in with a browser, which is a function that is given the address."""

    def run(browser: Browser, connection: Connection = connection, service: Service = service) -> str:
        transport: HttpTransport = open_transport(connection.base_url)
        return sign_in(service, connection, transport, say=said.append, port=port, open_browser=browser)

    return run


def follow(address: str) -> requests.Response:
    """Do what a browser does."""
    return requests.get(address, timeout=TIMEOUT_S)


def fault(sign_in_with: SignIn, browser: Browser = follow, **changes: object) -> str:
    with pytest.raises(ConnectionSetupError) as caught:
        sign_in_with(browser, **changes)
    return str(caught.value)


@pytest.mark.parametrize("app", [NATIVE, WEB])
def test_a_user_signs_in(
    sign_in_with: SignIn, sandbox: Sandbox, connection: Connection, service: Service, said: list[str],
    port: int, app: object,
) -> None:  # fmt: skip
    assert isinstance(app, type(NATIVE))
    connection = replace(connection, client_id=app.client_id, client_secret=app.secret)
    pages: list[requests.Response] = []
    token = sign_in_with(lambda address: pages.append(follow(address)), connection=connection)
    assert token.startswith("refresh-")
    assert sandbox.log.signins()[0]["grant_type"] == "authorization_code"
    form = {"grant_type": "refresh_token", "client_id": app.client_id, "refresh_token": token}
    url = f"{sandbox.base_url}/ws/oauth/token"
    response = requests.post(url, data=form | {"client_secret": app.secret}, timeout=TIMEOUT_S)
    assert response.json()["scope"] == "monitoring management offline_access"
    (message,) = said
    assert f"needs exactly http://127.0.0.1:{port}/ among its redirect URIs" in message
    assert "create a Web app (with a client secret) or a Native app" in message
    assert "You have 2 minutes" in message
    wait_until(lambda: pages)
    (page,) = pages
    assert page.status_code == 200
    assert "You can close this window" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "Python" not in page.headers["Server"]
    for secret in (token, parse_qs(urlsplit(page.url).query)["code"][0]):
        assert secret not in message + page.text


def test_what_the_browser_is_asked(
    sign_in_with: SignIn, sandbox: Sandbox, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = []
    redeemed: list[dict[str, str]] = []
    authorizations = sandbox.authorizations
    authorize, redeem = authorizations.authorize, authorizations.redeem
    monkeypatch.setattr(authorizations, "authorize", lambda query: asked.append(query) or authorize(query))
    monkeypatch.setattr(
        authorizations, "redeem", lambda app, form: redeemed.append(form) or redeem(app, form)
    )
    for _ in range(2):
        sign_in_with(follow)
    for query, form in zip(asked, redeemed, strict=True):
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert 43 <= len(form["code_verifier"]) <= 128
        assert len(query["state"]) >= 43
        assert query | {"state": ""} == {
            "response_type": "code",
            "client_id": "sandbox-native",
            "redirect_uri": f"http://127.0.0.1:{port}/",
            "scope": "monitoring management offline_access",
            "state": "",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        assert form["redirect_uri"] == query["redirect_uri"]
        assert "client_secret" not in form
    assert asked[0]["state"] != asked[1]["state"]
    assert asked[0]["code_challenge"] != asked[1]["code_challenge"]


def test_the_connections_scopes_are_asked_for(sign_in_with: SignIn, connection: Connection) -> None:
    asked: list[str] = []
    browser = lambda address: (asked.append(address), follow(address))  # noqa: E731
    for scope in ("monitoring", "monitoring offline_access"):
        sign_in_with(browser, connection=replace(connection, scope=scope))
    assert all("&scope=monitoring%20offline_access&" in address for address in asked)


def test_without_a_browser_the_address_is_opened_by_hand(sign_in_with: SignIn, said: list[str]) -> None:
    def none(address: str) -> None:
        assert address in said[0].splitlines()
        follow(address)
        raise webbrowser.Error("could not locate runnable browser")

    assert sign_in_with(none)


# --- what goes wrong ---------------------------------------------------------------------------------------


def test_a_user_who_refuses(sign_in_with: SignIn, sandbox: Sandbox) -> None:
    sandbox.authorizations.user_refuses = True
    assert fault(sign_in_with) == (
        "the browser returned an error (access_denied: The user did not allow it): "
        "the sign-in was denied in the browser"
    )
    assert sandbox.log.signins() == []


def test_a_scope_that_the_app_lacks(sign_in_with: SignIn, connection: Connection) -> None:
    message = fault(sign_in_with, connection=replace(connection, scope="monitoring everything"))
    assert "(invalid_scope): the client app lacks a scope" in message
    assert message.endswith(
        "Requested scopes: monitoring everything offline_access; use --scope to request others"
    )


def test_nobody_signs_in(sign_in_with: SignIn, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_sign_in, "PATIENCE_S", 0.3)
    message = fault(sign_in_with, lambda _: None)
    assert message.startswith("no sign-in within 0.005 minutes. If the browser showed an error, check ")
    assert f"has exactly http://127.0.0.1:{port}/ among its redirect URIs. Under Administration" in message


def test_a_redirect_uri_that_is_not_registered(
    sign_in_with: SignIn, monkeypatch: pytest.MonkeyPatch, connection: Connection
) -> None:
    pages: list[requests.Response] = []
    monkeypatch.setattr(browser_sign_in, "PATIENCE_S", 0.3)
    with Sandbox() as other:
        message = fault(
            sign_in_with,
            lambda address: pages.append(follow(address)),
            connection=replace(connection, base_url=other.base_url),
        )
        wait_until(lambda: pages)
    assert pages[0].status_code == 400
    assert "among its redirect URIs" in message


def test_a_code_that_came_too_late_is_in_no_message(sign_in_with: SignIn, sandbox: Sandbox) -> None:
    sandbox.authorizations.code_lifetime_s = 0
    pages: list[requests.Response] = []
    message = fault(sign_in_with, lambda address: pages.append(follow(address)))
    assert "the server responded with 400 (invalid_grant): the user's authorization has expired" in message
    wait_until(lambda: pages)  # the browser is a thread of its own
    assert parse_qs(urlsplit(pages[0].url).query)["code"][0] not in message
    assert len(sandbox.log.signins()) == 1


def test_a_code_and_a_verifier_that_the_server_repeats_are_hidden(
    sign_in_with: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector.sandbox.ninjaone.errors import auth_error

    secrets: list[str] = []

    def repeat(_: object, form: dict[str, str]) -> None:
        secrets.extend((form["code"], form["code_verifier"]))
        raise auth_error(400, f"{form['code']} {form['code_verifier']}")

    monkeypatch.setattr(sandbox.authorizations, "redeem", repeat)
    message = fault(sign_in_with)
    assert "(••• •••)" in message
    assert not any(secret in message for secret in secrets)


def test_an_app_that_gives_no_refresh_token(sign_in_with: SignIn, service: Service) -> None:
    without = service._replace(sign_in=service.sign_in._replace(offline_scope=""))
    message = fault(sign_in_with, service=without)
    assert message.startswith("NinjaOne returned no refresh token, without which you would have to")
    assert "the grant types Authorization code and Refresh token" in message


def test_a_port_that_is_taken(sign_in_with: SignIn, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        message = fault(sign_in_with)
    assert f"cannot listen on port {port} for the redirected browser: Address already in use" in message
    assert "--browser-port" in message
    assert sign_in_with(follow)


# --- strangers ---------------------------------------------------------------------------------------------


def test_strangers_are_turned_away_and_end_nothing(sign_in_with: SignIn, port: int) -> None:
    own = f"http://127.0.0.1:{port}/"
    statuses: list[int] = []

    def browser(address: str) -> None:
        state = parse_qs(urlsplit(address).query)["state"][0]
        silent = socket.create_connection(("127.0.0.1", port))  # as browsers do, to be quick later on
        for query in (
            "", "?", "?code=x", "?code=x&state=", "?code=x&state=wrong", "?code=x&state=%FF",
            "?error=access_denied", f"?state={state}", f"?code=x&state={state}&state=wrong",
            f"?code=x&code=y&state={state}", f"other?code=x&state={state}", "favicon.ico",
        ):  # fmt: skip
            statuses.append(requests.get(own + query, timeout=TIMEOUT_S).status_code)
        statuses.append(requests.post(f"{own}?code=x&state={state}", timeout=TIMEOUT_S).status_code)
        with socket.create_connection(("127.0.0.1", port)) as broken:
            broken.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
            broken.recv(1000)
        follow(address)
        silent.close()

    assert sign_in_with(browser).startswith("refresh-")
    assert statuses == [400] * 10 + [404] * 2 + [501]


def test_a_stranger_is_not_repeated(
    sign_in_with: SignIn, port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    pages: list[str] = []

    def browser(address: str) -> None:
        for path in ("<script>x", "?code=<script>x"):
            pages.append(requests.get(f"http://127.0.0.1:{port}/{path}", timeout=TIMEOUT_S).text)
        follow(address)

    sign_in_with(browser)
    assert all("script" not in page for page in pages)
    assert capfd.readouterr() == ("", "")


def test_nobody_else_can_reach_it(sign_in_with: SignIn, port: int) -> None:
    reached: list[str] = []

    def browser(address: str) -> None:
        for other in ("127.0.0.2", "::1"):
            try:
                socket.create_connection((other, port), timeout=TIMEOUT_S).close()
                reached.append(other)
            except OSError:
                pass
        follow(address)

    assert sign_in_with(browser)
    assert reached == []
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)


def test_what_an_error_says_cannot_move_the_cursor(sign_in_with: SignIn, port: int) -> None:
    def browser(address: str) -> None:
        state = parse_qs(urlsplit(address).query)["state"][0]
        output = {"error": "odd\x1b[2J", "error_description": "y" * 500, "state": state}
        requests.get(f"http://127.0.0.1:{port}/", params=output, timeout=TIMEOUT_S)

    message = fault(sign_in_with, browser)
    assert "(odd[2J: yyy" in message
    assert "(508 characters)" in message


def test_the_sandbox_knows_the_usual_redirect_uri() -> None:
    assert f"http://{LOOPBACK}:{browser_sign_in.PORT}/" == REDIRECT_URI
