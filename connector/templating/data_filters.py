"""Filters for data and texts that Jinja does not have, with the names that Ansible gives them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connector.common import json_text
from connector.common.boolean_words import BOOLEAN_WORDS
from connector.common.json_text import Json, kind
from connector.errors import cited, shorten, values_are_shown
from connector.templating.conditions import checked
from connector.templating.json_values import is_blank
from connector.templating.limits import fits, weigh
from connector.templating.values import fail_if_missing, text

_ENCODINGS = ("ascii", "cp1252", "latin-1", "utf-8", "utf-16", "utf-16-be", "utf-16-le")
_HASHES = (
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3_256",
    "sha3_512",
    "blake2b",
    "blake2s",
)
MAX_NESTED = 100
"""The maximum number of levels of objects that `combine` merges with `recursive=true`."""


def is_gap(value: Any) -> bool:
    """Return whether a value is an empty text, NULL or null. Most filters return such a value unchanged."""
    return value is None or is_blank(value) or not isinstance(value, (str, int, float, list, dict, tuple))


def split(value: Any, separator: str | None = None, maxsplit: int = -1) -> list[str]:
    """Return the parts of a text, separated by white space or by `separator`."""
    return text(value).split(separator, maxsplit)


def from_json(value: Any) -> Json:
    """Return the value of a JSON text. Raises ValueError."""
    fail_if_missing(value)
    if is_gap(value):
        return value
    if not isinstance(value, str):
        raise TypeError(f"from_json reads a text, not {kind(value)}")
    try:
        return json_text.loads(value)
    except ValueError as error:
        raise ValueError(f"not JSON ({error}){json_text.syntax_hint(value)}{cited(value)}") from None


def b64encode(value: Any, encoding: str = "utf-8") -> str:
    """Return a text in Base64. `encoding` is that of the text; PowerShell's commands need utf-16-le."""
    return base64.b64encode(text(value).encode(_encoding(encoding))).decode("ascii")


def b64decode(value: Any, encoding: str = "utf-8") -> str:
    """Return the text that is encoded in Base64. Raises ValueError for a value that is not Base64."""
    try:
        data = base64.b64decode("".join(text(value).split()), validate=True)
        return data.decode(_encoding(encoding))
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"not Base64 of a text in {encoding} ({error})") from None


def _encoding(name: str) -> str:
    """Return the name of a supported text encoding. Raises ValueError for any other name."""
    found = str(name).lower().replace("_", "-")
    if found not in _ENCODINGS:
        raise ValueError(f'"{shorten(str(name), 40)}" is not one of the encodings {", ".join(_ENCODINGS)}')
    return found


def hash_text(value: Any, hashtype: str = "sha1") -> str:
    """Return the hash of a text in UTF-8, in hexadecimal digits."""
    if hashtype not in _HASHES:
        raise ValueError(f'"{shorten(str(hashtype), 40)}" is not one of the hashes {", ".join(_HASHES)}')
    return hashlib.new(hashtype, text(value).encode(), usedforsecurity=False).hexdigest()


def to_boolean(value: Any) -> Any:
    """Return true or false for a boolean, 1, 0, or a word such as yes. Raises ValueError for other values."""
    if isinstance(value, bool) or is_gap(value):
        return value
    word = value.strip().lower() if isinstance(value, str) else text(value)
    if word not in BOOLEAN_WORDS:
        shown = f'"{shorten(word, 40)}"' if values_are_shown() else "this"
        raise ValueError(f"{shown} is not one of {', '.join(BOOLEAN_WORDS)}")
    return BOOLEAN_WORDS[word]


def ternary(value: Any, true: Any, false: Any, none: Any = None) -> Any:
    """Return `true` for a true value, else `false`; for null, return `none` if it is given."""
    if value is None and none is not None:
        return none
    return true if checked(value) else false


def mandatory(value: Any, message: Any = "") -> Any:
    """Return the value. Raises ValueError with the message if the value is empty or its field is missing."""
    if is_gap(value):
        raise ValueError(text(message) or "the value is mandatory, but it is missing or empty")
    return value


def dict_to_items(value: Any, key_name: str = "key", value_name: str = "value") -> list[Json]:
    """Return an object's members as a list of objects with a key and a value."""
    return [{key_name: name, value_name: member} for name, member in _object(value, "dict2items").items()]


def items_to_dict(value: Any, key_name: str = "key", value_name: str = "value") -> Json:
    """Return an object from a list of objects with a key and a value."""
    made: dict[str, Json] = {}
    for item in _list(value, "items2dict"):
        item = _object(item, "items2dict")
        for name in (key_name, value_name):
            if name not in item:
                raise ValueError(f'items2dict: an item has no member "{name}"')
        made[_name(item[key_name])] = item[value_name]
    return made


def _name(value: Any) -> str:
    if not isinstance(value, (str, int, float)):
        raise TypeError(f"an object's member names are text, not {kind(value)}")
    return text(value)


def _object(value: Any, filter: str) -> Mapping[str, Any]:
    fail_if_missing(value)
    if not isinstance(value, Mapping):
        raise TypeError(f"{filter} expects an object, not {kind(value)}")
    return value


def _list(value: Any, filter: str) -> Iterable[Any]:
    fail_if_missing(value)
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{filter} expects a list, not {kind(value)}")
    return value


_MERGED_LISTS: dict[str, Callable[[list[Any], list[Any]], list[Any]]] = {
    "replace": lambda old, new: new,
    "keep": lambda old, new: old,
    "append": lambda old, new: old + new,
    "prepend": lambda old, new: new + old,
    "append_rp": lambda old, new: [item for item in old if item not in new] + new,
    "prepend_rp": lambda old, new: new + [item for item in old if item not in new],
}


def combine(value: Any, *others: Any, recursive: bool = False, list_merge: str = "replace") -> Json:
    """Return an object with the members of all objects; a later object overrides members of an earlier one.

    With `recursive`, members that are objects are merged in the same way, and lists as `list_merge`
    specifies.
    """
    if list_merge not in _MERGED_LISTS:
        raise ValueError(f"combine: list_merge is one of {', '.join(_MERGED_LISTS)}")
    objects: list[Any] = []
    for other in (value, *others):
        objects += other if isinstance(other, (list, tuple)) else [other]
    made: dict[str, Any] = {}
    for other in objects:
        made = _merged(made, _object(other, "combine"), recursive, list_merge, MAX_NESTED)
    fits(weigh(made))
    return made


def _merged(
    old: Mapping[str, Any], new: Mapping[str, Any], recursive: bool, list_merge: str, levels: int
) -> dict[str, Any]:
    if not levels:
        raise ValueError(f"combine merges at most {MAX_NESTED} levels of objects")
    made = dict(old)
    for name, member in new.items():
        before = made.get(name)
        if recursive and isinstance(before, Mapping) and isinstance(member, Mapping):
            member = _merged(before, member, recursive, list_merge, levels - 1)
        elif isinstance(before, list) and isinstance(member, list):
            if list_merge.endswith("_rp"):
                for _ in before:
                    weigh(member)  # each item is compared with every other item
            member = _MERGED_LISTS[list_merge](before, member)
        made[name] = member
    return made
