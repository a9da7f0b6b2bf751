"""Every place that takes a name, in every action: the request is the same as with the id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector.authoring.scaffold_example import plausible
from connector.catalog.action import Action
from connector.catalog.inputs import Slot
from connector.client.client import Client
from connector.client.factory import open_client
from connector.common.json_text import Json
from connector.connections.connection import Connection
from connector.http.messages import Request
from connector.invocation.bindings import bind
from connector.invocation.exchange import Exchange, NoRecorder
from connector.invocation.handlers import Inputs, Note, Page, find_handler
from connector.invocation.lookups import Lookups
from connector.invocation.names import Record, pending_names, read_index
from connector.sandbox.ninjaone.server import Sandbox
from tests.kept_catalog import CATALOG

SERVICE = CATALOG.service("ninjaone")
SLOTS = [(action.name, name, slot) for action in CATALOG.actions("ninjaone") for name, slot in action.slots]
LOCATION = {"organization_id": 1, "client_id": 1}
"""The organization of the locations in the rows."""


@dataclass
class Account:
    """The sandbox, with the names that were looked up there."""

    client: Client
    lookups: Lookups

    def exchange(self) -> Exchange:
        return Exchange("test", 1, self.client, NoRecorder(), self.lookups)

    def record(self, kind: str) -> Record:
        """Return the first record of a kind that has a name of its own, in organization 1 if it has one."""
        steps = read_index(SERVICE, SERVICE.named[kind], self.lookups)
        try:
            step: Any = next(steps)
            while True:
                step = steps.send(self.exchange().send(step))
        except StopIteration as end:
            index = end.value
        records = [one for one in index.records if len(index.called(one.names[-1], one.owner)) == 1]
        return next(one for one in records if one.owner in (None, 1))

    def requests(self, action: Action, row: Mapping[str, Json], uploads: Path) -> list[Request]:
        """Return the requests for a row up to the action's own, without look-ups. Only reads are sent."""
        inputs = Inputs(action, SERVICE, bind(action, {}).values(row), uploads, self.lookups)
        steps = find_handler(action)(inputs)
        found: list[Request] = []
        step: Any = next(steps)
        while True:
            if isinstance(step, (Note, Page)):
                step = next(steps)
                continue
            if not step.cached:
                found.append(step)
                if step.effect != "read" or action.effect == "read":
                    steps.close()
                    return found
            step = steps.send(self.exchange().send(step))


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Sandbox() as sandbox:
        connection = Connection("ninjaone", sandbox.base_url, sandbox.client_id, sandbox.client_secret)
        yield Account(open_client(SERVICE, connection, 0), Lookups())


def test_every_kind_is_taken_somewhere() -> None:
    assert {slot.kind for _, _, slot in SLOTS} == SERVICE.named.keys()
    taken = {f"{action}.{name}" for action, name, _ in SLOTS}
    for kind in SERVICE.named.values():
        for given in kind.inputs:
            action, _, name = given.rpartition(".")
            assert any(
                (action or found) == found and name in (given, *slot.path) for found, given, slot in SLOTS
            ), f"{kind.name}: no action has the input {given}"
    assert len(taken) > 190


@pytest.mark.parametrize(("name", "given", "slot"), SLOTS, ids=lambda part: str(getattr(part, "kind", part)))
def test_a_name_is_sent_as_its_id(
    account: Account, tmp_path: Path, name: str, given: str, slot: Slot
) -> None:
    action, record = CATALOG.action(name), account.record(slot.kind)
    for file, content in action.examples[0].files.items():
        (tmp_path / file).write_text(content)
    title = record.names[0 if slot.kind == "custom_field" else -1].upper()
    if slot.kind == "location" and slot.path:
        title = f"Alder Dental/{title}"
    by_id, by_name = (row(action, given, slot, value) for value in (record.id, title))
    sent = account.requests(action, by_id, tmp_path)
    assert account.requests(action, by_name, tmp_path) == sent
    places = [text.partition(" ")[0] for text in pending_names(action, SERVICE, by_name)]
    assert [place.partition("[")[0].partition(".")[0] for place in places] == [given]
    assert not list(pending_names(action, SERVICE, by_id))


def row(action: Action, given: str, slot: Slot, value: Json) -> dict[str, Json]:
    """Return a row of the action's first example, with a value at the place that takes names."""
    example = action.examples[0]
    values = bind(action, example.templates).values(example.row)
    values |= {name: id for name, id in LOCATION.items() if name in action.inputs and name != given}
    declared = action.inputs[given].declared_schema
    if slot.sends_text and not isinstance(value, str):
        value = str(value)
    values[given] = placed(declared, slot.path, value)
    return values


def placed(schema: Any, path: tuple[str, ...], value: Json) -> Json:
    """Return a value of the schema, with the given one at the path."""
    if not path:
        return value
    if path[0] == "[]":
        return [placed(schema["items"], path[1:], value)]
    required = {name: plausible(name, schema["properties"][name]) for name in schema.get("required", ())}
    inner = placed(schema["properties"][path[0]], path[1:], value)
    return {**required, path[0]: inner}
