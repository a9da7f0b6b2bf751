"""Store the rows of the alert state machine in `state.db`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from connector.common import json_text
from connector.sync.alert_rows import PENDING, TICKET_STATES, Alert, Note
from connector.sync.state import State

RECENT_S = 86_400.0
"""The time in seconds after its closing during which `of_condition` returns a closed row."""


class AlertRows:
    """The alert rows in `state.db`; implements `Rows`. Call `put` only in a step's transaction."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, uid: str, generation: int) -> Alert | None:
        """Return the row of an alert's generation; None if there is none."""
        return self._one("series_uid = ? AND generation = ?", uid, generation)

    def latest(self, uid: str) -> Alert | None:
        """Return the alert's row with the highest generation; None if there is none."""
        return self._one("series_uid = ? ORDER BY generation DESC LIMIT 1", uid)

    def of_series(self, uid: str) -> list[Alert]:
        """Return the rows of all occurrences of an alert, oldest first."""
        return list(self._all("series_uid = ? ORDER BY generation", uid))

    def of_ticket(self, ticket: int) -> list[Alert]:
        """Return the alert rows that have a ticket."""
        return list(self._all("ticket_id = ?", ticket))

    def of_condition(self, device: int | None, condition: str) -> list[Alert]:
        """Return the rows of one condition on one device that are open or were closed recently."""
        where = (
            "condition = ? AND device_id IS ? AND (state != 'CLOSED' OR closed_at > "
            "(SELECT max(coalesce(closed_at, 0)) FROM alerts WHERE condition = ? AND device_id IS ?) - ?)"
        )
        return list(self._all(where, condition, device, condition, device, RECENT_S))

    def opened_since(self, time: float) -> int:
        """Return the number of tickets that were created or reopened since an epoch time."""
        return self._count("opened_at > ?", time)

    def held(self) -> int:
        """Return the number of rows in the state HELD."""
        return self._count("state = 'HELD'")

    def put(self, changes: Iterable[Alert]) -> None:
        """Add alert rows, or replace those with the same key."""
        for row in changes:
            times = [time for time in (row.next_try, *(note.next_try for note in row.notes)) if time > 0]
            values = (
                *(row.uid, row.generation, row.state, row.ticket, row.device, row.condition),
                *(row.opened_at, row.closed_at, row.reset_at, min(times, default=None)),
                json_text.dumps(asdict(row)),
            )
            marks = ", ".join("?" * len(values))
            self._state.run(f"INSERT OR REPLACE INTO alerts VALUES ({marks})", values)  # noqa: S608

    def due(self, now: float) -> list[Alert]:
        """Return the alert rows with a call or a note that is due."""
        return list(self._all("due <= ? ORDER BY due, series_uid", now))

    def unfinished(self) -> list[Alert]:
        """Return the alert rows whose calls may have been in progress when the last process ended."""
        states = ", ".join(f"'{state}'" for state in PENDING)
        return list(self._all(f"state IN ({states}) OR row NOT LIKE '%\"notes\": []%'"))

    def in_list(self) -> list[Alert]:
        """Return the alert rows that are compared with a list of alerts."""
        last = "generation = (SELECT max(generation) FROM alerts a WHERE a.series_uid = alerts.series_uid)"
        return list(self._all(f"(state != 'CLOSED' OR row LIKE '%\"shown\": 1%') AND {last}"))

    def tickets(self) -> list[int]:
        """Return the ids of the tickets to read in each poll."""
        states = ", ".join(f"'{state}'" for state in TICKET_STATES)
        where = f"state IN ({states}) AND ticket_id IS NOT NULL ORDER BY ticket_id"
        query = f"SELECT DISTINCT ticket_id FROM alerts WHERE {where}"  # noqa: S608
        return [row[0] for row in self._state.run(query)]

    def of_state(self, *states: str) -> list[Alert]:
        """Return the alert rows in one of the given states."""
        return list(self._all(f"state IN ({', '.join('?' * len(states))})", *states))

    def newest(self, states: Collection[str], limit: int, offset: int = 0) -> list[Alert]:
        """Return the alert rows in one of the states (empty: any state), newest start first."""
        marks = ", ".join("?" * len(states))
        where = f"state IN ({marks})" if states else "true"
        begin = "coalesce(nullif(json_extract(row, '$.start'), 0), opened_at) DESC"
        order = f"{begin}, series_uid, generation DESC LIMIT ? OFFSET ?"
        return list(self._all(f"{where} ORDER BY {order}", *states, limit, offset))

    def count(self) -> dict[str, int]:
        """Return the number of alert rows in each state."""
        return dict(self._state.run("SELECT state, count(*) FROM alerts GROUP BY state").fetchall())

    def _one(self, where: str, *values: Any) -> Alert | None:
        return next(self._all(where, *values), None)

    def _all(self, where: str, *values: Any) -> Iterator[Alert]:
        query = f"SELECT row FROM alerts WHERE {where}"  # noqa: S608
        return map(_alert, self._state.run(query, values).fetchall())

    def _count(self, where: str, *values: Any) -> int:
        query = f"SELECT count(*) FROM alerts WHERE {where}"  # noqa: S608
        found: int = self._state.run(query, values).fetchone()[0]
        return found


def _alert(row: tuple[str]) -> Alert:
    fields = json_text.loads(row[0])
    return Alert(**{**fields, "notes": tuple(Note(**note) for note in fields["notes"])})
