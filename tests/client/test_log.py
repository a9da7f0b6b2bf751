"""The log of the client: its waits, and no secret, whatever handlers a program configures."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from filelock import FileLock

from connector.catalog.service import Service
from connector.client import saved_tokens
from connector.client.auth import Auth
from connector.client.client import Client
from connector.client.pacing import Pacer
from connector.client.saved_tokens import FileTokens
from connector.common.redaction import Redactor
from connector.connections.secret_store import SecretStore
from connector.errors import ResponseLostError, RowError
from connector.http.messages import Request
from tests.declared import declare, invoker
from tests.fakes import CONNECTION, FakeClock, FakeTransport, reply

READ = Request("GET", "/v2/devices")


@pytest.fixture(autouse=True)
def all_records(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "connector")


class Release(logging.Handler):
    """Lets a lock go when somebody says that they wait for it."""

    def __init__(self, lock: FileLock, said: str) -> None:
        super().__init__()
        self._lock, self._said = lock, said

    def emit(self, record: logging.LogRecord) -> None:
        if self._said in record.getMessage():
            self._lock.release()


def test_a_log_has_no_secret_of_the_connection(
    client: Client, transport: FakeTransport, caplog: pytest.LogCaptureFixture
) -> None:
    secret = CONNECTION.client_secret
    echo = {"resultCode": "X", "errorMessage": f"no {secret} and no token-2"}
    transport.sign_ins = [reply({"error": f"busy {secret}"}, 503)]
    transport.answers = [reply(echo, 429), reply(echo, 503), ResponseLostError(f"with {secret}")]
    with pytest.raises(RowError):
        client.send(Request("GET", f"/v2/{secret}"))
    messages = [record.getMessage() for record in caplog.records]
    assert len([text for text in messages if "/v2/•••" in text]) == 6  # of three tries, and what follows each
    assert [text for text in messages if "sign-in failed" in text]
    assert secret not in caplog.text
    assert "token-2" not in caplog.text


def test_a_log_has_no_secret_of_a_row(
    client: Client, transport: FakeTransport, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    secret = "row-password-1"
    inputs = {"password": {"type": "string", "writeOnly": True, "to": "query.password"}}
    action = declare(tmp_path, request="GET /v2/probe", inputs=inputs)
    transport.answers = [reply(f"no {secret}".encode(), 500), reply(f"no {secret}".encode(), 400)]
    (envelope,) = invoker(action, client).envelopes(7, {"password": secret})
    assert envelope.has_error
    assert caplog.text.count("row 7: GET /v2/probe: ") == 4
    assert caplog.text.count("no •••") == 2
    assert secret not in caplog.text


def test_a_fault_of_a_handler_is_logged_with_where_it_is(
    client: Client, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    inputs = {"password": {"type": "string", "writeOnly": True, "to": "query.password"}}
    fails = "def handle(inputs):\n    raise KeyError(inputs.password)\n    yield\n"
    action = declare(tmp_path, request="GET /v2/probe", inputs=inputs, handler=fails)
    (envelope,) = invoker(action, client).envelopes(7, {"password": "row-password-1"})
    assert envelope.meta["code"] == "internal_error"
    assert "in handle\n    raise KeyError(inputs.password)" in caplog.text
    assert "row-password-1" not in caplog.text


def test_a_long_wait_for_the_pace_is_logged(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    for delay_ms in (5000, 6000):
        pacer = Pacer(delay_ms, clock)
        pacer.wait()
        pacer.wait()
        pacer.wait()
    message = (
        "waiting 6.0 s: the delay between requests to one account is 6000 ms, and the latest one started "
        "0.0 s ago"
    )
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", message),
        ("INFO", message),
    ]


def test_a_wait_for_another_process_that_signs_in_is_logged(
    service: Service, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock = FileLock(tmp_path / "token.lock")
    lock.acquire()
    release = Release(lock, "app.example.com: waiting for another process that is signing in")
    logger = logging.getLogger("connector.client.saved_tokens")
    logger.addHandler(release)
    try:
        auth = Auth(service, CONNECTION, FakeTransport(), clock, Redactor(), FileTokens(tmp_path / "token"))
        assert auth.token() == "token-1"
    finally:
        logger.removeHandler(release)
    assert not lock.is_locked


def test_a_process_that_signs_in_without_end_is_not_waited_for_for_ever(
    service: Service, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_tokens, "LOCK_WAIT_S", 0.05)
    with FileLock(tmp_path / "token.lock"):
        auth = Auth(service, CONNECTION, FakeTransport(), clock, Redactor(), FileTokens(tmp_path / "token"))
        assert auth.token() == "token-1"


def test_a_wait_for_another_process_that_uses_the_refresh_token_is_logged(own_state: Path) -> None:
    store = SecretStore()
    (own_state / "config/ninjaone-connector/secrets").mkdir(parents=True)
    lock = FileLock(store.path("acme").with_name("acme.lock"))
    lock.acquire()
    release = Release(lock, "acme: waiting for another process that is signing in")
    logger = logging.getLogger("connector.connections.secret_store")
    logger.addHandler(release)
    try:
        with store.held("acme"):
            assert not lock.is_locked
    finally:
        logger.removeHandler(release)


def test_a_request_asks_once_whether_it_is_logged(
    client: Client,
    transport: FakeTransport,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logger = logging.getLogger("connector.client.client")
    caplog.set_level(logging.WARNING, "connector")
    asked: list[int] = []
    is_enabled = logger.isEnabledFor
    monkeypatch.setattr(logger, "isEnabledFor", lambda level: asked.append(level) or is_enabled(level))
    transport.answers = [reply([]), reply([])]
    client.send(READ)
    client.send(READ)
    assert asked == [logging.DEBUG] * 2
