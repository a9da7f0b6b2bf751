"""Group commits whose transactions a test holds, and writes for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connector.state.database import Database, Row
from connector.state.group_commit import group_commit_of
from connector.state.group_statement import Write
from tests.fakes import wait_until
from tests.loopback import PATIENCE_S


class Held:
    """Holds the first transaction back, so that the writes of other threads wait for it."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self._run, self._database = database.run, database
        self.statements: list[str] = []
        self._may_go = threading.Event()
        monkeypatch.setattr(database, "run", self._first_waits)

    def _first_waits(self, statement: str, *others: Any, **settings: Any) -> list[Row]:
        self.statements.append(statement)
        assert self._may_go.wait(PATIENCE_S)
        return self._run(statement, *others, **settings)

    def together(self, *writes: Callable[[], Any]) -> list[BaseException | None]:
        """Let writes wait for a transaction, each on a thread; return their errors."""
        group = group_commit_of(self._database)
        with ThreadPoolExecutor(1 + len(writes)) as pool:
            first = pool.submit(group.commit, pace("first"))
            wait_until(lambda: len(self.statements) == 1)
            waiting = []
            for number, write in enumerate(writes, 1):
                waiting.append(pool.submit(write))
                wait_until(lambda number=number: len(group._queue) >= number)  # type: ignore[misc]
            self._may_go.set()
            first.result()
            return [write.exception() for write in waiting]


def pace(account: str, change: int = 1) -> Write:
    return Write("pace", None, (account, 1, change, [0.5, float("-inf")], None), conflict_key=account)


def envelopes(database: Database) -> list[bytes]:
    return [lines for (lines,) in database.run("SELECT lines FROM connector_envelopes ORDER BY number")]


def accounts(database: Database) -> list[str]:
    return [name for (name,) in database.run("SELECT account FROM connector_pace ORDER BY account")]
