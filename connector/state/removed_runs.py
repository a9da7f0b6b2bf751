"""Runs that were removed from a database: their journals, envelopes and rows are deleted in batches.

A run can have more of them than one statement can delete within the time limit.
"""

from __future__ import annotations

import time
from contextlib import suppress

from connector.errors import RunStoppedError
from connector.state.database import Database, Transaction

MAX_DELETE_S = 5.0
"""The time after which the rest is left to the next run that begins, in seconds."""
_AT_ONCE = {"journal": 20_000, "envelopes": 200, "rows": 20}
"""The number of rows that are deleted at once, by table. Those of some tables are large."""


def remove(transaction: Transaction, runs: list[int]) -> None:
    """Remove runs with their parts, so that no worker can continue them."""
    if runs:
        transaction.run("INSERT INTO connector_removed_run SELECT unnest(%s::bigint[])", [runs])
        transaction.run("DELETE FROM connector_run WHERE id = ANY(%s)", [runs])


def delete_removed(database: Database) -> None:
    """Delete the remaining data of removed runs, for at most `MAX_DELETE_S`.

    The next call deletes the rest, also after an error of the database.
    """
    end = time.monotonic() + MAX_DELETE_S
    with suppress(RunStoppedError):
        for (run,) in database.run("SELECT run FROM connector_removed_run ORDER BY run"):
            for table in _AT_ONCE:
                while _delete_some(database, table, run):
                    if time.monotonic() >= end:
                        return
            # Another process may be deleting the same.
            left = " AND ".join(
                f"NOT EXISTS (SELECT 1 FROM connector_{table} AS data WHERE data.run = removed.run)"
                for table in _AT_ONCE
            )
            database.run(f"DELETE FROM connector_removed_run AS removed WHERE run = %s AND {left}", [run])
            if time.monotonic() >= end:
                return


def _delete_some(database: Database, table: str, run: int) -> int:
    """Delete some rows of a run from a table; return their number."""
    ((deleted,),) = database.run(
        f"WITH deleted AS (DELETE FROM connector_{table} WHERE ctid = ANY(ARRAY("
        f"SELECT ctid FROM connector_{table} WHERE run = %s ORDER BY run, part LIMIT {_AT_ONCE[table]}"
        ")) RETURNING 1) SELECT count(*) FROM deleted",
        [run],
    )
    return int(deleted)
