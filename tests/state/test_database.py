"""The database of the shared state: its tables, its errors, its secrets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest

from connector.common import redaction
from connector.errors import RunError, RunStoppedError
from connector.state import database as database_module
from connector.state.database import Database, DatabaseLostError, StatementRolledBackError
from connector.state.databases import close_databases, open_database
from connector.state.group_commit import group_commit_of
from connector.state.group_statement import Write
from connector.state.locks import locks_of
from connector.state.migrate import migrate, steps
from connector.state.setting import VARIABLE, find_state, shown
from tests.postgres import PASSWORD
from tests.state.conftest import another_encoding
from tests.state.outage import Outage
from tests.state.proxy import Proxy


def test_tables_are_made_once_by_processes_that_start_together(postgres: str) -> None:
    def start(number: int) -> None:
        with closing(Database(postgres)) as database:
            migrate(database)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    rows = open_database(postgres).run("SELECT number FROM connector_migration ORDER BY number")
    assert [number for (number,) in rows] == list(steps())


def test_tables_of_a_newer_version_are_refused(postgres: str) -> None:
    open_database(postgres).run("INSERT INTO connector_migration (number) VALUES (9999)")
    close_databases()
    with pytest.raises(RunError, match=r"a newer version of the connector \(step 9999\); upgrade"):
        open_database(postgres)


def test_a_database_is_opened_once(postgres: str) -> None:
    assert open_database(postgres) is open_database(postgres)


def test_a_transaction_is_committed_whole_or_not_at_all(postgres: str) -> None:
    database = open_database(postgres)
    database.run("CREATE TABLE t (n integer)")
    with database.transaction() as transaction:
        transaction.run("INSERT INTO t VALUES (1)")
    with suppress(ZeroDivisionError), database.transaction() as transaction:
        transaction.run("INSERT INTO t VALUES (2)")
        raise ZeroDivisionError
    assert database.run("SELECT n FROM t") == [(1,)]


def test_a_lock_of_a_session_ends_with_it(postgres: str) -> None:
    database = open_database(postgres)
    with database.session() as session:
        session.run("SELECT pg_advisory_lock(7)")
        assert database.run("SELECT pg_try_advisory_lock(7)") == [(False,)]
    database.run("SELECT pg_advisory_lock(7)")


def test_a_statement_that_is_refused_stops_the_run(postgres: str) -> None:
    with pytest.raises(
        RunStoppedError, match='the database refused a statement: relation "nowhere"'
    ) as caught:
        open_database(postgres).run("SELECT * FROM nowhere")
    assert not isinstance(caught.value, DatabaseLostError)


@pytest.mark.parametrize(
    ("state", "is_lost"),
    [
        ("42501", False),
        ("53100", False),
        ("54000", False),
        ("28000", False),
        ("53300", True),
        ("40P01", True),
    ],
)
def test_errors_that_last_are_not_those_of_a_lost_database(postgres: str, state: str, is_lost: bool) -> None:
    with pytest.raises(RunStoppedError) as caught:
        open_database(postgres).run(f"DO $$ BEGIN RAISE 'no' USING ERRCODE = '{state}'; END $$")
    assert isinstance(caught.value, DatabaseLostError) == is_lost


@pytest.mark.parametrize(
    ("state", "is_rolled_back"),
    [("40001", True), ("40P01", True), ("55P03", True), ("57014", True), ("40003", False), ("53300", False)],
)
def test_errors_after_which_nothing_took_effect(postgres: str, state: str, is_rolled_back: bool) -> None:
    with pytest.raises(DatabaseLostError) as caught:
        open_database(postgres).run(f"DO $$ BEGIN RAISE 'no' USING ERRCODE = '{state}'; END $$")
    assert isinstance(caught.value, StatementRolledBackError) == is_rolled_back


_ROLLED_BACK_TWICE = """
DO $$ BEGIN IF nextval('attempts') < 3 THEN RAISE 'no' USING ERRCODE = '{}'; END IF; END $$
"""


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_statement_that_was_rolled_back_because_of_others_is_executed_again(
    postgres: str, state: str
) -> None:
    database = open_database(postgres)
    database.run("CREATE SEQUENCE attempts")
    database.run(_ROLLED_BACK_TWICE.format(state))
    assert database.run("SELECT nextval('attempts')") == [(4,)]


@pytest.mark.parametrize(("state", "attempts"), [("40001", 3), ("40P01", 3), ("55P03", 1), ("57014", 1)])
def test_a_statement_is_not_executed_forever(postgres: str, state: str, attempts: int) -> None:
    """One that waited too long for a lock, or that someone cancelled, is executed once."""
    database = open_database(postgres)
    database.run("CREATE SEQUENCE attempts")
    with pytest.raises(StatementRolledBackError):
        database.run(_ROLLED_BACK_TWICE.replace("< 3", "> 0").format(state))
    assert database.run("SELECT nextval('attempts')") == [(attempts + 1,)]


def test_the_database_ends_a_statement_before_it_counts_as_lost(postgres: str) -> None:
    limit = "SELECT setting::integer / 1000.0 FROM pg_settings WHERE name = 'statement_timeout'"
    assert 0 < open_database(postgres).run(limit)[0][0] < database_module.RESPONSE_S - 2


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_texts_do_not_depend_on_the_encoding_of_the_database(postgres: str, encoding: str) -> None:
    with another_encoding(postgres, encoding) as url:
        database = open_database(url)
        text = "Müller" if encoding == "LATIN1" else "Müller, 5 €"
        assert database.run("SELECT %s::text, %s::jsonb", [text, f'["{text}"]']) == [(text, [text])]
        if encoding == "LATIN1":
            with pytest.raises(RunStoppedError, match='has no equivalent in encoding "LATIN1"'):
                database.run("SELECT %s::text", ["5 €"])


def test_a_text_that_is_no_unicode_is_refused(postgres: str) -> None:
    with pytest.raises(RunStoppedError, match="a text that is not valid Unicode"):
        open_database(postgres).run("SELECT %s", ["\udcff.jsonl"])


def test_a_database_that_is_read_only_cannot_be_used_for_now(postgres: str) -> None:
    base, _, name = postgres.rpartition("/")
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    with pytest.raises(RunError, match="read-only") as caught:
        open_database(postgres)
    assert caught.value.transient


def test_a_database_that_is_away_is_reported_without_its_password() -> None:
    url = f"postgresql://tester:{PASSWORD}@127.0.0.1:9/state"
    with pytest.raises(
        RunError, match=r"postgresql://127\.0\.0\.1:9/state: the database cannot be used: "
    ) as caught:
        open_database(url)
    assert caught.value.transient
    assert PASSWORD not in str(caught.value)


def test_a_database_that_does_not_respond_is_lost(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(postgres)  # which may take longer
    monkeypatch.setattr(database_module, "RESPONSE_S", 0.3)
    with pytest.raises(DatabaseLostError, match=r"no response in 0\.3 s|statement timeout"):
        database.run("SELECT pg_sleep(30)")


@pytest.fixture
def cut(postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Database, Proxy]]:
    """A database with a lock, whose network is cut."""
    port = int(postgres.rpartition(":")[2].partition("/")[0])
    with closing(Proxy(port)) as proxy:
        database = open_database(postgres.replace(f":{port}/", f":{proxy.port}/"))
        assert locks_of(database).take("a lock")
        monkeypatch.setattr(database_module, "RESPONSE_S", 0.3)
        monkeypatch.setattr(database_module, "_SLOW_S", 0.2)
        proxy.drops = True
        yield database, proxy


def test_after_a_connection_without_response_another_one_is_used(
    cut: tuple[Database, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as after a failover to another server at the same address."""
    database, proxy = cut
    connect, limits = database_module._Connection.connect, list[int]()

    def connect_now(url: str, **options: Any) -> Any:
        if url != database._url:  # Threads of other tests can still renew leases.
            return connect(url, **options)
        proxy.drops = False  # The earlier connections still have no response.
        monkeypatch.setattr(database_module, "RESPONSE_S", 15.0)
        limits.append(options["connect_timeout"])
        return connect(url, **options)

    monkeypatch.setattr(database_module._Connection, "connect", connect_now)
    write = Write("pace", None, ("an account", 1, 7, [0.0], None))
    with pytest.raises(DatabaseLostError, match=r"no response in 0\.3 s"):
        group_commit_of(database).commit(write)
    group_commit_of(database).commit(write)
    database.close()
    database.check()
    # A run that stops because the database is lost does not wait long for the second connection.
    assert limits == [database_module.RECONNECT_S, database_module.CONNECT_S]


