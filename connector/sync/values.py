"""Normalize and compare values: names, match values, and values of the target's fields."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from connector.common import json_text
from connector.common.json_text import Json, kind
from connector.common.same_name import same_name
from connector.common.times import parse_time
from connector.errors import shorten

FieldType = Literal["text", "number", "date", "choice", "yes_no"]


@dataclass(frozen=True)
class FieldDefinition:
    """The definition of an asset field in the target. `choices` maps the ids of a drop-down to texts."""

    key: int | str
    name: str
    type: FieldType = "text"
    choices: Mapping[int, str] | None = None


def normalized(value: Json) -> str:
    """Return a match value in lower case without spaces: `pf 3x1` and `PF3X1` are equal."""
    if value is None:
        return "none"
    text = value if isinstance(value, str) else _text(value)
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def typed(value: Json, definition: FieldDefinition) -> Json:
    """Return a value converted to the type of an asset field. Raises ValueError with the expected type.

    For a text field, numbers and booleans are converted to text, and lists are joined by commas. For a
    drop-down, the value is the text of a choice (case does not matter) or its id, and the result is the id.
    """
    if value == "":
        return ""
    if definition.type == "number":
        return _number(value)
    if definition.type == "date":
        return parse_time(value).strftime("%Y-%m-%dT%H:%M:%SZ")
    if definition.type == "choice":
        return _choice(value, definition.choices or {})
    if definition.type == "yes_no":
        word = _text(value).strip().casefold()
        if word not in _BOOLEANS:
            raise ValueError(f"expected yes or no, got {_shown(value)}")
        return _BOOLEANS[word]
    return _text(value)


_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _number(value: Json) -> int | float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        text = value.strip() if isinstance(value, str) else ""
        number = json_text.loads(text.lstrip("+") if text else "null")
    except ValueError:
        number = None
    if isinstance(number, (int, float)) and not isinstance(number, bool):
        return number
    raise ValueError(f"expected a number, got {_shown(value)}")


def _choice(value: Json, choices: Mapping[int, str]) -> int:
    wanted = same_name(_text(value))
    found = [number for number, text in choices.items() if same_name(text) == wanted]
    if not found and wanted.isdecimal() and int(wanted) in choices:
        found = [int(wanted)]
    if len(found) != 1:
        listed = ", ".join(list(choices.values())[:10])
        raise ValueError(f"expected one of the choices ({listed}), got {_shown(value)}")
    return found[0]


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, dict):
        return json_text.dumps(value)
    return "" if value is None else json_text.number_text(value)


def _shown(value: Json) -> str:
    return f'"{shorten(value, 60)}"' if isinstance(value, str) else kind(value)


def is_same(old: Json, new: Json, definition: FieldDefinition) -> bool:
    """Return whether two values of a field are equal: 8 equals "8", and a date equals its midnight."""
    if is_empty(old) or is_empty(new):
        return is_empty(old) and is_empty(new)
    try:
        if typed(old, definition) == typed(new, definition):
            return True
    except ValueError:
        pass
    return _text(old).strip() == _text(new).strip()


def is_empty(value: Json) -> bool:
    """Return whether a field value is null, an empty list, or blank text."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def digest(values: Sequence[Json]) -> str:
    """Return a hash of the values as 24 hexadecimal digits."""
    return hashlib.blake2b(json_text.dump_bytes(list(values)), digest_size=12).hexdigest()
