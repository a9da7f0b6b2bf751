"""Signing in with a refresh token: one use at a time; the next token is stored before anything else."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from connector.catalog.service import Service
from connector.client.auth import Auth, token_file
from connector.client.open_auth import open_auth
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.connections.secret_store import SecretStore
from connector.errors import ConnectionSetupError, NotSentError, ResponseLostError, RowError
from connector.http.messages import Response
from tests.fakes import FakeClock, FakeTransport, reply

SAVED = Connection(
    "ninjaone",
    "https://app.example.com",
    "an-app",
    "a-very-secret-secret",
    refresh_token="refresh-0",
    name="acme",
    origin='the saved connection "acme"',
)
GIVEN = replace(SAVED, name="", origin="here.yaml")
MakeAuth = Callable[..., Auth]


def granted(number: int, **changes: Any) -> Response:
    """The answer to a refresh: the access token and the refresh token of this number."""
    body = {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "expires_in": 3600,
        "scope": "monitoring offline_access",
        **changes,
    }
    return reply({name: value for name, value in body.items() if value is not None})


def used(transport: FakeTransport) -> list[str]:
    """The refresh tokens that were used, in order."""
    return [parse_qs(form)["refresh_token"][0] for form in transport.signed_in]


def kept() -> str | None:
    return SecretStore().get("acme", "refresh_token")


@pytest.fixture(autouse=True)
def saved(own_state: Path) -> None:
    SecretStore().set("acme", "refresh_token", "refresh-0", "file")


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
def make_auth(service: Service, transport: FakeTransport, clock: FakeClock, redactor: Redactor) -> MakeAuth:
    """Makes what a process of its own would have: an `Auth` with the connection's shared file."""

    def make(connection: Connection = SAVED) -> Auth:
        return open_auth(service, connection, transport, clock, redactor)

    return make


def refusal(auth: Auth) -> RowError:
    with pytest.raises(RowError) as caught:
        auth.token()
    assert "refresh-" not in str(caught.value)
    return caught.value


INVALID_GRANT = reply({"error": "invalid_grant"}, 400)
LOST = ResponseLostError("no complete response: nothing was received for 60 s", "timeout")


# --- what is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["a-very-secret-secret", ""])
def test_a_refresh_token_is_sent_as_a_form_and_without_a_scope(
    make_auth: MakeAuth, transport: FakeTransport, secret: str
) -> None:
    transport.sign_ins = [granted(1)]
    auth = make_auth(replace(SAVED, client_secret=secret, scope="monitoring"))
    assert auth.token() == "access-1"
    assert auth.scopes == ("monitoring", "offline_access")
    assert parse_qs(transport.signed_in[0], strict_parsing=True) == {
        "grant_type": ["refresh_token"],
        "client_id": ["an-app"],
        "refresh_token": ["refresh-0"],
        **({"client_secret": [secret]} if secret else {}),
    }


def test_a_refresh_token_goes_before_other_secrets(make_auth: MakeAuth, transport: FakeTransport) -> None:
    transport.sign_ins = [granted(1)]
    assert make_auth(replace(SAVED, access_token="ready")).token() == "access-1"


def test_each_use_takes_the_token_of_the_one_before(
    make_auth: MakeAuth, transport: FakeTransport, clock: FakeClock
) -> None:
    transport.sign_ins = [granted(1), granted(2), granted(3)]
    auth = make_auth()
    assert auth.token() == "access-1"
    assert auth.renew("access-1") == "access-2"
    clock.time += 3600
    assert auth.token() == "access-3"
    assert used(transport) == ["refresh-0", "refresh-1", "refresh-2"]
    assert kept() == "refresh-3"


def test_a_service_that_rotates_nothing(make_auth: MakeAuth, transport: FakeTransport) -> None:
    transport.sign_ins = [granted(1, refresh_token=None), granted(2, refresh_token=None)]
    assert make_auth().renew("x") == "access-1"
    assert make_auth().renew("access-1") == "access-2"
    assert used(transport) == ["refresh-0", "refresh-0"]
    assert kept() == "refresh-0"


def test_tokens_are_hidden(make_auth: MakeAuth, transport: FakeTransport, redactor: Redactor) -> None:
    transport.sign_ins = [granted(1)]
    auth = make_auth()
    auth.token()
    assert redactor.text("access-1 refresh-1 refresh-0") == "••• ••• •••"
    assert "refresh-" not in repr(auth) + repr(SAVED)


# --- between runs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connection", [SAVED, GIVEN], ids=["saved", "given"])
def test_the_next_run_uses_the_kept_access_token(
    make_auth: MakeAuth, transport: FakeTransport, clock: FakeClock, connection: Connection
) -> None:
    transport.sign_ins = [granted(1), granted(2)]
    assert make_auth(connection).token() == make_auth(connection).token() == "access-1"
    clock.time += 3600
    assert make_auth(connection).token() == make_auth(connection).token() == "access-2"
    assert used(transport) == ["refresh-0", "refresh-1"]


