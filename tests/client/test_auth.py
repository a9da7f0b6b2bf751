"""Signing in: once for all threads, stored safely, renewed in time; refusals say what to do."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from connector.catalog.service import Service
from connector.client.auth import Auth
from connector.client.saved_tokens import FileTokens, TokenStore
from connector.common.redaction import Redactor
from connector.connections.connection import Connection, make_connection
from connector.errors import ConnectionSetupError, NotSentError, ResponseLostError, RowError
from connector.http.messages import Response
from tests.client.stores import OpenTokens
from tests.fakes import CONNECTION, FakeClock, FakeTransport, reply, token

SECRET = CONNECTION.client_secret
TokenOf = Callable[..., Auth]


@pytest.fixture
def make_auth(service: Service, transport: FakeTransport, clock: FakeClock) -> TokenOf:
    """Makes `Auth` objects on the test's transport; `saved` is their file, or another store."""

    def make(saved: Path | TokenStore | None = None, connection: Connection = CONNECTION) -> Auth:
        redactor = Redactor((connection.client_secret, connection.access_token), service.secrets)
        tokens = FileTokens(saved) if isinstance(saved, Path) else saved
        return Auth(service, connection, transport, clock, redactor, tokens)

    return make


def test_client_credentials_are_sent_as_a_form(make_auth: TokenOf, transport: FakeTransport) -> None:
    assert make_auth().token() == "token-1"
    (form,) = transport.signed_in
    assert parse_qs(form, strict_parsing=True) == {
        "grant_type": ["client_credentials"],
        "client_id": ["an-app"],
        "client_secret": [SECRET],
    }


def test_credentials_with_odd_characters_are_escaped(make_auth: TokenOf, transport: FakeTransport) -> None:
    make_auth(connection=replace(CONNECTION, client_secret="a&b=c d+é")).token()
    assert parse_qs(transport.signed_in[0])["client_secret"] == ["a&b=c d+é"]


def test_a_scope_is_sent_when_one_is_configured(make_auth: TokenOf, transport: FakeTransport) -> None:
    make_auth(connection=replace(CONNECTION, scope="monitoring management")).token()
    assert parse_qs(transport.signed_in[0])["scope"] == ["monitoring management"]


@pytest.mark.parametrize("own", [False, True])
def test_one_sign_in_for_many_threads(
    make_auth: TokenOf, transport: FakeTransport, tokens: OpenTokens, own: bool
) -> None:
    auth = make_auth(tokens())
    barrier = threading.Barrier(8)
    got: list[str] = []

    def slow(*_: Any) -> Response:
        barrier_of_readers.wait(0.02)
        return token("only-one")

    barrier_of_readers = threading.Event()
    transport.sign_ins = [slow]

    def work(auth: Auth) -> None:
        barrier.wait()
        got.append(auth.token())

    each = [make_auth(tokens()) if own else auth for _ in range(8)]
    threads = [threading.Thread(target=work, args=(auth,)) for auth in each]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["only-one"] * 8
    assert len(transport.signed_in) == 1


def test_many_threads_with_a_dead_token_renew_it_once(make_auth: TokenOf, transport: FakeTransport) -> None:
    auth = make_auth()
    dead = auth.token()
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(auth.renew(dead))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokens == ["token-2"] * 8
    assert len(transport.signed_in) == 2


# Between runs


def test_a_token_is_kept_between_runs_and_its_user_alone_can_read_it(
    make_auth: TokenOf, transport: FakeTransport, tmp_path: Path
) -> None:
    cache = tmp_path / "token-x"
    assert make_auth(cache).token() == "token-1"
    assert make_auth(cache).token() == "token-1"
    assert len(transport.signed_in) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["token-x", "token-x.lock"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()} == {0o600}
    assert SECRET not in cache.read_text()


def test_the_next_run_uses_the_kept_token(
    make_auth: TokenOf, transport: FakeTransport, tokens: OpenTokens, clock: FakeClock
) -> None:
    first, second = make_auth(tokens()), make_auth(tokens())
    assert (first.token(), second.token()) == ("token-1", "token-1")
    assert second.scopes == first.scopes == ("monitoring",)
    assert len(transport.signed_in) == 1
    second.forget()
    assert make_auth(tokens()).token() == "token-2"


def test_a_kept_token_that_has_ended_is_not_used(
    make_auth: TokenOf, clock: FakeClock, tmp_path: Path
) -> None:
    make_auth(tmp_path / "token").token()
    clock.time += 3600
    assert make_auth(tmp_path / "token").token() == "token-2"


