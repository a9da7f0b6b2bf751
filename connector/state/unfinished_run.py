"""An unfinished run in a database, found and removed by its id: jobs can have outputs of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from connector.errors import RunError
from connector.files import work_folder
from connector.files.unfinished import SentRequests
from connector.state.database import Database
from connector.state.databases import nothing_sent
from connector.state.parts import require_free
from connector.state.removed_runs import delete_removed, remove
from connector.state.run_table import sent_requests
from connector.state.worker_file import key_of, worker_of


class Workflow(NamedTuple):
    """The workflow of a run on Temporal: its id, and the URL of its server; empty if it is not known."""

    id: str
    address: str


class UnfinishedRun(NamedTuple):
    """A run: its id, its output as the job names it, its start in epoch seconds, and its fingerprint."""

    id: int
    output: str
    started: float
    fingerprint: Mapping[str, str]

    def is_recorded(self, run_id: int | None, fingerprint: Mapping[str, str]) -> bool:
        """Return whether a record with this id and fingerprint is that of the run.

        Another database has other runs with the same ids.
        """
        return run_id == self.id and fingerprint.items() <= self.fingerprint.items()


def find_unfinished(database: Database, path: Path, run_id: int | None) -> list[UnfinishedRun]:
    """Return the unfinished runs, at most two, that have this id, or this output as the job names it.

    Raises RunError.
    """
    with nothing_sent():
        rows = database.run(
            "SELECT id, output, extract(epoch FROM started)::float, fingerprint FROM connector_run"
            " WHERE finished IS NULL AND (id = %s::bigint OR output = %s)",
            [run_id, key_of(path)],
        )
    return [UnfinishedRun(*row) for row in rows]


def discard_unfinished(
    database: Database, path: Path, run_id: int, check: Callable[[SentRequests], None]
) -> Workflow | None:
    """Remove an unfinished run, and its files beside its output, which is kept.

    `check` raises RunError if the run must not be removed with the requests that it has sent; no worker can
    continue the run in the meantime. Return its workflow, which is not cancelled, or None. Raises RunError.
    """
    work_folder.check_not_running(path)
    with nothing_sent(), database.transaction() as transaction:
        if not transaction.run(
            "SELECT 1 FROM connector_run WHERE id = %s AND finished IS NULL FOR UPDATE", [run_id]
        ):
            raise RunError(f"{path}: the run was finished or removed by another process in the meantime")
        require_free(transaction, str(path), worker_of(path), run_id)
        check(sent_requests(transaction, run_id))
        workflows = transaction.run(
            "SELECT workflow::text, coalesce(settings ->> 'on', '') FROM connector_shared_run WHERE run = %s",
            [run_id],
        )
        remove(transaction, [run_id])
    delete_removed(database)
    work_folder.discard(path, keep_output=True)
    return Workflow(f"run-{workflows[0][0]}", workflows[0][1]) if workflows else None
