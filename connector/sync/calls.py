"""Run the action calls of the source or target service on a connection.

Every request goes through `Invoker` and `Client`, which handle read-only connections, the audit log,
redaction, pacing, retries, and unknown outcomes.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.client import Client
from connector.client.factory import open_client, sign_in
from connector.common.clock import Clock, SystemClock
from connector.common.json_text import Json
from connector.connections.connection import Connection, load_connection
from connector.connections.saved import SavedConnections, service_in
from connector.connections.settings import is_file
from connector.errors import Code, DeclarationError, RowError, RunError, RunStoppedError
from connector.files.envelope import Envelope
from connector.invocation.bindings import bind
from connector.invocation.invoke import Invoker, ResultMode
from connector.invocation.lookups import Lookups
from connector.sync.records import ListError
from connector.sync.steps import Call, CallSteps, Each


class SignInLostError(RunStoppedError):
    """The service no longer accepts the sign-in, so no more requests can be sent."""


@dataclass
class Calls:
    """Calls actions of one service on one connection.

    `number` counts the calls; the audit log contains it as the row number. `seconds_between` is the minimum
    interval between two requests.
    """

    catalog: Catalog
    service: Service
    connection: Connection
    client: Client
    seconds_between: float
    number: int = 0
    _invokers: dict[tuple[str, ResultMode], Invoker] = field(default_factory=dict)
    _lookups: Lookups = field(default_factory=Lookups)

    def forget_lookups(self) -> None:
        """Clear the cache of looked-up records, which may have changed."""
        self._lookups = Lookups()
        self._invokers.clear()

    @property
    def requests(self) -> int:
        """The number of requests that were sent."""
        return self.client.requests

    def result(self, steps: CallSteps) -> Any:
        """Run the calls that a generator yields, and return its result. Raises RowError, RunStoppedError."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Each):
                    step = steps.send(list(step.read(self._items(step))))
                    continue
                try:
                    found = self._call(step)
                except RowError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(found)
        except StopIteration as stop:
            return stop.value

    def records(self, steps: CallSteps) -> Iterator[Any]:
        """Yield the records of the lists that a generator requests. Raises ListError if a call fails."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Each):
                    yield from step.read(self._items(step))
                    step = next(steps)
                else:
                    step = steps.send(self._call(step))
        except StopIteration:
            return
        except RowError as error:
            raise self._list_error(error) from error

    def read(self, steps: CallSteps) -> Any:
        """Run the read calls that a generator yields; return its result. Raises ListError if one fails."""
        try:
            return self.result(steps)
        except RowError as error:
            raise self._list_error(error) from error

    def _list_error(self, error: RowError) -> ListError:
        return ListError(f"{self.service.title}: {error}")

    def _call(self, call: Call) -> Any:
        envelopes = list(self._envelopes(call.action, call.inputs, "one"))
        return self._result_of(envelopes[-1], call.action)

    def _items(self, step: Each) -> Iterator[Any]:
        for envelope in self._envelopes(step.action, step.inputs, "each"):
            item = self._result_of(envelope, step.action)
            if item is not None:  # None: the list is empty.
                yield item

    def _envelopes(self, action: str, inputs: Mapping[str, Json], rows: ResultMode) -> Iterator[Envelope]:
        self.number += 1
        given = {name: value for name, value in inputs.items() if value is not None}
        yield from self._invoker(action, rows).envelopes(self.number, given)

    def _invoker(self, name: str, rows: ResultMode) -> Invoker:
        key = (name, rows)
        if key not in self._invokers:
            action = self.catalog.action(name)
            bindings = bind(action, {}, match_fields=True)
            self._invokers[key] = Invoker(
                action, self.service, bindings, self.client, Path(), rows=rows, lookups=self._lookups
            )
        return self._invokers[key]

    def _result_of(self, envelope: Envelope, action: str) -> Json:
        """Return the result of an action. Raises RowError if it failed; SignInLostError."""
        if not envelope.has_error:
            return envelope.result
        code: Code = envelope.meta.get("code") or "internal_error"
        message = f"{envelope.error} ({action})"
        if code == "auth_failed":
            raise SignInLostError(f"{self.service.title}: {message}")
        refused = code != "outcome_unknown" and bool(envelope.meta.get("repeatable", True))
        raise RowError(code, message, refused=refused, status=envelope.meta.get("status"))


def open_calls(
    catalog: Catalog,
    named: str,
    *,
    folder: Path = Path(),
    pace_percent: int = 100,
    delay_ms: float | None = None,
    stop: Event | None = None,
) -> Calls:
    """Open a connection, sign in, and return a `Calls` object.

    `named` is a saved connection, or the path of a connection file relative to `folder`. `delay_ms` is the
    minimum interval between two requests (default: that of the service). A `pace_percent` below 100 makes the
    interval longer, which leaves a part of the account's request limit to other programs.
    Raises RunError and ConnectionSetupError.
    """
    service = catalog.service(service_of(named, folder) or "")
    connection = load_connection(service, str(folder / named) if is_file(named) else named)
    seconds = (service.delay.default_ms if delay_ms is None else delay_ms) / 10 / pace_percent
    clock: Clock = SystemClock(stop)
    client = open_client(service, connection, 1000 * seconds, clock=clock)
    sign_in(client)
    return Calls(catalog, service, connection, client, seconds)


def service_of(named: str, folder: Path = Path()) -> str:
    """Return the service of a saved connection or connection file; empty if the file names no service."""
    return service_in(folder / named if is_file(named) else SavedConnections().path(named))


def load_part(calls: Calls, file: str, name: str, what: str) -> Any:
    """Return an object of the class `name` in a Python file beside the service's declaration.

    Raises RunError if the service has no such file, and DeclarationError for one that cannot be loaded.
    """
    path = calls.catalog.service_file(calls.service.name).parent / file
    if not path.exists() or not path.is_relative_to(calls.catalog.folder):
        raise RunError(f"{calls.service.title} cannot be the {what} of a sync: there is no {file} for it")
    spec = importlib.util.spec_from_file_location(f"connector_{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return getattr(module, name)()
    except Exception as error:
        raise DeclarationError(f"{path}: cannot be loaded: {error!r}") from error
