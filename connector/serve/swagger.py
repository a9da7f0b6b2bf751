"""Swagger 2.0 documents: a plain one, and one for custom connectors of Power Automate and Logic Apps.

These connectors read no unions, and references in part only. An operation id is in PascalCase;
`x-ms-summary` is the label of an input; `x-ms-visibility` is whether it is shown at once or as an advanced
option. Every description ends with a period.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import connector
from connector.catalog.action import Action
from connector.catalog.input_schema import input_schema
from connector.serve.dialects import Schema, for_2_0
from connector.serve.documents import (
    ABOUT,
    CONTACT,
    DESCRIPTIONS,
    PARAMETERS,
    PROBLEM,
    PROBLEMS,
    TITLE,
    description_of,
    operation_id,
    parameter_names,
    plain_envelope,
    tag_of,
    without_title,
)
from connector.serve.selection import Selection


def swagger_2_0(selection: Selection, url: str) -> Schema:
    """Return the Swagger 2.0 document."""
    document = _document(selection, url)
    document["definitions"] = {"Envelope": plain_envelope(for_2_0), "Problem": PROBLEM}
    document["responses"] = {
        f"Problem{status}": {"description": text, "schema": {"$ref": "#/definitions/Problem"}}
        for status, text in PROBLEMS.items()
    }
    for action in selection.actions:
        schema = input_schema(action, names=selection.names)
        parameters = [_parameter(key) for key in parameter_names(action, names=selection.names)]
        document["paths"][f"/actions/{action.name}"] = {
            "post": {
                "operationId": operation_id(action),
                "summary": action.title,
                "description": description_of(action, schema),
                "tags": [tag_of(action)],
                "x-effect": action.effect,
                "parameters": [*parameters, _body(for_2_0(without_title(schema)))],
                "responses": {
                    "200": {
                        "description": "The envelope of the row.",
                        "schema": {"$ref": "#/definitions/Envelope"},
                    },
                    **{status: {"$ref": f"#/responses/Problem{status}"} for status in PROBLEMS},
                },
            }
        }
    return document


def power_automate(selection: Selection, url: str) -> Schema:
    """Return the Swagger 2.0 document for custom connectors of Power Automate, Logic Apps, Copilot Studio."""
    document = _document(selection, url)
    for action in selection.actions:
        schema = input_schema(action, names=selection.names)
        parameters = [_labeled(key) for key in parameter_names(action, names=selection.names)]
        body = _shown_body(for_2_0(without_title(schema)), set(schema["required"]))
        document["paths"][f"/actions/{action.name}"] = {
            "post": {
                "operationId": pascal_case(operation_id(action)),
                "summary": action.title,
                "description": description_of(action, schema),
                "tags": [tag_of(action)],
                "x-ms-visibility": "important" if action.effect == "read" else "none",
                "parameters": [*parameters, body],
                "responses": {
                    "200": {"description": "The envelope of the row.", "schema": _short_envelope(action)},
                    "default": {"description": "The request failed.", "schema": PROBLEM},
                },
            }
        }
    return document


def pascal_case(name: str) -> str:
    """Return a snake-case name in PascalCase."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_.]", name))


def _document(selection: Selection, url: str) -> Schema:
    parts = urlsplit(url)
    tags = dict.fromkeys(tag_of(action) for action in selection.actions)
    return {
        "swagger": "2.0",
        "info": {
            "title": TITLE,
            "version": connector.__version__,
            "description": ABOUT,
            "contact": CONTACT,
        },
        "host": parts.netloc,
        "basePath": "/",
        "schemes": [parts.scheme],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "tags": [{"name": tag, "description": f"The area {tag}."} for tag in tags],
        "securityDefinitions": {"api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        "security": [{"api_key": []}],
        "paths": {},
    }


def _parameter(key: str) -> Schema:
    """Return a parameter with its schema's members beside its name, as Swagger 2.0 has them."""
    said = dict(PARAMETERS[key])
    schema = {name: value for name, value in said.pop("schema").items() if name != "example"}
    return {**said, "description": DESCRIPTIONS[key], **schema}


def _body(schema: Schema) -> Schema:
    return {"name": "body", "in": "body", "required": True, "schema": schema}


_LABELS = {
    "connection": "Connection",
    "status": "Status",
    "idempotency_key": "Idempotency key",
    "confirm": "Confirm",
    "names": "Names",
}
_ALWAYS_SENT = ("status", "names")
"""The parameters that a flow always sends with their default, and does not show."""


def _labeled(key: str) -> Schema:
    parameter = {**_parameter(key), "x-ms-summary": _LABELS[key]}
    parameter.pop("pattern", None)
    if key in _ALWAYS_SENT:
        default = "mirror" if key == "status" else "1"
        return {**parameter, "required": True, "default": default, "x-ms-visibility": "internal"}
    return {**parameter, "x-ms-visibility": "important" if parameter.get("required") else "advanced"}


def _shown_body(schema: Schema, required: set[str]) -> Schema:
    schema["properties"] = {
        name: _shown(said, name, name in required) for name, said in schema.get("properties", {}).items()
    }
    return _body(schema)


def _shown(schema: Schema, name: str, is_required: bool) -> Schema:
    """Return the schema of an input or a member, with its label, description and visibility."""
    shown: Schema = {"type": "object", **schema}
    title = str(shown.pop("title", "") or name)
    shown["x-ms-summary"] = title
    said = str(shown.get("description") or title)
    shown["description"] = said if said.endswith(".") else f"{said}."
    shown["x-ms-visibility"] = "important" if is_required else "advanced"
    if "properties" in shown:
        inner = set(shown.get("required", ()))
        shown["properties"] = {n: _shown(s, n, n in inner) for n, s in shown["properties"].items()}
    if shown["type"] == "array":
        shown["items"] = _item(shown["items"], title)
    return shown


def _item(schema: Schema, title: str) -> Schema:
    item: Schema = {"type": "string", **schema} if not schema else dict(schema)
    if "properties" in item:
        inner = set(item.get("required", ()))
        item["properties"] = {n: _shown(s, n, n in inner) for n, s in item["properties"].items()}
    return {"type": "object", **item} if "type" not in item else item


def _short_envelope(action: Action) -> Schema:
    """Return the members of an envelope that a flow uses, without references."""
    code = {"type": "string", "x-ms-summary": "Code", "x-nullable": True, "description": "The kind of error."}
    properties: dict[str, Any] = {
        "has_error": {"type": "boolean", "x-ms-summary": "Has error"},
        "error": {"type": "string", "x-ms-summary": "Error", "x-nullable": True},
        "result": {"x-ms-summary": "Result", **_result(action)},
        "meta": {"type": "object", "x-ms-summary": "Details", "properties": {"code": code}},
    }
    for name, said in properties.items():
        said["description"] = f"{said.get('description') or name.replace('_', ' ').capitalize()}."
    return {"type": "object", "properties": properties}


def _result(action: Action) -> Schema:
    if action.returns_list:
        return {"type": "array", "items": {"type": "object"}}
    return {"type": "object", "x-nullable": True}
