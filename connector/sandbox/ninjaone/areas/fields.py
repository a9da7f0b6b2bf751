"""Endpoints for custom field definitions, and the validation of values."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from connector.sandbox.ninjaone.api.collections import Collection, body_fact, shown
from connector.sandbox.ninjaone.api.cursors import cursor_page, snapshot_of
from connector.sandbox.ninjaone.api.endpoints import ENDPOINTS, ApiCall
from connector.sandbox.ninjaone.api.operations import endpoint_of, operation, operations
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON, uid
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import application_error, invalid, not_found

SECRET_TYPES = ("TEXT_ENCRYPTED", "TOTP")

# The columns are name, type, scopes and options.
_SEEDS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("rack", "TEXT", "NODE", ()),
    ("rackUnit", "NUMERIC", "NODE", ()),
    ("lastCheck", "DATE", "NODE", ()),
    ("spare", "CHECKBOX", "NODE", ()),
    ("environment", "DROPDOWN", "NODE", ("Production", "Test")),
    ("serviceWindows", "MULTI_SELECT", "NODE", ("Weekdays", "Weekends", "Nights")),
    ("doorCode", "TEXT_ENCRYPTED", "LOCATION", ()),
    ("siteCode", "TEXT", "LOCATION ORGANIZATION", ()),
    ("tier", "TEXT", "ORGANIZATION", ()),
    ("siteContact", "TEXT", "LOCATION", ()),
    ("floor", "NUMERIC", "LOCATION", ()),
    ("contractNumber", "TEXT", "ORGANIZATION", ()),
    ("contractEnd", "DATE", "ORGANIZATION", ()),
    ("supportPlan", "DROPDOWN", "ORGANIZATION", ("Bronze", "Silver", "Gold")),
    ("accountOwner", "TEXT", "ORGANIZATION", ()),
    ("accountNotes", "WYSIWYG", "ORGANIZATION", ()),
    ("desk", "TEXT", "END_USER", ()),
    ("startDate", "DATE", "END_USER", ()),
    ("oldAssetTag", "TEXT", "NODE", ()),
    ("oldRack", "TEXT", "NODE", ()),
    ("oldShelf", "TEXT", "NODE", ()),
)
_RESOURCE = "AttributePublicApiDTO"


def _seed(number: int) -> JSON:
    name, kind, scopes, options = _SEEDS[number - 1]
    return {
        "name": name,
        "label": "".join(
            f" {letter.lower()}" if letter.isupper() else letter for letter in name
        ).capitalize(),
        "type": kind,
        "entityType": "NODE",
        "scope": "NODE_GLOBAL",
        "definitionScope": scopes.split(),
        "endUserPermission": "HIDDEN",
        "technicianPermission": "EDITABLE",
        "scriptPermission": "READ_WRITE",
        "apiPermission": "READ_WRITE",
        "content": {"required": False, **({"values": _options(number, options)} if options else {})},
        "system": False,
        "active": True,
        "createTime": EPOCH - 50_000_000.0,
        "updateTime": EPOCH - 50_000_000.0,
    }


def _options(number: int, names: tuple[str, ...]) -> list[JSON]:
    return [
        {"id": uid(41, number, index), "name": name, "active": True, "system": False}
        for index, name in enumerate(names)
    ]


DEFINITIONS = Collection("custom_field", _RESOURCE, key="name", count=len(_SEEDS), seed=_seed)


def definition(state: State, name: str) -> JSON | None:
    """Return the definition of a custom field, or None."""
    return DEFINITIONS.items(state).get(name)


@operation("getAllNodeAttributes")
def get_definitions(call: ApiCall) -> JSON:
    """Return a page of all definitions (pager `cursorName`)."""
    size = call.query.get("pageSize", 50)
    rows, cursor = cursor_page(
        call.state,
        "getAllNodeAttributes",
        call.query.get("cursorName"),
        size,
        lambda: snapshot_of("getAllNodeAttributes", list(DEFINITIONS.items(call.state).values())),
    )
    page = {"page": (cursor["offset"] // size - 1) if cursor else 0, "pageSize": size, "count": len(rows)}
    return page | {"results": rows} | ({"cursor": cursor} if cursor else {})


@operation("getNodeAttributeByFieldName")
def get_definition(call: ApiCall, field_name: str) -> JSON:
    """Return the definition of a custom field."""
    return DEFINITIONS.find(call.state, field_name)


@operation("createNodeAttribute")
def create_definition(call: ApiCall) -> JSON:
    """Create a definition. Its name must not be in use."""
    return _create(call.state, [call.body])[0]


@operation("bulkCreateNodeAttributes")
def create_definitions(call: ApiCall) -> list[JSON]:
    """Create definitions, all or none."""
    return _create(call.state, call.body.get("customFields") or [])


@operation("updateNodeAttributeByFieldName")
def update_definition(call: ApiCall, field_name: str) -> JSON:
    """Replace a definition, except for its type."""
    return _update(call.state, [{**call.body, "fieldName": field_name}])[0]


@operation("bulkUpdateNodeAttributes")
def update_definitions(call: ApiCall) -> list[JSON]:
    """Replace definitions, except for their types; all or none."""
    return _update(call.state, call.body.get("customFields") or [])


@operation("deleteNodeAttributeByFieldName")
def delete_definition(call: ApiCall, field_name: str) -> None:
    """Delete a definition, and all values of the field."""
    _delete(call.state, [field_name])


@operation("bulkDeleteNodeAttributes")
def delete_definitions(call: ApiCall) -> list[str]:
    """Delete the definitions in a comma-separated list of names; all or none."""
    names = [name.strip() for name in call.query.get("fieldNames", "").split(",") if name.strip()]
    if not names:
        raise invalid("fieldNames", "a value")
    _delete(call.state, names)
    return names


def _global_definitions(call: ApiCall) -> list[JSON]:
    """Return the definitions in the scopes of a comma-separated list."""
    wanted = {part.strip() for part in call.query.get("scopes", "all").split(",")}
    if wanted - {"all", "node", "location", "organization"}:
        raise invalid("scopes", "all, node, location or organization, with commas between")
    found = DEFINITIONS.items(call.state).values()
    return [
        item
        for item in found
        if "all" in wanted or wanted & {scope.lower() for scope in item["definitionScope"]}
    ]


def _create(state: State, bodies: list[JSON]) -> list[JSON]:
    names = [body["fieldName"] for body in bodies]
    for name in names:
        if definition(state, name) is not None or names.count(name) > 1:
            raise application_error(400, "field_name_already_exists")
    settable = body_fact(operations()["createNodeAttribute"])["properties"]
    created = []
    for body in bodies:
        item = DEFINITIONS.add(state, body, settable)
        del DEFINITIONS.items(state)[item["name"]]  # `add` has stored it under a generated name
        item |= {"name": body["fieldName"], "active": True, "system": False, "entityType": "NODE"}
        item.setdefault("type", "TEXT")
        item.setdefault("scope", "NODE_GLOBAL")
        item.setdefault("definitionScope", ["NODE"])
        _settle(state, item)
        DEFINITIONS.items(state)[item["name"]] = item
        created.append(item)
    return created


def _update(state: State, bodies: list[JSON]) -> list[JSON]:
    items = []
    for body in bodies:
        if not body.get("fieldName"):
            raise invalid("fieldName", "a value")
        item = DEFINITIONS.find(state, body["fieldName"])
        if body.get("type") not in (None, item["type"]):
            raise application_error(400, "field_type_cannot_be_changed")
        items.append(item)
    for item, body in zip(items, bodies, strict=True):
        DEFINITIONS.change(item, shown(body, _RESOURCE))
        _settle(state, item)
    return items


def _settle(state: State, item: JSON) -> None:
    """Add the ids of the options and the default permissions to a definition."""
    for option in item.get("content", {}).get("values") or []:
        option.setdefault("id", state.fresh_uid())
        option.setdefault("active", True)
    for name in ("technicianPermission", "scriptPermission", "apiPermission"):
        item.setdefault(name, "NONE")


def _delete(state: State, names: list[str]) -> None:
    for name in names:
        if definition(state, name) is None:
            raise not_found("custom_field")
    for name in set(names):
        del DEFINITIONS.items(state)[name]
        for values in state.custom_fields.values():
            values.pop(name, None)


def check_values(state: State, values: JSON) -> None:
    """Raise HttpError 400 if a value is not valid for its field; fields without a definition are ignored."""
    for name, value in values.items():
        found = definition(state, name)
        if found is None or value is None or found["type"] not in _TESTS:
            continue
        expected, test = _TESTS[found["type"]]
        if not test(value, {option["id"] for option in found["content"].get("values") or []}):
            raise invalid(name, expected)


def _is_number(value: Any, options: set[str]) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TESTS: dict[str, tuple[str, Callable[[Any, set[str]], bool]]] = {
    "DATE": ("epoch milliseconds", _is_number),
    "DATE_TIME": ("epoch milliseconds", _is_number),
    "NUMERIC": ("number", _is_number),
    "DECIMAL": ("number", _is_number),
    "CHECKBOX": ("boolean", lambda value, options: isinstance(value, bool)),
    "TEXT": ("text", lambda value, options: isinstance(value, str)),
    "TEXT_MULTILINE": ("text", lambda value, options: isinstance(value, str)),
    "TEXT_ENCRYPTED": ("text", lambda value, options: isinstance(value, str)),
    "DROPDOWN": ("the id of an option", lambda value, options: isinstance(value, str) and value in options),
    "MULTI_SELECT": (
        "a list of ids of options",
        lambda value, options: (
            isinstance(value, list) and all(isinstance(v, str) and v in options for v in value)
        ),
    ),
    "WYSIWYG": ("an object with html", lambda value, options: isinstance(value, dict) and "html" in value),
}


def note_times(state: State, entity: str, entity_id: int, values: JSON) -> None:
    """Store the current time as the time when these values were set."""
    now = time.time()
    state.field_times |= {(entity, entity_id, name): now for name in values}


ENDPOINTS.add(endpoint_of("getDeviceGlobalCustomFields", _global_definitions))
