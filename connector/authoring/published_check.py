"""Compare an action with the facts of the vendor's OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connector.authoring.openapi_facts import Facts, body_shape, unwrapped
from connector.authoring.published_paging import find_pager
from connector.catalog.action import Action
from connector.catalog.inputs import Input
from connector.catalog.json_schema import validator
from connector.catalog.service import Service
from connector.common.json_text import Json
from connector.common.package_data import schema

_CHECKED_FORMATS = ("int32", "int64", "uuid")


def check_published(action: Action, service: Service, facts: Facts) -> list[str]:
    """Return the differences between an action and the OpenAPI document that the action does not declare.

    `published: false` declares that the document lacks an action or an input. `deviates` declares another
    type, other values, or an input that is not required. A `$comment` in `result` declares another result.
    """
    if not action.published:
        is_known = _is_published(action, facts)
        return (
            [f"{action.name}: the document now has this request; remove `published: false`"]
            if is_known
            else []
        )
    known = facts.get(action.operation)
    if known is None:
        return [f'{action.name}: the document has no operation "{action.operation}"']
    problems = []
    if (action.method, action.path) != (known["method"], known["path"]):
        problems.append(f"the document declares the request {known['method']} {known['path']}")
    known = unwrapped(known, service.wrap)
    for given in action.inputs.values():
        if given.place:
            problems += [f"{given.name}: {problem}" for problem in _check_input(known, given)]
    problems += _check_required(action, known)
    problems += _check_pager(action, service, known)
    problems += _check_result(action, service, known)
    for number, example in enumerate(action.examples, start=1):
        for sends in example.sends:
            problems += [f"example {number}: {problem}" for problem in _check_sends(action, facts, sends)]
    return [f"{action.name}: {problem}" for problem in problems]


def _is_published(action: Action, facts: Facts) -> bool:
    """Return whether the document has an action's method and path, under any operationId."""
    return (action.method, action.path) in {(known["method"], known["path"]) for known in facts.values()}


def _check_input(known: Facts, given: Input) -> Iterator[str]:
    shape = _published(known, given)
    if not given.published:
        if shape is not None:
            yield "the document now has this input; remove `published: false`"
    elif shape is None:
        yield f"the document has no {given.place}.{'.'.join(given.target)}".rstrip(".")
    else:
        yield from _differences(given.declared_schema, shape, given)


def _published(known: Facts, given: Input) -> Any:
    """Return the schema that the document declares for an input; None if it declares none."""
    if given.place in ("path", "query", "header"):
        parameter = known["parameters"].get(given.target[0])
        return parameter if parameter and parameter["in"] == given.place else None
    shape = body_shape(known, multipart=given.place == "part")
    for name in given.target:
        shape = (shape or {}).get("properties", {}).get(name)
    return shape


def _differences(declared: Any, shape: Any, given: Input | None = None) -> Iterator[str]:
    """Yield the differences of an input's schema from the document's: types, formats, enums, properties."""
    excused = bool(given and given.deviates)
    types = _sent_types(declared, given, shape)
    published = _types(shape)
    nullable = published - {"null"}
    if types and published and types not in (published, nullable) and not excused:
        yield f"the type is {_listed(types)}, but {_listed(published)} in the document"
    if set(declared.get("enum", ())) != set(shape.get("enum", ())) and not excused:
        yield f"the allowed values differ from those in the document: {_listed(shape.get('enum', ()))}"
    published_format = shape.get("format") if not (given and given.unit) else None
    if published_format in _CHECKED_FORMATS and declared.get("format") != published_format and not excused:
        yield f"the format is {declared.get('format')}, but {published_format} in the document"
    if "items" in declared:
        items = _differences(declared["items"], shape.get("items", {}), given)
        yield from (f"items: {problem}" for problem in items)
    # An input that is one object can be sent as an array with one item.
    members = (shape.get("items", {}) if published == {"array"} else shape).get("properties", {})
    for name, member in declared.get("properties", {}).items():
        if name not in members:
            yield f"the document has no property {name}"
        else:
            yield from (f"{name}: {problem}" for problem in _differences(member, members[name], given))


def _types(schema: Any) -> set[str]:
    types = schema.get("type", ())
    return {types} if isinstance(types, str) else set(types)


