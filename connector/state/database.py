"""The database of the shared state: its connections, time limits, errors and schema.

It is imported only by runs whose setting `state` is a database. It requires the extra `postgres`.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Semaphore
from typing import Any

from connector.errors import RunError, RunStoppedError
from connector.state.setting import shown

try:
    import psycopg
    from psycopg.pq import TransactionStatus
    from psycopg.waiting import Ready, Wait
except ImportError as missing:
    raise RunError(
        "state in PostgreSQL requires the package psycopg: `pip install 'ninjaone-connector[postgres]'`"
    ) from missing

CONNECT_S = 10
"""The longest time to connect to the database, in seconds."""
RECONNECT_S = 2
"""The longest time to connect after another connection had no response, in seconds; the minimum of libpq."""
RESPONSE_S = 15.0
"""The longest time for the response to a statement, in seconds. After it, the database counts as lost."""
_STATEMENT_SHARE = 0.8
"""The share of `RESPONSE_S` after which the database itself ends a statement that takes longer, such as one
that waits for a lock.

It is below 1 so that the error arrives in time: without it, the statement may have taken effect."""
LOST_S = 5.0
"""The time without further attempts after a new connection had no response, in seconds.

So a run that stops because of it waits once, and not again for each part, lock and record that it closes."""
_SLOW_S = 1.0
"""An attempt that failed after this time did not fail at once, as it does while a server restarts."""
MAX_CONNECTIONS = 8
"""The connections of a process to a database. Statements are short, so that threads share them."""
_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": int(RESPONSE_S * 1000),
    "application_name": "connector",
    "client_encoding": "utf8",  # The default is that of the database, which can lack characters.
    "target_session_attrs": "read-write",  # A replica would refuse all changes.
}

_LASTING = ("28", "53100", "53400", "54", "57P04")
"""The SQLSTATE, or its class, of operational errors that retries do not fix: invalid authorization, a full
disk, an exceeded limit, a database that was dropped."""
_ROLLED_BACK = ("40001", "40P01", "55P03", "57014")
"""The SQLSTATE of operational errors by which a database that can be reached reports that it has rolled the
transaction back: a failed serialization, a deadlock, a lock that is not available, a cancelled statement."""

_REPEATED = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
"""The errors of a transaction that the database has rolled back because of another one."""
_MAX_ATTEMPTS = 3
"""The number of attempts to execute a statement that the database rolls back because of others."""

Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any]


class DatabaseLostError(RunStoppedError):
    """The database cannot be reached, or did not respond in time. A statement may have taken effect."""


class StatementRolledBackError(DatabaseLostError):
    """The database has rolled a statement back because of others, or its time limit: it had no effect."""


class _NoResponseError(psycopg.OperationalError):
    """A connection failed only after a wait. The database may be available by another connection."""


class _Connection(psycopg.Connection[Row]):
    """A connection that waits `RESPONSE_S` for each response at most.

    The time limits of TCP are not enough: a proxy can keep a connection open, but forward nothing. The time
    limit of psycopg's own loop depends on its version.
    """

    def wait(self, gen: Any, *_: Any, **others: Any) -> Any:
        """Run the generator of a statement. Raises OperationalError if no response arrives in time."""
        began = time.monotonic()
        try:
            awaited = next(gen)
            while True:
                ready = _ready(self.pgconn.socket, awaited, began + RESPONSE_S - time.monotonic())
                if not ready:
                    self.pgconn.finish()  # sends no message for the end, which could wait, too
                    raise _NoResponseError(f"no response in {RESPONSE_S:g} s")
                awaited = gen.send(ready)
        except StopIteration as stop:
            return stop.value
        except psycopg.OperationalError as error:
            if _is_late(error, began):
                raise _NoResponseError(str(error)) from error
            raise


def _is_late(error: psycopg.OperationalError, began: float) -> bool:
    """Return whether an attempt failed only after a wait, and without an error of the server."""
    return error.sqlstate is None and time.monotonic() - began >= _SLOW_S


def _ready(socket: int, awaited: int, seconds: float) -> int:
    """Return which of the awaited states a socket has (Wait.R, Wait.W or both); 0 after the time."""
    if sys.platform == "win32":
        reads, writes, _ = select.select(
            [socket] if awaited & Wait.R else [], [socket] if awaited & Wait.W else [], [], max(0.0, seconds)
        )
        return (Ready.R if reads else 0) | (Ready.W if writes else 0)
    else:
        poll = select.poll()  # `select` is limited to 1024 open files
        poll.register(
            socket, (select.POLLIN if awaited & Wait.R else 0) | (select.POLLOUT if awaited & Wait.W else 0)
        )
        for _, event in poll.poll(max(0.0, seconds) * 1000):
            # An error is reported by the next attempt to read or to write.
            return (Ready.R if event & ~select.POLLOUT else 0) | (Ready.W if event & ~select.POLLIN else 0)
        return 0


class Database:
    """A database, with a pool of connections. Safe for threads.

    Each method raises DatabaseLostError if the database cannot be reached, and RunStoppedError if it refuses
    the statement. After a connection without response, the next one must be made within `RECONNECT_S`. After
    an attempt to connect that failed only after a wait, all statements fail at once for `LOST_S`. The pool
    has no threads: connections are opened by the threads that use them.
    """

    def __init__(self, url: str) -> None:
        self.shown, self._url = shown(url), url
        self._idle: list[_Connection] = []
        self._free = Semaphore(MAX_CONNECTIONS)
        self._process, self._inherited = os.getpid(), self._idle
        self._is_in_doubt = False
        self._lost_error, self._lost_until = "", 0.0

    def run(self, statement: str, parameters: Parameters = (), *, binary: bool = False) -> list[Row]:
        """Execute one statement in a separate transaction, committed on return; return its rows.

        It is executed again if it was the victim of a deadlock or a failed serialization: it had no effect.
        With `binary`, the values are not received as text, which for bytes is twice as long.
        """
        with self._connection() as connection:
            for _ in range(_MAX_ATTEMPTS - 1):
                with suppress(*_REPEATED):
                    return _execute(connection, statement, parameters, binary=binary)
            return _execute(connection, statement, parameters, binary=binary)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Context of a transaction, which is committed at its end, and rolled back after an error.

        Do not wait for anything else in it: the database ends a transaction that is idle for `RESPONSE_S`.
        """
        with self._connection() as connection, connection.transaction():
            yield Transaction(connection)

    @contextmanager
    def session(self) -> Iterator[Transaction]:
        """Context of a connection outside the pool; each of its statements is a separate transaction.

        It is for locks that end with the connection (`pg_advisory_lock`), also if this process ends. It is
        closed at the end of the context.
        """
        with self.errors():
            connection, process = self._connect(), os.getpid()
            try:
                yield Transaction(connection)
            finally:
                if process == os.getpid():  # A process made by a fork would close that of its parent.
                    connection.close()

    def check(self) -> None:
        """Check that the database responds; replace connections that were lost, as after its restart."""
        try:
            self.run("SELECT 1")
        except DatabaseLostError:
            self.run("SELECT 1")  # by a new connection

    def close(self) -> None:
        """Close the connections that are not in use."""
        with suppress(IndexError):  # Several threads can notice at the same time that the database is lost.
            while True:
                self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[_Connection]:
        self._leave_parent()
        if not self._free.acquire(timeout=RESPONSE_S):
            raise DatabaseLostError(f"{self.shown}: all connections of this process are in use")
        try:
            with self.errors():
                connection = self._take()
                try:
                    yield connection
                except psycopg.OperationalError as error:
                    if error.sqlstate not in _ROLLED_BACK:
                        self.close()  # the idle ones are probably lost, too
                    raise
                finally:
                    if connection.pgconn.transaction_status == TransactionStatus.IDLE:
                        self._idle.append(connection)
                    else:
                        connection.close()
        finally:
            self._free.release()

    def _leave_parent(self) -> None:
        """In a process made by a fork, leave the connections to its parent, and open others."""
        if self._process != os.getpid():
            # The connections are kept, since psycopg warns of those that are deleted while they are open.
            self._inherited, self._idle = self._idle, []
            self._free = Semaphore(MAX_CONNECTIONS)
            self._process = os.getpid()

    def _take(self) -> _Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> _Connection:
        began, options = time.monotonic(), _OPTIONS
        if self._is_in_doubt:
            options = {**_OPTIONS, "connect_timeout": RECONNECT_S}
        try:
            connection = _Connection.connect(self._url, **options)
            try:
                _configure(connection)
            except psycopg.Error:
                connection.close()
                raise
        except psycopg.OperationalError as error:
            if _is_late(error, began):
                self._lost_error, self._lost_until = str(self._lost(error)), time.monotonic() + LOST_S
            raise
        finally:
            self._is_in_doubt = False
        return connection

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Context of an attempt, which converts the errors of psycopg to those of this class.

        Raises DatabaseLostError at once if a new connection had no response less than `LOST_S` ago.
        """
        if time.monotonic() < self._lost_until:
            raise DatabaseLostError(self._lost_error)
        try:
            yield
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._is_in_doubt = self._is_in_doubt or isinstance(error, _NoResponseError)
            is_lasting = (error.sqlstate or "").startswith(_LASTING)
            raise (self._refused(error) if is_lasting else self._lost(error)) from None
        except psycopg.Error as error:
            raise self._refused(error) from None
        except UnicodeEncodeError:
            raise RunStoppedError(
                f"{self.shown}: a text that is not valid Unicode, such as a file name, cannot be stored"
            ) from None

    def _refused(self, error: BaseException) -> RunStoppedError:
        return RunStoppedError(f"{self.shown}: the database refused a statement: {_first_line(error)}")

    def _lost(self, error: psycopg.Error) -> DatabaseLostError:
        if error.sqlstate in _ROLLED_BACK:
            return StatementRolledBackError(
                f"{self.shown}: the database rolled back a statement: {_first_line(error)}"
            )
        return DatabaseLostError(f"{self.shown}: the database cannot be used: {_first_line(error)}")


class Transaction:
    """Statements on one connection."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def run(self, statement: str, parameters: Parameters = (), *, binary: bool = False) -> list[Row]:
        """Execute a statement and return its rows, as `Database.run` does. Raises its errors."""
        return _execute(self._connection, statement, parameters, binary=binary)


def _execute(
    connection: psycopg.Connection[Row], statement: str, parameters: Parameters, *, binary: bool = False
) -> list[Row]:
    cursor = connection.execute(statement.encode(), parameters, binary=binary)
    return cursor.fetchall() if cursor.description else []


def _configure(connection: psycopg.Connection[Row]) -> None:
    """Set the limits of a new connection, and that a commit waits for the disk of the database.

    With the limits of TCP, the database soon closes the connections of a failed machine, which releases its
    locks. Statements find rows by keys; without the other settings, the database could read whole tables
    instead if it has no statistics yet, and would plan a repeated statement each time.
    """
    connection.execute(
        f"SELECT set_config('statement_timeout', '{RESPONSE_S * _STATEMENT_SHARE * 1000:.0f}', false),"
        f" set_config('idle_in_transaction_session_timeout', '{RESPONSE_S * 1000:.0f}', false),"
        " set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),"
        " set_config('tcp_keepalives_count', '3', false),"
        " set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'off' THEN 'on'"
        " ELSE current_setting('synchronous_commit') END, false),"
        " set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),"
        " set_config('enable_mergejoin', 'off', false),"
        " set_config('plan_cache_mode', 'force_generic_plan', false)"
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
