"""The inbox of webhook deliveries, and the outbox, in which a creation is saved before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.sync.state import State


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook delivery as received. `seq` numbers the deliveries in the order of arrival."""

    seq: int
    source: str
    event_id: str
    raw: bytes
    received: float


class Inbox:
    """The stored webhook deliveries; a delivery that the sender repeats is stored once."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, source: str, event_id: str, raw: bytes, now: float) -> bool:
        """Store a delivery; return False if it is already stored. Raises StateFullError."""
        done = self._state.run(
            "INSERT OR IGNORE INTO inbox(source, event_id, raw, received) VALUES (?, ?, ?, ?)",
            (source, event_id, raw, now),
        )
        return done.rowcount == 1

    def last(self) -> int:
        """Return the number `seq` of the last delivery; 0 if there is none."""
        found: int = self._state.run("SELECT coalesce(max(seq), 0) FROM inbox").fetchone()[0]
        return found

    def open(self, limit: int = 100) -> list[Delivery]:
        """Return the next unprocessed deliveries, in the order of arrival."""
        query = (
            "SELECT seq, source, event_id, raw, received FROM inbox WHERE done IS NULL ORDER BY seq LIMIT ?"
        )
        return [Delivery(*row) for row in self._state.run(query, (limit,)).fetchall()]

    def done(self, seq: int, now: float) -> None:
        """Mark a delivery as processed. Call it in the transaction that saves the results."""
        self._state.run("UPDATE inbox SET done = ? WHERE seq = ?", (now, seq))

    def waiting(self) -> int:
        """Return the number of unprocessed deliveries."""
        found: int = self._state.run("SELECT count(*) FROM inbox WHERE done IS NULL").fetchone()[0]
        return found


@dataclass(frozen=True, slots=True)
class Intent:
    """A write in the outbox. `sent` is None until just before sending; `outcome` is None while unknown."""

    key: str
    action: str
    inputs: Mapping[str, Json]
    stamp: str | None
    began: float
    sent: float | None = None
    outcome: str | None = None
    target: int | None = None


class Outbox:
    """The writes that are saved before they are sent, and their outcomes.

    A write that was sent and has no outcome is looked up in the target before it is sent again.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def begin(self, key: str, action: str, inputs: Mapping[str, Json], stamp: str | None, now: float) -> None:
        """Save a write before it is sent. It replaces a write with the same key that has an outcome."""
        self._state.run(
            "INSERT INTO outbox(key, action, inputs, stamp, began) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT(key) DO UPDATE SET action = excluded.action, inputs = excluded.inputs, "
            "stamp = excluded.stamp, began = excluded.began, sent = NULL, outcome = NULL, target_id = NULL "
            "WHERE outcome IS NOT NULL",
            (key, action, json_text.dumps(dict(inputs)), stamp, now),
        )

    def sent(self, key: str, now: float) -> None:
        """Save the time at which a write is sent. Commit it before the request is sent."""
        self._state.run("UPDATE outbox SET sent = ? WHERE key = ?", (now, key))

    def settle(self, key: str, outcome: str, target: int | None = None) -> None:
        """Save the outcome of a write. Call it in the transaction that saves the link."""
        self._state.run("UPDATE outbox SET outcome = ?, target_id = ? WHERE key = ?", (outcome, target, key))

    def get(self, key: str) -> Intent | None:
        """Return the write with a key; None if there is none."""
        return next(iter(self._all("key = ?", key)), None)

    def unsettled(self) -> list[Intent]:
        """Return the writes without an outcome, oldest first."""
        return self._all("outcome IS NULL ORDER BY began, key")

    def _all(self, where: str, *values: str) -> list[Intent]:
        query = (
            f"SELECT key, action, inputs, stamp, began, sent, outcome, target_id FROM outbox WHERE {where}"  # noqa: S608
        )
        rows = self._state.run(query, values).fetchall()
        return [_intent(list(row)) for row in rows]


def _intent(row: list[Any]) -> Intent:
    row[2] = json_text.loads(row[2])
    return Intent(*row)
