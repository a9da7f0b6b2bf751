"""The parts of a run, each of which one worker holds under a fencing token.

A worker renews its lease while it holds a part. When the lease has expired, another worker can take the part,
which increases its fence. Every statement of a worker requires that its fence is the current one, so a worker
that was paused and replaced can record nothing more, and starts no further change that must not be repeated.
An expired lease alone has no effect.

Changes that can be repeated are not recorded. They are sent while the lease is fresh by the local clock. This
is checked immediately before they are sent.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any

from connector.errors import RunError, RunStoppedError
from connector.state.database import Database, Row, Transaction
from connector.state.group_commit import group_commit_of
from connector.state.group_statement import Write, WriteKind

LEASE_S = 15.0
"""The time after which a worker that does not renew its lease can be replaced, in seconds."""
RENEW_S = 3.0
"""The interval in which leases are renewed, in seconds."""

_HELD = """
WITH held AS (
    SELECT 1 FROM connector_part WHERE run = %s AND number = %s AND fence = %s FOR KEY SHARE
)
"""
_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""The minimum of a new fence. So no fence is used twice if the database loses its latest transactions, for
example when it fails over to a replica that lacks them."""
_HELD_ASYNC = """
WITH held AS (
    SELECT set_config('synchronous_commit', 'off', true) FROM connector_part
    WHERE run = %s AND number = %s AND fence = %s FOR KEY SHARE
)
"""


