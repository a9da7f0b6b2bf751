"""Queries about past runs in `state.db`: outcomes, items, links and unknown outcomes."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import ConnectorError
from connector.sync.state import State
from connector.sync.state_lock import StateLock

ENTITIES = ("client", "site", "asset")
LAST_ERROR = "last_error"
"""The key in the table `meta` of the error of the last attempt to run."""


@dataclass(frozen=True, slots=True)
class RunItem:
    """The saved outcome of one source record in a run."""

    run: int
    entity: str
    source: str
    op: str
    target: int | None
    reason: str
    outcome: str


def outcomes(state: State, run: int) -> dict[str, int]:
    """Return the number of a run's items with each outcome."""
    query = "SELECT outcome, count(*) FROM items WHERE run_id = ? GROUP BY outcome ORDER BY outcome"
    return {outcome or "": number for outcome, number in state.run(query, (run,)).fetchall()}


def items_with(state: State, run: int, outcomes: Collection[str], limit: int) -> list[RunItem]:
    """Return at most `limit` items of a run with one of the given outcomes."""
    marks = ", ".join("?" * len(outcomes))
    query = (
        "SELECT run_id, entity, source_id, op, target_id, coalesce(reason, ''), outcome FROM items "  # noqa: S608
        f"WHERE run_id = ? AND outcome IN ({marks}) ORDER BY entity, source_id LIMIT ?"
    )
    return [RunItem(*row) for row in state.run(query, (run, *outcomes, limit)).fetchall()]


def later_run(state: State, time: float) -> float | None:
    """Return the epoch time of the last run that may have written records after a time; None if none.

    A run that failed, or was stopped, before its first record has written nothing.
    """
    query = (
        "SELECT max(began) FROM runs WHERE began > ? AND kind IN ('run', 'full', 'apply') "
        "AND (ended IS NULL OR outcome IN ('ok', 'problems') "
        "OR EXISTS (SELECT 1 FROM items WHERE run_id = runs.id))"
    )
    found: float | None = state.run(query, (time,)).fetchone()[0]
    return found


def note_error(folder: Path, text: str, now: float) -> None:
    """Save why the last attempt to run failed, in the `state.db` of a sync folder, if there is one.

    Nothing is saved if another process runs the sync, or if the file cannot be written.
    """
    holder = StateLock(folder).holder()
    if not (folder / "state.db").exists() or (holder is not None and not holder.is_own):
        return
    with suppress(ConnectorError), State(folder, write=True, lock=False) as state:
        state.set_meta(LAST_ERROR, json_text.dumps({"at": now, "text": text}))


def last_error(state: State) -> dict[str, Json] | None:
    """Return the time (`at`, epoch seconds) and `text` of the error of the last attempt; None if it ran."""
    saved = state.meta(LAST_ERROR)
    found: dict[str, Json] | None = json_text.loads(saved) if saved else None
    return found


def forget_error(state: State) -> None:
    """Forget the error of an earlier attempt, because a run was made."""
    if state.meta(LAST_ERROR):
        state.set_meta(LAST_ERROR, "")


def link_counts(state: State) -> dict[str, int]:
    """Return the number of linked records of each entity."""
    return {entity: state.link_count(entity) for entity in ENTITIES}


def unsettled(state: State) -> int:
    """Return the number of creations whose outcome is unknown."""
    found: int = state.run("SELECT count(*) FROM outbox WHERE outcome IS NULL").fetchone()[0]
    return found
