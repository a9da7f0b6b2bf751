"""Runs a chunk of rows on a worker, with the settings, rows, journal and envelopes in the shared state."""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock
from typing import Any

from connector import __version__
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.client.factory import open_client, sign_in
from connector.common.clock import SystemClock
from connector.common.durability import reserved_open_files
from connector.common.redaction import Redactor
from connector.common.zones import each_in_zone
from connector.connections.connection import Connection, load_connection
from connector.connections.settings import is_file
from connector.errors import ConnectionSetupError, RunError, RunInterruptedError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.runs.batch import max_open_files, run_batch
from connector.runs.job import Job
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared, make_invoker, prepare, zone_of
from connector.runs.recorded_job import job_from_json
from connector.runs.rerun import Rerun
from connector.runs.run import action_digest, open_distinct, waiting_if_planned
from connector.runs.summary import FailureLimit, Summary
from connector.runs.tenant_split import NOBODY, read_line
from connector.runs.tenants import Tenants
from connector.state.chunks import Progress, RowRange, SharedRun, SharedRuns
from connector.state.databases import nothing_sent
from connector.state.run_output import DatabasePartOutput
from connector.state.runs import DatabaseRunStore
from connector.temporal.workflow import ChunkInput

_MAX_PREPARED = 8
"""The number of runs whose compiled templates a worker keeps."""


class Chunks:
    """Opens chunks for the activities of a worker. Safe for threads.

    `state` is the URL of the database. Files of connections are looked up in the folder `connections`, if one
    is given, by their names, or otherwise by the paths in the run.
    """

    def __init__(self, catalog: Catalog, state: str, connections: Path | None = None) -> None:
        self._catalog, self._state, self._folder = catalog, state, connections
        self._prepared: OrderedDict[str, tuple[Prepared, Mapping[str, Any]]] = OrderedDict()
        self._lock = Lock()

    def __call__(self, given: ChunkInput) -> ChunkRun:
        """Return a chunk. Raises RunError."""
        store = DatabaseRunStore(self._state)
        runs = SharedRuns(store.database)
        with nothing_sent():
            shared = runs.find(int(given.run))
            if shared is None:
                raise RunError(
                    f"run {given.run} is not in the database of this worker; use the same --state for "
                    "the run and all workers"
                )
            prepared, settings = self._prepare(runs, shared)
            parts = runs.parts(shared.run, given.group, given.chunk)
        connections = self._connections(prepared, settings["accounts"], parts)
        return ChunkRun(store, shared, given, prepared, connections, parts)

    def _prepare(self, runs: SharedRuns, shared: SharedRun) -> tuple[Prepared, Mapping[str, Any]]:
        with self._lock:
            found = self._prepared.get(shared.workflow)
            if found is None:
                settings: Mapping[str, Any] = runs.settings(shared.run)
                try:
                    job = _in_database(job_from_json(settings["job"]), self._state)
                except TypeError as error:
                    raise RunError(
                        f"run {shared.run} has a setting that this worker does not know: {error}; use the "
                        "same version of the connector on all machines"
                    ) from error
                prepared = prepare(job, self._catalog, now=settings["now"])
                if action_digest(prepared.action) != settings["action"]:
                    raise RunError(
                        f"{prepared.action.name}: its declaration on this worker is not that of the run; use "
                        "the same version of the connector, and the same custom actions"
                    )
                if code_digest(prepared.action) != settings.get("code"):
                    raise RunError(
                        f"{prepared.action.name}: its Python handler or the connector on this worker "
                        f"(version {__version__}) is not that of the run; use the same version of the "
                        "connector, and the same custom actions"
                    )
                if settings["done"] or settings["checked"]:
                    prepared = replace(prepared, rerun=_rerun_of(prepared.job, settings))
                found = self._prepared[shared.workflow] = prepared, settings
                if len(self._prepared) > _MAX_PREPARED:
                    self._prepared.popitem(last=False)
        return found

    def _connections(
        self, prepared: Prepared, accounts: Mapping[str, str], parts: Sequence[RowRange]
    ) -> dict[str, Connection]:
        """Return the connections of parts by tenant. Raises ConnectionSetupError."""
        job = prepared.job
        if prepared.choose is None:
            return {NOBODY: self._connection(prepared, job.connection, accounts[NOBODY])}
        names = sorted({part.tenant for part in parts if part.tenant}) or [min(job.allow_connections)]
        return {
            name: self._connection(prepared, job.allow_connections[name], accounts[name]) for name in names
        }

    def _connection(self, prepared: Prepared, named: str | None, account: str) -> Connection:
        if named and self._folder and is_file(named):
            named = str(self._folder / Path(named).name)
        connection = load_connection(prepared.service, named)
        if account_digest(connection) != account:
            raise ConnectionSetupError(
                f"{connection.label}: the connection on this worker is for another account than the run; "
                "use the same connections on all machines"
            )
        return apply_policy(prepared.action, prepared.job, connection)


