"""Reads the blocks of envelopes that a part of a run has in the database."""

from __future__ import annotations

from collections.abc import Iterator

from connector.state.database import Database, Transaction

_BLOCKS = 32
_READ_BYTES = 8 << 20


LINE_START = b'{"has_error":'
"""The start of the line of an envelope. Only the further blocks of a long list do not start with it."""


def blocks(
    database: Database | Transaction,
    run: int,
    part: int,
    *,
    after: int = 0,
    containing: bytes | None = None,
    read_bytes: int | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the lines of each block of a part's envelopes, in order, after a number.

    A block can be as large as a response: at most `read_bytes` (default: 8 MiB) are read at once, or one
    block that is larger. With `containing`, only those blocks that start a line and contain these bytes.
    """
    chosen = "" if containing is None else " AND substring(lines FOR %s) = %s AND position(%s IN lines) > 0"
    choice = () if containing is None else (len(LINE_START), LINE_START, containing)
    is_last = False
    while not is_last:
        rows = database.run(
            "SELECT number, lines, is_last FROM (SELECT number, lines, octet_length(lines) AS size,"
            " sum(octet_length(lines)) OVER (ORDER BY number) AS total,"
            " lead(number) OVER (ORDER BY number) IS NULL AS is_last FROM connector_envelopes"
            f" WHERE run = %s AND part = %s AND number > %s{chosen} ORDER BY number LIMIT {_BLOCKS})"
            " AS following WHERE total <= %s OR total = size ORDER BY number",
            [run, part, after, *choice, read_bytes or _READ_BYTES],
            binary=True,
        )
        is_last = not rows or rows[-1][2]
        for after, lines, _ in rows:
            yield after, lines
