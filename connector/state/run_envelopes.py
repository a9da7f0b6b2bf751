"""The envelopes of a run in a database, for readers on other machines, such as the page of the run."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from operator import itemgetter

from connector.files.envelope_lines import row_of
from connector.state.chunks import SharedRuns
from connector.state.databases import nothing_sent, open_database
from connector.state.envelope_blocks import LINE_START, blocks
from connector.state.parts import begun_parts

_LATEST_BYTES = 1 << 18
_READ_BYTES = 8 << 20
_NEWEST_BYTES = 8 << 20
_LATEST = """
WITH latest AS (
    SELECT held.number AS part, block.number, block.size FROM connector_part AS held, LATERAL (
        SELECT number, octet_length(lines) AS size FROM connector_envelopes
        WHERE run = held.run AND part = held.number ORDER BY number DESC LIMIT %(count)s
    ) AS block
    WHERE held.run = %(run)s ORDER BY block.number DESC LIMIT %(count)s
), counted AS (
    SELECT part, number, size, sum(size) OVER (ORDER BY number DESC) AS total FROM latest
)
SELECT lines FROM counted JOIN connector_envelopes USING (part, number)
WHERE run = %(run)s AND (total <= %(bytes)s OR (total = size AND size <= %(newest)s)) ORDER BY number DESC
"""


class RunEnvelopes:
    """The lines of a run's envelopes, until the run is removed. All methods raise RunError."""

    def __init__(self, url: str, run: int) -> None:
        """`url` is that of the database, and `run` the id of the run in it."""
        self._database, self._run = open_database(url), run

    def exists(self) -> bool:
        """Return whether the database still has the run."""
        with nothing_sent():
            return bool(self._database.run("SELECT 1 FROM connector_run WHERE id = %s", [self._run]))

    def latest(self, count: int) -> list[bytes]:
        """Return the lines that were written last, newest first: up to `count`, and 256 KiB.

        The newest block of lines is returned up to 8 MiB. Long lists, which are in several blocks, are left
        out.
        """
        with nothing_sent():
            parameters = {"run": self._run, "count": count, "bytes": _LATEST_BYTES, "newest": _NEWEST_BYTES}
            rows = self._database.run(_LATEST, parameters, binary=True)
        found = [line for (block,) in rows for line in reversed(block.splitlines(keepends=True))]
        return [line for line in found if line.startswith(LINE_START) and line.endswith(b"\n")][:count]

    def lines(self, containing: bytes = b"") -> Iterator[bytes]:
        """Yield the lines that contain these bytes, in the order of the rows."""
        line = b""
        for piece in self.pieces(containing):
            line += piece
            if line.endswith(b"\n"):
                yield line
                line = b""

    def pieces(self, containing: bytes = b"") -> Iterator[bytes]:
        """Yield the same lines as `lines`, with those of long lists in pieces."""
        with nothing_sent():
            of_tenants = SharedRuns(self._database).parts_by_tenant(self._run)
            groups = of_tenants or [[part] for part in begun_parts(self._database, self._run)]
            read_bytes = _READ_BYTES // max(1, len(groups))
            found = (self._numbered(parts, containing, read_bytes) for parts in groups)
            for _, piece in heapq.merge(*found, key=itemgetter(0)):
                yield piece

    def _numbered(
        self, parts: Sequence[int], containing: bytes, read_bytes: int
    ) -> Iterator[tuple[int, bytes]]:
        """Yield (row number, piece) for the lines of parts, one part after the other."""
        for part in parts:
            place = self._database, self._run, part
            for number, block in blocks(*place, read_bytes=read_bytes, containing=containing):
                lines = block.splitlines(keepends=True)
                yield from ((row_of(line), line) for line in lines if containing in line)
                if not block.endswith(b"\n"):  # the first block of a long list
                    row = row_of(block)
                    for _, rest in blocks(*place, after=number):
                        yield row, rest
                        if rest.endswith(b"\n"):
                            break