def _in_database(job: Job, state: str) -> Job:
    """Return a job as a worker runs it, whose rows and envelopes are in a database.

    Its input and output have names, because a run from or to a standard stream could not be resumed.
    """
    return replace(job, state=state, input="rows", output="envelopes")


def _rerun_of(job: Job, settings: Mapping[str, Any]) -> Rerun:
    """Return what a worker has to know of a rerun: its rows are those that were uploaded."""
    done = {int(row): requests for row, requests in settings["done"].items()}
    return Rerun(Path(job.output), array("Q"), done=done, checked=frozenset(settings["checked"]))


def code_digest(action: Action) -> str:
    """Return the version of the connector, and the digest of an action's handler if it has one."""
    handler = action.handler.read_bytes() if action.handler else b""
    return f"{__version__} {hashlib.sha256(handler).hexdigest()}"


def account_digest(connection: Connection) -> str:
    """Return the digest of a connection's account, which a worker compares with that of the run."""
    return hashlib.sha256(connection.account.encode()).hexdigest()


class ChunkRun:
    """The run of one chunk, as an `activity.Chunk`."""

    def __init__(
        self,
        store: DatabaseRunStore,
        shared: SharedRun,
        given: ChunkInput,
        prepared: Prepared,
        connections: Mapping[str, Connection],
        parts: Sequence[RowRange],
    ) -> None:
        self._store, self._runs = store, SharedRuns(store.database)
        self._shared, self._given = shared, given
        self._prepared, self._connections, self._parts = prepared, connections, parts
        self._limit = _SharedLimit(prepared.job.errors_allowed)
        self._earlier_rows = self._earlier_failed = 0
        self._summary = Summary()
        self._requests: Callable[[], int] = lambda: 0
        self._fence: Callable[[], int] = lambda: 0
        self._beating = Lock()

    @property
    def finished(self) -> int:
        """The number of rows that were finished since the chunk was opened."""
        # While the chunk is opened, another thread can see the earlier rows without their summary.
        return max(0, self._summary.rows - self._earlier_rows)

    def run(self, stop: Event) -> bool:
        """Run the rows that have no envelope yet; return whether the group continues.

        Raises RunInterruptedError if `stop` was set, RunError (nothing was sent) and RunStoppedError.
        """
        self.beat()
        if not self._limit.exceeded:
            with TemporaryDirectory(prefix="chunk-", ignore_cleanup_errors=True) as folder:
                names = list(dict.fromkeys((NOBODY, *self._connections)))
                parts = {names.index(part.tenant): part for part in self._parts}
                outputs = _Outputs(self._store, self._shared.run, parts, Path(folder))
                run = self._run_tenants if self._prepared.choose else self._run_part
                run(outputs, stop)
            self.beat()
        if self._limit.exceeded:
            return False
        if self._summary.stopped:
            raise RunInterruptedError("the chunk was stopped after the rows in progress")
        return True

    def beat(self) -> None:
        """Save the progress, and count the failed rows of other chunks. Raises RunStoppedError."""
        place = self._shared.run, self._given.group, self._given.chunk
        with self._beating:  # so that an earlier count never replaces a later one
            its = Progress(self._summary.rows, self._summary.failed, self._requests())
            if fence := self._fence():
                self._runs.save_progress(*place, fence, its)
        if self._prepared.job.errors_allowed is not None:
            others = self._runs.failed_elsewhere(*place)
            self._limit.others = others + self._earlier_failed - self._shared.failed_before

    def _run_tenants(self, outputs: _Outputs, stop: Event) -> None:
        """Run the rows of each connection on a separate thread.

        If no connection can sign in, their rows fail as in a run on one machine, whose other connections can.
        But if that may be due to this machine, the chunk is left to others.
        """
        rows = _Rows(self._runs, self._shared.run, self._parts)
        tenants = Tenants(self._prepared, self._connections, rows, outputs, (), stop, limit=self._limit)
        with tenants.opened():
            self._begin(outputs, tenants.summary, lambda: tenants.requests)
            try:
                tenants.sign_in()
            except ConnectionSetupError as error:
                if error.transient:
                    raise
            tenants.run()
            tenants.raise_errors()

    def _run_part(self, outputs: _Outputs, stop: Event) -> None:
        """Run the rows of a run with one connection."""
        prepared, clock, connection = self._prepared, SystemClock(stop), self._connections[NOBODY]
        client = open_client(
            *(prepared.service, connection, prepared.delay_ms),
            min_delay_ms=prepared.min_delay_ms,
            clock=clock,
            state=prepared.job.state,
        )
        sign_in(client)
        summary = Summary(waits=prepared.wait is not None)
        with (
            reserved_open_files(max_open_files(prepared.job.concurrency)),
            closing(outputs.open(0, client.redactor)) as output,
            open_distinct(prepared) as distinct,
        ):
            for envelope in output.earlier():
                summary.count(envelope)
                if distinct:
                    distinct.keep(envelope)
            self._begin(outputs, summary, lambda: client.requests)
            rows = _Rows(self._runs, self._shared.run, self._parts).rows(NOBODY)

            def revise(envelope: Envelope) -> None:
                summary.revise(envelope)
                self._limit.count(envelope.has_error)

            try:
                run_batch(
                    each_in_zone(
                        distinct.rows(rows, output.done_rows) if distinct else rows,
                        zone_of(prepared.job, connection),
                    ),
                    make_invoker(prepared, client, output.journal),
                    waiting_if_planned(
                        output, prepared.wait, client, clock, revise, summary.wait_for, may_resume=True
                    ),
                    clock,
                    stop=stop,
                    concurrency=prepared.job.concurrency,
                    limit=self._limit,
                    summary=summary,
                    distinct=distinct,
                    in_blocks=prepared.wait is None,  # because outcomes are added to the results
                )
            finally:
                client.flush_audit()

    def _begin(self, outputs: _Outputs, summary: Summary, requests: Callable[[], int]) -> None:
        self._earlier_rows, self._earlier_failed = summary.rows, summary.failed
        self._fence = lambda: outputs.fence
        self._summary, self._requests = summary, requests


