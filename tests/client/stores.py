"""What pacers share, in files and in PostgreSQL, for tests that run over both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from connector.client import account_limit, adaptive_pacer, pacing
from connector.client.account_limit import AccountLimit
from connector.client.adaptive_pacer import AdaptivePacer
from connector.client.pacing import Pacer
from connector.client.saved_tokens import FileTokens, TokenStore
from connector.client.shared_times import FileTimes
from connector.common.clock import Clock, SystemClock
from connector.state.pace import AccountPace
from connector.state.server_clock import ServerClock

if TYPE_CHECKING:
    from connector.state.database import Database


class Store(Protocol):
    """Makes pacers that share what they know of an account, as if each was one of a process of its own."""

    def pacer(self, delay_ms: float, clock: Clock, account: str = "an account") -> Pacer: ...

    def adaptive(self, delay_ms: float, least_ms: float, clock: Clock) -> AdaptivePacer: ...


class Files:
    """Shared times in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pacer(self, delay_ms: float, clock: Clock, account: str = "an account") -> Pacer:
        limit = FileTimes(self._folder / f"limit-{account}", clock, account_limit.FRESH)
        times = FileTimes(self._folder / f"pacing-{account}", clock, pacing.FRESH)
        return Pacer(delay_ms, clock, times, AccountLimit("Acme", clock, limit))

    def adaptive(self, delay_ms: float, least_ms: float, clock: Clock) -> AdaptivePacer:
        times = FileTimes(self._folder / "pacing-an account", clock, pacing.FRESH)
        pace = FileTimes(self._folder / "pace", clock, adaptive_pacer.FRESH, adaptive_pacer.LASTING)
        return AdaptivePacer(delay_ms, least_ms, clock, times, pace)


class SameClock(ServerClock):
    """The clock of a test, which is that of the database, too, unless it is the machine's."""

    margin_s = 0.0

    def sample(self, began: float, server: float) -> None:
        """The time of the real database is of no interest."""

    def now(self) -> float:
        return self._clock.now()


class Rows:
    """Shared times in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def row(self, account: str, clock: Clock, adaptive: bool = False) -> AccountPace:
        of_server = ServerClock if isinstance(clock, SystemClock) else SameClock
        others = (adaptive_pacer.FRESH, adaptive_pacer.LAYOUT) if adaptive else ()
        return AccountPace(
            *(self._database, account, of_server(clock), pacing.FRESH, account_limit.FRESH, *others)
        )

    def pacer(self, delay_ms: float, clock: Clock, account: str = "an account") -> Pacer:
        row = self.row(account, clock)
        return Pacer(delay_ms, clock, row.times, AccountLimit("Acme", clock, row.limit))

    def adaptive(self, delay_ms: float, least_ms: float, clock: Clock) -> AdaptivePacer:
        row = self.row("an account", clock, adaptive=True)
        return AdaptivePacer(delay_ms, least_ms, clock, row.times, row.adaptive)


OpenTokens = Callable[[], TokenStore]


@pytest.fixture(params=["files", "postgres"])
def tokens(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> OpenTokens:
    """Opens the saved token of one sign-in, as in a process of its own: in a file, then in a database."""
    if request.param == "files":
        return lambda: FileTokens(tmp_path / "token")
    from connector.client.database_tokens import DatabaseTokens
    from connector.state.databases import open_database

    url = request.getfixturevalue("postgres")
    return lambda: DatabaseTokens(open_database(url), "a sign-in", clock)


@pytest.fixture(params=["files", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Shared times in files, then in a database."""
    if request.param == "files":
        yield Files(tmp_path)
        return
    from connector.state.databases import open_database

    yield Rows(open_database(request.getfixturevalue("postgres")))
