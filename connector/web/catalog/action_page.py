"""The data of an action's page: pure functions from the catalog to plain values for the template."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.catalog.action import Action, Example
from connector.catalog.catalog import Catalog
from connector.catalog.inputs import Input
from connector.catalog.naming import singular, title
from connector.catalog.service import Service
from connector.common.absent import ABSENT
from connector.web.catalog.error_guide import Failure, failures, needed_scope
from connector.web.catalog.index_page import HOSTS, Card, area_key, area_title, make_card
from connector.web.catalog.sandbox_answers import cut_of, envelope_of
from connector.web.catalog.schema_tree import Node, read_schema
from connector.web.catalog.snippets import Snippet, snippets, target

EFFECTS = {
    "read": "Only reads; changes nothing.",
    "write": "Changes data in {service}, or starts something there.",
    "destructive": "Deletes or ends something, and cannot be undone with this tool. Requires confirmation.",
}
"""The description of each effect; `{service}` is replaced by the service's title."""
DISRUPTIVE = (
    "It can interrupt the work of devices and their users, run code, or change the policy of devices."
)

_PLACES = {
    "path": "in the path",
    "query": "in the query",
    "header": "as a header",
    "body": "in the JSON body",
    "part": "as a part of the multipart body",
}
_UNITS = {
    "iso": "sent as ISO 8601 in UTC",
    "date": "sent as a date",
    "epoch_s": "sent as epoch seconds",
    "epoch_ms": "sent as epoch milliseconds",
    "after_epoch_s": "a time after the word after or before, such as after 2026-01-31; sent as epoch seconds",
}
_MAX_RELATED = 8
_WIDTH = 62
"""The maximum length of a line of JSON on the page, in characters."""


@dataclass(frozen=True)
class InputDetail:
    """One input: its type and where its value is in the request.

    `title` is empty if it only repeats the name. `sample` is the input's template in the first example.
    """

    name: str
    title: str
    description: str
    required: bool
    schema: Node
    default: str
    sample: str
    place: str
    target: str
    unit: str
    warnings: Sequence[str]


@dataclass(frozen=True)
class ShownExample:
    """An example: the snippets to copy, and the requests that it sends."""

    title: str
    snippets: Sequence[Snippet]
    requests: Sequence[str]


@dataclass(frozen=True)
class ActionPage:
    """The data of an action's page. `area` is the area's title, `area_key` its name on the first page.

    `declared` has the text of the source files, by file name: the declaration, and the handler if there is
    one.
    """

    action: Action
    service: Service
    area: str
    area_key: str
    effect: str
    repeat: str
    paging: str
    scope: str
    hosts: Sequence[str]
    inputs: Sequence[InputDetail]
    rules: Sequence[str]
    examples: Sequence[ShownExample]
    answer: str
    answer_cut: int
    result: Node | None
    failures: Sequence[Failure]
    declared: Mapping[str, str]
    related: Sequence[Card]


def make_action_page(catalog: Catalog, name: str, everything: Sequence[Action]) -> ActionPage:
    """Return the data of an action's page. Raises RunError if there is no such action.

    `everything` has all actions, from which the related ones are selected.
    """
    action = catalog.action(name)
    service = catalog.service(action.service)
    envelope = envelope_of(name)
    files = [action.file, *([action.handler] if action.handler else [])]
    return ActionPage(
        action,
        service,
        area_title(action, service),
        area_key(action),
        effect_words(action, service),
        repeat_words(action),
        _paging_words(action, service),
        needed_scope(action, service),
        [host for host, names in HOSTS.values() if name in names],
        [_input_row(action, given) for given in action.inputs.values()],
        [_rule_words(rule) for rule in action.rules],
        [_shown(action, example, service) for example in action.examples],
        _pretty(envelope) if envelope else "",
        cut_of(name),
        read_schema(action.result) if action.returns_json else None,
        failures(action, service),
        {file.name: file.read_text(encoding="utf-8") for file in files},
        related(action, everything),
    )


def effect_words(action: Action, service: Service) -> str:
    """Return a description of an action's effect."""
    effect = EFFECTS[action.effect].format(service=service.title)
    return f"{effect} {DISRUPTIVE}" if action.disruptive else effect