def test_a_token_that_came_with_another_refresh_token_is_not_used(
    make_auth: MakeAuth, transport: FakeTransport
) -> None:
    transport.sign_ins = [granted(1), granted(8)]
    make_auth().token()
    SecretStore().set("acme", "refresh_token", "refresh-7")  # another user has signed in
    assert make_auth().token() == "access-8"
    assert used(transport) == ["refresh-0", "refresh-7"]


def test_a_new_given_token_takes_the_place_of_what_was_rotated(
    make_auth: MakeAuth, transport: FakeTransport
) -> None:
    transport.sign_ins = [granted(1), granted(8), granted(9)]
    make_auth(GIVEN).token()
    make_auth(replace(GIVEN, refresh_token="refresh-7")).token()
    assert make_auth(GIVEN).renew("access-1") == "access-9"
    assert used(transport) == ["refresh-0", "refresh-7", "refresh-1"]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_what_took_the_place_of_a_given_token_is_in_a_file_of_its_users_own(
    make_auth: MakeAuth, transport: FakeTransport, own_state: Path
) -> None:
    transport.sign_ins = [granted(1)]
    make_auth(GIVEN).token()
    found = [path for path in own_state.rglob("*") if path.is_file() and b"refresh-1" in path.read_bytes()]
    assert len(found) == 1
    assert found[0].parent.parent.name == "unsaved-connections"
    assert (found[0].stat().st_mode & 0o777, found[0].parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "refresh" not in found[0].name
    token = token_file(GIVEN)
    assert token is not None
    assert token.stat().st_mode & 0o777 == 0o600
    assert "refresh-" not in token.read_text()


def test_a_token_file_is_of_one_connection_grant_and_scope() -> None:
    other = {"base_url": "https://b.example.com", "client_id": "b", "client_secret": "b", "scope": "b"}
    several = [SAVED, GIVEN, replace(SAVED, name="globex"), replace(GIVEN, refresh_token="b")]
    several += [replace(SAVED, refresh_token=""), *(replace(SAVED, **{k: v}) for k, v in other.items())]
    assert len({token_file(connection) for connection in several}) == len(several)
    assert token_file(replace(SAVED, refresh_token="refresh-1")) == token_file(SAVED)
    assert token_file(replace(SAVED, refresh_token="", access_token="ready")) is None


def test_many_threads_with_clients_of_their_own_use_it_once(
    make_auth: MakeAuth, transport: FakeTransport
) -> None:
    barrier, tokens = threading.Barrier(8), []

    def slow(*_: Any) -> Response:
        threading.Event().wait(0.05)
        return granted(1)

    transport.sign_ins = [slow]

    def work(auth: Auth) -> None:
        barrier.wait()
        tokens.append(auth.token())

    threads = [threading.Thread(target=work, args=(make_auth(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokens == ["access-1"] * 8
    assert used(transport) == ["refresh-0"]


# --- what goes wrong ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connection", "how"),
    [
        (SAVED, "Sign in again: `ninjaone connection edit acme --browser`"),
        (
            GIVEN,
            "Set a new refresh_token in here.yaml, or sign in with `ninjaone connection add NAME --brow",
        ),
    ],
    ids=["saved", "given"],
)
def test_a_refused_token_says_to_sign_in_again_and_is_asked_for_once(
    make_auth: MakeAuth, transport: FakeTransport, connection: Connection, how: str
) -> None:
    transport.sign_ins = [INVALID_GRANT]
    auth = make_auth(connection)
    for _ in range(2):
        error = refusal(auth)
        assert (error.code, error.status) == ("auth_failed", 400)
        assert "the server responded with 400 (invalid_grant): the user's authorization has expired" in str(
            error
        )
        assert how in str(error)
        assert "sign-in was lost" not in str(error)
    assert used(transport) == ["refresh-0"]


def test_a_refused_token_in_whose_place_there_is_another_one_by_now(
    make_auth: MakeAuth, transport: FakeTransport
) -> None:
    def replaced(*_: Any) -> Response:
        SecretStore().set("acme", "refresh_token", "refresh-7")  # without the lock, as another machine would
        return INVALID_GRANT

    transport.sign_ins = [replaced, granted(8)]
    assert make_auth().token() == "access-8"
    assert used(transport) == ["refresh-0", "refresh-7"]
    assert kept() == "refresh-8"


def test_after_a_lost_answer_the_same_token_is_tried_again(
    make_auth: MakeAuth, transport: FakeTransport, clock: FakeClock
) -> None:
    transport.sign_ins = [LOST, reply(b"", 502), granted(1)]
    assert make_auth().token() == "access-1"
    assert used(transport) == ["refresh-0"] * 3
    assert clock.slept == [1.0, 2.0]
    assert kept() == "refresh-1"


@pytest.mark.parametrize(
    ("first", "is_lost"),
    [
        (LOST, True),
        (reply(b"", 502), True),
        (reply(b"<html></html>", 200), True),
        (reply(b"", 429), False),
    ],
)
def test_a_token_that_is_refused_after_a_lost_answer_says_so(
    make_auth: MakeAuth, transport: FakeTransport, first: Any, is_lost: bool
) -> None:
    transport.sign_ins = [first, INVALID_GRANT]
    message = str(refusal(make_auth()))
    output = "The response to an earlier sign-in was lost; it had the token that replaces this one"
    assert (output in message) is is_lost
    assert "Sign in again: `ninjaone connection edit acme --browser`" in message


def test_a_lost_answer_is_remembered_over_several_sign_ins(
    make_auth: MakeAuth, transport: FakeTransport
) -> None:
    transport.sign_ins = [LOST, LOST, LOST, INVALID_GRANT]
    auth = make_auth()
    assert refusal(auth).code == "timeout"
    assert "sign-in was lost" in str(refusal(auth))


def test_a_service_that_cannot_be_reached_has_not_used_it_up(
    make_auth: MakeAuth, transport: FakeTransport
) -> None:
    transport.sign_ins = [NotSentError("no connection"), INVALID_GRANT]
    auth = make_auth()
    assert refusal(auth).code == "network_error"
    assert "sign-in was lost" not in str(refusal(auth))


def test_a_token_that_cannot_be_kept_is_not_used_and_kept_later(
    make_auth: MakeAuth, transport: FakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise ConnectionSetupError("/secrets/acme.json: cannot be written: no space left")

    transport.sign_ins = [granted(1)]
    auth = make_auth()
    with monkeypatch.context() as context:
        context.setattr(SecretStore, "set", full)
        for _ in range(2):
            error = refusal(auth)
            assert error.code == "auth_failed"
            assert "the new refresh token cannot be saved: /secrets/acme.json: cannot be" in str(error)
            assert "The previous one is no longer valid" in str(error)
            assert "`ninjaone connection edit acme --browser`" in str(error)
    token = token_file(SAVED)
    assert token is not None
    assert not token.exists()
    assert auth.token() == "access-1"
    assert kept() == "refresh-1"
    assert used(transport) == ["refresh-0"]


def test_a_token_that_could_not_be_kept_takes_no_newer_ones_place(
    make_auth: MakeAuth, transport: FakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise ConnectionSetupError("no space left")

    transport.sign_ins = [granted(1), granted(8)]
    auth = make_auth()
    with monkeypatch.context() as context:
        context.setattr(SecretStore, "set", full)
        refusal(auth)
    SecretStore().set("acme", "refresh_token", "refresh-7")  # the user has signed in again
    assert auth.token() == "access-8"
    assert used(transport) == ["refresh-0", "refresh-7"]
    assert kept() == "refresh-8"


def test_without_room_for_the_next_token_the_current_one_is_not_used(
    make_auth: MakeAuth, transport: FakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    transport.sign_ins = [granted(1)]
    auth = make_auth()
    with monkeypatch.context() as context:
        context.setattr("connector.common.user_folders.write_whole", full)
        assert "secrets: cannot be written: No space left on device" in str(refusal(auth))
    assert used(transport) == []
    assert auth.token() == "access-1"


def test_a_folder_that_takes_nothing(make_auth: MakeAuth, transport: FakeTransport, own_state: Path) -> None:
    (own_state / "state").write_text("a file where a folder is due")
    assert "cannot be locked" in str(refusal(make_auth(GIVEN)))
    assert used(transport) == []


def test_what_cannot_be_locked_is_not_used(
    make_auth: MakeAuth, transport: FakeTransport, own_state: Path
) -> None:
    (own_state / "config/ninjaone-connector/secrets/acme.lock").mkdir()
    assert "acme.lock: cannot be locked" in str(refusal(make_auth()))
    assert used(transport) == []


def test_another_process_that_does_not_end(
    make_auth: MakeAuth, transport: FakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.connections.secret_store.HELD_WAIT_S", 0.1)
    with SecretStore().held("acme"):
        error = refusal(make_auth())
    assert 'another process has been signing in for "acme" for too long' in str(error)
    assert used(transport) == []


def test_a_connection_that_was_removed_meanwhile(make_auth: MakeAuth, transport: FakeTransport) -> None:
    SecretStore().delete("acme")
    message = str(refusal(make_auth()))
    assert 'the connection "acme" no longer has a refresh token: it was edited or removed' in message
    assert used(transport) == []
    assert kept() is None


def test_a_damaged_file_is_no_reason_to_use_the_given_one_again(
    make_auth: MakeAuth, transport: FakeTransport, own_state: Path
) -> None:
    transport.sign_ins = [granted(1)]
    make_auth(GIVEN).token()
    (path,) = (own_state / "state").rglob("*.json")
    path.write_text(json.dumps([1]))
    assert "damaged" in str(refusal(make_auth(GIVEN)))
    assert used(transport) == ["refresh-0"]
