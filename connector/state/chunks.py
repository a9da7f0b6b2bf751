"""Runs whose rows several workers run: their settings, rows and progress in the database.

The rows of a run are in parts: a range of rows of one connection. A chunk has one part of each connection
of a group; see `connector.temporal.workflow`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from connector.common import json_text
from connector.common.json_text import Json
from connector.state.database import Database
from connector.state.envelope_blocks import blocks
from connector.state.parts import Part as HeldPart

_BLOCKS = 4
"""The number of blocks of rows that are read at once; see `Split` for their size."""


class RowRange(NamedTuple):
    """A range of the rows of a connection: the number of its part in the run, and its number of rows.

    `tenant` is the name that its rows have for their connection. It is empty if the run has one connection,
    and for rows that have no valid name.
    """

    number: int
    tenant: str
    rows: int


class ChunkPart(NamedTuple):
    """The place of a part: its chunk in its group of connections."""

    group: int
    chunk: int
    part: RowRange


@dataclass(frozen=True)
class SharedRun:
    """A run that workers share.

    `workflow` is the unique id of its workflow. `chunks` has the number of chunks of each group; it is None
    until all rows are uploaded. `failed_before` is the number of rows that had failed when the run was
    started or resumed.
    """

    run: int
    workflow: str
    chunks: Sequence[int] | None
    failed_before: int


class Progress(NamedTuple):
    """The number of finished rows of a run or chunk, of the failed ones among them, and of requests.

    The requests of a worker that has died are not among them.
    """

    rows: int = 0
    failed: int = 0
    requests: int = 0


class SharedRuns:
    """The shared runs in a database. All methods raise the errors of `Database`.

    `held` is the part of the run that its starter holds. After another starter has taken over, its uploads
    are refused with RunStoppedError, because rows that are uploaded twice would be sent twice; and so is
    `restart_limit`, so that it does not start a workflow again that the other one has stopped.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def find(self, run: int) -> SharedRun | None:
        """Return a run, or None."""
        found = self.database.run(
            "SELECT workflow::text, chunks, failed_before FROM connector_shared_run WHERE run = %s", [run]
        )
        return SharedRun(run, *found[0]) if found else None

    def settings(self, run: int) -> Mapping[str, Json]:
        """Return the settings with which workers prepare a run."""
        ((settings,),) = self.database.run(
            "SELECT settings::text FROM connector_shared_run WHERE run = %s", [run]
        )
        parsed: Mapping[str, Json] = json_text.loads(settings)
        return parsed

    def create(self, held: HeldPart, settings: Mapping[str, Json]) -> None:
        """Create a run without rows; those of an upload that was not completed are removed."""
        with self.database.transaction() as transaction:
            held.require_held(transaction)
            transaction.run("DELETE FROM connector_rows WHERE run = %s", [held.run])
            transaction.run("DELETE FROM connector_shared_run WHERE run = %s", [held.run])
            transaction.run(
                "INSERT INTO connector_shared_run (run, settings) VALUES (%s, %s::json)",
                [held.run, json_text.dump_bytes(dict(settings)).decode()],
            )

    def upload(self, held: HeldPart, blocks: Mapping[int, bytes]) -> None:
        """Add lines of rows to parts, by part number; `blocks` must not be empty."""
        held.write(
            "INSERT INTO connector_rows (run, part, lines) SELECT %s, part, lines"
            " FROM held, unnest(%s::integer[], %s::bytea[]) AS block(part, lines) RETURNING 1",
            [held.run, list(blocks), list(blocks.values())],
        )

    def complete(self, held: HeldPart, chunks: Sequence[int], parts: Iterable[ChunkPart]) -> None:
        """Complete the upload of a run: set its parts, and the number of chunks of each group."""
        placed, run = list(parts), held.run
        with self.database.transaction() as transaction:
            held.require_held(transaction)
            transaction.run(
                "INSERT INTO connector_chunk_part (run, group_number, chunk, part, tenant, row_count)"
                " SELECT %s, * FROM"
                " unnest(%s::integer[], %s::integer[], %s::integer[], %s::text[], %s::bigint[])",
                [
                    run,
                    [one.group for one in placed],
                    [one.chunk for one in placed],
                    [one.part.number for one in placed],
                    [one.part.tenant for one in placed],
                    [one.part.rows for one in placed],
                ],
            )
            transaction.run("UPDATE connector_shared_run SET chunks = %s WHERE run = %s", [list(chunks), run])

    def parts(self, run: int, group: int, chunk: int) -> list[RowRange]:
        """Return the parts of a chunk."""
        rows = self.database.run(
            "SELECT part, tenant, row_count FROM connector_chunk_part"
            " WHERE run = %s AND group_number = %s AND chunk = %s ORDER BY part",
            [run, group, chunk],
        )
        return [RowRange(*row) for row in rows]

    def row_count(self, run: int) -> int:
        """Return the number of rows of a run."""
        ((count,),) = self.database.run(
            "SELECT coalesce(sum(row_count), 0) FROM connector_chunk_part WHERE run = %s", [run]
        )
        return int(count)

    def parts_by_tenant(self, run: int) -> list[list[int]]:
        """Return the numbers of the parts of each tenant of a run, in the order of their rows."""
        return [
            list(parts)
            for (parts,) in self.database.run(
                "SELECT array_agg(part ORDER BY part) FROM connector_chunk_part WHERE run = %s"
                " GROUP BY tenant",
                [run],
            )
        ]

    def has_envelope(self, run: int, containing: bytes) -> bool:
        """Return whether an envelope of a run contains these bytes."""
        parts = chain.from_iterable(self.parts_by_tenant(run))
        found = (blocks(self.database, run, part, containing=containing) for part in parts)
        return any(True for _ in chain.from_iterable(found))

    def lines(self, run: int, part: int) -> Iterator[bytes]:
        """Yield the lines of the rows of a part, with only a few blocks in memory at a time."""
        after, count = -1, _BLOCKS
        while count == _BLOCKS:
            found = self.database.run(
                "SELECT number, lines FROM connector_rows WHERE run = %s AND part = %s AND number > %s"
                f" ORDER BY number LIMIT {_BLOCKS}",
                [run, part, after],
                binary=True,
            )
            count = len(found)
            for number, block in found:
                yield from block.splitlines(keepends=True)
                after = number

    def restart_limit(self, held: HeldPart) -> None:
        """Save the number of failed rows so far: a resumed run counts failed rows from 0 again."""
        held.write(
            "UPDATE connector_shared_run SET failed_before ="
            " (SELECT coalesce(sum(failed), 0) FROM connector_chunk_progress WHERE run = %s)"
            " FROM held WHERE run = %s RETURNING 1",
            [held.run, held.run],
        )

    def save_progress(self, run: int, group: int, chunk: int, fence: int, its: Progress) -> None:
        """Save the progress of a chunk, unless a worker that took it over later has saved its own."""
        self.database.run(
            "INSERT INTO connector_chunk_progress AS saved"
            " (run, group_number, chunk, fence, row_count, failed, requests)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (run, group_number, chunk) DO UPDATE SET fence = excluded.fence,"
            " row_count = excluded.row_count, failed = excluded.failed, requests = excluded.requests"
            " WHERE saved.fence <= excluded.fence",
            [run, group, chunk, fence, *its],
        )

    def failed_elsewhere(self, run: int, group: int, chunk: int) -> int:
        """Return the number of failed rows of all other chunks."""
        return int(
            self.database.run(
                "SELECT coalesce(sum(failed), 0) FROM connector_chunk_progress"
                " WHERE run = %s AND (group_number, chunk) <> (%s, %s)",
                [run, group, chunk],
            )[0][0]
        )

    def progress(self, run: int) -> Progress:
        """Return the progress of a run."""
        (found,) = self.database.run(
            "SELECT coalesce(sum(row_count), 0), coalesce(sum(failed), 0), coalesce(sum(requests), 0)"
            " FROM connector_chunk_progress WHERE run = %s",
            [run],
        )
        return Progress(*map(int, found))
