"""Create a record exactly once: save the intent first, and look the record up if the outcome is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.common.clock import Clock
from connector.common.json_text import Json
from connector.errors import ConnectorError, RowError
from connector.sync.records import ListError, Target
from connector.sync.state import Link, State
from connector.sync.state_queues import Intent, Outbox

LOOK_UP_S = 600.0
"""The time in seconds after which a creation that a look-up does not find is sent again."""
ENTITIES = ("client", "site", "type", "field", "asset")


class UnknownOutcomeError(ConnectorError):
    """The outcome of a creation or change is unknown, and a look-up did not find the record."""


class Creations:
    """Creates clients, sites, asset types, fields and assets, each exactly once."""

    def __init__(self, state: State, target: Target, clock: Clock) -> None:
        self._state, self._target, self._clock = state, target, clock
        self._outbox = Outbox(state)

    def create(
        self,
        key: str,
        entity: str,
        values: Mapping[int | str, Json],
        done: Callable[[int], None],
        *,
        look_first: bool = False,
    ) -> int:
        """Create a record and return the number of writes: 1, or 0 if a record was found.

        `done` is called with the record's id in the transaction that saves the outcome. With `look_first`, an
        existing record is used. Raises RowError if the target refuses, ListError if a look-up is incomplete,
        and UnknownOutcomeError.
        """
        before = self._outbox.get(key)
        if before is not None and before.outcome is None and before.sent is not None:
            found = self._target.find(entity, _values(before), before.began)
            if found is None and self._clock.now() - before.sent < LOOK_UP_S:
                raise UnknownOutcomeError(_not_found(entity))
            if found is not None:
                self._settle(key, "found", found, done)
                return 0
            self._outbox.settle(key, "lost")
        elif look_first and (found := self._target.find(entity, values, self._clock.now())) is not None:
            with self._state.transaction():
                done(found)
            return 0
        self._send(key, entity, values, done)
        return 1

    def _send(
        self, key: str, entity: str, values: Mapping[int | str, Json], done: Callable[[int], None]
    ) -> None:
        now = self._clock.now()
        with self._state.transaction():
            stamp = values.get("stamp")
            inputs = {"values": [[field, value] for field, value in values.items()]}
            self._outbox.begin(key, entity, inputs, None if stamp is None else str(stamp), now)
            self._outbox.sent(key, now)
        try:
            id = self._target.save(entity, None, values)
        except RowError as error:
            if error.refused and error.code != "outcome_unknown":
                self._outbox.settle(key, f"refused: {error}")
                raise
            found = self._target.find(entity, values, now)
            if found is None:
                raise UnknownOutcomeError(f"{error}. {_not_found(entity)}") from error
            self._settle(key, "found", found, done)
            return
        self._settle(key, "created", id, done)

    def _settle(self, key: str, outcome: str, id: int, done: Callable[[int], None]) -> None:
        with self._state.transaction():
            done(id)
            self._outbox.settle(key, outcome, id)

    def recover(self) -> int:
        """Look up the creations of an earlier process without an outcome; return the number of found records.

        Found records are linked. Those that cannot be looked up now stay pending.
        """
        recovered = 0
        for intent in self._outbox.unsettled():
            entity, _, source = intent.key.partition(":")
            if intent.action not in ENTITIES or entity != intent.action:
                continue
            if intent.sent is None:
                self._outbox.settle(intent.key, "not sent")
                continue
            try:
                found = self._target.find(entity, _values(intent), intent.began)
            except ListError:
                continue
            if found is not None:
                with self._state.transaction():
                    self._link(entity, source, found)
                    self._outbox.settle(intent.key, "found", found)
                recovered += 1
            elif self._clock.now() - intent.sent >= LOOK_UP_S:
                self._outbox.settle(intent.key, "lost")
        return recovered

    def _link(self, entity: str, source: str, target: int) -> None:
        if entity in ("client", "site", "asset"):
            self._state.save_link(Link(entity, int(source), target, "new"))


def _values(intent: Intent) -> dict[int | str, Json]:
    pairs = intent.inputs["values"]
    return dict(pairs) if isinstance(pairs, list) else {}


def _not_found(entity: str) -> str:
    return (
        f"It is unknown whether the {entity} was created: the next run looks it up before creating it again"
    )
