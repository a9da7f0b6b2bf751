"""How the end of queued work is found: `outcome` of an action, and `event_log` of a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from connector.catalog.declaration import Section
from connector.common.json_text import Json

Path = tuple[str, ...]
"""The names of nested members that lead to a value."""


class EventLog(NamedTuple):
    """The list of a service's events, newest first, which an action reads.

    `newest` are the inputs that read only the newest event, and `since` is the input for an event's id, after
    which events are read. The other fields are members of an event: its id, its time in epoch seconds, the
    id that it shares with the other events of the same work, its result, and the exit code of a script.
    `failed` are the results of failed work.
    """

    action: str
    newest: Mapping[str, Json]
    since: str
    id: Path
    time: Path
    series: Path
    result: Path
    exit_code: Path
    failed: tuple[str, ...]


class OfflineDevices(NamedTuple):
    """The list of offline devices: `action` with `inputs`, whose items have an `id`.

    `name` is the member of an item with the device's name, `input` the input of actions for a device's id.
    """

    action: str
    inputs: Mapping[str, Json]
    input: str
    name: str


class NameOf(NamedTuple):
    """How to find the name of what an order runs, such as a script.

    `input` is its id in the list of `action`, whose items have `id` and
    `name`. `members` are the members of an event whose text can contain the name.
    """

    input: str
    action: str
    members: tuple[Path, ...]


class ValueAfter(NamedTuple):
    """A value to read when the work of a row has succeeded.

    It is the member of the result of `action` that the row's input `member` names. `inputs` maps inputs
    of `action` to inputs of the row. Nothing is read for a row without the input `member`.
    """

    action: str
    inputs: Mapping[str, str]
    member: str


class Outcome(NamedTuple):
    """How the end of an action's work is found in a list: in the items that belong to the row.

    The list is that of `action` with `inputs`, or the service's event log if `action` is empty. An item
    belongs to the row if its members `match` are equal to these inputs of the row; `same` are further ones,
    compared only if both have a value. `state` is the member whose value is one of `started`, `completed` and
    `failed`. With `started`, only a series of events that starts after the request belongs to the row. `when`
    restricts the rows by the values of their inputs; the outcome of the other rows cannot be found.
    """

    action: str
    inputs: Mapping[str, Json]
    match: Mapping[Path, str]
    same: Mapping[Path, str]
    name: NameOf | None
    state: Path
    started: tuple[str, ...]
    completed: tuple[str, ...]
    failed: tuple[str, ...]
    when: Mapping[str, list[Json]]
    after: ValueAfter | None

    @property
    def row_inputs(self) -> tuple[str, ...]:
        """The inputs of the row that are required to find its items."""
        named = (self.name.input,) if self.name else ()
        after = (*self.after.inputs.values(), self.after.member) if self.after else ()
        return tuple(dict.fromkeys((*self.match.values(), *self.same.values(), *named, *self.when, *after)))


def read_path(text: str) -> Path:
    """Return the member names of a dotted path."""
    return tuple(text.split("."))


def member(item: Json, path: Path) -> Any:
    """Return a nested member of an item; None if it has none."""
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item


def read_event_log(part: Section) -> EventLog:
    """Read the `event_log` of a service. Raises DeclarationError."""
    members = part.section("members")
    log = EventLog(
        action=part.text("action"),
        newest=part.mapping("newest"),
        since=part.text("since"),
        id=read_path(members.text("id")),
        time=read_path(members.text("time")),
        series=read_path(members.text("series")),
        result=read_path(members.text("result")),
        exit_code=read_path(members.text("exit_code")),
        failed=part.texts("failed"),
    )
    members.finish()
    part.finish()
    return log


def read_offline(part: Section) -> OfflineDevices:
    """Read the `offline` of a service. Raises DeclarationError."""
    offline = OfflineDevices(
        part.text("action"), part.mapping("inputs"), part.text("input"), part.text("name")
    )
    part.finish()
    return offline


def read_outcome(part: Section) -> Outcome:
    """Read the `outcome` of an action. Raises DeclarationError."""
    outcome = Outcome(
        action=part.text("action", ""),
        inputs=part.mapping("inputs"),
        match=_paths(part, "match"),
        same=_paths(part, "same"),
        name=_name_of(part.section("name")) if part.value("name", dict, None) else None,
        state=read_path(part.text("state")),
        started=part.texts("started"),
        completed=part.texts("completed"),
        failed=part.texts("failed"),
        when=part.mapping("when"),
        after=_value_after(part.section("after")) if part.value("after", dict, None) else None,
    )
    if not outcome.match:
        raise part.fault("at least one member is required", "match")
    part.finish()
    return outcome


def _name_of(part: Section) -> NameOf:
    named = NameOf(
        part.text("input"), part.text("action"), tuple(read_path(text) for text in part.texts("members"))
    )
    part.finish()
    return named


def _value_after(part: Section) -> ValueAfter:
    after = ValueAfter(part.text("action"), part.mapping("inputs"), part.text("member"))
    part.finish()
    return after


def _paths(part: Section, key: str) -> dict[Path, str]:
    return {read_path(name): str(given) for name, given in part.mapping(key).items()}
