"""Reads the blocks of envelopes that a part of a run has in the database."""

from __future__ import annotations

from collections.abc import Iterator

from connector.state.database import Database, Transaction

_BLOCKS = 32
_READ_BYTES = 8 << 20


def blocks(database: Database | Transaction, run: int, part: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the lines of each block of a part's envelopes, in order.

    A block can be as large as a response: at most 8 MiB are read at once, or one block that is larger.
    """
    after = 0
    while rows := database.run(
        "SELECT number, lines FROM (SELECT number, lines, octet_length(lines) AS size,"
        " sum(octet_length(lines)) OVER (ORDER BY number) AS total FROM connector_envelopes"
        f" WHERE run = %s AND part = %s AND number > %s ORDER BY number LIMIT {_BLOCKS}) AS following"
        " WHERE total <= %s OR total = size ORDER BY number",
        [run, part, after, _READ_BYTES],
        binary=True,
    ):
        for after, lines in rows:
            yield after, lines