def _sent_types(declared: Any, given: Input | None, shape: Any) -> set[str]:
    """Return the JSON types as which an input's value is sent; for a time, they depend on the unit."""
    if given is None or given.unit is None:
        return _types(declared)
    if given.unit in ("iso", "date", "after_epoch_s"):
        return {"string"}
    return {"integer"} if "integer" in _types(shape) else {"number"}


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, names))) or "anything"


def _check_required(action: Action, known: Facts) -> Iterator[str]:
    """Yield the inputs that the document requires and the action does not, unless it has `deviates`."""
    excused = [given for given in action.inputs.values() if given.deviates]
    given_inputs = [*(action.inputs[name] for name in action.required), *excused]
    required = [(given.place, given.target) for given in given_inputs]
    for place, target in _required(known):
        # An input can be the required value, or a property of it.
        if not any(place == p and (t[: len(target)] == target or target[: len(t)] == t) for p, t in required):
            yield f"the document requires {place}.{'.'.join(target)}"
    # An action with an input inside the body always sends a body.
    members = any(given.place in ("body", "part") and given.target for given in action.inputs.values())
    if known.get("required_body") and not members and ("body", ()) not in required:
        yield "the document requires a body"


def _required(known: Facts) -> Iterator[tuple[str, tuple[str, ...]]]:
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
        yield f"the operation returns a paged list; add `paging: {fitting.name}`"
    for target in (pager.send, pager.size) if pager else ():
        place, _, name = target.partition(".")
        shape = known["parameters"] if place == "query" else (body_shape(known) or {}).get("properties", {})
        if target and name not in shape:
            yield f"the pager sends {target}, which the OpenAPI document does not declare"


def _check_result(action: Action, service: Service, known: Facts) -> Iterator[str]:
    """Yield the difference of an action's result from the document's; custom handlers are not compared."""
    declared, expected = action.result, known["result"]
    if action.handler or action.returns_file or "$comment" in declared or expected == {}:
        return
    pager = service.pagers.get(action.paging)
    if pager and pager.items:
        expected = expected.get("properties", {}).get(pager.items) if isinstance(expected, Mapping) else None
        if expected is None:
            yield f'the pager reads "{pager.items}", which is not a list in the declared response'
            return
    if expected == "none" or declared == "none":
        if expected != "none" or declared not in ("none", {}):
            yield f"the result is {json.dumps(declared)}, but {json.dumps(expected)} in the document"
    elif not _is_result(declared, expected, service.name):
        yield f"the result is {json.dumps(declared)}, but {json.dumps(expected)} in the document"


def _is_result(declared: Any, expected: Any, folder: str) -> bool:
    """Return whether an action's result equals the document's: the same resource, or the same types."""
    if "$ref" in expected:
        return bool(declared.get("$ref") == f"{folder}/{expected['$ref']}.json")
    if "$ref" in declared:
        declared = schema(declared["$ref"])
    if "type" in expected and _types(declared) != _types(expected):
        return False
    return "items" not in expected or _is_result(declared.get("items", {}), expected["items"], folder)


def _check_sends(action: Action, facts: Facts, sends: Mapping[str, Json]) -> Iterator[str]:
    """Yield the problems of a request that a handler sends in addition to the declared request."""
    request = f"{sends['method']} {sends['path']}"
    name = operation_of(facts, sends["method"], sends["path"])
    if name is None:
        yield f"the document has no request {request}"
    elif name != action.operation:
        for query in sends.get("query", {}):
            if facts[name]["parameters"].get(query, {}).get("in") != "query":
                yield f"{request}: the document has no query parameter {query}"
        if "body" in sends:
            for error in validator(body_shape(facts[name]) or False).iter_errors(sends["body"]):
                yield f"{request}: {error.json_path}: {error.message}"


def operation_of(facts: Facts, method: str, path: str) -> str | None:
    """Return the operationId of a request, or None; paths with fewer placeholders are preferred."""
    for name, known in sorted(facts.items(), key=lambda item: item[1]["path"].count("{")):
        pattern = re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(known["path"]))
        if known["method"] == method and re.fullmatch(pattern, path):
            return name
    return None
