"""Converts values of custom fields to the format that the API accepts, by the fields' definitions.

Values of other types are sent unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.actions.ninjaone.lookups import listing, named  # type: ignore[import-not-found]
from connector.handlers import (
    Inputs,
    Json,
    Note,
    RowError,
    Steps,
    convert_time,
    kind,
    nearest,
    same_name,
    typed_value,
)

_SCOPES = {
    "NODE": "devices",
    "END_USER": "end users",
    "LOCATION": "locations",
    "ORGANIZATION": "organizations",
}
_BUILT_IN = "itam"
"""The prefix of the vendor's asset fields, which have no definitions."""


def as_sent(inputs: Inputs, scope: str) -> Steps:
    """Return the input `fields` in the API's format, for a scope (`NODE`, `ORGANIZATION`, ...).

    Raises RowError with all names and values that are not valid.
    """
    fields = inputs.fields
    if not fields:
        return fields
    try:
        definitions = yield from listing(inputs, "/v2/custom-fields", "cursor_name")
    except RowError as error:
        if error.status not in (403, 404):
            raise
        yield Note(
            f"fields: sent unchanged, because the definitions of custom fields cannot be read: {error}"
        )
        return fields
    if not definitions:
        yield Note("fields: sent unchanged, because the API lists no definitions of custom fields")
        return fields
    known = {definition["name"]: definition for definition in definitions}
    sent, problems = {}, []
    for name, value in fields.items():
        try:
            field = _field(known, scope, name)
            if field in sent:
                raise ValueError(f"fields: {name} is the custom field {field}, which has two values")
            sent[field] = _value(known, scope, field, value)
        except (ValueError, RowError) as error:
            problems.append(str(error))
    if problems:
        raise RowError("input_invalid", "; ".join(problems))
    return sent


def _field(known: dict[str, Json], scope: str, name: str) -> str:
    """Return the name of the field with a name or label, in which case is ignored. Raises ValueError."""
    if name in known or name.startswith(_BUILT_IN):
        return name
    found = [
        field
        for field, definition in known.items()
        if _is_of(definition, scope)
        and same_name(name) in (same_name(field), same_name(definition.get("label") or ""))
    ]
    if len(found) > 1:
        raise ValueError(
            f"fields: {name} is the label of more than one custom field; use the name: {', '.join(found)}"
        )
    return found[0] if found else name


def _value(known: dict[str, Json], scope: str, name: str, value: Json) -> Json:
    definition = known.get(name)
    if definition is None:
        if name.startswith(_BUILT_IN):
            return value
        own = [n for n, d in known.items() if _is_of(d, scope)]
        listed = f"Custom fields: {', '.join(own)}" if own else "No custom fields exist"
        raise ValueError(
            f"fields: {_SCOPES[scope]} have no custom field {name}{nearest(name, own)}. {listed}"
        )
    if not _is_of(definition, scope):
        scopes = " and ".join(_SCOPES.get(s, s) for s in definition["definitionScope"])
        raise ValueError(f"fields: {name} is a custom field of {scopes}, not of {_SCOPES[scope]}")
    convert = _CONVERT.get(definition.get("type"))
    try:
        return value if convert is None or value is None else convert(definition, value)
    except ValueError as error:
        raise ValueError(f"fields.{name}: {error}") from None


def _is_of(definition: Json, scope: str) -> bool:
    return scope in (definition.get("definitionScope") or [scope])


def _typed(name: str) -> Callable[[Json, Json], Json]:
    return lambda definition, value: typed_value({"type": name}, value)


def _time(definition: Json, value: Json) -> Json:
    return convert_time(value, "epoch_ms")


def _option(definition: Json, value: Json) -> Json:
    """Return the id of a dropdown option given by its id or label."""
    options = (definition.get("content") or {}).get("values") or []
    if not options:
        return value
    if isinstance(value, (list, dict)):
        raise ValueError(f"expected one option, not {kind(value)}")
    if value in [option.get("id") for option in options]:
        return value
    active = [option for option in options if option.get("active", True)]
    label = value if isinstance(value, str) else str(typed_value({"type": "string"}, value))
    return named("option", active, label, f"fields.{definition['name']}")["id"]


def _options(definition: Json, value: Json) -> Json:
    many = value if isinstance(value, list) else [value]
    return [_option(definition, one) for one in many]


def _html(definition: Json, value: Json) -> Json:
    return {"html": value} if isinstance(value, str) else value


_TEXTS = ("TEXT", "TEXT_MULTILINE", "TEXT_ENCRYPTED", "EMAIL", "PHONE", "IP_ADDRESS", "URL")
_CONVERT: dict[Any, Callable[[Json, Json], Json]] = {
    **{name: _typed("string") for name in _TEXTS},
    "CHECKBOX": _typed("boolean"),
    "NUMERIC": _typed("integer"),
    "DECIMAL": _typed("number"),
    "DATE": _time,
    "DATE_TIME": _time,
    "DROPDOWN": _option,
    "MULTI_SELECT": _options,
    "WYSIWYG": _html,
}