def test_a_check_replaces_a_connection_without_response(
    cut: tuple[Database, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, proxy = cut
    connect = database._connect

    def connect_now() -> Any:
        proxy.drops = False
        monkeypatch.setattr(database_module, "RESPONSE_S", 15.0)
        return connect()

    monkeypatch.setattr(database, "_connect", connect_now)
    database.check()


def test_after_a_wait_for_a_new_connection_further_attempts_fail_at_once(
    cut: tuple[Database, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, proxy = cut
    with pytest.raises(DatabaseLostError):
        database.run("SELECT 1")
    monkeypatch.setattr(database_module, "_SLOW_S", 0.0)
    proxy.refuses = True
    with pytest.raises(DatabaseLostError) as lost:
        database.run("SELECT 1")
    connections = proxy.connections
    proxy.drops = proxy.refuses = False
    for attempt in (
        lambda: database.run("SELECT 1"),
        database.check,
        lambda: group_commit_of(database).commit(Write("nothing", None, (), durable=False)),
        lambda: database.transaction().__enter__(),
        lambda: database.session().__enter__(),
        lambda: locks_of(database).take("another lock"),
    ):
        with pytest.raises(DatabaseLostError) as caught:
            attempt()
        assert str(caught.value) == str(lost.value)
    locks_of(database).release("a lock")
    assert proxy.connections == connections
    monkeypatch.setattr(database_module, "RESPONSE_S", 15.0)
    monkeypatch.setattr(database_module.time, "monotonic", lambda end=database._lost_until: end)
    assert database.run("SELECT 1") == [(1,)]


def test_after_an_error_without_a_wait_the_next_attempt_is_made(outage: Outage) -> None:
    database = open_database(outage.url)
    outage.begin()
    with pytest.raises(DatabaseLostError):
        database.run("SELECT 1")
    outage.end()
    assert database.run("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret%2Fword@host/state",
        "postgresql://me@host/state?password=s3cret%2Fword",
    ],
)
def test_the_password_is_hidden_from_when_the_setting_is_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    found = find_state(None, "")
    assert found == url
    assert repr(found) == "'•••'"
    for text in ("s3cret/word", "s3cret%2Fword", url):
        assert "s3cret" not in redaction.OF_PROCESS.text(text)
    assert shown(url) == "postgresql://host/state"


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_state() == ""
    monkeypatch.setenv(VARIABLE, "postgresql://host/of_environment")
    assert find_state(None, "postgresql://host/given") == "postgresql://host/given"


@pytest.mark.parametrize("url", ["state.db", "mysql://host/x", "postgresql://host/\n"])
def test_another_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(RunError, match=r"^state: use the URL of a PostgreSQL database") as caught:
        find_state(url)
    assert url not in str(caught.value)


@pytest.mark.parametrize("password", ["zq/zq", "1/zq", "zq@zq", "zq#zq", "zq?zq", "1?zq", "[zq"])
def test_a_password_that_is_not_escaped_is_refused_and_not_shown(password: str) -> None:
    with pytest.raises(RunError, match="in a password, write %2F for /") as caught:
        find_state(f"postgresql://me:{password}@host/state")
    assert "zq" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///state",
        "postgresql://me:s%2F%40%23%3Fcret@host:5432/state?sslmode=require&options=-csearch_path%3Dteam",
        "postgres://me@[::1]:5432/state",
        "postgres://me@one:5432,other:5433,/state?target_session_attrs=any",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/state?user=me@example.com",
    ],
)
def test_other_forms_of_the_url_are_valid(url: str) -> None:
    assert find_state(url) == url


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_process_made_by_a_fork_renews_its_leases(postgres: str) -> None:
    code = """
import os, sys, time
from connector.state import parts
from connector.state.databases import open_database
parts.RENEW_S = 0.02
database = open_database(sys.argv[1])
((run,),) = database.run("INSERT INTO connector_run (output, fingerprint) VALUES ('o', '{}') RETURNING id")
parts.take_part(database, run, 1, "o", "parent")
child = os.fork()
if not child:
    parts.take_part(database, run, 2, "o", "child")
    seen = "SELECT seen FROM connector_part WHERE number = 2"
    first, end = database.run(seen), time.monotonic() + 30
    while database.run(seen) == first:
        if time.monotonic() > end:
            os._exit(1)
        time.sleep(0.02)
    os._exit(0)
_, status = os.waitpid(child, 0)
sys.exit(status != 0)
"""
    subprocess.run([sys.executable, "-c", code, postgres], check=True, timeout=60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_process_made_by_a_fork_leaves_the_connections_and_locks_to_its_parent(postgres: str) -> None:
    # In a separate process, since a fork of a process with threads is not safe.
    code = """
import os, sys
from connector.state.databases import open_database
from connector.state.locks import Locks, locks_of
database = open_database(sys.argv[1])
assert locks_of(database).take("a lock")
own = database.run("SELECT pg_backend_pid()")
child = os.fork()
if not child:
    assert database.run("SELECT pg_backend_pid()") != own
    assert locks_of(database).take("another lock")
    assert not locks_of(database).take("a lock")
    sys.exit(0)
_, status = os.waitpid(child, 0)
assert database.run("SELECT pg_backend_pid()") == own
assert not Locks(database).take("a lock")
assert Locks(database).take("another lock", 30)
locks_of(database).release("a lock")
sys.exit(status != 0)
"""
    subprocess.run([sys.executable, "-c", code, postgres], check=True, timeout=60)
