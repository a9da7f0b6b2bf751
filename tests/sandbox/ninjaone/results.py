"""Validation of each operation's 2xx JSON response under its schema in `schemas/ninjaone/`.

Beyond plain validation, a response of the sandbox may use no enum value and no field that is not published:
the schemas are open for what a live instance may add, not for what the sandbox could misspell.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators
from referencing import Registry, Resource

from connector.sandbox.ninjaone.api.operations import operations

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"

UNPUBLISHED = re.compile("getNodeRoles|getTab(Hierarchy|Summary)For").match
"""Reads that are published without a response but certainly have one."""
LIVE_FIELDS = {"os", "system", "memory", "processors", "volumes", "lastLoggedInUser", "cursor"}
"""Unpublished fields of live responses: getDevice, getAllNodeAttributes."""


def _retrieve(uri: str) -> Resource[Any]:
    return Resource.from_contents(json.loads((SCHEMAS / uri).read_text(encoding="utf-8")))


def _published_value(
    validator: Any, values: list[Any], instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if instance not in values:
        yield ValidationError(f"{instance!r} is no published value")


def _published_fields(validator: Any, fields: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and "additionalProperties" not in schema:
        for name in set(instance) - set(fields) - LIVE_FIELDS:
            yield ValidationError(f"{name!r} is no published field of {schema.get('title')}")
    yield from Draft202012Validator.VALIDATORS["properties"](validator, fields, instance, schema)


_Strict = validators.extend(
    Draft202012Validator, {"x-enum": _published_value, "properties": _published_fields}
)
_formats = FormatChecker(())


@_formats.checks("uuid", ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value


def schema_of(operation: str) -> dict[str, Any] | None:
    """Return the schema of the operation's response, None if it is not JSON."""
    if operation not in operations():  # newer than the published API
        return {}
    result = operations()[operation]["result"]
    if result == "none":
        return None
    if operation.endswith("SignedUrls"):  # published as text, described as a map of content ids and URLs
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if "additionalProperties" in result or result == {"type": "object"}:
        return {"$ref": "ninjaone/CustomFieldValues.json"}
    if "$ref" in result:
        return {"$ref": f"ninjaone/{result['$ref']}.json"}
    if "$ref" in result.get("items", {}):
        return {"type": "array", "items": {"$ref": f"ninjaone/{result['items']['$ref']}.json"}}
    return dict(result)


@cache
def _validator(operation: str) -> Any:
    return _Strict(schema_of(operation), registry=Registry(retrieve=_retrieve), format_checker=_formats)


def check_result(operation: str, value: Any) -> None:
    """Raise AssertionError if the value is not a valid result of the operation."""
    if schema_of(operation) is None:
        assert UNPUBLISHED(operation), f"{operation} is not known to answer with JSON"
        return
    _validator(operation).validate(value)
