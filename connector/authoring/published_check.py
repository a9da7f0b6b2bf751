"""Where an action says something else than the vendor's published document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connector.authoring.openapi_facts import Facts, body_shape
from connector.authoring.published_paging import find_pager
from connector.catalog.action import Action
from connector.catalog.inputs import Input
from connector.catalog.json_schema import validator
from connector.catalog.service import Service
from connector.common.json_text import Json
from connector.common.package_data import schema

_CHECKED_FORMATS = ("int32", "int64", "uuid")


def check_published(action: Action, service: Service, facts: Facts) -> list[str]:
    """Say where an action differs from the published document, save where it says so itself.

    `published: false` excuses an action or an input that is not in it (and must be right about that),
    `deviates` an input of another type, with other values or not required, and a `$comment` in the result
    another result.
    """
    if not action.published:
        is_known = _is_published(action, facts)
        return [f"{action.name}: it is published now, so `published: false` is wrong"] if is_known else []
    known = facts.get(action.operation)
    if known is None:
        return [f'{action.name}: no operation "{action.operation}" is published']
    problems = []
    if (action.method, action.path) != (known["method"], known["path"]):
        problems.append(f"the request is published as {known['method']} {known['path']}")
    for given in action.inputs.values():
        if given.place:
            problems += [f"{given.name}: {said}" for said in _check_input(known, given)]
    problems += _check_required(action, known)
    problems += _check_pager(action, service, known)
    problems += _check_result(action, service, known)
    for number, example in enumerate(action.examples, start=1):
        for sends in example.sends:
            problems += [f"example {number}: {said}" for said in _check_sends(action, facts, sends)]
    return [f"{action.name}: {problem}" for problem in problems]


def _is_published(action: Action, facts: Facts) -> bool:
    """Whether the request of an action is in the document, under whatever operationId."""
    return (action.method, action.path) in {(known["method"], known["path"]) for known in facts.values()}


def _check_input(known: Facts, given: Input) -> Iterator[str]:
    shape = _published(known, given)
    if not given.published:
        if shape is not None:
            yield "it is published now, so `published: false` is wrong"
    elif shape is None:
        yield f"nothing is published at {given.place}.{'.'.join(given.target)}".rstrip(".")
    else:
        yield from _differences(given.schema, shape, given)


def _published(known: Facts, given: Input) -> Any:
    """Find what is published where an input goes, or None."""
    if given.place in ("path", "query", "header"):
        parameter = known["parameters"].get(given.target[0])
        return parameter if parameter and parameter["in"] == given.place else None
    shape = body_shape(known, multipart=given.place == "part")
    for name in given.target:
        shape = (shape or {}).get("properties", {}).get(name)
    return shape


def _differences(declared: Any, shape: Any, given: Input | None = None) -> Iterator[str]:
    """Compare a declared schema with a published one: types, formats, enums, and their members."""
    excused = bool(given and given.deviates)
    types = _sent_types(declared, given, shape)
    published = _types(shape)
    nullable = published - {"null"}
    if types and published and types not in (published, nullable) and not excused:
        yield f"its type is {_listed(types)}, and {_listed(published)} is published"
    if set(declared.get("enum", ())) != set(shape.get("enum", ())) and not excused:
        yield f"its values are not those that are published: {_listed(shape.get('enum', ()))}"
    published_format = shape.get("format") if not (given and given.unit) else None
    if published_format in _CHECKED_FORMATS and declared.get("format") != published_format and not excused:
        yield f"its format is {declared.get('format')}, and {published_format} is published"
    if "items" in declared:
        items = _differences(declared["items"], shape.get("items", {}), given)
        yield from (f"items: {said}" for said in items)
    # Where one object is taken for an array of them, its members are those of the array's items.
    members = (shape.get("items", {}) if published == {"array"} else shape).get("properties", {})
    for name, member in declared.get("properties", {}).items():
        if name not in members:
            yield f"nothing is published as its {name}"
        else:
            yield from (f"{name}: {said}" for said in _differences(member, members[name], given))


def _types(schema: Any) -> set[str]:
    types = schema.get("type", ())
    return {types} if isinstance(types, str) else set(types)


def _sent_types(declared: Any, given: Input | None, shape: Any) -> set[str]:
    """Give the types in which a value is sent; a time's unit decides over its own type."""
    if given is None or given.unit is None:
        return _types(declared)
    if given.unit in ("iso", "date", "after_epoch_s"):
        return {"string"}
    return {"integer"} if "integer" in _types(shape) else {"number"}


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, names))) or "anything"


