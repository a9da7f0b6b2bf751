"""What n8n does with the declarations of a node: it fills in a form, and makes an HTTP request of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.catalog.action import Action
from integrations.n8n.generator.node import Node
from integrations.n8n.generator.typescript import Code

EXPRESSIONS: Mapping[str, Callable[[Any], Any]] = {
    "CONFIRMED": lambda value: "1" if value is True else "",
    "IDEMPOTENCY_KEY": lambda value: value.get("idempotencyKey") or "n8n-workflow-1-node-0-0",
    "IF_GIVEN": lambda value: value or None,
    "WITH_OFFSET": lambda value: value,
}
"""What the expressions in `nodes/shared/expressions.ts` mean; the slow tests run the real ones."""


@dataclass
class Request:
    """The request of one item."""

    method: str = ""
    path: str = ""
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


def fields_of(node: Node, action: Action) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the fields of an action's inputs, and whether each is among the Additional Fields."""
    chosen = {"resource": action.area, "operation": action.own_name}
    for said in node.areas[action.area]:
        if is_shown(said, chosen):
            if said["name"] == "additionalFields":
                yield from ((option, True) for option in said["options"])
            elif said.get("routing", {}).get("send", {}).get("type") == "body":
                yield said, False


def filled_in(node: Node, action: Action, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a node whose user has given these values of an action's inputs."""
    parameters: dict[str, Any] = {"resource": action.area, "operation": action.own_name, "options": {}}
    if action.effect == "destructive":
        parameters["confirm"] = True
    added: dict[str, Any] = {}
    for said, is_optional in fields_of(node, action):
        name = said["routing"]["send"]["property"]
        if name in values:
            (added if is_optional else parameters)[said["name"]] = in_form(said, values[name])
        elif not is_optional:
            parameters[said["name"]] = "" if isinstance(said["default"], Code) else said["default"]
    if added:
        parameters["additionalFields"] = added
    return parameters


def in_form(said: Mapping[str, Any], value: Any) -> Any:
    """Return a value as a user enters it: JSON as text, and numbers in text fields too."""
    if said["type"] == "json" or (said["type"] == "string" and not isinstance(value, str)):
        return json.dumps(value)
    return value


def is_shown(said: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    conditions = said.get("displayOptions", {}).get("show", {})
    return all(parameters[name] in allowed for name, allowed in conditions.items())


def request(node: Node, parameters: Mapping[str, Any]) -> Request:
    """Return the request of a node with these parameters."""
    made = Request(query={"status": "mirror", "names": "1", "lenient": "1"})
    for said in node.areas[parameters["resource"]]:
        if is_shown(said, parameters):
            _add(made, said, parameters)
    return made


def _add(made: Request, said: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    value, routing = parameters.get(said["name"], said["default"]), said.get("routing", {})
    if "request" in routing:
        made.method = routing["request"].get("method", made.method)
        made.path = _evaluated(routing["request"].get("url", made.path), value)
        headers = routing["request"].get("headers", {})
        made.headers.update({name: _evaluated(text, value) for name, text in headers.items()})
    send = routing.get("send", {})
    if "property" in send:
        sent = _evaluated(send["value"], value) if "value" in send else value
        (made.body if send["type"] == "body" else made.query)[send["property"]] = sent
    if said["type"] == "collection":
        for option in said["options"]:
            if option["name"] in value:
                _add(made, option, value)


def _evaluated(expression: str, value: Any) -> Any:
    if isinstance(expression, Code):
        return EXPRESSIONS[expression](value)
    is_expression = expression.startswith("=")
    return expression[1:].replace("{{ $value }}", str(value)) if is_expression else expression
