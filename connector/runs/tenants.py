"""The rows of several tenants: each tenant has a separate thread, client and output.

Tenants do not wait for each other. They share the limit of failed rows. If a tenant cannot sign in, only its
rows fail, with the error of the sign-in. If no tenant with rows can sign in, none is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Thread
from typing import Protocol

from connector.client.client import Client
from connector.client.factory import open_client
from connector.common.clock import SystemClock
from connector.common.durability import reserved_open_files
from connector.common.redaction import Redactor
from connector.common.zones import each_in_zone
from connector.connections.connection import Connection
from connector.errors import RowError, RunError, RunInterruptedError, RunStoppedError, WaitStoppedError
from connector.files.envelope import Envelope
from connector.files.output import Output
from connector.files.readers import InputRow
from connector.invocation.exchange import Recorder
from connector.invocation.invoke import Invoker
from connector.runs.active_run import ActiveRun, Rows
from connector.runs.batch import max_open_files, run_batch
from connector.runs.distinct import Distinct
from connector.runs.job import STREAM
from connector.runs.prepared import Prepared, make_invoker
from connector.runs.run import open_distinct
from connector.runs.summary import Awaited, FailureLimit, Listener, Summary
from connector.runs.tenant_accounts import secrets_of
from connector.runs.tenant_sign_in import SignIns
from connector.runs.tenant_split import NOBODY
from connector.runs.waiting_output import WaitingOutput, is_waiting, waiting

_POLL_INTERVAL_S = 0.2


class TenantRows(Protocol):
    """The rows of a run by tenant; `counts` has their numbers."""

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of rows by tenant; NOBODY is the name of the group of rejected rows."""

    def rows(self, tenant: str) -> Iterator[InputRow]:
        """Yield a tenant's rows in order. Raises RunStoppedError."""


class PartOutput(Output, Protocol):
    """The output of one tenant's rows. `finish` keeps the envelopes, until all tenants are finished."""

    @property
    def journal(self) -> Recorder:
        """The journal of the tenant's requests."""


class PartOutputs(Protocol):
    """Opens the outputs of tenants, which are numbered in the order of their names; NOBODY has 0."""

    def has_begun(self, number: int) -> bool:
        """Return whether an interrupted run has begun this output."""

    def open(self, number: int, redactor: Redactor) -> PartOutput:
        """Return a new output, or that of an interrupted run. Raises RunError."""


@dataclass
class _TenantRun:
    """The run of one tenant's rows, or of the rows that do not select an allowed tenant."""

    name: str
    source: TenantRows
    output: PartOutput
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
        rows, done_rows = self.source.rows(self.name), self.output.done_rows
        if self.distinct:
            return each_in_zone(self.distinct.rows(rows, done_rows), self.invoker.zone)
        return (row for row in rows if row.number > done_rows)


