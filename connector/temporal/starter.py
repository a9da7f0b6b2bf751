"""Starts a run on Temporal, follows it, and writes its output.

    input -> rows uploaded in parts -> workflow: chunks run by workers -> envelopes merged by row -> output

If the starter ends, the run continues: another one with `--resume` follows it again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from threading import Event

from connector.client.factory import open_client, sign_in
from connector.common.clock import SystemClock
from connector.common.json_text import Json
from connector.common.redaction import Redactor
from connector.common.zones import each_in_zone, in_zone
from connector.connections.connection import Connection, load_connection
from connector.errors import RunError, RunStoppedError, count_of
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.files.work_folder import Start
from connector.runs.account import Account
from connector.runs.active_run import ActiveRun, RunObserver
from connector.runs.batch import require_first
from connector.runs.job import STREAM
from connector.runs.merge import merge_files
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared, zone_of
from connector.runs.recorded_job import job_to_json
from connector.runs.recording import recorded, where
from connector.runs.run import action_digest, checked_rows, fingerprint, open_rows
from connector.runs.run_output import check_start, open_output
from connector.runs.summary import Listener, Summary
from connector.runs.tenant_accounts import accounts_of, check_tenants, secrets_of
from connector.runs.tenant_split import NOBODY
from connector.state.chunks import SharedRun, SharedRuns
from connector.state.database import DatabaseLostError
from connector.state.databases import nothing_sent
from connector.state.parts import Part as HeldPart
from connector.state.run_output import DatabaseOutput
from connector.temporal.address import Address
from connector.temporal.chunk import account_digest, code_digest
from connector.temporal.engine import Engine, State
from connector.temporal.merge import copy_envelopes, notify_of_envelopes
from connector.temporal.split import Split

logger = logging.getLogger(__name__)

_POLL_INTERVAL_S, _MAX_POLL_INTERVAL_S = 0.2, 1.0
"""The interval in which a run is followed at first, and after some time, in seconds. Workers save their
progress every second."""
_REPORT_INTERVAL_S = 5.0
_OF_STARTER = (
    *("input", "output", "errors", "summary", "state", "step_outputs", "follows", "only", "max_rows"),
    *("expect_rows", "limit", "offset", "sample", "named_at", "output_exists", "output_format", "bom"),
)
"""The settings of a job that workers do not need."""


def run_on_temporal(
    address: Address,
    prepared: Prepared,
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    observer: RunObserver | None = None,
) -> Summary:
    """Run a prepared job on the workers of a task queue; otherwise like `run.run`.

    Listeners are notified of all envelopes when the run ends. Raises RunError (nothing was sent), or
    RunStoppedError (can be resumed).
    """
    job, stop = prepared.job, stop or Event()
    check_start(job, start)
    check_step(prepared)
    connections = connections_of(prepared)
    opened = open_rows(prepared)
    zone = zone_of(job, None if prepared.choose else connections[NOBODY])
    with in_zone(zone):
        rows = require_first(checked_rows(prepared, opened))
    run_fingerprint = fingerprint(prepared, _account(prepared, connections), opened.source)
    redactor = Redactor(secrets_of(connections), prepared.service.secrets)
    with (
        closing(Engine(address)) as engine,
        open_output(
            # The parts are others than those of a run on one machine, which cannot continue it.
            *(job, {**run_fingerprint, "engine": "temporal"}, start, redactor),
            is_merged=True,
            seen=prepared.seen,
        ) as (output, _),
    ):
        assert isinstance(output, DatabaseOutput)  # as there is a database
        try:
            runs = SharedRuns(output.store.database)
            with nothing_sent(), in_zone(zone):
                shared = upload(
                    *(runs, output.part, prepared, connections, each_in_zone(rows, zone), stop),
                    address=str(address),
                )
        except RunError:
            output.abandon()
            raise
        watcher = _RunWatcher(engine, runs, shared, prepared, stop)
        watcher.summary.left_out = opened.left_out
        running = watcher.running(len(connections))
        if observer:
            observer(running)
        place = where(*connections.values())
        rerun_of = prepared.rerun.of if prepared.rerun else None
        with recorded(running, run_fingerprint, SystemClock(stop), rerun_of, place, output.run_id):
            watcher.run(output, listeners)
    return watcher.summary


def check_step(prepared: Prepared) -> None:
    """Raise RunError if a job or a step of it cannot run on workers."""
    job = prepared.job
    if job.output == STREAM:
        raise RunError(f"{job.label}: a run on Temporal requires an output file; use --output FILE")
    if not job.state:
        raise RunError(
            f"{job.label}: a run on Temporal requires state that workers share: use --state "
            "postgresql://..., `state` in the job, or the environment variable"
        )


def connections_of(prepared: Prepared) -> dict[str, Connection]:
    """Return the connections by tenant, after a sign-in. Raises ConnectionSetupError."""
    if prepared.choose:
        return check_tenants(prepared)
    connection = load_connection(prepared.service, prepared.job.connection)
    connection = apply_policy(prepared.action, prepared.job, connection)
    sign_in(open_client(prepared.service, connection, 0, state=prepared.job.state))
    return {NOBODY: connection}


def _account(prepared: Prepared, connections: Mapping[str, Connection]) -> Account:
    if prepared.choose:
        return accounts_of(prepared.job, connections)
    connection = connections[NOBODY]
    return Account(connection.account, connection.timezone)


def upload(
    runs: SharedRuns,
    held: HeldPart,
    prepared: Prepared,
    connections: Mapping[str, Connection],
    rows: Iterator[InputRow],
    stop: Event,
    *,
    address: str = "",
) -> SharedRun:
    """Return the shared run; its rows are uploaded if this was not completed before.

    `address` is that of its workflow, for `rerun --discard`.
    """
    shared = runs.find(held.run)
    if shared is None or shared.chunks is None:
        rerun = prepared.rerun
        settings: dict[str, Json] = {
            "job": {n: v for n, v in job_to_json(prepared.job).items() if n not in _OF_STARTER},
            "now": SystemClock().now(),
            "on": address,
            "action": action_digest(prepared.action),
            "code": code_digest(prepared.action),
            "done": {str(row): list(map(dict, its)) for row, its in rerun.done.items()} if rerun else {},
            "checked": sorted(rerun.checked) if rerun else [],
            "accounts": {name: account_digest(connection) for name, connection in connections.items()},
        }
        runs.create(held, settings)
        Split(runs, held, in_ranges=_is_split(prepared)).upload(rows, prepared.choose, stop)
        shared = runs.find(held.run)
    if shared is None:
        raise RunStoppedError("the run was removed from the database by another process")
    return shared


def _is_split(prepared: Prepared) -> bool:
    """Return whether the rows of a connection are several chunks.

    They are not if they share results, or if they wait for queued work: reports of a device are attributed to
    its rows, and those of an earlier chunk that are late could be taken for those of a later one.
    """
    return not prepared.distinct and prepared.wait is None


class _RunWatcher:
    """Starts a run on Temporal, and follows it; `summary` is updated while workers run it."""

    def __init__(
        self, engine: Engine, runs: SharedRuns, shared: SharedRun, prepared: Prepared, stop: Event
    ) -> None:
        self._engine, self._runs, self._shared = engine, runs, shared
        self._prepared, self._stop = prepared, stop
        self._id = f"run-{shared.workflow}"
        self._problem = self._lost = ""
        self._total = runs.row_count(shared.run)
        self._progress = runs.progress(shared.run)
        self._waits = prepared.wait is not None
        self.summary = Summary(queues=prepared.action.accepted, waits=self._waits)
        self._look()
        self.summary.resumed_rows = self._progress.rows

    def running(self, accounts: int) -> ActiveRun:
        """Return the run as observers see it."""
        return ActiveRun(
            self._prepared.job,
            _UploadedRows(self._total, self.summary),
            self.summary,
            self._prepared.delay_ms / max(1, accounts),
            lambda: self._progress.requests,
            self._stop,
        )

    def run(self, output: DatabaseOutput, listeners: tuple[Listener, ...]) -> None:
        """Start the workflow unless it is running or done, follow it, and write the output at its end.

        Raises RunStoppedError.
        """
        state = self._engine.state(self._id)
        if state == "running" or self._progress.rows != self._total or self._lacks_outcomes():
            if state != "running":
                self._runs.restart_limit(output.part)
                self._shared = self._runs.find(self._shared.run) or self._shared
                self._engine.start(self._id, str(self._shared.run), self._shared.chunks or [])
            state = self._watch()
        counted = Summary(queues=self.summary.queues, left_out=self.summary.left_out, waits=self._waits)
        counted.resumed_rows = self.summary.resumed_rows
        copied = copy_envelopes(self._runs, self._shared.run, output.parts)
        without_outcome: set[int] = set()

        def look_for_order(envelope: Envelope) -> None:
            if "order" in envelope.meta:
                without_outcome.add(envelope.row)

        notify_of_envelopes(copied, (counted.count, look_for_order, *listeners))
        _update(self.summary, counted)
        # The progress can be of an earlier moment, if the database was lost when the run was stopped.
        is_done = counted.rows == self._total and not without_outcome
        self.summary.stopped = not is_done
        self.summary.too_many_errors = self._has_too_many_errors()
        if is_done:
            merge_files(copied, output)
            output.finish()
        elif self._progress.rows == self._total and not without_outcome:
            raise RunStoppedError(
                f"{count_of(self._total - counted.rows, 'row')} of {self._total} have no result in the "
                "database; use --resume to run them"
            )
        elif state != "cancelled" and not self.summary.too_many_errors:
            raise RunStoppedError(f"{self._engine.why_failed(self._id) or 'the workflow has ended'}")
        elif state == "cancelled" and not self._stop.is_set():
            raise RunStoppedError(f"the workflow {self._id} was cancelled; use --resume to continue")

    def _lacks_outcomes(self) -> bool:
        """Return whether a row may still wait for the end of its work."""
        return self._waits and self._runs.has_envelope(self._shared.run, b'"order":')

    def _watch(self) -> State:
        """Return the state in which the workflow ends; cancel it if the run is stopping.

        If the database is lost at the end, wait for it: the envelopes are read from it. Workers wait, too.
        """
        began = seen = time.monotonic()
        is_cancelled = False
        while True:
            state = self._engine.state(self._id)
            self._look()
            if state not in ("running", None) and (not self._lost or self._stop.is_set()):
                return state
            if self._stop.is_set() and not is_cancelled:
                is_cancelled = self._engine.cancel(self._id)
            if time.monotonic() - seen > _REPORT_INTERVAL_S:
                seen = time.monotonic()
                self._report(state)
            time.sleep(min(max(_POLL_INTERVAL_S, (time.monotonic() - began) / 20), _MAX_POLL_INTERVAL_S))

    def _report(self, state: State | None) -> None:
        """Log why the run does not continue, once for each reason."""
        problem = ""
        if state is None:
            problem = f"{self._engine.address.host}: the Temporal server does not respond; waiting for it"
        elif self._lost:
            problem = f"{self._lost}; waiting for it"
        elif not self._engine.has_workers():
            queue = self._engine.address.task_queue
            problem = (
                f"no worker takes tasks from {self._engine.address}; start one with the command `worker` and "
                f"--task-queue {queue}"
            )
        elif failure := self._engine.last_failure(self._id):
            problem = f"a chunk of rows failed and will be tried again: {failure}"
        elif self._waits and self._progress.rows == self._total:
            problem = "all rows were sent; the workers are waiting for the queued work to finish"
        if problem and problem != self._problem:
            logger.warning("%s", problem, extra={"notice": True})
        self._problem = problem

    def _look(self) -> None:
        try:
            self._progress, self._lost = self._runs.progress(self._shared.run), ""
        except DatabaseLostError as error:  # It may soon be available again; workers stop until then.
            self._lost = str(error)
        rows, failed = self._progress.rows, self._progress.failed
        self.summary.rows = self.summary.last_row = rows
        self.summary.failed, self.summary.succeeded = failed, rows - failed

    def _has_too_many_errors(self) -> bool:
        allowed = self._prepared.job.errors_allowed
        return allowed is not None and self._progress.failed - self._shared.failed_before > allowed


def _update(summary: Summary, counted: Summary) -> None:
    """Set the counts of a summary that observers have."""
    for field in fields(Summary):
        if field.name not in ("seconds", "pace"):
            setattr(summary, field.name, getattr(counted, field.name))


@dataclass(frozen=True)
class _UploadedRows:
    """The rows of a run on workers, as observers see them. They do not finish in the order of the input."""

    _total: int
    _summary: Summary

    def rows(self) -> Iterator[InputRow]:
        return iter(())

    def count(self, go_on: Callable[[], bool]) -> int:
        return self._total

    def passed(self, row: int) -> int:
        return self._summary.rows
