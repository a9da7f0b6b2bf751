"""OpenAPI documents, 3.1 and 3.0, of the actions that a caller may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import connector
from connector.catalog.action import Action
from connector.catalog.input_schema import conditions, input_schema
from connector.serve.dialects import Schema, for_3_0, for_3_1
from connector.serve.results import ENVELOPE, ResultSchemas, envelope_schema
from connector.serve.selection import Selection

TITLE = "NinjaOne and HaloPSA Actions"
"""At most 30 characters, and without the word connector: custom connectors of Power Automate require this."""
ABOUT = (
    "Each operation runs one action for one row and returns its envelope. A row that fails has the status "
    "200 and an envelope with has_error, unless status=mirror is set."
)
CONTACT = {"name": "The operator of this server"}
MAX_DESCRIPTION_LENGTH = 300
"""The maximum length of an operation's description that some importers accept, in characters."""

PROBLEMS: Mapping[str, str] = {
    "400": "The request is not valid: its JSON, a parameter or a header.",
    "401": "There is no key, or it is not valid.",
    "403": "The key has no right to do this, the action is not confirmed, or the API refuses it.",
    "404": "There is no such action, or with status=mirror no such record.",
    "405": "The path does not support the method.",
    "409": "The same Idempotency-Key is in use, or it must be checked whether the change took effect.",
    "413": "The body is too large, or has too many rows.",
    "415": "The media type of the body is not supported.",
    "422": "An input is not valid, or the same Idempotency-Key was used for another body.",
    "429": "Too many requests are running; Retry-After has the seconds to wait.",
    "500": "The connection or the audit log cannot be used, or there is a bug in the connector.",
    "502": "With status=mirror: the API is not available. The request can be sent again.",
    "503": "The server is stopping. The request can be sent again.",
}
"""The responses other than success, by status."""

PROBLEM: Schema = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "string"}},
    },
}

PARAMETERS: Mapping[str, Schema] = {
    "connection": {"name": "connection", "in": "query", "schema": {"type": "string"}},
    "status": {
        "name": "status",
        "in": "query",
        "schema": {"type": "string", "enum": ["envelope", "mirror"], "default": "envelope"},
    },
    "idempotency_key": {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "confirm": {
        "name": "X-Confirm",
        "in": "header",
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "example": 1},
    },
    "names": {
        "name": "names",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "enum": ["1"], "default": "1"},
    },
}
DESCRIPTIONS: Mapping[str, str] = {
    "connection": "The name of the connection; default: the first one that the key may use.",
    "status": "Use mirror if the status of the response should be that of the envelope.",
    "idempotency_key": "A new random text for each change. A repeated request with the same one sends "
    "nothing twice.",
    "confirm": "Confirms the destructive action: the number of rows of the body, which is 1.",
    "names": "Accept names in place of ids.",
}


def operation_id(action: Action) -> str:
    """Return the id of an action's operation, which has letters, digits and underscores only."""
    return action.name.replace(".", "_")


def description_of(action: Action, schema: Mapping[str, Any], longest: int = MAX_DESCRIPTION_LENGTH) -> str:
    """Return the description of an operation, of limited length, that ends with a period."""
    said = [action.summary, *(f"Also: {text}." for text in conditions(schema))]
    if action.description:
        said.insert(1, action.description)
    text = ""
    for sentence in said:
        longer = f"{text} {sentence}".strip()
        if len(longer) > longest:
            break
        text = longer
    return text if text.endswith(".") else f"{text}."


def parameter_names(action: Action, *, names: bool) -> list[str]:
    """Return the keys of an operation's parameters in `PARAMETERS`."""
    found = ["connection", "status"]
    if action.effect != "read":
        found.append("idempotency_key")
    if action.effect == "destructive":
        found.append("confirm")
    return [*found, "names"] if names else found


def tag_of(action: Action) -> str:
    """Return the tag of an operation: its service and area."""
    return action.area_names[1]


