"""Runs a job whose rows belong to several tenants: the rows of each tenant run separately, in parallel.

    input -> split by tenant -> a run per tenant -> merged in the order of the rows -> output

Each tenant has a separate client (sign-in, token, delay) and separate threads; its envelopes and journal are
in a work folder beside the output. Tenants do not wait for each other. They share the limit of failed rows.
When all are finished, their envelopes are merged into the output.

If a tenant cannot sign in, only its rows fail, with the error of the sign-in. If no tenant with rows can sign
in, the run fails.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Lock, Thread

from connector.client.client import Client
from connector.client.factory import open_client
from connector.common.clock import SystemClock
from connector.common.durability import allow_open_files, sync_folder
from connector.common.redaction import Redactor
from connector.common.zones import each_in_zone, in_zone, read_zone
from connector.connections.connection import Connection
from connector.errors import (
    RowError,
    RunError,
    RunInterruptedError,
    RunStoppedError,
    WaitStoppedError,
)
from connector.files.envelope import Envelope
from connector.files.output import FileOutput, Output, Start, is_interrupted
from connector.files.output_formats import OutputForm
from connector.files.readers import InputRow
from connector.invocation.invoke import Invoker
from connector.runs.active_run import ActiveRun, Rows, RunObserver
from connector.runs.batch import require_first, run_batch
from connector.runs.distinct import Distinct
from connector.runs.job import STREAM
from connector.runs.merge import merge_files
from connector.runs.records import recorded, where
from connector.runs.run import Prepared, checked_rows, fingerprint, make_invoker, open_distinct, open_rows
from connector.runs.run_output import check_start, open_output
from connector.runs.summary import Awaited, FailureLimit, Listener, Summary
from connector.runs.tenant_accounts import accounts_of, secrets_of, tenant_connections
from connector.runs.tenant_sign_in import SignIns
from connector.runs.tenant_split import NOBODY, Split
from connector.runs.waiting_output import WaitingOutput, is_waiting, waiting

_LOOK_EVERY_S = 0.2
_FILES_A_TENANT = 8
"""The number of files that are open for each tenant, in addition to one connection per row in progress."""


def run_tenants(
    prepared: Prepared,
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    observer: RunObserver | None = None,
) -> Summary:
    """Run a prepared job in which a template selects each row's connection; otherwise like `run.run`.

    Listeners are notified of each tenant's rows in order, interleaved with other tenants' rows. The complete
    input is read before anything is sent. Raises RunError (nothing was sent), or RunStoppedError (can be
    resumed).
    """
    job, stop = prepared.job, stop or Event()
    if prepared.choose is None:
        raise RunError(f"{job.label}: no connection template")
    check_start(job, start)
    connections = tenant_connections(prepared)
    opened = open_rows(prepared)
    with in_zone(read_zone(job.timezone)):
        rows = require_first(checked_rows(prepared, opened))
    accounts = accounts_of(job, connections)
    run_fingerprint = {} if job.output == STREAM else fingerprint(prepared, accounts, opened.source)
    redactor = Redactor(secrets_of(connections), prepared.service.secrets)
    with open_output(job, run_fingerprint, start, redactor) as (output, _), _folder(output) as folder:
        try:
            split = Split(folder / "rows", connections)
            with in_zone(read_zone(job.timezone)):
                split.write(rows, prepared.choose, stop)
            tenants = _Tenants(prepared, connections, split, folder, run_fingerprint, listeners, stop)
            tenants.summary.left_out = opened.left_out
            with tenants.opened():
                tenants.sign_in()
                running = tenants.running(opened.rows)
                if observer:
                    observer(running)
                rerun_of = prepared.rerun.of if prepared.rerun else None
                with recorded(
                    running, run_fingerprint, tenants.clock, rerun_of, where(*connections.values())
                ):
                    tenants.run(output)
        except RunError:
            if isinstance(output, FileOutput):
                output.abandon()
            raise
    return tenants.summary


@contextmanager
def _folder(output: Output) -> Iterator[Path]:
    """Yield the folder for the tenants' files; it is temporary if the run cannot be resumed."""
    if isinstance(output, FileOutput):
        yield output.parts
        return
    with tempfile.TemporaryDirectory(prefix="rows-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


class _TenantOutput(FileOutput):
    """The output of one tenant's rows, in a work folder until all tenants are finished."""

    def finish(self) -> None:
        """Keep the files: a resumed run reads from them which of the tenant's rows are done."""


@dataclass
class _TenantRun:
    """The run of one tenant's rows, or of the rows that do not select an allowed tenant."""

    name: str
    split: Split
    output: _TenantOutput
    client: Client
    invoker: Invoker
    distinct: Distinct | None
    is_done: bool = False
    is_cut_short: bool = False
    is_signing_in: bool = False
    error: BaseException | None = None
    thread: Thread = field(default_factory=Thread)

    def rows(self) -> Iterator[InputRow]:
        """Return the tenant's rows that have no envelope yet."""
        rows, done_rows = self.split.rows(self.name), self.output.done_rows
        if self.distinct:
            return each_in_zone(self.distinct.rows(rows, done_rows), self.invoker.zone)
        return (row for row in rows if row.number > done_rows)


class _Tenants:
    """The tenants of a run, and the state that they share."""

    def __init__(
        self,
        prepared: Prepared,
        connections: Mapping[str, Connection],
        split: Split,
        folder: Path,
        run_fingerprint: Mapping[str, str],
        listeners: tuple[Listener, ...],
        stop: Event,
    ) -> None:
        self._prepared, self._connections, self._split = prepared, connections, split
        self._folder, self._run_fingerprint = folder, run_fingerprint
        self._listeners, self._stop = listeners, stop
        job = prepared.job
        self.clock = SystemClock(stop, resumable=STREAM not in (job.input, job.output))
        self.summary = Summary(queues=prepared.action.accepted, waits=prepared.wait is not None)
        self._limit = FailureLimit(job.errors_allowed)
        self._lock = Lock()
        self._parts: list[_TenantRun] = []
        self._go, self._may_begin = Event(), False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Context in which the files of all tenants are open. Raises RunError."""
        count = len(self._connections) * (_FILES_A_TENANT + self._prepared.job.concurrency)
        allow_open_files(100 + count)
        with ExitStack() as files:
            for number, name in enumerate((NOBODY, *self._connections)):
                path = self._folder / str(number)
                begun = is_interrupted(path)
                if begun or self._split.counts[name]:
                    distinct = files.enter_context(open_distinct(self._prepared))
                    part = self._open(name, path, "resume" if begun else "new", distinct)
                    files.callback(part.output.close)
                    self._parts.append(part)
            if self._prepared.job.fsync:
                sync_folder(self._folder.parent)
            files.callback(self._go.set)
            for part in self._parts:
                for envelope in part.output.earlier():
                    self.summary.count(envelope)
                    if part.distinct:
                        part.distinct.keep(envelope)
            self.summary.resumed_rows = self.summary.rows
            yield

    def _open(self, name: str, path: Path, start: Start, distinct: Distinct | None) -> _TenantRun:
        """Return a tenant's run. The run of rejected rows has the client of any tenant, but sends nothing."""
        prepared, job = self._prepared, self._prepared.job
        connection = self._connections.get(name) or next(iter(self._connections.values()))
        client = open_client(
            prepared.service,
            connection,
            prepared.delay_ms,
            min_delay_ms=prepared.min_delay_ms,
            clock=self.clock,
        )
        if name == NOBODY:
            for secret in secrets_of(self._connections):
                client.redactor.add(secret)
        output = _TenantOutput(
            path, OutputForm(), self._run_fingerprint, start, client.redactor, fsync=job.fsync
        )
        invoker = replace(make_invoker(prepared, client, output.journal), tenant=name)
        part = _TenantRun(name, self._split, output, client, invoker, distinct)
        part.is_done = not is_waiting(output) and next(part.rows(), None) is None
        return part

    def sign_in(self) -> None:
        """Start a thread for each tenant with rows, and wait until one of them has signed in.

        Raises ConnectionSetupError if no tenant can sign in.
        """
        parts = [part for part in self._parts if part.name != NOBODY and not part.is_done]
        sign_ins = SignIns(len(parts))
        for part in parts:
            part.is_signing_in = True
            part.thread = Thread(target=self._live, args=(part, sign_ins), name=part.name, daemon=True)
            try:
                part.thread.start()
            except RuntimeError as error:
                raise RunError(f"{len(parts)} tenants: no thread can be started: {error}") from error
        if parts:
            sign_ins.require_one(self._stop)

    def _live(self, part: _TenantRun, sign_ins: SignIns) -> None:
        """Sign in a tenant and run its rows; the target function of the tenant's thread."""
        try:
            refusal = sign_ins.try_one(part.name, part.client)
            part.is_signing_in = False
            self._go.wait()
            if self._may_begin and not self._ends():
                self._run(part, refusal)
        except WaitStoppedError as error:
            part.error = error  # The other tenants have other permissions, and continue.
        except BaseException as error:
            part.error = error
            self._stop.set()

    def _run(self, part: _TenantRun, refusal: RowError | None) -> None:
        """Run a tenant's rows; if its sign-in failed, each of its rows gets that error."""
        rows = part.rows()
        if refusal:
            rows = (row._replace(error=str(refusal), code=refusal.code) for row in rows)
        self._run_batch(part, rows, self._limit)

    def _refuse(self, part: _TenantRun) -> None:
        """Write an error for each row that does not select an allowed tenant, and count it as failed."""
        before = self.summary.failed
        self._run_batch(part, part.rows(), FailureLimit())
        self._limit.count(self.summary.failed - before)

    def _run_batch(self, part: _TenantRun, rows: Iterator[InputRow], limit: FailureLimit) -> None:
        concurrency = self._prepared.job.concurrency
        output: Output = part.output
        if part.name != NOBODY and (plan := self._prepared.wait):
            job = self._prepared.job
            output = waiting(
                *(output, plan, part.client, self.clock, self._revise),
                lambda awaited: self._report(part.name, awaited),
                may_resume=STREAM not in (job.input, job.output),
            )
        try:
            stopped = run_batch(
                *(rows, part.invoker, output, self.clock, (self._record,), self._stop),
                concurrency=concurrency,
                limit=limit,
                distinct=part.distinct,
                in_blocks=True,
            ).stopped
        finally:
            part.client.flush_audit()
        part.is_cut_short = isinstance(output, WaitingOutput) and bool(output.cut_short)
        part.is_done = not stopped or part.is_cut_short

    def _record(self, envelope: Envelope) -> None:
        with self._lock:
            self.summary.count(envelope)
            for listener in self._listeners:
                listener(envelope)

    def _report(self, tenant: str, awaited: Awaited) -> None:
        with self._lock:
            self.summary.wait_for(awaited, tenant)

    def _revise(self, envelope: Envelope) -> None:
        with self._lock:
            self.summary.revise(envelope)
        self._limit.count(envelope.has_error)

    def running(self, rows: Rows) -> ActiveRun:
        """Return the run as observers see it. Its delay is divided by the number of parallel tenants."""
        signing_in = [part for part in self._parts if part.thread.ident]
        return ActiveRun(
            self._prepared.job,
            _RowsOfAll(rows, self._split, self.summary),
            self.summary,
            self._prepared.delay_ms / max(1, len(signing_in)),
            lambda: sum(part.client.requests for part in self._parts),
            self._stop,
            [part.client.pacer for part in signing_in] if self._prepared.min_delay_ms else [],
        )

    def run(self, output: Output) -> None:
        """Run all tenants and write their envelopes to the output. Raises RunStoppedError.

        Rejected rows are written first, so that they count as failed before anything is sent.
        """
        for part in self._parts:
            if part.name == NOBODY:
                self._refuse(part)
        self._may_begin = True
        self._go.set()
        self._wait()
        is_done = all(part.is_done for part in self._parts)
        self.summary.stopped = not is_done or any(part.is_cut_short for part in self._parts)
        self.summary.too_many_errors = self._limit.exceeded
        for part in self._parts:
            # The files are closed before they are merged and removed, because closing can write to them.
            part.output.close()
        if is_done or not isinstance(output, FileOutput):
            merge_files([part.output.partial for part in self._parts], output)
        errors = [part.error for part in self._parts if part.error]
        for error in sorted(errors, key=lambda error: isinstance(error, RunInterruptedError)):
            if isinstance(error, RunError):  # Not a RunError, because requests can have been sent.
                raise RunStoppedError(str(error)) from error
            raise error
        if is_done:
            output.finish()

    def _wait(self) -> None:
        """Wait for the tenants; if the run is stopping, do not wait for unfinished sign-ins."""
        for part in self._parts:
            # A timeout lets Python handle signals; an unlimited wait would block them on some systems.
            while part.thread.is_alive() and not (self._ends() and part.is_signing_in):
                part.thread.join(_LOOK_EVERY_S)

    def _ends(self) -> bool:
        return self._stop.is_set() or self._limit.exceeded


@dataclass(frozen=True)
class _RowsOfAll:
    """The rows of all tenants, as observers see them. They do not finish in the order of the input."""

    _rows: Rows
    _split: Split
    _summary: Summary

    def rows(self) -> Iterator[InputRow]:
        return self._rows.rows()

    def count(self, go_on: Callable[[], bool]) -> int:
        return sum(self._split.counts.values())

    def passed(self, row: int) -> int:
        return self._summary.rows
