"""Splits the rows of a run into parts and chunks, and uploads them to the shared state.

A part is a range of rows of one connection. The parts of similar connections form groups: a worker runs the
connections of a group in parallel, and a chunk ends when its last part does. Chunk N of a group has part N of
each of its connections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from threading import Event

from connector.errors import RunInterruptedError
from connector.files.readers import InputRow
from connector.runs.connection_choice import SelectConnection
from connector.runs.tenant_split import assign
from connector.state.chunks import ChunkPart, RowRange, SharedRuns
from connector.state.parts import Part as HeldPart

ROWS_A_PART = 1000
"""The number of rows of a part. The next part of a connection can run on another worker."""
MIN_GROUPS = 8
"""The number of groups of a run with few connections, so that several workers take part in it."""
MAX_IN_GROUP = 50
"""The number of connections of a group. A thread runs each of them."""
_BYTES_AT_ONCE = 8 << 20
_BYTES_OF_A_LINE = 200
"""The memory of a line in addition to its bytes, which matters if there are many short lines."""


@dataclass
class _Part:
    number: int
    rows: int = 0


class Split:
    """The parts of the rows of a run, by the connection of each row."""

    def __init__(self, runs: SharedRuns, held: HeldPart, *, in_ranges: bool) -> None:
        """With `in_ranges`, the rows of a connection are several parts if there are many."""
        self._runs, self._held, self._in_ranges = runs, held, in_ranges
        self._parts: dict[str, list[_Part]] = {}
        self._count = 1  # Part 0 is the run itself, which its starter holds.
        self._waiting: dict[int, list[bytes]] = {}
        self._size = 0

    def upload(self, rows: Iterator[InputRow], choose: SelectConnection | None, stop: Event) -> None:
        """Upload rows, and complete the run. Raises RunInterruptedError, and the errors of the database."""
        for row in rows:
            if stop.is_set():
                raise RunInterruptedError("the run was stopped before its rows were uploaded")
            self._add(*assign(row, choose))
            if self._size > _BYTES_AT_ONCE:
                self._flush()
        self._flush()
        self._complete()

    def _add(self, tenant: str, line: bytes) -> None:
        parts = self._parts.setdefault(tenant, [])
        if not parts or (self._in_ranges and parts[-1].rows == ROWS_A_PART):
            parts.append(_Part(self._count))
            self._count += 1
        parts[-1].rows += 1
        self._waiting.setdefault(parts[-1].number, []).append(line)
        self._size += len(line) + _BYTES_OF_A_LINE

    def _flush(self) -> None:
        if self._waiting:
            self._runs.upload(self._held, {part: b"".join(lines) for part, lines in self._waiting.items()})
        self._waiting.clear()
        self._size = 0

    def _complete(self) -> None:
        groups = group({tenant: sum(part.rows for part in parts) for tenant, parts in self._parts.items()})
        places = (
            ChunkPart(number, chunk, RowRange(part.number, tenant, part.rows))
            for number, tenants in enumerate(groups)
            for tenant in tenants
            for chunk, part in enumerate(self._parts[tenant])
        )
        chunks = [max(len(self._parts[tenant]) for tenant in tenants) for tenants in groups]
        self._runs.complete(self._held, chunks, places)


def group(rows: dict[str, int]) -> list[list[str]]:
    """Return groups of tenants with similar numbers of rows, by the number of rows of each tenant."""
    if not rows:
        return []
    by_size = sorted(rows, key=lambda tenant: (-rows[tenant], tenant))
    count = min(len(by_size), max(MIN_GROUPS, -(-len(by_size) // MAX_IN_GROUP)))
    ends = [len(by_size) * number // count for number in range(count + 1)]
    return [by_size[begin:end] for begin, end in pairwise(ends)]