def _check_required(action: Action, known: Facts) -> Iterator[str]:
    """What the vendor requires must be required of the user, unless `deviates` says who gives it."""
    excused = [given for given in action.inputs.values() if given.deviates]
    given_inputs = [*(action.inputs[name] for name in action.required), *excused]
    required = [(given.place, given.target) for given in given_inputs]
    for place, target in _due(known):
        # An input may be due as a whole, or fill a member of what is due.
        if not any(place == p and (t[: len(target)] == target or target[: len(t)] == t) for p, t in required):
            yield f"the published {place}.{'.'.join(target)} is required"
    # An action with members of a body always sends one.
    members = any(given.place in ("body", "part") and given.target for given in action.inputs.values())
    if known.get("required_body") and not members and ("body", ()) not in required:
        yield "the published body is required"


def _due(known: Facts) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, parameter in known["parameters"].items():
        if parameter["required"]:
            yield parameter["in"], (name,)
    for place, shape in (("body", body_shape(known)), ("part", body_shape(known, multipart=True))):
        for name in (shape or {}).get("required", ()):
            yield place, (name,)
    for name, part in (body_shape(known, multipart=True) or {}).get("properties", {}).items():
        for member in part.get("required", ()):
            yield "part", (name, member)


def _check_pager(action: Action, service: Service, known: Facts) -> Iterator[str]:
    pager = service.pagers.get(action.paging)
    fitting = None if action.paging or action.handler else find_pager(known, service)
    if fitting:
        yield f"it is published as a list in pages, so it needs `paging: {fitting.name}`"
    for target in (pager.send, pager.size) if pager else ():
        place, _, name = target.partition(".")
        shape = known["parameters"] if place == "query" else (body_shape(known) or {}).get("properties", {})
        if target and name not in shape:
            yield f"its pager sends {target}, which is not published"


def _check_result(action: Action, service: Service, known: Facts) -> Iterator[str]:
    """Check what is declared of the answer; a handler of the action's own makes its own result of it."""
    declared, due = action.result, known["result"]
    if action.handler or action.returns_file or "$comment" in declared:
        return
    pager = service.pagers.get(action.paging)
    if pager and pager.items:
        due = due.get("properties", {}).get(pager.items) if isinstance(due, Mapping) else None
        if due is None:
            yield f'its pager reads "{pager.items}", which is no list in the published answer'
            return
    if due == "none" or declared == "none":
        if due not in ("none", {}) or (declared not in ("none", {}) and due == "none"):
            yield f"its result is {json.dumps(declared)}, and {json.dumps(due)} is published"
    elif not _answers(declared, due, service.name):
        yield f"its result is {json.dumps(declared)}, and {json.dumps(due)} is published"


def _answers(declared: Any, due: Any, folder: str) -> bool:
    """Whether a declared result is the published one: its resource, or its type and its items'."""
    if "$ref" in due:
        return bool(declared.get("$ref") == f"{folder}/{due['$ref']}.json")
    if "$ref" in declared:
        declared = schema(declared["$ref"])
    if "type" in due and _types(declared) != _types(due):
        return False
    return "items" not in due or _answers(declared.get("items", {}), due["items"], folder)


def _check_sends(action: Action, facts: Facts, sends: Mapping[str, Json]) -> Iterator[str]:
    """Check a request that a handler makes beside the declared one."""
    request = f"{sends['method']} {sends['path']}"
    name = operation_of(facts, sends["method"], sends["path"])
    if name is None:
        yield f"{request} is not published"
    elif name != action.operation:
        for query in sends.get("query", {}):
            if facts[name]["parameters"].get(query, {}).get("in") != "query":
                yield f"{request}: no {query} is published in its query"
        if "body" in sends:
            for error in validator(body_shape(facts[name]) or False).iter_errors(sends["body"]):
                yield f"{request}: {error.json_path}: {error.message}"


def operation_of(facts: Facts, method: str, path: str) -> str | None:
    """Find the operation that a request calls; one without placeholders goes first."""
    for name, known in sorted(facts.items(), key=lambda item: item[1]["path"].count("{")):
        pattern = re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(known["path"]))
        if known["method"] == method and re.fullmatch(pattern, path):
            return name
    return None
