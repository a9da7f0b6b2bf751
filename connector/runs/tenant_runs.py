"""Runs a job whose rows belong to several tenants: each tenant's rows are a run of their own, side by side.

    input -> split by tenant -> a run for each tenant -> merged in the order of the rows -> output

Every tenant has its own client (sign-in, token, pace), its own threads, and its own envelopes and journal, in
the work folder of the output. None waits for another; what they have in common is the number of rows that may
fail, and the end: when all are through, their envelopes are merged into the output.

A tenant that cannot sign in costs its rows alone: each gets the sign-in's error. When none of those with rows
can sign in, that is a fault of the run.
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
from connector.common import json_text
from connector.common.clock import SystemClock
from connector.common.durability import allow_open_files, sync_folder
from connector.common.redaction import Redactor
from connector.connections.connection import Connection, load_connection
from connector.errors import ConnectionSetupError, RowError, RunError, RunInterruptedError, RunStoppedError
from connector.files.envelope import Envelope
from connector.files.output import FileOutput, Output, Start, is_interrupted
from connector.files.readers import InputRow
from connector.invocation.invoke import Invoker
from connector.runs.batch import require_first, run_batch
from connector.runs.job import STREAM, Job
from connector.runs.merge import merge_files
from connector.runs.policy import apply_policy
from connector.runs.records import ActiveRun, Rows, RunObserver, recorded, where
from connector.runs.run import Prepared, check_start, fingerprint, make_invoker, open_output, open_rows
from connector.runs.summary import FailureLimit, Listener, Summary
from connector.runs.tenant_sign_in import SignIns
from connector.runs.tenant_split import NOBODY, Split

_LOOK_EVERY_S = 0.2
_FILES_A_TENANT = 8
"""How many files a tenant has open, besides a connection for each of its rows in progress."""


def run_tenants(
    prepared: Prepared,
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    observer: RunObserver | None = None,
) -> Summary:
    """Run a prepared job that chooses each row's connection; otherwise as `run.run` does.

    Listeners hear of a tenant's rows in their order, and of other tenants' between them. The whole input is
    read before anything is sent. Raises RunError (nothing was sent), or RunStoppedError (it can be resumed).
    """
    job, stop = prepared.job, stop or Event()
    if prepared.choose is None:
        raise RunError(f"{job.label}: no connection template")
    check_start(job, start)
    connections = tenant_connections(prepared)
    opened = open_rows(prepared)
    rows = require_first(opened.rows.rows())
    accounts = _accounts(job, connections)
    run_fingerprint = {} if job.output == STREAM else fingerprint(prepared, accounts, opened.source)
    redactor = Redactor(_secrets(connections), prepared.service.secrets)
    with open_output(job, run_fingerprint, start, redactor) as (output, _), _folder(output) as folder:
        try:
            split = Split(folder / "rows", connections)
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


def check_tenants(prepared: Prepared) -> None:
    """Raise ConnectionSetupError unless every allowed connection is valid and at least one signs in."""
    connections = tenant_connections(prepared)
    clients = {name: open_client(prepared.service, its, 0) for name, its in connections.items()}
    sign_ins = SignIns(len(clients))
    for given in clients.items():
        Thread(target=sign_ins.try_one, args=given, daemon=True).start()
    sign_ins.require_one(Event())


def tenant_connections(prepared: Prepared) -> dict[str, Connection]:
    """Load the connections that rows may name, by what they are called there.

    Raises ConnectionSetupError, also where two of them are one account.
    """
    connections: dict[str, Connection] = {}
    names: dict[str, str] = {}
    for name, meant in sorted(prepared.job.allow_connections.items()):
        connection = load_connection(prepared.service, meant)
        connection = apply_policy(prepared.action, prepared.job, connection)
        same = names.setdefault(connection.account, name)
        if same != name:
            raise ConnectionSetupError(
                f"allow_connections: {same} and {name} are the same account: {connection.base_url}, "
                f"{connection.client_id or 'the same access_token'}. Remove one of them"
            )
        connections[name] = connection
    return connections


def account_of(prepared: Prepared) -> str:
    """Return to which account a job's requests go, or to which ones: for `run.fingerprint`."""
    if prepared.choose:
        return _accounts(prepared.job, tenant_connections(prepared))
    return load_connection(prepared.service, prepared.job.connection).account


def _accounts(job: Job, connections: Mapping[str, Connection]) -> str:
    return json_text.dumps([job.connection, {name: its.account for name, its in connections.items()}])


def _secrets(connections: Mapping[str, Connection]) -> Iterator[str]:
    return (secret for connection in connections.values() for secret in connection.secrets)


