"""JSON documents with expressions in them: a value where a value is due, text inside a string.

`["{{ a }}", "ALERTS"]` has two members whatever `a` holds; in `[1, {{ ids }}]` a list is spliced in, and a
text is raw JSON for any number of items.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.templating.limits import FEW, fits, weigh
from connector.templating.operators import concat
from connector.templating.values import is_blank, parse_json, text, to_json

Pieces = Sequence[str | None]
"""A document's constant texts, with None where an expression stands."""
Fill = Callable[[list[Any]], Json]
"""Puts the expressions' values, in their order, into the document. Raises InputError for broken JSON."""

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

    fill = _compile(document, schema)
    if len(in_string) > FEW:
        fill = _bounded(fill)
    alone = _index_at(document)
    if alone is None:
        return fill
    return lambda values: "" if is_blank(values[alone]) else fill(values)


def _bounded(fill: Fill) -> Fill:
    """Check the length of what is filled in: one long value may stand in many places."""

    def filled(values: list[Any]) -> Json:
        document = fill(values)
        fits(weigh(document))
        return document

    return filled


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
        return parse_json(concat(out))

    return fill


def _compile(node: Json, schema: Any) -> Fill:
    """Compile a part of the document, for which `schema` is declared."""
    if isinstance(node, str):
        index = _index_at(node)
        return _compile_text(node) if index is None else _value(index)
    if isinstance(node, dict):
        members = _member(schema, "properties")
        filled = [
            (_compile_text(name), _compile(part, _member(members, name))) for name, part in node.items()
        ]
        return lambda values: {name(values): fill(values) for name, fill in filled}
    if isinstance(node, list):
        parts = [_compile_items(part, _member(schema, "items")) for part in node]
        return lambda values: [item for fill in parts for item in fill(values)]
    return lambda values: node


def _value(index: int) -> Fill:
    """Give a value of any type; a text is raw JSON."""

    def fill(values: list[Any]) -> Json:
        value = values[index]
        return parse_json(value) if isinstance(value, str) else to_json(value)

    return fill


def _compile_items(node: Json, schema: Any) -> Callable[[list[Any]], list[Json]]:
    """Compile one place of an array: a list is spliced in, text is raw JSON for any number of items."""
    index = _index_at(node)
    if index is None:
        fill = _compile(node, schema)
        return lambda values: [fill(values)]
    wanted = _member(schema, "type")

    def items(values: list[Any]) -> list[Json]:
        value = values[index]
        if isinstance(value, str):
            parsed: list[Json] = parse_json(f"[{value}]")
            return parsed
        plain = to_json(value)
        if not isinstance(plain, list):
            return [plain]
        nested = wanted == "array" if wanted else any(isinstance(item, list) for item in plain)
        return [plain] if nested else plain

    return items


def _member(schema: Any, name: str) -> Any:
    return schema.get(name) if isinstance(schema, Mapping) else None


def _index_at(node: Json) -> int | None:
    """Tell which expression stands at a place by itself."""
    if isinstance(node, str) and node.startswith(_OPEN) and node.endswith(_VALUE):
        return int(node[1:-1])
    return None


def _compile_text(node: str) -> Callable[[list[Any]], str]:
    """Compile a text with expressions inside."""
    if _OPEN not in node:
        return lambda values: node
    start, *rest = node.split(_OPEN)
    pieces = [(int(index), tail) for index, _, tail in (piece.partition(_TEXT) for piece in rest)]
    together = "".join if len(pieces) <= FEW else concat
    return lambda values: start + together([text(values[index]) + tail for index, tail in pieces])
