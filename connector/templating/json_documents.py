"""JSON documents with expressions in them: values, or text inside a string.

`["{{ a }}", "ALERTS"]` always has two items, whatever the value of `a`. In `[1, {{ ids }}]`, the items of a
list are inserted, and a text is parsed as JSON: any number of items, or an array of them.

An empty text of the row is a gap. Unless empty texts are sent, a member or item whose value is a gap is
omitted, and so is an object or array that contains only gaps. A null of the row is sent as null. In the rows
of a table, NULL is a gap, too; only a null that is written in the document itself is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.common import json_text
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.templating.json_values import is_blank, parse_json, without_null
from connector.templating.limits import FEW, fits, weigh
from connector.templating.operators import concat
from connector.templating.scope import Fill, Gaps
from connector.templating.values import NULL, text, to_json

Pieces = Sequence[str | None]
"""The constant texts of a document, with None in the place of each expression."""
Items = Callable[[list[Any]], list[Json]]
"""A function that returns the items that replace one item of an array."""

_OPEN, _TEXT, _VALUE = "\ue000", "\ue001", "\ue002"
"""Marks that stand for expressions in a document: `OPEN index TEXT` in a string, `OPEN index VALUE` else."""
_ONLY_TEXT = re.compile(f"{_OPEN}([0-9]+){_TEXT}")
"""A string of a document that is a single expression; its value `omit` removes the member or item."""
_VALUE_AS_NAME = re.compile(_VALUE + r'"\s*:')


def compile_document(pieces: Pieces, schema: Mapping[str, Json], gaps: Gaps = "sent") -> Fill:
    """Compile a document for an input of the given JSON Schema.

    The document is parsed once, with a mark for each expression. A row's values then replace the marks, so a
    quote in a value cannot end a string. If only the rendered text can be parsed (for example, if an
    expression without quotes is a member's name), it is parsed for every row.
    """
    constant = "".join(piece for piece in pieces if piece is not None)
    skeleton, in_string = _skeleton(pieces)
    try:
        if _OPEN in constant or r"\ue000" in constant.lower():
            raise ValueError("the document contains a reserved character")
        if _VALUE_AS_NAME.search(skeleton):
            raise ValueError("an expression cannot be a member's name here")
        document = json_text.loads(skeleton)
    except ValueError:
        return _fill_rendered(pieces, in_string)

    fill = _COMPILERS[gaps]().compile(document, schema)
    if len(in_string) > FEW:
        fill = _bounded(fill)
    alone = _index_at(document)
    if alone is None:
        return fill
    return lambda values: "" if is_blank(values[alone]) else fill(values)


def _bounded(fill: Fill) -> Fill:
    """Return the function `fill` with a limit of the document's length.

    A long value can be inserted many times.
    """

    def filled(values: list[Any]) -> Json:
        document = fill(values)
        fits(weigh(document))
        return document

    return filled


def _skeleton(pieces: Pieces) -> tuple[str, list[bool]]:
    """Return the document with marks for its expressions, and for each whether it is in a string."""
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


class _Compiler:
    """Compiles the parts of a document into functions of the expressions' values."""

    def compile(self, node: Json, schema: Any) -> Fill:
        """Compile a part of the document, whose declared schema is `schema`."""
        if isinstance(node, str):
            index = _index_at(node)
            return self._text(node, schema) if index is None else self._value(index)
        if isinstance(node, dict):
            members = _member(schema, "properties")
            return self._object(
                [
                    (_compile_text(name), self.compile(part, _member(members, name)))
                    for name, part in node.items()
                ]
            )
        if isinstance(node, list):
            return self._array([self._items(part, _member(schema, "items")) for part in node])
        return lambda values: node

    def _text(self, node: str, schema: Any) -> Fill:
        fill, only = _compile_text(node), _ONLY_TEXT.fullmatch(node)
        if only is None:
            return fill
        index, null = int(only[1]), None if _takes_null(schema) else ABSENT

        def fill_only(values: list[Any]) -> Json:
            value = values[index]
            return null if value is None else ABSENT if value is NULL else fill(values)

        return fill_only

    def _value(self, index: int) -> Fill:
        """Return a function that returns the value of one expression; a text is parsed as JSON."""

        def fill(values: list[Any]) -> Json:
            value = values[index]
            return parse_json(value) if isinstance(value, str) else to_json(value)

        return fill

    def _object(self, members: Sequence[tuple[Callable[[list[Any]], str], Fill]]) -> Fill:
        return lambda values: {
            name(values): value for name, fill in members if (value := fill(values)) is not ABSENT
        }

    def _array(self, parts: Sequence[Items]) -> Fill:
        return lambda values: [item for fill in parts for item in fill(values) if item is not ABSENT]

    def _items(self, node: Json, schema: Any) -> Items:
        """Compile an item of an array.

        If its value is a list, the list's items are inserted. If it is a text, the text is parsed as JSON
        items.
        """
        index = _index_at(node)
        if index is None:
            fill = self.compile(node, schema)
            return lambda values: [fill(values)]
        wanted = _member(schema, "type")

        def items(values: list[Any]) -> list[Json]:
            value = values[index]
            if isinstance(value, str):
                parsed: list[Json] = parse_json(f"[{value}]")
                return parsed[0] if len(parsed) == 1 and _is_spliced(parsed[0], wanted) else parsed
            plain = to_json(value)
            return plain if _is_spliced(plain, wanted) else [plain]

        return items


class _GapCompiler(_Compiler):
    """Compiles a document in which empty texts of the row are omitted."""

    def _text(self, node: str, schema: Any) -> Fill:
        fill, only = _compile_text(node), _ONLY_TEXT.fullmatch(node)
        if _OPEN not in node:
            return fill
        if only is None:
            return lambda values: filled if (filled := fill(values)).strip() else ABSENT
        index, null = int(only[1]), None if _takes_null(schema) else ABSENT

        def fill_only(values: list[Any]) -> Json:
            if values[index] is None:
                return null
            return filled if (filled := fill(values)).strip() else ABSENT

        return fill_only

    def _value(self, index: int) -> Fill:
        fill = super()._value(index)
        return lambda values: ABSENT if is_blank(values[index]) else fill(values)

    def _object(self, members: Sequence[tuple[Callable[[list[Any]], str], Fill]]) -> Fill:
        def fill(values: list[Any]) -> Json:
            present = {}
            for name, fill in members:
                if (value := fill(values)) is not ABSENT and (key := name(values)).strip():
                    present[key] = value
            return present if present or not members else ABSENT

        return fill

    def _array(self, parts: Sequence[Items]) -> Fill:
        def fill(values: list[Any]) -> Json:
            found = [item for items in parts for item in items(values)]
            present = [item for item in found if item is not ABSENT]
            return present if present or not found else ABSENT

        return fill

    def _items(self, node: Json, schema: Any) -> Items:
        items, index = super()._items(node, schema), _index_at(node)
        if index is None:
            return items
        return lambda values: [ABSENT] if is_blank(values[index]) else items(values)


class _TableCompiler(_GapCompiler):
    """Compiles a document for rows of a table, in which NULL is omitted, too."""

    def _text(self, node: str, schema: Any) -> Fill:
        fill = _compile_text(node)
        if _OPEN not in node:
            return fill
        return lambda values: filled if (filled := fill(values)).strip() else ABSENT

    def _value(self, index: int) -> Fill:
        fill = super()._value(index)
        return lambda values: _from_cell(values[index], ABSENT, fill, values)

    def _array(self, parts: Sequence[Items]) -> Fill:
        def fill(values: list[Any]) -> Json:
            present = [item for items in parts for item in items(values) if item is not ABSENT]
            return present if present or not parts else ABSENT

        return fill

    def _items(self, node: Json, schema: Any) -> Items:
        items, index = super()._items(node, schema), _index_at(node)
        return items if index is None else lambda values: _from_cell(values[index], [], items, values) or []


_COMPILERS: Mapping[Gaps, type[_Compiler]] = {
    "sent": _Compiler,
    "omitted": _GapCompiler,
    "omitted with null": _TableCompiler,
}


def _from_cell(cell: Any, nothing: Json, fill: Fill, values: list[Any]) -> Json:
    """Return an expression's value without nulls, or `nothing` if the value is NULL or empty.

    A null that the template itself writes, as in `{{ none }}`, is kept.
    """
    if is_blank(cell):
        return nothing
    value = fill(values)
    return without_null(value) if isinstance(cell, str) else value


def _is_spliced(value: Json, wanted: Any) -> bool:
    """Return whether a list given for one item of an array is inserted as several items."""
    if not isinstance(value, list):
        return False
    return bool(wanted != "array" if wanted else not any(isinstance(item, list) for item in value))


def _takes_null(schema: Any) -> bool:
    """Return whether a schema declares no type, or null as one of its types."""
    types = _member(schema, "type")
    return types is None or types == "null" or (not isinstance(types, str) and "null" in types)


def _member(schema: Any, name: str) -> Any:
    return schema.get(name) if isinstance(schema, Mapping) else None


def _index_at(node: Json) -> int | None:
    """Return the index of the expression if it is the whole value, else None."""
    if isinstance(node, str) and node.startswith(_OPEN) and node.endswith(_VALUE):
        return int(node[1:-1])
    return None


def _compile_text(node: str) -> Callable[[list[Any]], str]:
    """Compile a text that contains expressions."""
    if _OPEN not in node:
        return lambda values: node
    start, *rest = node.split(_OPEN)
    pieces = [(int(index), tail) for index, _, tail in (piece.partition(_TEXT) for piece in rest)]
    together = "".join if len(pieces) <= FEW else concat
    return lambda values: start + together([text(values[index]) + tail for index, tail in pieces])