@contextmanager
def _folder(output: Output) -> Iterator[Path]:
    """Return the folder for rows and tenants: a temporary one where the run cannot be resumed."""
    if isinstance(output, FileOutput):
        yield output.parts
        return
    with tempfile.TemporaryDirectory(prefix="rows-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


class _TenantOutput(FileOutput):
    """The envelopes of one tenant. They stay in their work folder until all tenants are through."""

    def finish(self) -> None:
        """Leave everything as it is: a run that continues finds there that these rows are done."""


@dataclass
class _TenantRun:
    """The rows of one tenant, or those that are refused, and what comes of them."""

    name: str
    split: Split
    output: _TenantOutput
    client: Client
    invoker: Invoker
    is_done: bool = False
    is_signing_in: bool = False
    error: BaseException | None = None
    thread: Thread = field(default_factory=Thread)

    def rows(self) -> Iterator[InputRow]:
        """Return the rows that have no envelope yet."""
        return (row for row in self.split.rows(self.name) if row.number > self.output.done_rows)


class _Tenants:
    """The tenants of a run, and what they share: what is counted, and the end."""

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
        self.summary = Summary()
        self._limit = FailureLimit(job.errors_allowed)
        self._lock = Lock()
        self._parts: list[_TenantRun] = []
        self._go, self._may_begin = Event(), False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Open what every tenant needs; in the end close it. Raises RunError."""
        count = len(self._connections) * (_FILES_A_TENANT + self._prepared.job.concurrency)
        allow_open_files(100 + count)
        with ExitStack() as files:
            for number, name in enumerate((NOBODY, *self._connections)):
                path = self._folder / str(number)
                begun = is_interrupted(path)
                if begun or self._split.counts[name]:
                    part = self._open(name, path, "resume" if begun else "new")
                    files.callback(part.output.close)
                    self._parts.append(part)
            if self._prepared.job.fsync:
                sync_folder(self._folder.parent)
            files.callback(self._go.set)
            for part in self._parts:
                for envelope in part.output.earlier():
                    self.summary.count(envelope)
            self.summary.resumed_rows = self.summary.rows
            yield

    def _open(self, name: str, path: Path, start: Start) -> _TenantRun:
        """Open a part. Refused rows have the client of some tenant, which never sends anything for them."""
        prepared, job = self._prepared, self._prepared.job
        connection = self._connections.get(name) or next(iter(self._connections.values()))
        client = open_client(prepared.service, connection, prepared.bindings.delay_ms, clock=self.clock)
        if name == NOBODY:
            for secret in _secrets(self._connections):
                client.redactor.add(secret)
        output = _TenantOutput(path, "jsonl", self._run_fingerprint, start, client.redactor, fsync=job.fsync)
        invoker = replace(make_invoker(prepared, client, output.journal), tenant=name)
        part = _TenantRun(name, self._split, output, client, invoker)
        part.is_done = next(part.rows(), None) is None
        return part

    def sign_in(self) -> None:
        """Sign in the tenants that have rows, until one succeeds. Raises ConnectionSetupError if none can."""
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
        """What a tenant's thread does."""
        try:
            refusal = sign_ins.try_one(part.name, part.client)
            part.is_signing_in = False
            self._go.wait()
            if self._may_begin and not self._ends():
                self._run(part, refusal)
        except BaseException as error:
            part.error = error
            self._stop.set()

    def _run(self, part: _TenantRun, refusal: RowError | None) -> None:
        """Run a tenant's rows; with a refusal each of them ends with that."""
        rows = part.rows()
        if refusal:
            rows = (replace(row, error=str(refusal), code=refusal.code) for row in rows)
        self._run_batch(part, rows, self._limit)

    def _refuse(self, part: _TenantRun) -> None:
        """Return the rows that no tenant runs their envelopes: all of them, and then they count as failed."""
        before = self.summary.failed
        self._run_batch(part, part.rows(), FailureLimit())
        self._limit.count(self.summary.failed - before)

    def _run_batch(self, part: _TenantRun, rows: Iterator[InputRow], limit: FailureLimit) -> None:
        concurrency = self._prepared.job.concurrency
        try:
            stopped = run_batch(
                *(rows, part.invoker, part.output, self.clock, (self._hear,), self._stop),
                concurrency=concurrency,
                limit=limit,
            ).stopped
        finally:
            part.client.flush_audit()
        part.is_done = not stopped

    def _hear(self, envelope: Envelope) -> None:
        with self._lock:
            self.summary.count(envelope)
            for listener in self._listeners:
                listener(envelope)

    def running(self, rows: Rows) -> ActiveRun:
        """Describe the run for those who look on. Together, tenants start requests the more often."""
        signing_in = [part for part in self._parts if part.thread.ident]
        return ActiveRun(
            self._prepared.job,
            _RowsOfAll(rows, self._split, self.summary),
            self.summary,
            self._prepared.bindings.delay_ms / max(1, len(signing_in)),
            lambda: sum(part.client.requests for part in self._parts),
        )

    def run(self, output: Output) -> None:
        """Run all tenants to their end, and write what came of them. Raises RunStoppedError.

        The rows that are refused come first, so that their errors count before anything is sent.
        """
        for part in self._parts:
            if part.name == NOBODY:
                self._refuse(part)
        self._may_begin = True
        self._go.set()
        self._wait()
        is_done = all(part.is_done for part in self._parts)
        self.summary.stopped, self.summary.too_many_errors = not is_done, self._limit.exceeded
        for part in self._parts:
            part.output.close()  # before their files are merged and go, since it puts back what has gone
        if is_done or not isinstance(output, FileOutput):
            merge_files([part.output.partial for part in self._parts], output)
        errors = [part.error for part in self._parts if part.error]
        for error in sorted(errors, key=lambda error: isinstance(error, RunInterruptedError)):
            if isinstance(error, RunError):  # by now something may have been sent
                raise RunStoppedError(str(error)) from error
            raise error
        if is_done:
            output.finish()

    def _wait(self) -> None:
        """Wait for the tenants; when no more is to be begun, not for those that have not even signed in."""
        for part in self._parts:
            # Looking up now and then lets signals in where a wait without an end keeps them out.
            while part.thread.is_alive() and not (self._ends() and part.is_signing_in):
                part.thread.join(_LOOK_EVERY_S)

    def _ends(self) -> bool:
        return self._stop.is_set() or self._limit.exceeded


@dataclass(frozen=True)
class _RowsOfAll:
    """The rows of all tenants, which end in any order."""

    _rows: Rows
    _split: Split
    _summary: Summary

    def rows(self) -> Iterator[InputRow]:
        return self._rows.rows()

    def count(self, go_on: Callable[[], bool]) -> int:
        return sum(self._split.counts.values())

    def passed(self, row: int) -> int:
        return self._summary.rows