def repeat_words(action: Action) -> str:
    """Return a sentence on whether an action can safely be repeated."""
    if action.effect == "read":
        return "Safe to repeat. If the response is lost, the request is retried automatically."
    if action.idempotent:
        return (
            "Safe to repeat: a repetition has no further effect. If the response is lost, the request is "
            "retried automatically."
        )
    return (
        "Not safe to repeat: a repetition can act twice. If the response is lost, the row fails with "
        "outcome_unknown and is never retried automatically."
    )


def _paging_words(action: Action, service: Service) -> str:
    if not action.paging:
        return ""
    pager = service.pagers[action.paging]
    capped = " The input “limit” ends the list early." if "limit" in action.inputs else ""
    if pager.until == ("first",):
        return f"One page, truncated at the limit of the API.{capped}"
    return f"All pages are read, {pager.page_size} items at a time.{capped}"


def _input_row(action: Action, given: Input) -> InputDetail:
    warnings = []
    if not given.published:
        warnings.append("Not in the current API document; it is sent, with a warning in the envelope.")
    if given.deviates:
        warnings.append(given.deviates)
    if given.grammar:
        warnings.append(f"Its syntax is checked before it is sent. Example: {given.grammar.example}")
    templates = action.examples[0].templates if action.examples else {}
    return InputDetail(
        given.name,
        "" if given.title == title(given.name) else given.title,
        given.description,
        given.name in action.required,
        read_schema(given.schema),
        "" if given.default is ABSENT else json.dumps(given.default),
        _text(templates[given.name]) if given.name in templates else "",
        _PLACES.get(given.place, "used by the connector, not sent"),
        ".".join(given.target),
        _UNITS.get(given.unit or "", ""),
        warnings,
    )


def _rule_words(rule: Mapping[str, Any]) -> str:
    text = (
        str(rule.get("description", ""))
        or "The combination of inputs must match the schema in the declaration."
    )
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _shown(action: Action, example: Example, service: Service) -> ShownExample:
    return ShownExample(
        example.title,
        snippets(action, example, service),
        [http(sent) for sent in example.sends],
    )


def http(sent: Mapping[str, Any]) -> str:
    """Return a request in an example's `sends` as the text of an HTTP request."""
    lines = [f"{sent['method']} {target(sent)}", "Authorization: Bearer …"]
    lines += [f"{name}: {text}" for name, text in sent.get("headers", {}).items()]
    if "body" in sent:
        return "\n".join([*lines, "Content-Type: application/json", "", _pretty(sent["body"])])
    if "parts" in sent:
        lines += ["Content-Type: multipart/form-data", ""]
        lines += [_part(part) for part in sent["parts"]]
    return "\n".join(lines)


def _part(part: Mapping[str, Any]) -> str:
    media_type = f" ({part['media_type']})" if part.get("media_type") else ""
    content = f"the file {part['file']}" if "file" in part else _text(part["value"])
    return f"{part['name']}{media_type}: {content}"


def related(action: Action, everything: Sequence[Action]) -> list[Card]:
    """Return related actions: those with the same noun, then those with the same first part of the path."""
    noun, path = _noun(action), _collection(action)

    def closeness(other: Action) -> int:
        return (other.service == action.service) * (2 * (_noun(other) == noun) + (_collection(other) == path))

    found = [other for other in everything if other.name != action.name and closeness(other)]
    found.sort(key=lambda other: (-closeness(other), other.area != action.area, other.name))
    return [make_card(other) for other in found[:_MAX_RELATED]]


def _noun(action: Action) -> str:
    """Return the noun in an action's name, singular: `organization` for `list_organizations`."""
    return singular(action.own_name.partition("_")[2].removesuffix("_detailed"))


def _collection(action: Action) -> str:
    """Return the part of the action's path before its first placeholder, singular."""
    return singular(action.path.partition("{")[0].rstrip("/"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pretty(value: Any) -> str:
    """Return indented JSON in which short values are kept on one line."""
    return _fitted(value, "")


def _fitted(value: Any, indent: str, head: str = "") -> str:
    """Return a value as indented JSON after the text `head`, which is the value's key."""
    short = head + json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(indent + short) <= _WIDTH or not value:
        return short
    inner = indent + "  "
    if isinstance(value, list):
        items = [_fitted(item, inner) for item in value]
        return f"{head}[\n{inner}" + f",\n{inner}".join(items) + f"\n{indent}]"
    members = [_fitted(v, inner, json.dumps(k, ensure_ascii=False) + ": ") for k, v in value.items()]
    return f"{head}{{\n{inner}" + f",\n{inner}".join(members) + f"\n{indent}}}"
