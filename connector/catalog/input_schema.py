"""The JSON Schema of an action's inputs, as hosts and documents publish it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.catalog.action import Action
from connector.catalog.inputs import Input
from connector.common.absent import ABSENT
from connector.common.json_text import Json

_OURS = ("as", "named")
"""The keys of our declarations that JSON Schema does not have."""


def input_schema(action: Action, *, names: bool = False) -> dict[str, Json]:
    """Return one JSON Schema 2020-12 of an action's inputs, for an object of values by input name.

    Inputs that take an id or a name are integers (or the texts that the API declares); with `names`, they are
    strings, which can be a name or an id. Conditions across inputs are in `allOf`.
    """
    schema: dict[str, Json] = {
        "type": "object",
        "title": action.title,
        "description": f"{action.summary} {action.description}".strip(),
        "properties": {name: _published(given, names) for name, given in action.inputs.items()},
        "required": [name for name in action.required if action.inputs[name].default is ABSENT],
        "additionalProperties": False,
    }
    if action.rules:
        schema["allOf"] = [dict(rule) for rule in action.rules]
    return schema


def conditions(schema: Mapping[str, Any]) -> list[str]:
    """Return the conditions across inputs as texts, for formats of schemas that cannot state them."""
    return [str(rule["description"]) for rule in schema.get("allOf", ()) if rule.get("description")]


def _published(given: Input, names: bool) -> dict[str, Json]:
    """Return the schema of one input, with its title and description."""
    schema: dict[str, Json] = _plain(given.schema, names=True) if names else _plain(given.declared_schema)
    if given.default is not ABSENT:
        schema["default"] = given.default
    described = {"description": given.description} if given.description else {}
    return {"title": given.title, **described, **schema}


def _plain(schema: Any, *, names: bool = False) -> Any:
    """Return a schema without our keys; with `names`, ids that can be names become strings."""
    if not isinstance(schema, Mapping):
        return schema
    plain: dict[str, Any] = {key: value for key, value in schema.items() if key not in _OURS}
    if names and "named" in schema:
        plain = _as_name(plain)
    if "items" in schema:
        plain["items"] = _plain(schema["items"], names=names)
    if "properties" in schema:
        plain["properties"] = {
            name: _plain(member, names=names) for name, member in schema["properties"].items()
        }
    return plain


def _as_name(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an id or a name as text, without the limits of numbers."""
    kept = {key: value for key, value in schema.items() if key not in ("format", "minimum", "maximum")}
    types = schema.get("type", ())
    nullable = "null" in types and not isinstance(types, str)
    return {**kept, "type": ["string", "null"] if nullable else "string"}
