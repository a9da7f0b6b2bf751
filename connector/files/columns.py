"""Envelopes as a table, whose columns have the names of the results' members."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import IO, Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.files.envelope_lines import LongLine, read_envelope_blocks

ENVELOPE_COLUMNS = ("row", "has_error", "error")


class NewColumnError(Exception):
    """A row has a column that the first rows of its table lack."""


class Table:
    """The table of a file of envelopes in JSON Lines. It reads the file twice, and keeps only the columns.

    With `first`, it has the columns of this many rows, and does not read the others twice. With `raw`, the
    values of input rows and results can be JSON that is not parsed; see `raw_members`.

    The columns are `row`, `has_error`, `error`, the fields of the kept input rows, and the members of the
    results in the order of their first appearance. A result that is not an object has the column `result`.
    Where names collide, a result's column is named `result.NAME`, and an input's `input.NAME`. The envelope
    of an empty list is not a row of the table. With `results`, the first three columns are omitted, and the
    rows are those of `result_items`.
    """

    def __init__(
        self, partial: IO[bytes], *, results: bool = False, first: int | None = None, raw: bool = False
    ) -> None:
        all_known = first is None
        self._partial, self._only_results, self._raw = partial, results, raw
        self._fixed = () if results else ENVELOPE_COLUMNS
        inputs: dict[str, None] = {}
        members: dict[str, None] = {}
        for envelope, result in islice(chain.from_iterable(self._entries()), first):
            inputs.update(dict.fromkeys(envelope.get("input", ())))
            members.update(dict.fromkeys(_members(result)))
        taken = set(self._fixed)
        of_results, of_inputs = _unique(members, "result.", taken), _unique(inputs, "input.", taken)
        self.columns = [*self._fixed, *of_inputs.values(), *of_results.values()]
        self._fixed_of: Callable[[Mapping[str, Json]], Iterable[Json]] = (
            itemgetter(*self._fixed) if self._fixed else lambda _: ()
        )
        self._inputs_of = _Values(of_inputs, all_known=all_known)
        self._results_of = _Values(of_results, all_known=all_known)
        self._names = tuple(of_results)

    def rows(self) -> Iterator[list[Json]]:
        """Yield each row as its values in the order of the columns; None for a missing value."""
        return chain.from_iterable(self.blocks())

    def blocks(self) -> Iterator[list[list[Json]]]:
        """Yield the rows in blocks of limited size.

        Raises NewColumnError for a row with a column that the `first` ones lack.
        """
        fixed, inputs, results = self._fixed_of, self._inputs_of, self._results_of
        without_input = list(inputs({}))
        for entries in self._entries(self._names):
            yield [
                [
                    *fixed(envelope),
                    *(inputs(envelope["input"]) if "input" in envelope else without_input),
                    *(result if type(result) is tuple else results(_members(result))),
                ]
                for envelope, result in entries
            ]

    def _entries(self, names: tuple[str, ...] | None = None) -> Iterator[list[tuple[dict[str, Json], Json]]]:
        """Yield the envelope and the result of each row of the table, in blocks.

        With `names`, a result can be a tuple: see `read_raw_envelopes`.
        """
        self._partial.seek(0)
        for block in read_envelope_blocks(self._partial, raw=self._raw, names=names):
            if isinstance(block, LongLine):
                yield from self._of_long_list(block)
            elif self._only_results:
                yield [(envelope, item) for envelope in block for item in result_items(envelope)]
            else:
                yield [
                    (one, result)
                    for one in block
                    if (result := one["result"]) is not None or not is_empty_list(one)
                ]

    def _of_long_list(self, line: LongLine) -> Iterator[list[tuple[dict[str, Json], Json]]]:
        envelope = line.envelope()
        if not self._only_results:
            yield [(envelope, "[" + ",".join(text for _, text in line.items()) + "]")]
            return
        items = line.items()
        while some := list(islice(items, _ITEMS)):
            yield [(envelope, item) for item, _ in some]


_ITEMS = 50
"""The number of items of a long list in a block."""
_MAX_KINDS = 1000


class _Values:
    """Returns the values of an object in the order of the columns; None for a missing one.

    Raises NewColumnError for a member without a column, unless all columns are known.
    """

    def __init__(self, names: Iterable[str], *, all_known: bool = True) -> None:
        self._names, self._all_known = tuple(names), all_known
        self._getters: dict[tuple[str, ...], Callable[[Mapping[str, Json]], Iterable[Json]]] = {}
        """How the values of objects with the same members are read, of which a list has few kinds."""

    def __call__(self, members: Mapping[str, Json]) -> Iterable[Json]:
        names = tuple(members)
        return (self._getters.get(names) or self._getter(names))(members)

    def _getter(self, names: tuple[str, ...]) -> Callable[[Mapping[str, Json]], Iterable[Json]]:
        if not self._all_known and set(names) - set(self._names):
            raise NewColumnError
        if len(self._getters) == _MAX_KINDS:
            self._getters.clear()
        if names == self._names:
            getter: Any = dict.values
        elif len(self._names) > 1 and set(self._names) <= set(names):
            getter = itemgetter(*self._names)
        else:
            getter = lambda members: map(members.get, self._names)  # noqa: E731
        self._getters[names] = getter
        return self._getters[names]


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
    return envelope["result"] is None and not envelope["has_error"] and "item" in envelope["meta"]


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
