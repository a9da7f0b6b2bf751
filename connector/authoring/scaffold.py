"""Draft the declaration of an action from an operation of the vendor's OpenAPI document.

The author completes the draft: the summary, the descriptions of inputs, whether a POST only reads, and which
parameters exclude or require each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.authoring.openapi_facts import body_shape, published_facts, unwrapped
from connector.authoring.openapi_names import known_api, with_known_names
from connector.authoring.openapi_operations import operations, resolved_paths
from connector.authoring.openapi_repair import repaired
from connector.authoring.published_paging import find_pager, paging_parameters
from connector.authoring.scaffold_example import Field, example
from connector.catalog.naming import is_id, singular, snake, title
from connector.catalog.service import Pager, Service
from connector.common import yaml_dump
from connector.common.json_text import Json
from connector.errors import RunError, nearest

SUMMARY = "TODO one sentence about what the action does"

_EFFECTS = {"GET": "read", "DELETE": "destructive"}
_FORMATS = ("int32", "int64", "uuid", "date-time", "date")
_LIMITS = ("minLength", "maxLength", "minimum", "maximum", "pattern", "minProperties")
_LIST_LIMITS = ("minItems", "maxItems", "uniqueItems")
_OPEN = ("inputs", "examples", "sends")
_TIME = re.compile(r"(Date|Time|^start|^end)$")
_VERBS = ("archive", "bulk", "delete", "merge", "move", "promote", "restore", "upload", "upsert")


@dataclass(frozen=True)
class Draft:
    """The YAML text of a draft declaration, and the area and name for its file `AREA/NAME.yaml`."""

    area: str
    name: str
    text: str
    doubts: tuple[str, ...] = ()
    """The points for the author to check; they are also comments at the start of the text."""


def draft(
    document: Mapping[str, Any],
    operation: str,
    service: Service,
    *,
    name: str = "",
    area: str = "",
    known: Mapping[str, Json] | None = None,
) -> Draft:
    """Return a draft declaration of one operation of a document.

    `known` has example values, such as existing ids, keyed by input name. Raises RunError if the document
    does not have the operation, and for a name that is not in snake case.
    """
    document = repaired(document, service)
    facts = published_facts(with_known_names(document, known_api(service.name)))
    if operation not in facts:
        raise RunError(f'the document has no operation "{operation}"{nearest(operation, facts)}')
    known_facts = unwrapped(facts[operation], service.wrap)
    name = name or snake(operation)
    area = area or snake(_tag(document, operation))
    for part in (name, area):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", part):
            raise RunError(f'"{part}" is not a valid name: use snake case')
    fields = list(_fields(known_facts, service))
    top = _declaration(known_facts, operation, name, service, fields)
    top["examples"] = [example(top, fields, service, area, known or {})]
    doubts = tuple(_doubts(known_facts, service))
    return Draft(area, name, "".join(f"# TODO {doubt}\n" for doubt in doubts) + _written(top), doubts)


def _doubts(facts: Mapping[str, Any], service: Service) -> Iterator[str]:
    sent = paging_parameters(facts, service)
    if sent and find_pager(facts, service) is None:
        yield (
            f"The operation has the parameters {', '.join(sent)}, but no pager of {service.name} fits it: "
            "the result may be only the first page."
        )
    if facts["body"] and body_shape(facts) is None and body_shape(facts, multipart=True) is None:
        yield f"The body of the request is {', '.join(facts['body'])}, which requires a handler."


def _tag(document: Mapping[str, Any], operation: str) -> str:
    published = (found for _, _, found in operations(resolved_paths(document)))
    found = next(found for found in published if found["operationId"] == operation)
    return str((found.get("tags") or ["area"])[0])


def _declaration(
    facts: Mapping[str, Any], operation: str, name: str, service: Service, fields: list[Field]
) -> dict[str, Any]:
    method = facts["method"]
    pager = find_pager(facts, service)
    top: dict[str, Any] = {
        "name": name,
        "title": title(name),
        "summary": SUMMARY,
        "operation": operation,
        "request": f"{method} {facts['path']}",
        "effect": _EFFECTS.get(method, "write"),
        "idempotent": method != "POST",
    }
    if pager:
        top["paging"] = pager.name
    inputs = {field.name: field.declared for field in fields}
    if pager:
        inputs["limit"] = {
            "title": "Limit",
            "description": "Maximum number of items to return.",
            "type": "integer",
            "minimum": 1,
        }
    if inputs:
        top["inputs"] = inputs
    parts = {f.target[0]: f.part for f in fields if f.place == "part"}
    if parts:
        top["parts"] = parts
    top["required"] = [field.name for field in fields if field.required]
    top["result"] = _result(facts, pager, service)
    return top


def _written(top: Mapping[str, Any]) -> str:
    """Return a declaration as YAML text, with blank lines between its sections."""
    text = yaml_dump.dump(top, _OPEN)
    return re.sub(r"^(?=(?:inputs|parts|required|examples):)", "\n", text, flags=re.M)


def _result(facts: Mapping[str, Any], pager: Pager | None, service: Service) -> Any:
    result = facts["result"]
    if pager and pager.items:
        result = result["properties"][pager.items]
    return _answer(result, service.name)


def _answer(result: Any, folder: str) -> Any:
    if not isinstance(result, Mapping):
        return result
    if "$ref" in result:
        return {"$ref": f"{folder}/{result['$ref']}.json"}
    answer = {key: value for key, value in result.items() if key == "type" or value in _FORMATS}
    return answer | ({"items": _answer(result["items"], folder)} if result.get("items") else {})


def _fields(facts: Mapping[str, Any], service: Service) -> Iterator[Field]:
    """Yield the inputs of an operation, without those that a pager sets."""
    pager = find_pager(facts, service)
    paged = {pager.send, pager.size} if pager else set()
    taken = set(service.inputs) | ({"limit"} if pager else set())
    for field in _places(facts, service):
        if ".".join((field.place, *field.target)) not in paged:
            if field.name in taken:
                before = "new" if field.place == "body" else field.place
                field = field.renamed(f"{before}_{field.name}")
            taken.add(field.name)
            yield field


def _places(facts: Mapping[str, Any], service: Service) -> Iterator[Field]:
    words = service.words.get("parameters", {})
    parameters = facts["parameters"]
    in_path = re.findall(r"\{([^{}/]+)\}", facts["path"])
    for name in sorted(parameters, key=lambda n: in_path.index(n) if n in in_path else len(in_path)):
        shape = parameters[name]
        if shape["in"] in ("path", "query", "header"):
            ours = _path_name(facts["path"], name) if shape["in"] == "path" else snake(words.get(name, name))
            required = shape["required"] or shape["in"] == "path"
            yield _field(ours, shape["in"], (name,), shape, required=required)
    multipart = body_shape(facts, multipart=True)
    if multipart:
        yield from _part_fields(multipart)
        return
    body = body_shape(facts)
    if body is None:
        return
    members = body.get("properties", {})
    for name, shape in members.items():
        yield _field(snake(name), "body", (name,), shape, required=name in body.get("required", ()))
    if not members:
        yield _whole_body(facts["path"], body)


def _path_name(path: str, name: str) -> str:
    """Return the input name of a path parameter: `id` in `/v2/device/{id}` becomes `device_id`."""
    if name not in ("id", "uid"):
        return snake(name)
    noun = path.partition("{" + name + "}")[0].rstrip("/").rpartition("/")[2]
    return f"{singular(snake(noun))}_{name}"


def _whole_body(path: str, body: Mapping[str, Any]) -> Field:
    """Return the input for a body that is an array or a map."""
    if "array" not in body.get("type", ""):
        shape = {**body, "minProperties": 1}
        return _field("fields", "body", (), shape, required=True)
    nouns = [snake(s) for s in path.split("/") if s and "{" not in s and s not in _VERBS]
    noun = next((n for n in reversed(nouns) if n.endswith("s")), nouns[-1])
    of_ids = body.get("items", {}).get("type") == "integer"
    vendor_name = f"{singular(noun)}Ids" if of_ids else noun
    return _field(snake(vendor_name), "body", (), {"minItems": 1, **body}, required=True, vendor=vendor_name)


def _part_fields(body: Mapping[str, Any]) -> Iterator[Field]:
    due = body.get("required", ())
    for name, shape in body.get("properties", {}).items():
        members = shape.get("properties", {})
        file = "binary" in (shape.get("format"), shape.get("items", {}).get("format"))
        part = {"file": True} if file else {"media_type": "application/json"} if members else {}
        for member, inner in members.items():
            required = member in shape.get("required", ())
            yield _field(snake(member), "part", (name, member), inner, required=required, part=part)
        if not members:
            yield _field(snake(name), "part", (name,), shape, required=name in due, part=part)


def _field(
    name: str,
    place: str,
    target: tuple[str, ...],
    shape: Mapping[str, Any],
    *,
    required: bool,
    part: Mapping[str, Any] | None = None,
    vendor: str = "",
) -> Field:
    declared = declared_schema(vendor or (target[-1] if target else name), shape)
    unit = _unit(target[-1], shape) if target else None
    if unit:
        declared = {"type": "string", "format": "date" if unit == "date" else "date-time", "as": unit}
    declared = {"title": title(name), **declared, "to": ".".join((place, *target))}
    return Field(name, place, target, declared, required, dict(part or {}))


def _unit(name: str, shape: Mapping[str, Any]) -> str | None:
    """Return the probable unit of a time that the document declares as a number; None if it is no time."""
    if shape.get("format") == "date":
        return "date"
    if not _TIME.search(name):
        return None
    if "number" in shape.get("type", ""):
        return "epoch_s"
    return "epoch_ms" if shape.get("format") == "int64" else None


def declared_schema(name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of an input, or of a property of it, from the document's reduced schema."""
    declared: dict[str, Any] = {}
    types = shape.get("type")
    if types:
        declared["type"] = types if isinstance(types, str) else next(t for t in types if t != "null")
    if shape.get("format") in _FORMATS:
        declared["format"] = shape["format"]
    if "enum" in shape:
        declared["enum"] = [value for value in shape["enum"] if value is not None]
    if declared.get("type") == "integer" and is_id(name):
        declared["minimum"] = 1
    declared |= {key: shape[key] for key in _LIMITS if key in shape}
    if "items" in shape:
        declared["items"] = declared_schema(name, shape["items"])
    declared |= {key: shape[key] for key in _LIST_LIMITS if key in shape}
    if "additionalProperties" in shape:
        declared["additionalProperties"] = declared_schema("", shape["additionalProperties"])
    if "properties" in shape:
        declared["properties"] = {n: declared_schema(n, member) for n, member in shape["properties"].items()}
        if shape.get("required"):
            declared["required"] = list(shape["required"])
    return declared