@dataclass(frozen=True)
class Part:
    """A part that this process holds. `key` is its run, its number, and the fence.

    Its methods raise RunStoppedError, also if another worker has taken over.
    """

    database: Database
    run: int
    number: int
    fence: int
    output: str

    @property
    def key(self) -> tuple[int, int, int]:
        """The run, the number and the fence."""
        return self.run, self.number, self.fence

    def write(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """Execute a statement that selects from `held`, which has one row while this process holds the part.

        It must return a row. It does not wait for what was submitted.
        """
        rows = self.database.run(_HELD + statement, [*self.key, *parameters])
        self.require(rows)
        return rows

    def commit(
        self,
        kind: WriteKind,
        values: tuple[Any, ...],
        conflict_key: Hashable = None,
        *,
        durable: bool = True,
        size: int = 0,
    ) -> None:
        """Commit a write of a kind, in one transaction with other threads; see `Write`."""
        write = Write(kind, self.key, values, conflict_key, durable, size)
        self.require(group_commit_of(self.database).commit(write))

    def submit(self, kind: WriteKind, values: tuple[Any, ...], conflict_key: Hashable, size: int) -> None:
        """Commit a write of a kind soon, without waiting for it, unless the part or the database is lost."""
        group_commit_of(self.database).submit(
            Write(kind, self.key, values, conflict_key, durable=False, size=size)
        )

    def flush(self) -> None:
        """Wait until what was submitted is committed, and check that this process holds the part."""
        self.commit("nothing", (), durable=False)

    def require_held(self, transaction: Transaction) -> None:
        """Prevent other workers from taking the part until the end of a transaction."""
        self.require(transaction.run(_HELD + "SELECT 1 FROM held", self.key))

    def require(self, is_held: object) -> None:
        """Raise RunStoppedError, and stop renewing the lease, unless `is_held`."""
        if not is_held:
            LEASES.remove(self)
            raise RunStoppedError(
                f"{self.output}: another worker has taken over this run, because this process did not "
                f"respond for {LEASE_S:g} s; it sends nothing more"
            )

    def release(self) -> None:
        """End the lease, so that another worker can take the part at once, if the database can be reached."""
        LEASES.remove(self)
        with suppress(RunStoppedError):
            self.flush()
            self.database.run(
                _HELD_ASYNC
                + "UPDATE connector_part SET seen = NULL FROM held WHERE run = %s AND number = %s",
                [*self.key, self.run, self.number],
            )


def take_part(database: Database, run: int, number: int, output: str, worker: str) -> tuple[Part, bool]:
    """Take a part of a run, and renew its lease until it is released; return whether it was taken before.

    An earlier holder with the same name `worker` counts as ended. Raises RunError, which is transient, while
    another worker holds the part.
    """
    began = _uptime()
    with database.transaction() as transaction:
        inserted = transaction.run(
            "INSERT INTO connector_part (run, number, fence, worker, seen)"
            f" VALUES (%s, %s, {_NOW}, %s, clock_timestamp()) ON CONFLICT DO NOTHING RETURNING fence",
            [run, number, worker],
        )
        if not inserted:
            require_free(transaction, output, worker, run, number)
        taken = inserted or transaction.run(
            f"UPDATE connector_part SET fence = greatest(fence + 1, {_NOW}), worker = %s,"
            " seen = clock_timestamp() WHERE run = %s AND number = %s RETURNING fence",
            [worker, run, number],
        )
    part = Part(database, run, number, taken[0][0], output)
    LEASES.add(part, began)
    return part, not inserted


def require_free(
    transaction: Transaction | Database, output: str, worker: str, run: int, number: int | None = None
) -> None:
    """Raise RunError while another worker holds a part of a run, or part `number`; lock the parts."""
    for holder, left_s in transaction.run(
        "SELECT worker, extract(epoch FROM seen - clock_timestamp())::float + %s FROM connector_part"
        " WHERE run = %s AND (%s::integer IS NULL OR number = %s) ORDER BY number FOR UPDATE",
        [LEASE_S, run, number, number],
    ):
        if holder != worker and left_s is not None and left_s > 0:
            error = RunError(
                f"{output}: another worker is running it, or ended less than {LEASE_S:g} s ago; try again in "
                f"{left_s:.0f} s"
            )
            error.transient = True
            raise error


def begun_parts(database: Database, run: int) -> set[int]:
    """Return the numbers of a run's parts that have begun."""
    return {number for (number,) in database.run("SELECT number FROM connector_part WHERE run = %s", [run])}


def _uptime() -> float:
    """Return seconds of a monotonic clock that also counts while the machine is suspended, where possible."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    else:
        return time.monotonic()


class Leases:
    """The parts that this process holds, and the thread that renews their leases. Safe for threads."""

    def __init__(self) -> None:
        self._held: dict[Part, float] = {}
        """The parts, and when the latest renewal of their leases began, by `_uptime`."""
        self._lock, self._wake = Lock(), Event()
        self._thread: Thread | None = None
        self._process = os.getpid()

    def add(self, part: Part, began: float) -> None:
        """Renew the lease of a part from now on. It was taken by a transaction that began at `began`."""
        with self._lock:
            if self._process != os.getpid():  # A fork does not copy the thread; the parent has the parts.
                self._held, self._thread, self._process = {}, None, os.getpid()
            self._held[part] = began
            if self._thread is None:
                self._wake = Event()
                self._thread = Thread(target=self._renew_all, args=(self._wake,), name="leases", daemon=True)
                self._thread.start()

    def remove(self, part: Part) -> None:
        """Stop renewing the lease of a part."""
        with self._lock:
            self._held.pop(part, None)
            if not self._held:
                self._wake.set()
                self._thread = None

    def is_fresh(self, part: Part) -> bool:
        """Return whether the lease of a part was renewed within half of its length.

        So nobody can have taken over, and there is time to send a request.
        """
        return _uptime() - self._held.get(part, float("-inf")) < LEASE_S / 2

    def renew(self, part: Part) -> None:
        """Renew the lease of a part now. Raises RunStoppedError, also if another worker has taken over."""
        renewed = self._renew(part.database, [part])
        part.require(part.key in renewed and part in self._held)

    def _renew_all(self, ended: Event) -> None:
        while not ended.wait(RENEW_S):
            with self._lock:
                held = list(self._held)
            for database in {id(part.database): part.database for part in held}.values():
                with suppress(RunStoppedError):  # The next write raises it if the database is still lost.
                    self._renew(database, [part for part in held if part.database is database])

    def _renew(self, database: Database, parts: Sequence[Part]) -> set[Row]:
        """Renew the leases of parts, and return the keys of those that this process still holds."""
        began = _uptime()
        renewed = _renew(database, [part.key for part in parts])
        with self._lock:
            for part in parts:
                if part.key in renewed and part in self._held:
                    self._held[part] = began
        return renewed


def _renew(database: Database, keys: Sequence[tuple[int, int, int]]) -> set[Row]:
    """Renew the leases of parts, and return the keys of those that this process still holds."""
    runs, numbers, fences = map(list, zip(*keys, strict=True))
    # In the order of the parts, so that processes do not wait for each other in a circle.
    rows = database.run(
        "WITH held AS (SELECT part.run, part.number, part.fence FROM connector_part AS part"
        " JOIN unnest(%s::bigint[], %s::integer[], %s::bigint[]) AS given (run, number, fence)"
        " USING (run, number, fence) WHERE part.seen IS NOT NULL"  # null if it was released in the meantime
        " ORDER BY run, number FOR NO KEY UPDATE OF part)"
        " UPDATE connector_part SET seen = clock_timestamp()"
        " FROM (SELECT set_config('synchronous_commit', 'off', true)) AS setting, held"
        " WHERE connector_part.run = held.run AND connector_part.number = held.number"
        " RETURNING held.run, held.number, held.fence",
        [runs, numbers, fences],
    )
    return set(rows)


LEASES = Leases()
"""The leases of this process."""
