"""A session: one connection, over which a program calls actions."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock, RLock
from types import TracebackType
from typing import Any, TypeVar
from weakref import WeakSet

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.client.client import Client
from connector.client.factory import open_client, sign_in
from connector.common.clock import SystemClock
from connector.common.json_text import Json
from connector.common.zones import in_zone
from connector.connections.connection import Connection, load_connection, make_connection
from connector.connections.settings import check_setting
from connector.errors import InputError, RunError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.invocation.exchange import Recorder
from connector.invocation.invoke import Invoker, ResultMode
from connector.invocation.result_times import Times
from connector.library.audited import audited
from connector.library.checks import check_delays, check_run, require_option
from connector.library.jobs import SETTINGS, run_jobs
from connector.library.results import Results, result_of
from connector.library.session_actions import SessionActions
from connector.runs.file_names import check_variable
from connector.runs.job import DelayMs, Job
from connector.runs.job_file import load_jobs
from connector.runs.output_choice import Load
from connector.runs.policy import apply_policy, check_policy
from connector.runs.prepared import Prepared, make_invoker, prepare, zone_of
from connector.runs.preview import preview_row

Self = TypeVar("Self", bound="Session")

_DEFAULTS = Job(action="")


class Session:
    """Calls actions of one service over one connection. `service` can be omitted in a class that names it.

    `connection` is the name of a saved connection or a file; without it, and without `settings`, it is the
    one of the environment, or the default one. `settings` are those of a connection file (`region` or
    `base_url`, `client_id`, `client_secret`, `ca_file`, ...). The other keywords are settings of runs, with
    their names and meanings in a job. Raises ConnectionSetupError for a connection that cannot be used; the
    sign-in follows with the first request.

    Safe for threads. It blocks while it waits, and uses no event loop.
    """

    service_name = ""
    """The service of a class for one service; without it, and without `service`, the default service."""

    def __init__(
        self,
        connection: str | Path | Connection | None = None,
        *,
        service: str = "",
        catalog: Catalog | None = None,
        delay_ms: DelayMs | None = None,
        min_delay_ms: float | None = None,
        read_only: bool = False,
        audit: str | Path | None = None,
        uploads: str | Path = "",
        files: str | Path | None = None,
        reveal_secrets: bool = False,
        timezone: str = "",
        times: Times = "epoch",
        with_names: str = "",
        **settings: Any,
    ) -> None:
        self.catalog = catalog or Catalog()
        self.service = self.catalog.service(service or self.service_name)
        check_delays(delay_ms, min_delay_ms)
        require_option("times", times, Times)
        self._job = Job(
            action="",
            delay_ms=delay_ms,
            min_delay_ms=min_delay_ms,
            read_only=read_only,
            audit=Path(audit) if audit else None,
            uploads=Path(uploads),
            files=Path(files) if files else None,
            reveal_secrets=reveal_secrets,
            timezone=timezone,
            times=times,
            with_names=with_names,
        )
        self.connection = self._connection(connection, settings)
        self._named = str(connection) if isinstance(connection, (str, Path)) else self.connection.name or None
        self._stop, self._opening, self._changing = Event(), Lock(), RLock()
        self._client: Client | None = None
        self._actions = SessionActions(self.catalog, self.service, self._job)
        self._runs: WeakSet[Results] = WeakSet()
        self._stops: WeakSet[Event] = WeakSet()
        self._turns: WeakSet[Any] = WeakSet()
        """A lock for each run of files, which is held by its thread."""

    def _connection(self, given: str | Path | Connection | None, settings: Mapping[str, Any]) -> Connection:
        if settings and given is not None:
            raise RunError(f"give either a connection or its settings ({', '.join(settings)}), not both")
        if isinstance(given, Connection):
            return given
        if not settings:
            return load_connection(self.service, None if given is None else str(given))
        for name, value in settings.items():
            check_setting(self.service, name, value, "the keywords")
        return make_connection(self.service, settings, "the keywords")

    def call(self, action: str, /, *, confirm: bool = False, **inputs: Any) -> Any:
        """Call an action and return its result; a list is returned whole.

        The values are native: `{{` in a text is text. An underscore at the end of a name that Python reserves
        (`class_`) is dropped. A destructive action requires `confirm`.

        Raises InputError if a value is missing or not valid, ActionError if the call fails, and RunError if
        nothing can be sent (ConnectionSetupError if the sign-in fails). Raises RunStoppedError if the audit
        log or a file cannot be written: the request may have been sent, except with a NotStartedError.
        """
        return result_of(self.envelope(action, inputs, confirm=confirm))

    def envelope(self, action: str, inputs: Mapping[str, Any], *, confirm: bool = False) -> Envelope:
        """Call an action and return the envelope, also of a failed call. Raises other errors as `call`."""
        (envelope,) = self._envelopes(action, inputs, "one", confirm)
        return envelope

    def each(self, action: str, /, *, confirm: bool = False, **inputs: Any) -> Iterator[Any]:
        """Yield the items of an action's list. Each page is requested when its first item is read.

        Raises errors as `call` does. ActionError is raised after the items of the pages before the failure.
        """
        if not self._actions.prepared(action).action.returns_list:
            raise RunError(f"{action} does not return a list; use call")
        return self._items(self._envelopes(action, inputs, "each", confirm))

    def _items(self, envelopes: Generator[Envelope, None, None]) -> Iterator[Any]:
        try:
            for envelope in envelopes:
                item = result_of(envelope)
                is_empty_list = item is None and envelope.ends_row and envelope.meta["item"] == 1
                if not is_empty_list:
                    yield item
        finally:
            envelopes.close()

    def run(
        self,
        action: str,
        rows: Iterable[Mapping[str, Any]],
        *,
        templates: Mapping[str, Any] | None = None,
        concurrency: int = 1,
        results: ResultMode = "one",
        keep_row: bool = False,
        confirm: bool = False,
    ) -> Results:
        """Return the envelopes of an action over rows. Rows are run while the envelopes are read.

        `templates` are Jinja templates by input, as in a job; without them, an input has the value of the
        row's field of the same name. `results` "each" gives one envelope per item of a list. A failed row has
        an envelope with an error, and the others are run.

        Raises RunError before anything is sent (ConnectionSetupError if the sign-in fails).
        """
        check_run(concurrency, results)
        job = replace(self._job, action=self._actions.full_name(action), rows=results, keep_row=keep_row)
        prepared = prepare(replace(job, templates=templates or {}), self.catalog)
        self._require_confirmation(prepared.action, confirm)
        self._opened(prepared)  # The client of the run uses its token.
        stop = self._started()
        client = self._open(stop, prepared)
        found = Results(rows, make_invoker(prepared, client), client, concurrency, stop)
        with self._changing:
            self._runs.add(found)
        return found

    def run_file(
        self,
        action: str,
        input: str | Path,
        output: str | Path,
        *,
        templates: Mapping[str, Any] | None = None,
        vars: Mapping[str, Json] | None = None,
        concurrency: int = 1,
        results: ResultMode = "one",
        keep_row: bool = False,
        confirm: bool = False,
        resume: bool = False,
    ) -> dict[str, Any]:
        """Run an action for each row of a file, and write the envelopes to another. Return the summary.

        It is that of `ninjaone run --summary`: `schemas/summary.schema.json`, with the command's `exit_code`.
        With `resume`, an unfinished run with this output continues, a finished one is not run again, and
        without either a new one starts. `stop()` of the session ends it after the rows in progress.

        Raises RunError before anything is sent (ConnectionSetupError if the sign-in fails), and
        RunStoppedError for a run that cannot continue, but can be resumed.
        """
        check_run(concurrency, results)
        for name in vars or {}:
            check_variable(name)
        job = replace(
            self._job,
            action=self._actions.full_name(action),
            input=str(input),
            output=str(output),
            templates=templates or {},
            vars=vars or {},
            concurrency=concurrency,
            rows=results,
            keep_row=keep_row,
        )
        return self._run_jobs(lambda now: (job,), confirm, resume)

    def run_job(
        self,
        job: str | Path,
        *,
        input: str | Path | None = None,
        output: str | Path | None = None,
        vars: Mapping[str, Json] | None = None,
        confirm: bool = False,
        resume: bool = False,
    ) -> dict[str, Any]:
        """Run a job file, also one with steps, over this connection. Return the summary, as `run_file` does.

        The connection and the settings of the session replace those of the job; `input`, `output` and `vars`
        replace its own as on the command line. The output of a job with steps is a folder. Its `notify` and
        `summary` are not used. Raises errors as `run_file` does.
        """
        given: dict[str, Any] = {"input": input, "output": output, "vars": vars}
        given = {name: str(v) if name != "vars" else v for name, v in given.items() if v is not None}
        for name in vars or {}:
            check_variable(name)
        for name in SETTINGS:
            if (value := getattr(self._job, name)) != getattr(_DEFAULTS, name):
                given[name] = value
        return self._run_jobs(lambda now: load_jobs(Path(job), given, now), confirm, resume)

    def _run_jobs(self, load: Load, confirm: bool, resume: bool) -> dict[str, Any]:
        turn = RLock()
        with turn:
            with self._changing:
                self._turns.add(turn)
            return run_jobs(
                *(load, self.catalog, self.service.name, self.connection),
                named=self._named,
                confirm=confirm,
                resume=resume,
                stop=self._started(),
            )

    def _started(self) -> Event:
        """Return the event that stops a new run. Raises RunError if the session is stopped."""
        stop = Event()
        with self._changing:
            self._stops.add(stop)  # before the check, so that `stop` in another thread cannot miss it
        self._require_open()
        return stop

    def _require_open(self) -> None:
        if self._stop.is_set():
            raise RunError("the session is closed")

    def preview(self, action: str, /, **inputs: Any) -> dict[str, Any]:
        """Return the request of a call: `method, url, query, headers, body`. Nothing is sent.

        Raises InputError if a value is missing or not valid.
        """
        prepared, values = self._actions.prepared(action), self._actions.values(action, inputs)
        with in_zone(zone_of(prepared.job, self.connection)):
            row = InputRow(1, values)
            shown = preview_row(
                *(prepared.action, self.service, prepared.bindings, prepared.job.uploads),
                *(row, self.connection.base_url),
            )
        if "error" in shown:
            raise InputError("input_invalid", shown["error"])
        del shown["row"]
        return shown

    def actions(self, words: str = "") -> list[str]:
        """Return the names of the service's actions, or of those that contain all of these words."""
        if words:
            return [action.own_name for action in self.catalog.search(words.split(), self.service.name)]
        return [name.removeprefix(self.service.prefix) for name in self.catalog.names_of(self.service.name)]

    def describe(self, action: str, *, names: bool = True) -> dict[str, Json]:
        """Return the JSON Schema of an action's inputs; see `Catalog.describe`."""
        return self.catalog.describe(self._actions.full_name(action), names=names)

    def stop(self) -> None:
        """Start no further call or row, without waiting for those in progress; for signal handlers."""
        self._stop.set()
        with self._changing:
            stops = list(self._stops)
        for stop in stops:
            stop.set()

    def close(self) -> None:
        """Stop the runs, wait for their rows in progress, and close the connections. Can be repeated."""
        self.stop()
        with self._changing:
            runs, turns = list(self._runs), list(self._turns)
        for run in runs:
            run.close()
        for turn in turns:
            with turn:  # waits for the end of the run, except in its own thread
                pass
        with self._opening:
            client, self._client = self._client, None
        if client:
            client.close()
            client.flush_audit()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _envelopes(
        self, action: str, inputs: Mapping[str, Any], results: ResultMode, confirm: bool
    ) -> Generator[Envelope, None, None]:
        """Return the envelopes of one call, which sends when the first one is asked for."""
        prepared, values = self._actions.prepared(action), self._actions.values(action, inputs)
        self._require_confirmation(prepared.action, confirm)
        prepared = replace(prepared, job=replace(prepared.job, rows=results))
        invoker = make_invoker(prepared, self._opened(prepared))
        return audited(invoker.envelopes(1, values), invoker.client)

    def invoker(
        self, action: str, *, results: ResultMode = "one", recorder: Recorder | None = None
    ) -> Invoker:
        """Return an invoker that runs an action for the rows of a host, whose values are Python values.

        The invoker signs in with its first request; if the sign-in fails, the row has the error. The host
        must confirm destructive actions itself. Raises RunError.
        """
        prepared = self._actions.prepared(action)
        prepared = replace(prepared, job=replace(prepared.job, rows=results))
        return make_invoker(prepared, self._opened(prepared, signs_in=False), recorder)

    def _require_confirmation(self, action: Action, confirm: bool) -> None:
        if action.effect == "destructive" and not confirm:
            raise RunError(f"{action.name} is destructive: it requires confirm=True. Nothing was sent")

    def _opened(self, prepared: Prepared, *, signs_in: bool = True) -> Client:
        """Return the client of all calls, signed in.

        It remembers a refused sign-in, which another attempt would only bring nearer to a locked account.
        """
        self._require_open()
        with self._opening:
            if self._client is None:
                self._client = self._open(self._stop, prepared)
            check_policy(prepared.action, prepared.job, self.connection)
            client = self._client
        if signs_in:
            sign_in(client)
        return client

    def _open(self, stop: Event, prepared: Prepared) -> Client:
        """Return a new client, which has not signed in."""
        self._require_open()
        connection = apply_policy(prepared.action, prepared.job, self.connection)
        delay_ms, min_delay_ms = prepared.delay_ms, prepared.min_delay_ms
        clock = SystemClock(stop, resumable=False)
        return open_client(self.service, connection, delay_ms, min_delay_ms=min_delay_ms, clock=clock)
