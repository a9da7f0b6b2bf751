"""Queries about past runs in `state.db`: outcomes, items, links and unknown outcomes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from connector.sync.state import State

ENTITIES = ("client", "site", "asset")


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
    """Return the epoch time of the last run that may have written records after a time; None if none."""
    query = "SELECT max(began) FROM runs WHERE began > ? AND kind IN ('run', 'full', 'apply')"
    found: float | None = state.run(query, (time,)).fetchone()[0]
    return found


def link_counts(state: State) -> dict[str, int]:
    """Return the number of linked records of each entity."""
    return {entity: state.link_count(entity) for entity in ENTITIES}


def unsettled(state: State) -> int:
    """Return the number of creations whose outcome is unknown."""
    found: int = state.run("SELECT count(*) FROM outbox WHERE outcome IS NULL").fetchone()[0]
    return found
