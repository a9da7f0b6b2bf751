"""Opens the pacer of an account, with the times that its processes share: in files, or in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connector.catalog.service import Service
from connector.client import account_limit, pacing
from connector.client.account_limit import AccountLimit
from connector.client.pacing import Pacer
from connector.client.shared_times import FileTimes, SharedTimes
from connector.common.clock import Clock
from connector.common.user_folders import digest_name, state_file

if TYPE_CHECKING:
    from connector.state.database import Database


class _Times(NamedTuple):
    """What processes know of an account: its latest requests, its limit, and its adaptive pace."""

    latest: SharedTimes
    limit: SharedTimes | None
    adaptive: SharedTimes | None


def open_pacer(
    service: Service,
    account: str,
    delay_ms: float,
    min_delay_ms: float | None,
    clock: Clock,
    database: Database | None = None,
) -> Pacer:
    """Return the pacer of an account, whose times are in the database if there is one.

    With `min_delay_ms`, the delay adapts to the service. Raises RunError if the database cannot be used.
    """
    adapts = min_delay_ms is not None
    has_limit = bool(service.throttling.waits_s or service.throttling.says)
    if database:
        times = _in_database(database, account, clock, adapts)
    else:
        times = _in_files(account, clock, adapts, has_limit)
    limit = AccountLimit(service.title, clock, times.limit) if has_limit else None
    if min_delay_ms is None:
        return Pacer(delay_ms, clock, times.latest, limit)
    from connector.client.adaptive_pacer import AdaptivePacer  # imported only if it is used

    return AdaptivePacer(delay_ms, min_delay_ms, clock, times.latest, times.adaptive, limit)


def _in_files(account: str, clock: Clock, adapts: bool, has_limit: bool) -> _Times:
    latest = FileTimes(state_file("pacing", account), clock, pacing.FRESH)
    limit = None
    if has_limit:
        limit = FileTimes(state_file("limit", account), clock, account_limit.FRESH)
    if not adapts:
        return _Times(latest, limit, None)
    from connector.client.adaptive_pacer import FRESH, LASTING, LAYOUT

    return _Times(latest, limit, FileTimes(state_file(f"pace-{LAYOUT}", account), clock, FRESH, LASTING))


def _in_database(database: Database, account: str, clock: Clock, adapts: bool) -> _Times:
    from connector.state.databases import nothing_sent
    from connector.state.pace import AccountPace
    from connector.state.server_clock import server_clock_of

    fresh: tuple[float, ...] = ()
    layout = 0
    if adapts:
        from connector.client.adaptive_pacer import FRESH, LAYOUT

        fresh, layout = FRESH, LAYOUT
    row = database, digest_name(account), server_clock_of(database, clock)
    with nothing_sent():
        pace = AccountPace(*row, pacing.FRESH, account_limit.FRESH, fresh, layout)
    return _Times(pace.times, pace.limit, pace.adaptive)
