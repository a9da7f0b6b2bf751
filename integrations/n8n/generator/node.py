"""The description of a service's node: its resources, operations and fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from integrations.n8n.generator import texts
from integrations.n8n.generator.fields import Field, fields_of
from integrations.n8n.generator.typescript import Code

IDEMPOTENCY_KEY = Code("IDEMPOTENCY_KEY")
"""The expression of the header: the user's key, or one of the execution, node, run and item."""
CONFIRMED = Code("CONFIRMED")
"""The expression of the header `X-Confirm`: 1 if the field is true, and otherwise empty."""
_OWN_NAMES = {"resource", "operation", "additionalFields", "options", "confirm", "requestOptions"}
"""The names of the node's own fields, which no input may have."""

_CONNECTION: Field = {
    "displayName": "Connection",
    "name": "connection",
    "type": "string",
    "default": "",
    "description": "The name of another connection of the server than the default one",
    "routing": {"send": {"type": "query", "property": "connection", "value": Code("IF_GIVEN")}},
}
_REPEAT_KEY: Field = {
    "displayName": "Idempotency Key",
    "name": "idempotencyKey",
    "type": "string",
    "default": "",
    "description": (
        "A text that is unique for each change, such as an order number. Requests with the same key and the "
        "same fields are sent once within 24 hours. Default: a key of this execution, node, run and item."
    ),
}


@dataclass(frozen=True)
class Node:
    """The node of a service: the resources, and the properties of each one, by area."""

    service: str
    class_name: str
    title: str
    prefix: str
    areas: Mapping[str, Sequence[Field]]

    @property
    def name(self) -> str:
        """The name of the node's type."""
        return self.class_name[:1].lower() + self.class_name[1:]

    @property
    def resource(self) -> Field:
        """The property that selects a resource."""
        names = {area: texts.resource_title(area) for area in self.areas}
        options = [{"name": names[area], "value": area} for area in names]
        options.sort(key=lambda option: texts.sorting_key(option["name"]))
        return {
            "displayName": "Resource",
            "name": "resource",
            "type": "options",
            "noDataExpression": True,
            "options": options,
            "default": "devices" if "devices" in self.areas else options[0]["value"],
        }


_CLASSES = {"ninjaone": "NinjaOne", "halopsa": "HaloPsa"}


def nodes(catalog: Catalog) -> list[Node]:
    """Return the nodes of all services."""
    return [_node(catalog, service) for service in catalog.services]


def _node(catalog: Catalog, service: str) -> Node:
    areas: dict[str, list[Action]] = {}
    for action in catalog.actions(service):
        areas.setdefault(action.area, []).append(action)
    declared = catalog.service(service)
    properties = {area: area_properties(area, areas[area], declared.prefix) for area in sorted(areas)}
    return Node(service, _CLASSES[service], declared.title, declared.prefix, properties)


def area_properties(area: str, actions: Sequence[Action], prefix: str) -> list[Field]:
    """Return the properties of a resource: its operations, and the fields of each of them."""
    merged: dict[str, tuple[Field, list[str]]] = {}
    for action in actions:
        for field in _fields(action):
            _, users = merged.setdefault(json.dumps(field), (field, []))
            users.append(action.own_name)
    fields = [_shown(field, area, users) for field, users in merged.values()]
    return [_operations(area, actions, prefix), *fields, *_options(area, actions)]


def _operations(area: str, actions: Sequence[Action], prefix: str) -> Field:
    options = [_operation(action) for action in actions]
    options.sort(key=lambda option: texts.sorting_key(option["name"]))
    reads = [action.own_name for action in actions if action.effect == "read"]
    lists = [name for name in reads if name.startswith("list_")]
    return {
        "displayName": "Operation",
        "name": "operation",
        "type": "options",
        "noDataExpression": True,
        "displayOptions": {"show": {"resource": [area]}},
        "options": options,
        "default": (lists or reads or [action.own_name for action in actions])[0],
        "routing": {
            "request": {"method": "POST", "url": f"=/actions/{prefix}{{{{ $value }}}}"},
            "send": {"paginate": True, "preSend": [Code("withBody")]},
            "output": {"postReceive": [Code("toItems")]},
        },
    }


def _operation(action: Action) -> Field:
    notes = [action.summary]
    if action.effect == "destructive":
        notes.append("This is destructive, and must be confirmed.")
    return {
        "name": texts.title_case(action.title),
        "value": action.own_name,
        "description": texts.description(" ".join(notes)),
        "action": texts.sentence_case(action.title),
    }


def _fields(action: Action) -> Iterator[Field]:
    """Yield the fields of an operation, without the conditions in which they are shown."""
    required, optional = fields_of(action)
    if taken := _OWN_NAMES & {field["name"] for field in required}:
        raise ValueError(f"{action.name}: the node itself has a field with the name of an input: {taken}")
    yield from required
    if action.effect == "destructive":
        yield {
            "displayName": "Confirm",
            "name": "confirm",
            "type": "boolean",
            "default": False,
            "required": True,
            "description": "Whether this destructive operation may be run. Otherwise, nothing is sent.",
            "routing": {"request": {"headers": {"X-Confirm": CONFIRMED}}},
        }
    if optional:
        yield {
            "displayName": "Additional Fields",
            "name": "additionalFields",
            "type": "collection",
            "placeholder": "Add Field",
            "default": {},
            "options": optional,
        }


def _options(area: str, actions: Sequence[Action]) -> Iterator[Field]:
    """Yield the options of the requests; those of operations that are no reads have the Idempotency-Key."""
    reads = [action.own_name for action in actions if action.effect == "read"]
    others = [action.own_name for action in actions if action.effect != "read"]
    if reads:
        yield _shown(_collection([_CONNECTION]), area, reads)
    if others:
        options = _collection([_CONNECTION, _REPEAT_KEY])
        options["routing"] = {"request": {"headers": {"Idempotency-Key": IDEMPOTENCY_KEY}}}
        yield _shown(options, area, others)


def _collection(options: list[Field]) -> Field:
    return {
        "displayName": "Options",
        "name": "options",
        "type": "collection",
        "placeholder": "Add Option",
        "default": {},
        "options": options,
    }


def _shown(field: Field, area: str, operations: Iterable[str]) -> Field:
    """Return a field that is shown with these operations of a resource."""
    head = {name: field[name] for name in ("displayName", "name", "type")}
    shown = {"displayOptions": {"show": {"resource": [area], "operation": list(operations)}}}
    return {**head, **shown, **{name: said for name, said in field.items() if name not in head}}
