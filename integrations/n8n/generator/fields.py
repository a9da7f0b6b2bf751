"""The form fields of inputs, as n8n's `INodeProperties`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connector.catalog.action import Action
from connector.catalog.coercion import declared_types
from connector.catalog.input_schema import input_schema
from connector.common.absent import ABSENT
from integrations.n8n.generator import texts
from integrations.n8n.generator.typescript import Code

Field = dict[str, Any]

NOT_CHOSEN = Code("NOT_CHOSEN")
"""The default of a required choice: none of its options."""
TIME = Code("WITH_OFFSET")
"""The expression of a time, which has the UTC offset of the workflow's timezone unless it has its own."""
LIMIT = 50
"""The default of a limit that n8n's linter requires."""
_OTHER_NAMES = {"action": "action_input"}
"""The names of fields that cannot have the name of their input: `action` is one of n8n's own names."""
_SECRET = ("secret", "password", "token", "apikey")


def fields_of(action: Action) -> tuple[list[Field], list[Field]]:
    """Return the fields of the required inputs, and those of the optional ones, sorted by name."""
    schema = input_schema(action, names=True)
    required = set(schema["required"])
    fields = {
        name: _field(action, name, said, name in required) for name, said in schema["properties"].items()
    }
    optional = [field for name, field in fields.items() if name not in required]
    optional.sort(key=lambda field: texts.sorting_key(field["displayName"]))
    return [field for name, field in fields.items() if name in required], optional


def _field(action: Action, name: str, schema: Mapping[str, Any], is_required: bool) -> Field:
    title, own_name = texts.title_case(schema["title"]), _OTHER_NAMES.get(name, name)
    field: Field = {"displayName": title, "name": own_name, **_kind(name, schema)}
    default = action.inputs[name].default
    if default is not ABSENT and name != "limit":
        is_text = field["type"] in ("json", "string") and not isinstance(default, str)
        field["default"] = json.dumps(default) if is_text else default
    if field["type"] == "options" and is_required:
        field["default"] = NOT_CHOSEN
    if field["type"] == "string" and (action.inputs[name].is_secret or _is_secret(name)):
        field["typeOptions"] = {"password": True}
    if name == "email":
        field["placeholder"] = "name@email.com"
    if is_required:
        field["required"] = True
    if text := _description(field, str(schema.get("description", ""))):
        field["description"] = text
    send: Field = {"type": "body", "property": name}
    if field["type"] == "dateTime":
        send["value"] = TIME
    field["routing"] = {"send": send}
    return field


def _kind(name: str, schema: Mapping[str, Any]) -> Field:
    """Return the type of a field and its default, which is empty where possible: then no value is sent."""
    types = set(declared_types(schema)) - {"null"}
    items = schema.get("items")
    allowed = items.get("enum") if isinstance(items, Mapping) else None
    if types == {"boolean"}:
        return {"type": "boolean", "default": False}
    if types == {"string"} and schema.get("enum"):
        return _choice("options", schema["enum"])
    if types == {"array"} and allowed:
        return {**_choice("multiOptions", allowed), "default": []}
    if types & {"array", "object"} or not types:
        return {"type": "json", "default": ""}
    if (
        types <= {"integer", "number"} and schema.get("format") != "int64"
    ):  # larger than numbers of JavaScript
        if name == "limit":
            return {"type": "number", "typeOptions": {"minValue": 1}, "default": LIMIT}
        return {"type": "number", "default": ""}
    if schema.get("format") == "date-time":
        return {"type": "dateTime", "default": ""}
    return {"type": "string", "default": ""}


def _choice(kind: str, allowed: list[Any]) -> Field:
    options = sorted((option for option in allowed if option is not None), key=texts.sorting_key)
    shown = [{"name": texts.title_case(option), "value": option} for option in options]
    return {"type": kind, "options": shown, "default": options[0]}


def _description(field: Field, text: str) -> str:
    if field["name"] == "limit":
        return "Max number of results to return"
    if field["type"] == "boolean":
        return texts.whether(text)
    if field["type"] == "json":
        text = f"{text} JSON.".strip()
    shown = texts.description(text)
    return "" if shown.lower() == field["displayName"].lower() else shown


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)
