"""The alert part of a sync run: poll, retry, release, and count alerts by state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from connector.common.clock import Clock
from connector.common.json_text import Json
from connector.sync.alert_driver import AlertDriver
from connector.sync.alert_preview import AlertPreview
from connector.sync.alert_recovery import is_certain
from connector.sync.alert_rows import PENDING
from connector.sync.folder import SyncFolder
from connector.sync.sides import ActionSource, ActionTarget
from connector.sync.state import State
from connector.sync.state_alerts import AlertRows
from connector.sync.webhooks import load_hooks, readers

FAILED = ("ERROR", *PENDING)
"""The states of alerts whose last call failed or was refused, if they have an error."""


@dataclass(frozen=True)
class AlertChoice:
    """The options of a sync run that concern alerts: all alerts, or `only` those of these series.

    With `lost`, the rows of a lost state are rebuilt for these series, and nothing else is done.
    """

    poll: bool = True
    retry: bool = False
    release: bool = False
    only: frozenset[str] | None = None
    lost: bool = False

    def includes(self, uid: str) -> bool:
        """Return whether an alert is chosen, so that its problems are problems of the run."""
        return (self.poll or self.retry or self.release) and (self.only is None or uid in self.only)


@dataclass(frozen=True)
class AlertCounts:
    """The number of all alerts in each state, and whether all lists were complete.

    The rest is about the chosen alerts: `held` is the number of those whose tickets a limit holds back,
    `problems` are those of `alert_problems`, and `unknown` are the series of which there is no alert.
    """

    of: dict[str, int]
    is_complete: bool = True
    held: int = 0
    problems: tuple[dict[str, Json], ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether all lists were complete, all chosen alerts exist, and no call failed or was refused."""
        return (
            self.is_complete and not self.unknown and all(row["state"] not in FAILED for row in self.problems)
        )


def open_alerts(
    folder: SyncFolder, source: ActionSource, target: ActionTarget, state: State, clock: Clock
) -> AlertDriver | None:
    """Return the started alert driver of a sync folder; None if its mapping has no alerts.

    The driver has looked up the outcomes of calls that were in progress when an earlier process ended. It
    resets no alerts if the source's connection is read-only.
    """
    driver = read_alerts(folder, source, target, state, clock)
    if driver is not None:
        driver.start()
    return driver


def read_alerts(
    folder: SyncFolder, source: ActionSource, target: ActionTarget, state: State, clock: Clock
) -> AlertDriver | None:
    """Return the driver of a folder's alerts, which has sent nothing; None if the mapping has no alerts."""
    return _driver(AlertDriver, folder, source, target, state, clock)


def preview_alerts(
    folder: SyncFolder, source: ActionSource, target: ActionTarget, state: State, clock: Clock
) -> AlertPreview | None:
    """Return the driver of a copy of the state that makes no calls; None if the mapping has no alerts."""
    return _driver(AlertPreview, folder, source, target, state, clock)


Driver = TypeVar("Driver", bound=AlertDriver)


def _driver(
    kind: type[Driver],
    folder: SyncFolder,
    source: ActionSource,
    target: ActionTarget,
    state: State,
    clock: Clock,
) -> Driver | None:
    if folder.mapping.alerts is None:
        return None
    hooks = readers(load_hooks(source, target))
    may_reset = not source.calls.connection.read_only
    return kind(state, source, target, folder.mapping, clock.now, hooks, may_reset=may_reset)


def run_alerts(driver: AlertDriver, choice: AlertChoice) -> AlertCounts:
    """Process alerts as the options request: deliveries, due calls, retries, releases, a poll."""
    if choice.lost:
        rows = driver.lost()
        driver.recover([r for r in rows if choice.only is None or r.uid in choice.only or is_certain(r)])
        return _counts(driver, choice)
    driver.work()
    if choice.retry:
        driver.retry(choice.only)
    if choice.release:
        driver.release(choice.only)
    is_complete = driver.poll(choice.only) if choice.poll else True
    return _counts(driver, choice, is_complete=is_complete)


def _counts(driver: AlertDriver, choice: AlertChoice, *, is_complete: bool = True) -> AlertCounts:
    rows = driver.rows
    held = sum(choice.includes(row.uid) for row in rows.of_state("HELD"))
    problems = tuple(row for row in alert_problems(rows) if choice.includes(str(row["alert"])))
    unknown = tuple(sorted(uid for uid in choice.only or () if rows.latest(uid) is None))
    return AlertCounts(rows.count(), is_complete, held, problems, unknown)


def alert_problems(rows: AlertRows) -> list[dict[str, Json]]:
    """Return the alerts with an error or a deleted ticket, as JSON objects with a `reason`."""
    found = rows.of_state("ORPHANED", "LEFT", *FAILED)
    shown = [row for row in found if row.error or row.state == "ORPHANED"]
    return [
        {
            "alert": row.uid,
            "state": row.state,
            "ticket": row.ticket,
            "reason": row.error or "the ticket was deleted: a new one is created when the alert starts again",
            "next_try": row.next_try or None,
        }
        for row in shown
    ]
