"""Apply a plan item by item. A creation with an unknown outcome is looked up before it is sent again.

A creation is recorded in the outbox and committed before it is sent; its link and its outcome are saved in
one transaction after the response. An update reads the record first and omits values that are already set. If
the creation of a parent record failed, the items of its children are skipped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from typing import Any, Literal

from connector.common import json_text
from connector.common.clock import Clock
from connector.common.json_text import Json
from connector.errors import RowError
from connector.sync.creations import Creations, UnknownOutcomeError
from connector.sync.plan_items import Change, Item
from connector.sync.records import Asset, ListError, Target
from connector.sync.state import Link, State
from connector.sync.values import is_empty, is_same
from connector.sync.write_values import Resolver, UnresolvedError, current_value

Outcome = Literal["done", "same", "skipped", "conflict", "failed", "changed", "parent", "unknown"]
BATCH = 500
"""The maximum number of items that are saved in one transaction, if they need no request."""
FAILED: tuple[Outcome, ...] = ("failed", "changed", "parent", "unknown")
"""The outcomes of items whose records were not written, or possibly not written."""


@dataclass
class Applied:
    """The outcomes of a plan's items so far. `done` of `total` writes have succeeded or failed.

    `problems` are items that failed; `partial` were applied, but there is something to report, such as a
    field that was omitted; `decisions` were skipped or are conflicts. Each has at most 1,000 items.
    """

    total: int = 0
    done: int = 0
    writes: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[tuple[Item, str]] = field(default_factory=list)
    partial: list[tuple[Item, str]] = field(default_factory=list)
    decisions: list[tuple[Item, str]] = field(default_factory=list)
    is_stopped: bool = False

    def add(self, item: Item, outcome: Outcome, reason: str) -> None:
        """Count the outcome of an item, and keep the reason of a failure."""
        of_entity = self.counts.setdefault(item.entity, {})
        of_entity[outcome] = of_entity.get(outcome, 0) + 1
        if outcome in FAILED and len(self.problems) < 1000:
            self.problems.append((item, reason))
        if outcome in ("done", "same") and reason and len(self.partial) < 1000:
            self.partial.append((item, reason))
        if outcome in ("skipped", "conflict") and len(self.decisions) < 1000:
            self.decisions.append((item, reason))

    def count(self, *outcomes: str) -> int:
        """Return the number of items with one of the given outcomes."""
        return sum(number for of in self.counts.values() for name, number in of.items() if name in outcomes)

    @property
    def is_clean(self) -> bool:
        """Whether no item failed and no conflict requires a decision."""
        return self.count(*FAILED, "conflict") == 0


class Applier:
    """Applies the items of a plan to the target service.

    `first_sites` is the result of the function of this name. `between` is called after each write, so that
    more urgent work, such as alerts, is not delayed.
    """

    def __init__(
        self,
        state: State,
        target: Target,
        clock: Clock,
        run: int,
        stop: threading.Event,
        first_sites: Mapping[int | str, str],
        *,
        between: Callable[[Applied], None] = lambda applied: None,
    ) -> None:
        self._state, self._target, self._clock, self._run, self._stop = state, target, clock, run, stop
        self._resolver = Resolver(state, target, first_sites)
        self._creations = Creations(state, target, clock)
        self._between = between
        self.applied = Applied()

    def apply(self, items: Iterable[Item], total: int) -> Applied:
        """Apply the items in order; end early if `stop` is set. Raises RunStoppedError."""
        self.applied.total = total
        for is_write, group in groupby(items, key=lambda item: item.is_write):
            while batch := list(islice(group, 1 if is_write else BATCH)):
                if self._stop.is_set():
                    self.applied.is_stopped = True
                    return self.applied
                self._batch(batch, is_write)
        return self.applied

    def _batch(self, batch: list[Item], is_write: bool) -> None:
        """Apply one item that may send requests, or several in one transaction that send none."""
        with nullcontext() if is_write else self._state.transaction():
            for item in batch:
                self._item(item)
        if not is_write:
            self._between(self.applied)

    def _item(self, item: Item) -> None:
        outcome, reason = self._apply(item)
        self.applied.add(item, outcome, reason)
        if item.is_write:
            self.applied.done += 1
            self._between(self.applied)
        if outcome in ("skipped", "conflict") and self._is_known(item):
            return
        with self._state.transaction():
            self._save_item(item, outcome, reason)

    def _is_known(self, item: Item) -> bool:
        """Return whether the previous run saved the same operation and reason for a record."""
        last = self._state.items_of(item.entity, item.source, 1)
        return bool(last) and (last[0]["op"], last[0]["reason"]) == (item.op, item.reason)

    def _save_item(self, item: Item, outcome: Outcome, reason: str) -> None:
        saved = {**item.as_json("source", "target"), "target": self._resolver.target_of(item)}
        self._state.save_item(self._run, {**saved, "reason": reason or item.reason}, outcome)

    def _apply(self, item: Item) -> tuple[Outcome, str]:
        if item.op in ("skip", "conflict"):
            return self._decision(item)
        try:
            changes = tuple(replace(c, new=self._resolver.value(c.new)) for c in item.changes)
            if item.op == "create":
                return self._create(item, changes)
            return self._change(item, changes)
        except (UnresolvedError, RowError, ListError, UnknownOutcomeError) as error:
            self._resolver.failed(item, str(error))
            return _outcome_of(error), str(error)

    def _decision(self, item: Item) -> tuple[Outcome, str]:
        """Save the outcome of a skipped item or a conflict, which is not written to the target."""
        if item.op == "skip":
            self._keep_hash(item)
            self._resolver.failed(item, item.reason)
            return "skipped", item.reason
        self._resolver.failed(item, item.reason)
        if item.entity == "asset":
            known = {"candidates": list(item.candidates), "names": list(item.candidate_names)}
            known |= {"unfit": list(item.unfit)} if item.unfit else {}
            note = json_text.dumps({**known, "reason": item.reason})
            source = int(item.source)
            self._state.save_link(
                Link("asset", source, None, "conflict", values_hash=item.hash, note=note, last_run=self._run)
            )
        return "conflict", item.reason

    def _keep_hash(self, item: Item) -> None:
        if item.hash is not None and item.target is not None:
            link = self._link(item)
            if link is not None:
                self._state.save_link(replace(link, values_hash=item.hash))

    def _create(self, item: Item, changes: tuple[Change, ...]) -> tuple[Outcome, str]:
        values = self._resolver.values_of(item, changes)
        key = f"{item.entity}:{item.source}"

        def done(id: int) -> None:
            self._resolver.created(item, id)
            if item.entity in ("client", "site", "asset"):
                self._save_link(item, id)

        look_first = item.entity == "site" and self._resolver.is_new_client(values["client"])
        self.applied.writes += self._creations.create(key, item.entity, values, done, look_first=look_first)
        return "done", item.reason

    def _change(self, item: Item, changes: tuple[Change, ...]) -> tuple[Outcome, str]:
        assert item.target is not None
        if item.entity != "asset":
            return self._write(item, {change.field: change.new for change in changes}, None)
        if not changes:
            return self._write(item, {}, None)
        current = self._target.asset(item.target)
        if current is None:
            raise RowError("not_found", f"asset {item.target} was deleted since the plan was made")
        if item.client not in (None, current.client):
            moved = f"from client {item.client} to client {current.client} after the plan was made"
            return "changed", f"asset {item.target} was moved {moved}: make a new plan"
        left: dict[int | str, Json] = {}
        for change in changes:
            now = current_value(current, change.field)
            if self._is_settled(current, change, now):
                continue
            if (
                change.field != "software"
                and not change.unread
                and not self._is_same(change, now, change.old)
            ):
                shown = f"{_shown(change.old)} in the plan and {_shown(now)} now"
                return "changed", f"field {change.field} was {shown}: make a new plan"
            left[change.field] = change.new
        values = self._resolver.known(left)
        if self._resolver.give_fields(values, current.type):
            current = self._target.asset(item.target)
        return self._write(item, values, current)

    def _is_settled(self, current: Asset, change: Change, now: Json) -> bool:
        """Return whether a field needs no write: it already has the value, or must not be overwritten."""
        if change.field == "software":  # The API's asset responses do not contain the software.
            return False
        if change.field == "user" and change.new in current.users:
            return True
        if change.unread == "empty" and not is_empty(now):
            return True
        return self._is_same(change, now, change.new)

    def _is_same(self, change: Change, one: Json, other: Json) -> bool:
        return is_same(one, other, self._resolver.definition(change.field))

    def _write(
        self, item: Item, values: Mapping[int | str, Json], current: Asset | None
    ) -> tuple[Outcome, str]:
        assert item.target is not None
        if values:
            try:
                self._target.save(item.entity, item.target, values, current)
            except RowError as error:
                if error.code == "outcome_unknown":
                    raise UnknownOutcomeError(f"{error}: the next run reads the record again") from error
                raise
            self.applied.writes += 1
        with self._state.transaction():
            self._save_link(item, item.target)
        self._resolver.created(item, item.target)
        return ("done" if values else "same"), item.reason

    def _link(self, item: Item) -> Link | None:
        return self._state.links(item.entity, [int(item.source)]).get(int(item.source))

    def _save_link(self, item: Item, target: int) -> None:
        before = self._link(item)
        link = before or Link(item.entity, int(item.source), target, item.method, first_run=self._run)
        is_same_target = before is not None and before.target == target
        method = link.method if is_same_target and item.method == "link" else item.method
        self._state.save_link(
            replace(
                link,
                target=target,
                method=method,
                pinned=method == "pin",
                values_hash=item.hash if item.entity == "asset" else link.values_hash,
                software_hash=item.software_hash or (link.software_hash if is_same_target else None),
                first_run=link.first_run or self._run,
                last_run=self._run,
                deactivated=item.op == "deactivate",
                note=None,
            )
        )


def _outcome_of(error: Exception) -> Outcome:
    if isinstance(error, UnresolvedError):
        return "parent"
    return "unknown" if isinstance(error, UnknownOutcomeError) else "failed"


def _shown(value: Any) -> str:
    return "empty" if is_empty(value) else json_text.dumps(value)


def first_sites(items: Iterable[Item]) -> dict[int | str, str]:
    """Return the name of the first new site of each new client, keyed by organization."""
    found: dict[int | str, str] = {}
    for item in items:
        if item.entity == "site" and item.op == "create":
            client = next((change.new for change in item.changes if change.field == "client"), None)
            if isinstance(client, dict):
                found.setdefault(client["organization"], item.name)
    return found


def total_writes(items: Iterable[Item]) -> int:
    """Return the number of items that need a write."""
    return sum(item.is_write for item in items)


def chosen(
    items: Iterable[Item], entities: Collection[str] | None, keys: Collection[tuple[str, str]] | None
) -> Iterable[Item]:
    """Yield the items with one of the entities and one of the keys (entity, source id); None allows all."""
    for item in items:
        if entities is not None and item.entity not in entities:
            continue
        if keys is not None and (item.entity, str(item.source)) not in keys:
            continue
        yield item