class _SharedLimit(FailureLimit):
    """The limit of failed rows of a run. `others` is the number of those that failed in other chunks."""

    others = 0

    @property
    def exceeded(self) -> bool:
        """Whether more rows have failed than allowed."""
        return self._failed + self.others > self._most


class _Rows:
    """The rows of a chunk by tenant, as `tenants.TenantRows`."""

    def __init__(self, runs: SharedRuns, run: int, parts: Sequence[RowRange]) -> None:
        self._runs, self._run = runs, run
        self._parts = {part.tenant: part for part in parts}
        self.counts = {part.tenant: part.rows for part in parts}

    def rows(self, tenant: str) -> Iterator[InputRow]:
        """Yield a tenant's rows in order. Raises RunStoppedError."""
        for line in self._runs.lines(self._run, self._parts[tenant].number):
            yield read_line(line)


class _Outputs:
    """The outputs of a chunk's parts in the database, as `tenants.PartOutputs`.

    They are numbered in the order of the tenants' names; `fence` is the sum of their fences.
    """

    def __init__(
        self, store: DatabaseRunStore, run: int, parts: Mapping[int, RowRange], folder: Path
    ) -> None:
        self._store, self._run, self._parts, self._folder = store, run, parts, folder
        self.fence = 0

    def has_begun(self, number: int) -> bool:
        """Return false: a part with rows is opened in any case."""
        return False

    def open(self, number: int, redactor: Redactor) -> DatabasePartOutput:
        """Return the output of a part, and take the part for this worker. Raises RunError."""
        part = self._parts[number].number
        path = self._folder / f"part-{part}"
        try:
            output = DatabasePartOutput(self._store, self._run, part, path, redactor)
        except RunError as error:
            failure = RunError(str(error).replace(str(path), f"part {part} of run {self._run}"))
            failure.transient = error.transient
            raise failure from error
        self.fence += output.part.fence
        return output
