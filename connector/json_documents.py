"""JSON documents with expressions in them: a value where a value is due, text inside a string.

`["{{ a }}", "ALERTS"]` has two members whatever `a` holds; in `[1, {{ ids }}]` a list is spliced in, and a
text is raw JSON for any number of items.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector import json_text
from connector.json_text import Json
from connector.template_values import is_blank, parse_json, text, to_json

Pieces = Sequence[str | None]
"""A document's constant texts, with None where an expression stands."""
Fill = Callable[[list[Any]], Json]
"""Puts the expressions' values, in their order, into the document. Raises RowError for broken JSON."""

_OPEN, _TEXT, _VALUE = "\ue000", "\ue001", "\ue002"
"""Marks in a document's skeleton: `OPEN index TEXT` inside a string, `OPEN index VALUE` for a value."""
_VALUE_AS_NAME = re.compile(_VALUE + r'"\s*:')


def compile_document(pieces: Pieces, schema: Mapping[str, Json]) -> Fill:
    """Compile a document for an input of the given JSON Schema.

    The document is parsed once, with a mark where each expression stands; a row's values are then put in
    place of the marks, so no value can break out of its string. Where only the rendered text can be
    parsed (an expression without quotes for a member's name, say), it is parsed for every row.
    """
    constant = "".join(piece for piece in pieces if piece is not None)
    skeleton, in_string = _skeleton(pieces)
    try:
        if _OPEN in constant or r"\ue000" in constant.lower():
            raise ValueError("the document has our marks in it")
        if _VALUE_AS_NAME.search(skeleton):
            raise ValueError("a value stands where a member's name is due")
        document = json_text.loads(skeleton)
    except ValueError:
        return _fill_rendered(pieces, in_string)

    def fill(values: list[Any]) -> Json:
        alone = _value_at(document, values) if isinstance(document, str) else _NO_VALUE
        return "" if is_blank(alone) else _fill(document, values, schema)

    return fill


def _skeleton(pieces: Pieces) -> tuple[str, list[bool]]:
    """Write the document with marks for its expressions, and tell which of them stand inside a string."""
    out: list[str] = []
    in_string: list[bool] = []
    inside = escaped = False
    for piece in pieces:
        if piece is None:
            mark = f"{_OPEN}{len(in_string)}{_TEXT if inside else _VALUE}"
            in_string.append(inside)
            out.append(mark if inside else f'"{mark}"')
            continue
        for char in piece:
            if escaped:
                escaped = False
            elif inside and char == "\\":
                escaped = True
            elif char == '"':
                inside = not inside
        out.append(piece)
    return "".join(out), in_string


def _fill_rendered(pieces: Pieces, in_string: list[bool]) -> Fill:
    def fill(values: list[Any]) -> Json:
        waiting = iter(zip(values, in_string, strict=True))
        out = []
        for piece in pieces:
            if piece is not None:
                out.append(piece)
                continue
            value, inside = next(waiting)
            out.append(json_text.dumps(text(value))[1:-1] if inside else text(value))
        return parse_json("".join(out))

    return fill


def _fill(node: Json, values: list[Any], schema: Any) -> Json:
    if isinstance(node, str):
        value = _value_at(node, values)
        if value is _NO_VALUE:
            return _fill_text(node, values) if _OPEN in node else node
        return parse_json(value) if isinstance(value, str) else to_json(value)
    if isinstance(node, dict):
        members = _member(schema, "properties")
        return {_fill_text(k, values): _fill(v, values, _member(members, k)) for k, v in node.items()}
    if isinstance(node, list):
        items = _member(schema, "items")
        return [item for child in node for item in _fill_items(child, values, items)]
    return node


def _fill_items(node: Json, values: list[Any], items: Any) -> list[Json]:
    """Give what one place of an array becomes: a list is spliced in, text is raw JSON for any items."""
    value = _value_at(node, values) if isinstance(node, str) else _NO_VALUE
    if value is _NO_VALUE:
        return [_fill(node, values, items)]
    if isinstance(value, str):
        parsed: list[Json] = parse_json(f"[{value}]")
        return parsed
    plain = to_json(value)
    if not isinstance(plain, list):
        return [plain]
    wanted = _member(items, "type")
    nested = wanted == "array" if wanted else any(isinstance(item, list) for item in plain)
    return [plain] if nested else plain


def _member(schema: Any, name: str) -> Any:
    return schema.get(name) if isinstance(schema, Mapping) else None


_NO_VALUE = object()


def _value_at(node: str, values: list[Any]) -> Any:
    if node.startswith(_OPEN) and node.endswith(_VALUE):
        return values[int(node[1:-1])]
    return _NO_VALUE


def _fill_text(node: str, values: list[Any]) -> str:
    if _OPEN not in node:
        return node
    start, *rest = node.split(_OPEN)
    out = [start]
    for piece in rest:
        index, _, tail = piece.partition(_TEXT)
        out += [text(values[int(index)]), tail]
    return "".join(out)
