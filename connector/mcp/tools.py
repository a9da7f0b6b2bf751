"""The tools that a server lists: five general ones, or one for each selected action."""

from __future__ import annotations

from typing import Any

from mcp_types import Tool, ToolAnnotations

from connector.catalog.action import Action
from connector.catalog.input_schema import conditions, input_schema
from connector.mcp.offer import Offer, tool_name
from connector.mcp.results import LIMIT

SEARCH, DESCRIBE, PREVIEW = "search_actions", "describe_action", "preview_action"
CALL_READ, CALL = "call_read_action", "call_action"
_ACTION = {"type": "string", "description": "The name of an action, as search_actions returns it."}
_INPUTS = {
    "type": "object",
    "description": "The action's inputs by name, as describe_action describes them.",
    "additionalProperties": True,
}
_LIMIT = {
    "type": "integer",
    "minimum": 1,
    "default": LIMIT,
    "description": "Maximum number of items of a list.",
}
_CONFIRMED = " The person is asked to confirm each call."
ARGUMENTS: dict[str, dict[str, Any]] = {
    SEARCH: {
        "words": {
            "type": "string",
            "description": "Words that the action has in its name, title, summary, area or inputs, such as "
            "`maintenance`. Without words, the areas are listed.",
        }
    },
    DESCRIBE: {"action": _ACTION},
    PREVIEW: {"action": _ACTION, "inputs": _INPUTS},
    CALL_READ: {"action": _ACTION, "inputs": _INPUTS, "limit": _LIMIT},
    CALL: {"action": _ACTION, "inputs": _INPUTS, "limit": _LIMIT},
}
"""The arguments of the general tools."""


def list_tools(offer: Offer, *, read_only: bool, asks: bool) -> list[Tool]:
    """Return the tools of a server; `asks` if the person confirms destructive calls."""
    if offer.is_direct:
        return [_direct(action, asks) for action in offer.direct.values()]
    return [tool for tool in _general(asks) if not (read_only and tool.name == CALL)]


def _general(asks: bool) -> list[Tool]:
    confirmed = " The person is asked to confirm a destructive action." if asks else ""
    return [
        _tool(
            SEARCH,
            "Search actions",
            "Find actions of the API by words. Returns their names, summaries and effects.",
            _READS_CATALOG,
        ),
        _tool(
            DESCRIBE,
            "Describe an action",
            "Return what an action does, its effect, and the JSON Schema of its inputs.",
            _READS_CATALOG,
            required=["action"],
        ),
        _tool(
            PREVIEW,
            "Preview a request",
            "Check the inputs of an action, and return the HTTP request that a call would send. Nothing is "
            "sent.",
            _READS_CATALOG,
            required=["action"],
        ),
        _tool(
            CALL_READ,
            "Call an action that reads",
            'Call an action with the effect "read", and return its result.',
            ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True),
            required=["action"],
        ),
        _tool(
            CALL,
            "Call an action",
            f"Call any action, also one that writes or is destructive.{confirmed}",
            ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False),
            required=["action"],
        ),
    ]


_READS_CATALOG = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def _tool(
    name: str, title: str, description: str, annotations: ToolAnnotations, required: list[str] | None = None
) -> Tool:
    schema = {
        "type": "object",
        "properties": ARGUMENTS[name],
        "required": required or [],
        "additionalProperties": False,
    }
    return Tool(name=name, title=title, description=description, input_schema=schema, annotations=annotations)


def _direct(action: Action, asks: bool) -> Tool:
    described = input_schema(action, names=True)
    is_destructive = action.effect == "destructive"
    confirmed = _CONFIRMED if asks and is_destructive else ""
    effect = "" if action.effect == "read" else f" Effect: {action.effect_name}."
    also = "".join(f" Also: {text}." for text in conditions(described))
    notice = f" {action.notice}" if action.notice else ""
    return Tool(
        name=tool_name(action),
        title=action.title,
        description=f"{described['description']}{also}{notice}{effect}{confirmed}",
        input_schema=_schema(action, described),
        annotations=ToolAnnotations(
            read_only_hint=action.effect == "read",
            destructive_hint=is_destructive,
            idempotent_hint=action.idempotent,
        ),
    )


def _schema(action: Action, described: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an action's tool.

    Conditions across inputs (`allOf`) are in the description instead, because several model APIs refuse them
    at the top; the call checks them.
    """
    properties = dict(described["properties"])
    if "limit" in properties:
        properties["limit"] = {**properties["limit"], "default": LIMIT}
    elif action.returns_list:
        properties["limit"] = _LIMIT
    return {
        "type": "object",
        "properties": properties,
        "required": described["required"],
        "additionalProperties": False,
    }
