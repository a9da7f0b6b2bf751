"""What the page of an action shows: pure functions from the catalog to plain values for the template."""

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
from connector.web.catalog.index_page import HOSTS, Card, area_title, make_card
from connector.web.catalog.sandbox_answers import cut_of, envelope_of
from connector.web.catalog.schema_tree import Node, read_schema
from connector.web.catalog.snippets import Snippet, snippets, target

EFFECTS = {
    "read": "Only reads. Nothing changes.",
    "write": "Changes what is stored in NinjaOne, or makes a device do something.",
    "destructive": "Deletes or ends something, and nothing here brings it back. A run asks before it.",
}
"""What an effect means, in plain words."""

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
    "after_epoch_s": "sent as epoch seconds, with after or before in front",
}
_MOST_RELATED = 8
_WIDTH = 62
"""How many characters of JSON fit on a line, beside the rest of the page."""


@dataclass(frozen=True)
class InputDetail:
    """One input: what may stand in it, and where it goes.

    `title` is empty where it says no more than the name. `sample` is its template in the first example.
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
    """An example in every way to copy it, and the requests that it sends."""

    title: str
    snippets: Sequence[Snippet]
    requests: Sequence[str]


@dataclass(frozen=True)
class ActionPage:
    """One action's page. `declared` are its files by name: the declaration, and its handler if it has one."""

    action: Action
    area: str
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
    """Gather what an action's page shows; related ones are looked for among `everything`.

    Raises RunError for an unknown action.
    """
    action = catalog.action(name)
    service = catalog.service(action.service)
    envelope = envelope_of(name)
    files = [action.file, *([action.handler] if action.handler else [])]
    return ActionPage(
        action,
        area_title(action.area),
        EFFECTS[action.effect],
        repeat_words(action),
        _paging_words(action, service),
        needed_scope(action, service),
        [host for host, names in HOSTS.values() if name in names],
        [_input_row(action, given) for given in action.inputs.values()],
        [_rule_words(rule) for rule in action.rules],
        [_shown(action, example) for example in action.examples],
        _pretty(envelope) if envelope else "",
        cut_of(name),
        read_schema(action.result) if action.returns_json else None,
        failures(action, service),
        {file.name: file.read_text(encoding="utf-8") for file in files},
        related(action, everything),
    )


def repeat_words(action: Action) -> str:
    """Return what it means for an action to be sent twice."""
    if action.effect == "read":
        return "Safe to repeat. If its answer is lost, it is sent again by itself."
    if action.idempotent:
        return "Safe to repeat: twice does what once does. If its answer is lost, it is sent again by itself."
    return (
        "Not safe to repeat: twice may do it twice. If its answer is lost, the row ends as outcome_unknown "
        "and is never sent again by itself."
    )


def _paging_words(action: Action, service: Service) -> str:
    if not action.paging:
        return ""
    pager = service.pagers[action.paging]
    capped = " “limit” ends the list early." if "limit" in action.inputs else ""
    if pager.until == ("first",):
        return f"One page, which the API cuts at its own limit.{capped}"
    return f"All pages are read, {pager.page_size} items at a time.{capped}"


def _input_row(action: Action, given: Input) -> InputDetail:
    warnings = []
    if not given.published:
        warnings.append("Not in the published API of today: it is sent, with a warning in the envelope.")
    if given.deviates:
        warnings.append(given.deviates)
    if given.grammar:
        warnings.append(f"Checked before it is sent. An example: {given.grammar.example}")
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
    text = str(rule.get("description", "")) or "The inputs together must pass the schema of the declaration."
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _shown(action: Action, example: Example) -> ShownExample:
    return ShownExample(
        example.title,
        snippets(action, example),
        [http(sent) for sent in example.sends],
    )


def http(sent: Mapping[str, Any]) -> str:
    """Write a request of an example's `sends` as HTTP has it."""
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
    """Find the actions about the same thing: those of the same noun first, then those below the same path."""
    noun, path = _noun(action), _collection(action)

    def closeness(other: Action) -> int:
        return 2 * (_noun(other) == noun) + (other.service == action.service and _collection(other) == path)

    found = [other for other in everything if other.name != action.name and closeness(other)]
    found.sort(key=lambda other: (-closeness(other), other.area != action.area, other.name))
    return [make_card(other) for other in found[:_MOST_RELATED]]


def _noun(action: Action) -> str:
    """Return what an action is about: `list_organizations` and `update_organization` are about one thing."""
    return singular(action.name.partition("_")[2].removesuffix("_detailed"))


def _collection(action: Action) -> str:
    """Return the path up to its first placeholder, in the singular."""
    return singular(action.path.partition("{")[0].rstrip("/"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pretty(value: Any) -> str:
    """Write JSON for people: what fits on a line stands on one."""
    return _fitted(value, "")


def _fitted(value: Any, indent: str, head: str = "") -> str:
    """Write a value behind its `head`, the name under which it stands."""
    short = head + json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(indent + short) <= _WIDTH or not value:
        return short
    inner = indent + "  "
    if isinstance(value, list):
        items = [_fitted(item, inner) for item in value]
        return f"{head}[\n{inner}" + f",\n{inner}".join(items) + f"\n{indent}]"
    members = [_fitted(v, inner, json.dumps(k, ensure_ascii=False) + ": ") for k, v in value.items()]
    return f"{head}{{\n{inner}" + f",\n{inner}".join(members) + f"\n{indent}}}"