def test_a_token_that_another_run_has_renewed_is_taken_over(
    make_auth: TokenOf, transport: FakeTransport, tokens: OpenTokens
) -> None:
    first, second = make_auth(tokens()), make_auth(tokens())
    dead = first.token()
    assert second.token() == dead
    assert first.renew(dead) == "token-2"
    assert second.renew(dead) == "token-2"
    assert len(transport.signed_in) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"token": "t"}',
        b'{"token": "t", "until": "soon"}',
        b'{"token": "t", "until": NaN}',
        b'{"token": "t", "until": Infinity}',
        b'{"token": "t", "until": null}',
        b'{"token": "", "until": 99999999999}',
        b'{"token": 5, "until": 99999999999}',
        b'{"until": 99999999999}',
    ],
)
def test_a_broken_token_file_is_ignored_and_replaced(
    make_auth: TokenOf, clock: FakeClock, tmp_path: Path, content: bytes
) -> None:
    cache = tmp_path / "token"
    cache.write_bytes(content)
    assert make_auth(cache).token() == "token-1"
    kept = {"token": "token-1", "until": clock.now() + 3540, "scopes": ["monitoring"], "came_with": ""}
    assert json.loads(cache.read_bytes()) == kept


def test_a_folder_that_takes_no_file_costs_no_run(
    make_auth: TokenOf, transport: FakeTransport, tmp_path: Path
) -> None:
    (tmp_path / "token").mkdir()
    assert make_auth(tmp_path / "token").token() == "token-1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["token", "token.lock"]
    (tmp_path / "file").write_text("")
    assert make_auth(tmp_path / "file" / "token").token() == "token-2"


# Expiry


@pytest.mark.parametrize(
    ("expires_in", "good_for_s"),
    [
        (3600, 3540),
        (600, 540),
        (100, 90),
        (10, 9),
        ("odd", 3540),
        (None, 3540),
        (0, 3540),
        (-5, 3540),
    ],
)
def test_a_token_is_renewed_a_little_before_it_ends(
    make_auth: TokenOf, transport: FakeTransport, clock: FakeClock, expires_in: Any, good_for_s: float
) -> None:
    transport.sign_ins = [token("first", expires_in)]
    auth = make_auth()
    auth.token()
    clock.time += good_for_s - 0.5
    assert auth.token() == "first"
    clock.time += 0.5
    assert auth.token() == "token-2"


def test_a_ready_token_is_used_as_it_is_and_cannot_be_renewed(
    make_auth: TokenOf, transport: FakeTransport, clock: FakeClock
) -> None:
    auth = make_auth(connection=Connection("ninjaone", "https://app.example.com", access_token="ready-token"))
    assert auth.token() == "ready-token"
    clock.time += 1e6
    assert auth.token() == "ready-token"
    with pytest.raises(RowError, match="refuses the connection's access_token: get a new one") as raised:
        auth.renew("ready-token")
    assert raised.value.code == "auth_failed"
    assert transport.signed_in == []


@pytest.mark.parametrize("ready", ["ready-token\n", "ready\ttoken", "ready-tokén", "ready\r\nX-Evil: 1"])
def test_a_ready_token_that_no_header_can_carry_is_a_fault_of_the_connection(
    service: Service, ready: str
) -> None:
    settings = {"base_url": "https://app.example.com", "access_token": ready}
    with pytest.raises(ConnectionSetupError, match=r"access_token has (a line|characters) ") as raised:
        make_connection(service, settings, "here")
    assert "ready" not in str(raised.value)


# Refusals


def auth_error(code: str, status: int = 400) -> Response:
    return reply({"error": code}, status)


HTML_404 = reply(b"<html><h1>404 Not Found</h1></html>", 404, content_type="text/html")
UNKNOWN_APP = reply(
    {
        "resultCode": "Client app not exist",
        "incidentId": "WEB_MGMT_SERVICE-2a-1785400000001-506D7AC1",
    },
    404,
)


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (UNKNOWN_APP, ["404", "Client app not exist", "506D7AC1", "client id is wrong", "another region"]),
        (HTML_404, ["404", "an HTML page", "another region"]),
        (reply(b"", 404), ["404", "nothing", "another region"]),
        (auth_error("invalid_client"), ["400", "invalid_client", "refuses the client secret"]),
        (auth_error("invalid_client", 401), ["401", "invalid_client", "refuses the client secret"]),
        (auth_error("invalid_scope"), ["invalid_scope", "lacks a scope", "Remove the scope"]),
        (auth_error("unauthorized_client"), ["unauthorized_client", "API Services"]),
        (auth_error("brand_new_code"), ["400", "brand_new_code"]),
        (reply(b"go away", 403), ["403", "go away"]),
        (reply(b"", 400), ["400", "nothing"]),
        (reply(["odd"], 400), ["400", "odd"]),
    ],
)
def test_a_refusal_says_what_to_do_and_is_asked_for_once(
    make_auth: TokenOf, transport: FakeTransport, clock: FakeClock, response: Response, words: list[str]
) -> None:
    transport.sign_ins = [response]
    auth = make_auth()
    messages = []
    for _ in range(3):
        with pytest.raises(RowError) as raised:
            auth.token()
        assert (raised.value.code, raised.value.status) == ("auth_failed", response.status)
        messages.append(str(raised.value))
    assert len(set(messages)) == 1
    assert messages[0].startswith("signing in at https://app.example.com failed: ")
    for word in words:
        assert word in messages[0]
    assert len(transport.signed_in) == 1
    assert clock.slept == []


