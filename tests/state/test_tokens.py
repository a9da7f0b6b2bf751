"""Tokens in a database: one sign-in for all machines, locks that end with their process, no lost token."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client import database_tokens
from connector.client.auth import Auth, token_name
from connector.client.database_tokens import DatabaseTokens
from connector.client.factory import open_client, sign_in
from connector.client.open_auth import open_auth
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.connections.secret_store import SecretStore
from connector.errors import ConnectionSetupError, RunStoppedError
from connector.http.messages import Response
from connector.sandbox.ninjaone.server import Sandbox
from connector.state.database import Database
from connector.state.databases import open_database
from connector.state.locks import Locks, locks_of
from tests.fakes import CONNECTION, FakeClock, FakeTransport, reply, token, wait_until
from tests.state.outage import Outage

GIVEN = Connection("ninjaone", "https://app.example.com", "an-app", "s" * 20, refresh_token="refresh-0")
SIGN_IN = """
import json, os, sys
from connector.catalog.catalog import Catalog
from connector.client.factory import open_client
from connector.connections.connection import make_connection
given = json.loads(sys.argv[2])
service = Catalog().service("ninjaone")
client = open_client(service, make_connection(service, given, "here"), 0, state=sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
client.sign_in()
"""
"""Signs in once it is told to, on a machine of its own."""


def granted(number: int) -> Response:
    """A sign-in that replaces the refresh token."""
    grant = {"access_token": f"access-{number}", "expires_in": 3600, "refresh_token": f"refresh-{number}"}
    return reply(grant)


def used(transport: FakeTransport) -> list[str]:
    return [form.rpartition("refresh_token=")[2] for form in transport.signed_in]


@pytest.fixture
def make_auth(service: Service, transport: FakeTransport, clock: FakeClock, postgres: str) -> Any:
    def make(connection: Connection = GIVEN) -> Auth:
        return open_auth(service, connection, transport, clock, Redactor(), open_database(postgres))

    return make


def machine(number: int, folder: Path) -> dict[str, str]:
    """The variables of a machine with files of its own."""
    names = ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    return os.environ | {name: str(folder / str(number) / name) for name in names}


@pytest.mark.parametrize(
    "grant", ["client_credentials", pytest.param("refresh_token", marks=pytest.mark.slow)]
)
def test_machines_that_start_together_sign_in_once(
    sandbox: Sandbox, postgres: str, tmp_path: Path, grant: str
) -> None:
    given = sandbox.user_connection if grant == "refresh_token" else sandbox.connection
    command = [sys.executable, "-c", SIGN_IN, postgres, json.dumps(given)]
    processes = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=machine(n, tmp_path)
        )
        for n in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert [one["status"] for one in sandbox.log.signins()] == [200]


# Locks


HOLD = """
import sys
from connector.state.databases import open_database
from connector.state.locks import locks_of
assert locks_of(open_database(sys.argv[1])).take("a lock")
print("taken", flush=True)
sys.stdin.readline()
"""


def test_a_lock_ends_with_its_process(postgres: str) -> None:
    command = [sys.executable, "-c", HOLD, postgres]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        assert not locks_of(open_database(postgres)).take("a lock")
        process.send_signal(signal.SIGKILL)
    assert locks_of(open_database(postgres)).take("a lock", 30)


def test_locks_exclude_threads_and_have_one_connection_while_they_are_used(postgres: str) -> None:
    database = open_database(postgres)
    held = Locks(database)

    def connections() -> int:
        ((count,),) = database.run(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        return int(count)

    assert [held.take(name) for name in ("a", "b", "a")] == [True, True, False]
    assert not Locks(database).take("b")
    wait_until(lambda: connections() == 1)
    held.release("a")
    assert [Locks(database).take(name) for name in ("a", "b")] == [True, False]
    held.release("b")
    wait_until(lambda: connections() == 0)


def test_a_lock_is_awaited(postgres: str) -> None:
    held = locks_of(open_database(postgres))
    held.take("a")
    timer = threading.Timer(0.2, held.release, ["a"])
    timer.start()
    assert held.take("a", 30)
    timer.join()


def test_without_the_database_no_lock_is_taken_and_the_next_attempts_take_no_time(
    outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(outage.url)
    held = locks_of(database)
    outage.begin()
    with pytest.raises(RunStoppedError, match="the database cannot be used"):
        held.take("a")
    monkeypatch.setattr(database, "session", None)
    with pytest.raises(RunStoppedError, match="the database cannot be used"):
        held.take("a")
    monkeypatch.undo()
    monkeypatch.setattr(held, "_lost_until", 0.0)
    outage.end()
    assert held.take("a")


def test_a_lock_whose_connection_is_lost_can_be_released_and_taken_again(outage: Outage) -> None:
    held = locks_of(open_database(outage.url))
    held.take("a")
    held.take("b")
    outage.begin()
    held.release("a")
    outage.end()
    assert held.take("a")


# Access tokens


def test_a_token_that_has_expired_by_the_clock_of_the_database_is_not_used(
    make_auth: Any, transport: FakeTransport, postgres: str
) -> None:
    assert make_auth(CONNECTION).token() == "token-1"
    open_database(postgres).run("UPDATE connector_token SET expires = now() - interval '1 second'")
    assert make_auth(CONNECTION).token() == "token-2"


def test_old_tokens_are_deleted(postgres: str, clock: FakeClock, make_auth: Any) -> None:
    database = open_database(postgres)
    make_auth(CONNECTION).token()
    database.run("UPDATE connector_token SET expires = now() - interval '2 days'")
    make_auth(Connection("ninjaone", "https://b.example.com", "b", "s" * 20)).token()
    assert database.run("SELECT count(*) FROM connector_token") == [(1,)]


def test_a_process_that_signs_in_without_end_is_not_waited_for_for_ever(
    postgres: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_tokens, "LOCK_WAIT_S", 0.05)
    stuck = DatabaseTokens(open_database(postgres), "a sign-in", clock)
    with stuck.held("stuck"), DatabaseTokens(open_database(postgres), "a sign-in", clock).held("other"):
        pass


def test_a_token_that_is_saved_is_used_while_a_suspended_process_holds_the_lock(
    make_auth: Any, postgres: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_tokens, "log_wait", lambda label: pytest.fail("it waits"))
    auth = make_auth(CONNECTION)
    assert auth.token() == "token-1"
    with DatabaseTokens(open_database(postgres), token_name(CONNECTION, ""), clock).held("suspended"):
        assert make_auth(CONNECTION).token() == "token-1"


def test_without_the_database_nobody_signs_in_and_a_signed_in_process_continues(
    outage: Outage, service: Service, transport: FakeTransport, clock: FakeClock
) -> None:
    client = open_client(service, CONNECTION, 300, clock=clock, state=outage.url)
    client._transport = transport
    auth = open_auth(service, CONNECTION, transport, clock, Redactor(), open_database(outage.url))

    def lose(*_: Any) -> Response:
        outage.begin()
        return token("token-1")

    transport.sign_ins = [lose]
    assert auth.token() == "token-1"
    with pytest.raises(RunStoppedError, match="the database cannot be used"):
        auth.renew("token-1")
    with pytest.raises(ConnectionSetupError, match="the database cannot be used") as raised:
        sign_in(client)
    assert raised.value.transient
    assert len(transport.signed_in) == 1


# Refresh tokens


def test_machines_take_over_the_refresh_token_of_each_other(
    make_auth: Any, transport: FakeTransport, own_state: Path, clock: FakeClock
) -> None:
    transport.sign_ins = [granted(1), granted(2)]
    assert make_auth().token() == "access-1"
    assert make_auth().token() == "access-1"
    clock.time += 3600
    assert make_auth().renew("access-1") == "access-2"
    assert used(transport) == ["refresh-0", "refresh-1"]
    assert not own_state.exists()  # no file has a part of it


def test_a_new_given_token_takes_the_place_of_what_was_rotated(
    make_auth: Any, transport: FakeTransport
) -> None:
    transport.sign_ins = [granted(1), granted(8)]
    make_auth().token()
    make_auth(Connection("ninjaone", "https://app.example.com", "an-app", refresh_token="new")).token()
    assert used(transport) == ["refresh-0", "new"]


def test_the_replacement_that_this_machine_has_is_used_first(
    make_auth: Any, service: Service, transport: FakeTransport, clock: FakeClock
) -> None:
    transport.sign_ins = [granted(1), granted(2)]
    open_auth(service, GIVEN, transport, clock, Redactor()).token()
    assert make_auth().token() == "access-2"
    assert used(transport) == ["refresh-0", "refresh-1"]


def test_the_refresh_token_of_a_saved_connection_stays_where_it_is(
    make_auth: Any, transport: FakeTransport, postgres: str
) -> None:
    SecretStore().set("acme", "refresh_token", "refresh-0", "file")
    transport.sign_ins = [granted(1)]
    saved = Connection(
        "ninjaone", "https://app.example.com", "an-app", refresh_token="refresh-0", name="acme"
    )
    make_auth(saved).token()
    assert SecretStore().get("acme", "refresh_token") == "refresh-1"
    database = open_database(postgres)
    for table in ("connector_token", "connector_refresh_token"):
        assert database.run(f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("connection", [GIVEN, CONNECTION], ids=["refresh_token", "client_credentials"])
def test_a_process_that_was_paused_after_its_sign_in_replaces_no_newer_token(
    make_auth: Any,
    service: Service,
    transport: FakeTransport,
    clock: FakeClock,
    postgres: str,
    connection: Connection,
) -> None:
    late, database = make_auth(connection), open_database(postgres)

    def be_replaced(*_: Any) -> Response:
        # Another machine got the lock, because the connection that held it was ended.
        database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        wait_until(
            lambda: (
                not database.run(
                    "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                    " WHERE locktype = 'advisory' AND datname = current_database()"
                )
            )
        )
        assert other.token() == "access-2"
        return granted(1)

    transport.sign_ins = [be_replaced, granted(2), granted(3)]
    with closing(Database(postgres)) as own:
        other = open_auth(service, connection, transport, clock, Redactor(), own)
        assert late.token() == "access-1"  # until it expires, its own token is used
    assert make_auth(connection).token() == "access-2"
    saved = database.run("SELECT token FROM connector_refresh_token")
    assert saved == ([("refresh-2",)] if connection is GIVEN else [])
    assert late.renew("access-1") == "access-2"
    assert len(transport.sign_ins) == 1


def test_a_database_that_was_lost_for_a_moment_gets_the_new_refresh_token(
    outage: Outage, service: Service, transport: FakeTransport, clock: FakeClock
) -> None:
    def restart(*_: Any) -> Response:
        outage.begin()
        outage.end()
        return granted(1)

    transport.sign_ins = [restart]
    auth = open_auth(service, GIVEN, transport, clock, Redactor(), open_database(outage.url))
    assert auth.token() == "access-1"
    saved = open_database(outage.url).run("SELECT token FROM connector_refresh_token")
    assert saved == [("refresh-1",)]


def test_a_refresh_token_is_not_used_if_the_database_cannot_save_its_replacement(
    outage: Outage, service: Service, transport: FakeTransport, clock: FakeClock
) -> None:
    url, database = outage.url, open_database(outage.url)
    auth = open_auth(service, GIVEN, transport, clock, Redactor(), database)
    database.run(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
    database.close()
    with pytest.raises(RunStoppedError, match="read-only"):
        auth.token()
    assert transport.signed_in == []


KILLED = """
import os, signal, sys
from connector.client.database_tokens import DatabaseRefreshToken
method = getattr(DatabaseRefreshToken, sys.argv[3])
def call(self, *values):
    if sys.argv[3] != "require_room":
        method(self, *values)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(DatabaseRefreshToken, sys.argv[3], call)
"""


@pytest.mark.parametrize("at", [pytest.param("require_room", marks=pytest.mark.slow), "keep"])
def test_a_refresh_token_outlives_a_process_that_is_killed_around_its_use(
    sandbox: Sandbox, postgres: str, tmp_path: Path, at: str
) -> None:
    given = json.dumps(sandbox.user_connection)
    codes = (KILLED + SIGN_IN, SIGN_IN)
    done = [
        subprocess.run(
            [sys.executable, "-c", code, postgres, given, at],
            input="go\n",
            text=True,
            env=machine(number, tmp_path),
            timeout=60,
        ).returncode
        for number, code in enumerate(codes)
    ]
    assert done == [-signal.SIGKILL, 0]
    statuses = [one["status"] for one in sandbox.log.signins()]
    assert statuses == [200] * (1 if at == "require_room" else 2)
