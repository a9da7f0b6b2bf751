"""The types of records as declared in the API document, with which a POST is checked.

`types.json` has, for each schema that requests write, the names of its members by type, and for each list the
names of its query parameters. It is generated from the vendor's document after its wrong types are corrected.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from connector.sandbox.halopsa.errors import InvalidRecordError
from connector.sandbox.invented import JSON
from connector.sandbox.types import INTEGER, LONG, NUMBER, TIME, UUID

FILE = Path(__file__).parent.parent / "data" / "types.json"

_ACCEPTED: Mapping[str, Callable[[Any], bool]] = {
    "integer int32": INTEGER.accepts,
    "integer int64": LONG.accepts,
    "number double": NUMBER.accepts,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "string uuid": UUID.accepts,
    "string date-time": lambda value: isinstance(value, str) and TIME.accepts(value),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


@cache
def _facts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


@cache
def members(schema: str) -> Mapping[str, str]:
    """Return the types of a schema's members, keyed by name."""
    kinds = _facts()["members"][schema]
    return {name: kind for kind, names in kinds.items() for name in names.split()}


@cache
def parameters(path: str) -> frozenset[str]:
    """Return the declared query parameters of a list; none for a path that declares none."""
    return frozenset(_facts()["parameters"].get(path, "").split())


def check(value: Any, schema: str, path: str) -> JSON:
    """Return a record after its members were checked against the declared types.

    Nulls and undeclared members are accepted. Raises InvalidRecordError for a value of the wrong type.
    """
    if not isinstance(value, dict):
        raise InvalidRecordError(path, "Could not convert the value to an object.")
    known = members(schema)
    for name, member in value.items():
        kind = known.get(name)
        if kind is not None and member is not None:
            _check_member(member, kind, f"{path}.{name}")
    return value


def _check_member(value: Any, kind: str, path: str) -> None:
    kind, _, schema = kind.partition(" ") if kind.startswith("array") else (kind, "", "")
    accepts = _ACCEPTED.get(kind)
    if accepts is not None and not accepts(value):
        shown = json.dumps(value)[:60]
        raise InvalidRecordError(path, f"Could not convert {shown} to {kind.rpartition(' ')[2]}.")
    for index, item in enumerate(value if schema else ()):
        check(item, schema, f"{path}[{index}]")


def known_values(record: JSON, schema: str, *, without: tuple[str, ...] = ()) -> JSON:
    """Return the declared members of a record, without flags (`_...`), which are not stored."""
    known = members(schema)
    return {
        name: value
        for name, value in record.items()
        if name in known and not name.startswith("_") and name != "id" and name not in without
    }