class Tenants:
    """The tenants of a run, and the state that they share.

    `summary` counts their rows, also those that were done before.
    """

    def __init__(
        self,
        prepared: Prepared,
        connections: Mapping[str, Connection],
        rows: TenantRows,
        outputs: PartOutputs,
        listeners: tuple[Listener, ...],
        stop: Event,
        limit: FailureLimit | None = None,
    ) -> None:
        self._prepared, self._connections = prepared, connections
        self._rows, self._outputs = rows, outputs
        self._listeners, self._stop = listeners, stop
        job = prepared.job
        self.clock = SystemClock(stop, resumable=STREAM not in (job.input, job.output))
        self.summary = Summary(queues=prepared.action.accepted, waits=prepared.wait is not None)
        self._limit = limit or FailureLimit(job.errors_allowed)
        self._lock = Lock()
        self._parts: list[_TenantRun] = []
        self._go, self._may_begin = Event(), False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Context in which the outputs of all tenants are open. Raises RunError."""
        count = len(self._connections) * max_open_files(self._prepared.job.concurrency)
        with reserved_open_files(count), ExitStack() as files:
            for number, name in enumerate((NOBODY, *self._connections)):
                if self._rows.counts.get(name) or self._outputs.has_begun(number):
                    distinct = files.enter_context(open_distinct(self._prepared))
                    part = self._open(name, number, distinct)
                    files.callback(part.output.close)
                    self._parts.append(part)
            files.callback(self._go.set)
            for part in self._parts:
                for envelope in part.output.earlier():
                    self.summary.count(envelope)
                    if part.distinct:
                        part.distinct.keep(envelope)
            self.summary.resumed_rows = self.summary.rows
            yield

    def _open(self, name: str, number: int, distinct: Distinct | None) -> _TenantRun:
        """Return a tenant's run. The run of rejected rows has the client of any tenant, but sends nothing."""
        prepared = self._prepared
        connection = self._connections.get(name) or next(iter(self._connections.values()))
        client = open_client(
            prepared.service,
            connection,
            prepared.delay_ms,
            min_delay_ms=prepared.min_delay_ms,
            clock=self.clock,
            state=prepared.job.state,
        )
        if name == NOBODY:
            for secret in secrets_of(self._connections):
                client.redactor.add(secret)
        output = self._outputs.open(number, client.redactor)
        invoker = replace(make_invoker(prepared, client, output.journal, output), tenant=name)
        part = _TenantRun(name, self._rows, output, client, invoker, distinct)
        part.is_done = not is_waiting(output) and next(part.rows(), None) is None
        return part

    @property
    def requests(self) -> int:
        """The number of API requests that all tenants have sent so far."""
        return sum(part.client.requests for part in self._parts)

    def sign_in(self) -> None:
        """Start a thread for each tenant with rows, and wait until one of them has signed in.

        Raises ConnectionSetupError if no tenant can sign in.
        """
        parts = [part for part in self._parts if part.name != NOBODY and not part.is_done]
        sign_ins = SignIns(len(parts))
        for part in parts:
            part.is_signing_in = True
            part.thread = Thread(target=self._run_tenant, args=(part, sign_ins), name=part.name, daemon=True)
            try:
                part.thread.start()
            except RuntimeError as error:
                raise RunError(f"{len(parts)} tenants: no thread can be started: {error}") from error
        if parts:
            sign_ins.require_one(self._stop)

    def _run_tenant(self, part: _TenantRun, sign_ins: SignIns) -> None:
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
                in_blocks=not self._prepared.wait,
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
            _RowsOfAll(rows, self._rows, self.summary),
            self.summary,
            self._prepared.delay_ms / max(1, len(signing_in)),
            lambda: self.requests,
            self._stop,
            [part.client.pacer for part in signing_in] if self._prepared.min_delay_ms else [],
        )

    def run(self) -> bool:
        """Run the rows of all tenants, close their outputs, and return whether all are done.

        Rejected rows are written first, so that they count as failed before anything is sent. Errors that
        ended a tenant's rows are raised by `raise_errors`.
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
            # Closed before they are merged and removed, because closing can write to them.
            part.output.close()
        return is_done

    def raise_errors(self) -> None:
        """Raise the first error that ended a tenant's rows, if there is one. Raises RunStoppedError."""
        errors = [part.error for part in self._parts if part.error]
        for error in sorted(errors, key=lambda error: isinstance(error, RunInterruptedError)):
            if isinstance(error, RunError):  # Not a RunError, because requests can have been sent.
                raise RunStoppedError(str(error)) from error
            raise error

    def _wait(self) -> None:
        """Wait for the tenants; if the run is stopping, do not wait for unfinished sign-ins."""
        for part in self._parts:
            # A timeout lets Python handle signals; an unlimited wait would block them on some systems.
            while part.thread.is_alive() and not (self._ends() and part.is_signing_in):
                part.thread.join(_POLL_INTERVAL_S)

    def _ends(self) -> bool:
        return self._stop.is_set() or self._limit.exceeded


@dataclass(frozen=True)
class _RowsOfAll:
    """The rows of all tenants, as observers see them. They do not finish in the order of the input."""

    _rows: Rows
    _tenants: TenantRows
    _summary: Summary

    def rows(self) -> Iterator[InputRow]:
        return self._rows.rows()

    def count(self, go_on: Callable[[], bool]) -> int:
        return sum(self._tenants.counts.values())

    def passed(self, row: int) -> int:
        return self._summary.rows
