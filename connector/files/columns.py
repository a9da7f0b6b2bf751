"""Envelopes as a table, whose columns have the names of the results' members."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO

from connector.common import json_text
from connector.common.json_text import Json
from connector.files.envelope_lines import LongLine, read_envelope, read_envelope_lines

ENVELOPE_COLUMNS = ("row", "has_error", "error")


class NewColumnError(Exception):
    """A row has a column that the first rows of its table lack."""


class Table:
    """The table of a file of envelopes in JSON Lines. It reads the file twice, and keeps only the columns.

    With `first`, it has the columns of so many rows, and does not read the others twice.

    The columns are `row`, `has_error`, `error`, the fields of the kept input rows, and the members of the
    results in the order of their first appearance. A result that is not an object has the column `result`.
    Where names collide, a result's column is named `result.NAME`, and an input's `input.NAME`. The envelope
    of an empty list is not a row of the table. With `results`, the first three columns are omitted, and the
    rows are those of `result_items`.
    """

    def __init__(self, partial: IO[bytes], *, results: bool = False, first: int | None = None) -> None:
        self._is_sure = first is None
        self._partial, self._only_results = partial, results
        self._fixed = () if results else ENVELOPE_COLUMNS
        inputs: dict[str, None] = {}
        members: dict[str, None] = {}
        for envelope, result in islice(self._entries(), first):
            inputs.update(dict.fromkeys(envelope.get("input", ())))
            members.update(dict.fromkeys(_members(result)))
        taken = set(self._fixed)
        self._results = _unique(members, "result.", taken)
        self._inputs = _unique(inputs, "input.", taken)
        self.columns = [*self._fixed, *self._inputs.values(), *self._results.values()]

    def rows(self) -> Iterator[list[Json]]:
        """Yield each row as its values in the order of the columns; None for a missing value.

        Raises NewColumnError for a row with a column that the `first` ones lack.
        """
        for envelope, result in self._entries():
            kept, members = envelope.get("input", {}), _members(result)
            if not self._is_sure and (
                members.keys() - self._results.keys() or kept.keys() - self._inputs.keys()
            ):
                raise NewColumnError
            yield [
                *(envelope[name] for name in self._fixed),
                *map(kept.get, self._inputs),
                *map(members.get, self._results),
            ]

    def _entries(self) -> Iterator[tuple[dict[str, Json], Json]]:
        """Yield the envelope and the result of each row of the table."""
        self._partial.seek(0)
        for line in read_envelope_lines(self._partial):
            envelope = read_envelope(line)
            if isinstance(line, LongLine) and self._only_results:
                for item, _ in line.items():
                    yield envelope, item
            elif isinstance(line, LongLine):
                yield envelope, "[" + ",".join(text for _, text in line.items()) + "]"
            elif self._only_results:
                for item in result_items(envelope):
                    yield envelope, item
            elif not is_empty_list(envelope):
                yield envelope, envelope["result"]


class RowTable:
    """The table of rows of data, whose columns are given."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Mapping[str, Json]]) -> None:
        self.columns, self._rows = columns, rows

    def rows(self) -> Iterator[list[Json]]:
        """Yield each row as its values in the order of the columns; None for a missing value."""
        for row in self._rows:
            yield [row.get(name) for name in self.columns]


def result_items(envelope: Mapping[str, Json]) -> list[Json]:
    """Return the result of an envelope as a list: the items of its list, or the result.

    It is empty for a failed row, and for a result of null, unless the envelope has the input row.
    """
    result = envelope["result"]
    if envelope["has_error"] or is_empty_list(envelope) or (result is None and "input" not in envelope):
        return []
    return result if isinstance(result, list) and "item" not in envelope["meta"] else [result]


def result_lines(line: bytes) -> bytes:
    """Return the results of an envelope's line, each as a line of JSON; with `input` if it is kept."""
    envelope = json_text.loads(line.decode())
    items = result_items(envelope)
    if "input" in envelope:
        items = [{"input": envelope["input"], "result": item} for item in items]
    return b"".join(json_text.dump_bytes(item) + b"\n" for item in items)


def is_empty_list(envelope: Mapping[str, Json]) -> bool:
    """Return whether an envelope is that of an empty list, which has no item."""
    return not envelope["has_error"] and "item" in envelope["meta"] and envelope["result"] is None


def text_of(value: Json) -> str:
    """Return a value as the text of a cell: empty for null, JSON for lists and objects."""
    kind = type(value)
    if kind is str and value.isascii():
        return str(value)
    if value is None:
        return ""
    if kind is int or kind is float:
        return repr(value)
    if kind is bool:
        return "true" if value else "false"
    text = value if isinstance(value, str) else json_text.number_text(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _members(result: Json) -> Mapping[str, Json]:
    return result if isinstance(result, dict) else {} if result is None else {"result": result}


def _unique(names: Iterable[str], prefix: str, taken: set[str]) -> dict[str, str]:
    """Return the column for each name: the name, or the name with a prefix if it is already in `taken`.

    `taken` is updated.
    """
    names = dict.fromkeys(names)
    return {name: _free(name, prefix, taken, names) for name in names}


def _free(name: str, prefix: str, taken: set[str], names: Container[str]) -> str:
    column = name
    while column in taken or (column != name and column in names):
        column = prefix + column
    taken.add(column)
    return column
