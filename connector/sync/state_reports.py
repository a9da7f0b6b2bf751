"""What a state says of past runs, for people: runs, their items, conflicts, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.sync.state import State

ENTITIES = ("client", "site", "asset")


@dataclass(frozen=True, slots=True)
class Run:
    """A run. Without `ended`, it goes on or was killed."""

    id: int
    kind: str
    began: float
    ended: float | None
    outcome: str
    counts: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class RunItem:
    """What became of one record in a run."""

    run: int
    entity: str
    source: str
    op: str
    target: int | None
    changes: int
    reason: str
    outcome: str


def last_runs(state: State, limit: int) -> list[Run]:
    """Return the last runs, newest first."""
    rows = state.run(
        "SELECT id, kind, began, ended, outcome, counts FROM runs ORDER BY id DESC LIMIT ?", (limit,)
    )
    return [
        Run(id, kind, began, ended, outcome or "", json_text.loads(counts or "{}"))
        for id, kind, began, ended, outcome, counts in rows.fetchall()
    ]


def outcomes(state: State, run: int) -> dict[str, int]:
    """Return the number of a run's items by their outcome."""
    query = "SELECT outcome, count(*) FROM items WHERE run_id = ? GROUP BY outcome ORDER BY outcome"
    return {outcome or "": number for outcome, number in state.run(query, (run,)).fetchall()}


def items_without(state: State, run: int, outcome: str, limit: int) -> list[RunItem]:
    """Return a run's items whose outcome is another one."""
    query = (
        "SELECT run_id, entity, source_id, op, target_id, json_array_length(coalesce(changes, '[]')), "
        "coalesce(reason, ''), coalesce(outcome, '') FROM items WHERE run_id = ? AND outcome IS NOT ? "
        "AND op NOT IN ('skip', 'conflict') ORDER BY entity, source_id LIMIT ?"
    )
    return [RunItem(*row) for row in state.run(query, (run, outcome, limit)).fetchall()]


def link_counts(state: State) -> dict[str, int]:
    """Return the number of linked records of each entity."""
    return {entity: state.link_count(entity) for entity in ENTITIES}


def undecided(state: State) -> int:
    """Return the number of records about which someone has to decide."""
    return _number(state, "SELECT count(*) FROM links WHERE target_id IS NULL")


def unsettled(state: State) -> int:
    """Return the number of creations whose outcome is not known."""
    return _number(state, "SELECT count(*) FROM outbox WHERE outcome IS NULL")


def _number(state: State, query: str, values: tuple[Any, ...] = ()) -> int:
    found: int = state.run(query, values).fetchone()[0]
    return found