def openapi_3_1(selection: Selection, url: str) -> Schema:
    """Return the OpenAPI 3.1 document, with the schemas of results."""
    results = ResultSchemas()
    paths = _paths(selection, for_3_1, lambda action: results.envelope(action.result))
    document = _document("3.1.0", selection, url, paths)
    document["components"]["schemas"] = {
        ENVELOPE: envelope_schema(),
        "Problem": PROBLEM,
        **dict(sorted(results.components.items())),
    }
    return document


def openapi_3_0(selection: Selection, url: str) -> Schema:
    """Return the OpenAPI 3.0 document, in which results have no schema."""
    reference = {"$ref": f"#/components/schemas/{ENVELOPE}"}
    document = _document("3.0.3", selection, url, _paths(selection, for_3_0, lambda action: reference))
    document["components"]["schemas"] = {ENVELOPE: plain_envelope(for_3_0), "Problem": PROBLEM}
    return document


def plain_envelope(convert: Callable[[Mapping[str, Any]], Schema]) -> Schema:
    """Return the schema of an envelope for a version of OpenAPI without conditions."""
    whole = envelope_schema()
    meta = dict(whole["properties"]["meta"])
    meta["properties"] = {
        name: {"type": "boolean"} if said.get("const") is True else said
        for name, said in meta["properties"].items()
    }
    codes = [code for code in meta["properties"]["code"]["enum"] if code]
    meta["properties"]["code"] = {"type": ["string", "null"], "description": f"One of: {', '.join(codes)}."}
    meta.pop("additionalProperties")
    properties = {**whole["properties"], "meta": meta}
    return convert({"type": "object", "required": whole["required"], "properties": properties})


def _document(version: str, selection: Selection, url: str, paths: Schema) -> Schema:
    tags = dict.fromkeys(tag_of(action) for action in selection.actions)
    return {
        "openapi": version,
        "info": {
            "title": TITLE,
            "version": connector.__version__,
            "description": ABOUT,
            "contact": CONTACT,
        },
        "servers": [{"url": url}],
        "tags": [{"name": tag, "description": f"The area {tag}."} for tag in tags],
        "security": [{"bearer": []}, {"api_key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
            "parameters": {
                key: {**said, "description": DESCRIPTIONS[key]}
                for key, said in PARAMETERS.items()
                if any(key in parameter_names(action, names=selection.names) for action in selection.actions)
            },
            "responses": {
                f"Problem{status}": {
                    "description": text,
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
                        "application/json": {"schema": {"$ref": f"#/components/schemas/{ENVELOPE}"}},
                    },
                }
                for status, text in PROBLEMS.items()
            },
        },
    }


def _paths(
    selection: Selection,
    convert: Callable[[Mapping[str, Any]], Schema],
    envelope: Callable[[Action], Schema],
) -> Schema:
    return {
        f"/actions/{action.name}": {"post": _operation(action, selection.names, convert, envelope(action))}
        for action in selection.actions
    }


def _operation(
    action: Action, names: bool, convert: Callable[[Mapping[str, Any]], Schema], envelope: Schema
) -> Schema:
    schema = input_schema(action, names=names)
    operation: Schema = {
        "operationId": operation_id(action),
        "summary": action.title,
        "description": description_of(action, schema),
        "tags": [tag_of(action)],
        "x-effect": action.effect,
        "x-openai-isConsequential": action.effect != "read",
        "parameters": [
            {"$ref": f"#/components/parameters/{name}"} for name in parameter_names(action, names=names)
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": convert(without_title(schema))}},
        },
        "responses": {
            "200": {
                "description": "The envelope of the row.",
                "content": {"application/json": {"schema": envelope}},
            },
            **{status: {"$ref": f"#/components/responses/Problem{status}"} for status in PROBLEMS},
        },
    }
    return operation


def without_title(schema: Mapping[str, Any]) -> Schema:
    """Return the schema of an action's inputs without the texts that its operation has."""
    return {name: said for name, said in schema.items() if name not in ("title", "description")}
