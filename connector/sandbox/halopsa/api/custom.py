"""Custom fields of records: the member `customfields` of requests and responses."""

from __future__ import annotations

from typing import Any

from connector.sandbox.halopsa.api.call import HaloCall
from connector.sandbox.halopsa.api.writes import check_value, stored_value
from connector.sandbox.halopsa.data.seed import DATE, LIST
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.invented import JSON

_TYPES = {LIST: 2, DATE: 4}
"""HaloPSA's number for each type of custom field; other types are text, which is number 0."""


def custom_type(definition: JSON) -> int:
    """Return HaloPSA's number for the type of a custom field."""
    return _TYPES.get(definition["kind"], 0)


def shown_custom(state: State, entity: str, values: JSON) -> list[JSON]:
    """Return the values of all custom fields of an entity, keyed by name."""
    return [
        {
            "id": definition["id"],
            "name": definition["name"],
            "label": definition["name"].removeprefix("CF"),
            "type": custom_type(definition),
            "value": values.get(definition["name"]),
            "display": values.get(definition["name"]),
        }
        for definition in state.custom_of(entity)
    ]


def check_custom(call: HaloCall, entity: str, record: JSON, path: str) -> None:
    """Raise InvalidRecordError if a value is not valid for its custom field."""
    for index, item in enumerate(record.get("customfields") or []):
        definition = _definition(call.state, entity, item)
        if definition is not None:
            check_value(definition, item.get("value"), f"{path}.customfields[{index}].value")


def save_custom(call: HaloCall, entity: str, stored: JSON, record: JSON) -> None:
    """Store the custom fields of a record in `stored`, keyed by name; unknown fields are ignored.

    Fields that are not in the record are emptied, or kept with `sub_arrays=merge` (see `traps`).
    """
    items = record.get("customfields")
    if items is None:
        return
    if call.state.traps.is_on("sub_arrays", "replace"):
        stored.clear()
    for item in items:
        definition = _definition(call.state, entity, item)
        if definition is not None:
            stored[definition["name"]] = stored_value(definition, item.get("value"))


def _definition(state: State, entity: str, item: Any) -> JSON | None:
    """Return the custom field that an item of `customfields` refers to by id or name, or None."""
    for definition in state.custom_of(entity):
        if item.get("id") == definition["id"] or (
            not item.get("id") and item.get("name") == definition["name"]
        ):
            return definition
    return None