BUSY = [
    (reply(b"", 500), "bad_response"),
    (reply(b"<html>Bad Gateway</html>", 502, content_type="text/html"), "bad_response"),
    (reply(b"", 429), "rate_limited"),
    (reply(b"", 408), "bad_response"),
    (reply(b"<html>Too many requests</html>", 200, content_type="text/html"), "bad_response"),
    (reply({"token_type": "Bearer"}), "bad_response"),
    (reply({"access_token": ""}), "bad_response"),
    (reply({"access_token": 7}), "bad_response"),
    (ResponseLostError("no complete response: nothing was received for 60 s", "timeout"), "timeout"),
    (ResponseLostError("the connection broke"), "network_error"),
]


PAGE = b"<!doctype html><title>x</title>"


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (
            reply(PAGE, 200),
            "responded with 200 (an HTML page): this is not a response of NinjaOne's sign-in. Compare",
        ),
        (
            reply(PAGE, 403),
            "responded with 403 (an HTML page): this is not a response of NinjaOne's sign-in. Compare",
        ),
        (reply(b"", 302, location="https://a.example/"), "(a redirect to https://a.example/): this is not"),
        (
            reply(b"", 307),
            "the server responded with 307 (a redirect to nowhere): this is not a response of NinjaOne",
        ),
    ],
)
def test_an_answer_from_elsewhere_says_to_look_at_the_host(
    make_auth: TokenOf, transport: FakeTransport, response: Response, message: str
) -> None:
    transport.sign_ins = [response] * 3
    with pytest.raises(RowError) as raised:
        make_auth().token()
    assert message in str(raised.value)
    assert "Compare the region or base URL of the connection with the host name in your browser" in str(
        raised.value
    )


@pytest.mark.parametrize("page", [b"<html>Too many requests</html>", b"<html>Bad Gateway</html>"])
def test_a_busy_service_is_not_taken_for_another_one(
    make_auth: TokenOf, transport: FakeTransport, page: bytes
) -> None:
    transport.sign_ins = [reply(page, 502 if b"Gateway" in page else 200)] * 3
    with pytest.raises(RowError) as raised:
        make_auth().token()
    assert "this is no answer" not in str(raised.value)


@pytest.mark.parametrize(("response", "code"), BUSY)
def test_a_busy_service_is_tried_again_and_not_held_against_it(
    make_auth: TokenOf, transport: FakeTransport, clock: FakeClock, response: Any, code: str
) -> None:
    transport.sign_ins = [response] * 3
    auth = make_auth()
    with pytest.raises(RowError, match=r"signing in at https://app.example.com") as raised:
        auth.token()
    assert raised.value.code == code
    assert clock.slept == [1.0, 2.0]
    assert auth.token() == "token-4"
    transport.sign_ins = [response]
    assert auth.renew("token-4") == "token-6"


def test_a_service_that_cannot_be_reached_is_said_at_once(
    make_auth: TokenOf, transport: FakeTransport, clock: FakeClock
) -> None:
    transport.sign_ins = [NotSentError("no connection: Connection refused")]
    auth = make_auth()
    with pytest.raises(RowError, match=r"signing in at https://app.example.com: no connection") as raised:
        auth.token()
    assert raised.value.code == "network_error"
    assert clock.slept == []
    assert auth.token() == "token-2"


def test_a_token_stays_good_while_another_cannot_be_got(make_auth: TokenOf, transport: FakeTransport) -> None:
    auth = make_auth()
    auth.token()
    transport.sign_ins = [NotSentError("no connection")]
    with pytest.raises(RowError):
        auth.renew("token-1")
    assert auth.token() == "token-1"


# Secrets


@pytest.mark.parametrize(
    "response",
    [
        reply({"error": SECRET}, 400),
        reply(("x" * 110 + SECRET).encode(), 400),
        reply(f"client_secret={SECRET}".encode(), 500),
        reply({"resultCode": f"bad {SECRET}"}, 404),
    ],
)
def test_the_secret_stands_in_no_message(
    make_auth: TokenOf, transport: FakeTransport, response: Response
) -> None:
    transport.sign_ins = [response] * 3
    with pytest.raises(RowError) as raised:
        make_auth().token()
    assert "secret-secret" not in str(raised.value)
    assert "a-very" not in str(raised.value)
    assert "•••" in str(raised.value)


def test_secrets_stand_in_no_repr(service: Service, transport: FakeTransport, clock: FakeClock) -> None:
    redactor = Redactor((SECRET,))
    auth = Auth(service, CONNECTION, transport, clock, redactor)
    auth.token()
    for thing in (auth, CONNECTION, redactor, replace(CONNECTION, access_token="ready-token")):
        assert SECRET not in repr(thing)
        assert "token-1" not in repr(thing)
        assert "ready-token" not in repr(thing)
    assert redactor.text("Bearer token-1") == "Bearer •••"


def test_a_kept_token_is_hidden_too(
    service: Service, transport: FakeTransport, clock: FakeClock, tmp_path: Path
) -> None:
    for _ in range(2):
        redactor = Redactor()
        Auth(service, CONNECTION, transport, clock, redactor, FileTokens(tmp_path / "token")).token()
        assert redactor.text("Bearer token-1") == "Bearer •••"
    assert len(transport.signed_in) == 1
