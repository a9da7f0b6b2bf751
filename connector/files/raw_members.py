"""Reads envelopes without parsing the members of their results, and writes these as CSV cells.

This requires `msgspec` (the extra `fast`), and is up to three times as fast as parsing the members.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import new_class
from typing import Any, TypedDict, cast

from msgspec import MsgspecError, Raw, defstruct
from msgspec.json import Decoder, format
from msgspec.structs import astuple

from connector.common import json_text
from connector.common.json_text import Json

_ERRORS = (MsgspecError, ValueError, RecursionError)  # in old versions, the first is not a ValueError
_MAX_NAMES = 100
"""The maximum number of names that are read into a tuple. Its time is quadratic if orders differ."""


def read_raw_envelopes(lines: bytes, names: tuple[str, ...] | None = None) -> list[dict[str, Json]] | None:
    """Return the envelopes of lines, with the members of `result` and `input` as `Raw` and without `meta`.

    With `names`, the result is a tuple of the values of these members, None for a missing one, if no result
    has another member. This is faster, except for very many names.
    Return None if a line is not valid, or the result of a successful row is not an object.
    """
    found = _with_tuples(lines, names) if names is not None and len(names) <= _MAX_NAMES else None
    try:
        found = found or _decoder(dict[str, Raw])(lines)
    except _ERRORS:
        return None
    if any(one["result"] is None and not one["has_error"] for one in found):
        return None  # only `meta` shows whether it is an empty list
    return found


def _with_tuples(lines: bytes, names: tuple[str, ...]) -> list[dict[str, Json]] | None:
    """Return envelopes with tuples as results; None if a result is not an object, or has another member."""
    try:
        found = _decoder(_struct(names))(lines)
    except _ERRORS:  # a ValueError also for names that a struct cannot have
        return None
    for one in found:
        if one["result"] is not None:
            one["result"] = astuple(one["result"])
    return found


@lru_cache(maxsize=4)
def _struct(names: tuple[str, ...]) -> type:
    """Return a class of objects that have only these members, which can be missing."""
    members = {f"_{number}": name for number, name in enumerate(names)}
    fields = [(field, Raw, None) for field in members]
    return defstruct("Result", fields, rename=members, forbid_unknown_fields=True, gc=False)


@lru_cache(maxsize=4)
def _decoder(result: Any) -> Callable[[bytes], list[dict[str, Json]]]:
    """Return a function that reads lines of envelopes whose results have this type."""
    create: Any = TypedDict
    required = create(
        "_Required", {"row": int, "has_error": bool, "error": str | None, "result": result | None}
    )
    kept = {"__annotations__": {"input": dict[str, Raw]}}
    envelope = new_class("_Envelope", (required,), {"total": False}, lambda body: body.update(kept))
    return cast(Callable[[bytes], list[dict[str, Json]]], Decoder(envelope).decode_lines)


def parsed(values: Sequence[Raw | None]) -> list[Json]:
    """Return the parsed values of a column, each of which is JSON or missing."""
    found: list[Json] = json_text.loads(f"[{_joined(values, b',')}]")
    return found


_MARK = b',"|",'
"""Separates the nested values that are formatted together."""
_FORMATTED_MARK = ', ""|"", '
_EXPONENT = re.compile(r"\de(?:\+|-0)")
"""An exponent that is written differently after its value was parsed."""


def raw_cells(values: Sequence[Raw | None]) -> list[str] | None:
    """Return the CSV cells of a column, the same as those of its `parsed` values.

    Return None if that requires parsing them.
    """
    if values[0] is not None and bytes(values[0]).startswith((b"{", b"[")):
        return _nested_cells(values)
    texts = _joined(values, b"\n")
    if "\\" in texts:
        return None
    if texts.startswith('"'):
        cells = texts[1:-1].split('"\n"')
        return _quoted(cells, texts) if len(cells) == len(values) else None
    if any(map(texts.__contains__, '"{[')) or "-0" in texts:
        return None
    cells = texts.split("\n")
    return ["" if cell == "null" else cell for cell in cells] if "null" in texts else cells


def _joined(values: Sequence[Raw | None], separator: bytes) -> str:
    """Return the JSON of values, with null for missing ones."""
    try:
        return separator.join(cast(Sequence[Raw], values)).decode()
    except TypeError:
        return separator.join([b"null" if value is None else value for value in values]).decode()


def _nested_cells(values: Sequence[Raw | None]) -> list[str] | None:
    """Return the cells of values of which the first is a list or an object."""
    texts = _joined(values, _MARK)
    if _is_respelled(texts):
        return None
    formatted = format(f"[{texts}]", indent=0)[1:-1].replace('"', '""')
    cells = formatted.rsplit(_FORMATTED_MARK)  # faster than `split`
    are_nested = len(cells) == len(values) and {cell[0] for cell in cells} <= {"{", "["}
    return _quoted(cells, formatted) if are_nested else None


def _is_respelled(texts: str) -> bool:
    """Return whether an escape or an exponent can be written differently after its value was parsed.

    Searching for a character is faster than for a string, and this is much faster than a regular expression.
    """
    if "\\" in texts and ("\\u" in texts or "\\/" in texts):
        return True
    has_exponent = ("+" in texts and "e+" in texts) or "e-0" in texts
    return has_exponent and _EXPONENT.search(texts) is not None


def _quoted(cells: list[str], texts: str) -> list[str]:
    """Return cells, in quotes if they have a comma or a quote; `texts` contains all of them."""
    if "," not in texts and '""' not in texts:
        return cells
    return [f'"{cell}"' if "," in cell or '"' in cell else cell for cell in cells]
