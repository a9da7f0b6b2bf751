"""One row through one action: values, requests, and the envelopes that come of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from connector.action import Action
from connector.bindings import Bindings
from connector.client import Client
from connector.downloads import save
from connector.envelope import Envelope
from connector.errors import RowError, RunStopped
from connector.handlers import Download, Inputs, Note, Page, PagedResult, Steps, find_handler
from connector.http import Request, Response
from connector.inputs import ABSENT
from connector.json_text import Json
from connector.service import Service

Rows = Literal["one", "each"]
"""How a list result is written: as one envelope, or as one envelope an item."""


class Recorder(Protocol):
    """Keeps what was sent and answered of requests that are not just repeated, so that none is sent twice.

    `step` is a request's place among those of its row that are noted, from 0. Others are not counted: how
    often a row reads before it writes may be another matter when it is resumed.
    """

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Give what an interrupted run was answered; None for what it did not send.

        Raises RowError (`outcome_unknown`) for what it sent, if no answer was noted.
        """

    def sent(self, row: int, step: int, request: Request) -> None:
        """Note that a request is about to be sent. Raises RunStopped."""

    def answered(self, row: int, step: int, response: Response) -> None:
        """Note its answer."""

    def refused(self, row: int, step: int) -> None:
        """Note that the API certainly did not carry it out."""


class NoRecorder:
    """For runs that cannot be resumed."""

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Nothing was recorded."""

    def sent(self, row: int, step: int, request: Request) -> None:
        """Keep nothing."""

    def answered(self, row: int, step: int, response: Response) -> None:
        """Keep nothing."""

    def refused(self, row: int, step: int) -> None:
        """Keep nothing."""


class Lookups:
    """Answers that hold for a whole run. Each is asked for once, whichever row needs it first."""

    def __init__(self) -> None:
        self._answers: dict[str, Response] = {}
        self._refusals: dict[str, tuple[str, str, int | None]] = {}
        self._lock = threading.Lock()

    def ask(self, request: Request, send: Callable[[Request], Response]) -> Response:
        """Give the answer, sending the request only if nobody did.

        Raises RowError. What is forbidden or not there stays so for the run; any other failure is not kept.
        """
        with self._lock:
            if request.target in self._refusals:
                code, message, status = self._refusals[request.target]
                raise RowError(code, message, status=status)
            if request.target not in self._answers:
                try:
                    self._answers[request.target] = send(request)
                except RowError as error:
                    if error.code in ("forbidden", "not_found"):
                        self._refusals[request.target] = (error.code, str(error), error.status)
                    raise
            return self._answers[request.target]


@dataclass(frozen=True)
class Invoker:
    """Runs one action over rows. Safe for threads: a row's state is its own."""

    action: Action
    service: Service
    bindings: Bindings
    client: Client
    uploads: Path
    files: Path | None = None
    rows: Rows = "one"
    keep_row: bool = False
    reveal_secrets: bool = False
    recorder: Recorder = field(default_factory=NoRecorder)
    lookups: Lookups = field(default_factory=Lookups)

    def envelopes(self, number: int, row: Mapping[str, Json]) -> Iterator[Envelope]:
        """Run the action for a row and give its envelopes: one, or with `rows` "each" one an item.

        Raises nothing but RunStopped (nowhere to write) and KeyboardInterrupt.
        """
        exchange = _Exchange(self, number)
        writer = _RowWriter(self, number, row, exchange)
        try:
            try:
                values = self.bindings.values(row)
                exchange.warnings = self.bindings.warnings(values)
                steps = find_handler(self.action)(Inputs(self.action, self.service, values, self.uploads))
                result = yield from self._drive(steps, exchange, writer)
                if isinstance(result, Download):
                    result = save(result.response, self.files or Path(), f"{number}-{self.action.name}")
                yield from writer.finish(result)
            except RowError as error:
                yield from writer.failed(exchange.explain(error))
        except RunStopped:
            raise
        except RecursionError:
            writer.drop_held()
            what = "an answer of the API" if exchange.last else "the row"
            code = "bad_response" if exchange.last else "input_invalid"
            yield from writer.failed(RowError(code, f"{what} is nested too deeply"))
        except Exception as error:
            message = (
                f"a fault in the connector itself, at {self.action.name}: {type(error).__name__}: {error}"
            )
            yield from writer.failed(RowError("internal_error", message))

    def _drive(self, steps: Steps, exchange: _Exchange, writer: _RowWriter) -> Generator[Envelope, None, Any]:
        """Hand-feed a handler its answers; give out the items of its pages; return its result."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, (Page, Note)):
                    if isinstance(step, Page):
                        yield from writer.items(step.items)
                    else:
                        exchange.warnings.append(step.text)
                    step = next(steps)
                    continue
                try:
                    response = exchange.send(step)
                except RowError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(response)
        except StopIteration as stop:
            return stop.value

    def failed_row(self, number: int, row: Json, error: RowError) -> Envelope:
        """Give the envelope of a row that could not even be read."""
        kept = row if isinstance(row, Mapping) else {}
        writer = _RowWriter(self, number, kept, _Exchange(self, number))
        (envelope,) = writer.failed(error)
        return envelope


class _Exchange:
    """The requests of one row, and what may be said of the row because of them."""

    def __init__(self, invoker: Invoker, row: int) -> None:
        self.row, self.recorder, self.lookups = row, invoker.recorder, invoker.lookups
        self._client, self._action = invoker.client, invoker.action.name
        self.last: Response | None = None
        self.warnings: list[str] = []
        self.repeatable = True
        self._step = 0
        self._done: list[tuple[Request, Response]] = []
        self._failed = False

    def send(self, request: Request) -> Response:
        """Send a request, unless an interrupted run was answered already. Raises RowError."""
        try:
            if request.cached:
                response = self.lookups.ask(request, self._send)
            elif request.repeatable and request.method != "DELETE":
                response = self._send(request)
            else:
                response = self._send_noted(request)
        except RowError as error:
            self._failed = True
            if not request.repeatable and not error.refused:
                self.repeatable = False
            raise
        self.last = response
        if request.effect != "read":
            self._done.append((request, response))
        return response

    def _send(self, request: Request) -> Response:
        return self._client.send(request, self._action, self.row)

    def _send_noted(self, request: Request) -> Response:
        """Send what is noted: what cannot be repeated, and deletions, whose repetition finds nothing left."""
        step, self._step = self._step, self._step + 1
        sent_before = False
        try:
            response = self.recorder.recorded(self.row, step, request)
        except RowError:
            if not request.repeatable:
                raise
            response, sent_before = None, True
        if response is None:
            self.recorder.sent(self.row, step, request)
            response = self._send_and_take_back(request, step, sent_before)
            self.recorder.answered(self.row, step, response)
        self.repeatable = self.repeatable and request.repeatable
        return response

    def _send_and_take_back(self, request: Request, step: int, sent_before: bool) -> Response:
        """Send a request that is noted, and take the note back if it was certainly not carried out."""
        try:
            return self._send(request)
        except RunStopped:  # before it was sent, or after a try that was certainly not carried out
            if not request.repeatable:
                self.recorder.refused(self.row, step)
            raise
        except RowError as error:
            if sent_before and error.code == "not_found":
                return Response(204, attempts=error.attempts, request_id=error.request_id)
            if error.refused:
                self.recorder.refused(self.row, step)
            raise

    def explain(self, error: RowError) -> RowError:
        """Say of an error that other requests of the row had succeeded before (code `partial`)."""
        if not self._done or not self._failed:
            return error
        done = [{"request": str(q), "id": _identity(a), "answer": _answer(a)} for q, a in self._done]
        listed = " and ".join(
            f"{d['request']} succeeded" + (f" (id {d['id']})" if d["id"] is not None else "") for d in done
        )
        return RowError(
            "partial",
            f"{listed}; then {error}",
            refused=error.refused,
            status=error.status,
            request_id=error.request_id,
            attempts=error.attempts,
            result={"done": done, "failed": error.code},
        )


def _answer(response: Response) -> Json:
    try:
        return response.json()
    except RowError:
        return None


def _identity(response: Response) -> Json:
    answer = _answer(response)
    return answer.get("id") if isinstance(answer, dict) else None


class _RowWriter:
    """Makes a row's envelopes; with one envelope an item it holds an item back to mark the last one."""

    def __init__(self, invoker: Invoker, number: int, row: Mapping[str, Json], exchange: _Exchange) -> None:
        self._invoker, self._number, self._row, self._exchange = invoker, number, row, exchange
        self._each = invoker.rows == "each"
        self._held: list[Json] = []
        self._count = 0

    def items(self, items: list[Json]) -> Iterator[Envelope]:
        """Take a page's items; give the envelopes that can be written now."""
        self._held += self._shown_items(items)
        if self._each and self._held:
            *ready, kept = self._held
            self._held = [kept]
            for item in ready:
                yield self._item(item, last=False)

    def finish(self, result: Any) -> Iterator[Envelope]:
        """Give the envelopes that remain, for what the handler returned."""
        extra: dict[str, Any] = {}
        if isinstance(result, PagedResult):
            if result.page:
                extra["page"] = self._shown(dict(result.page))
            if result.truncated:
                extra["truncated"] = True
            result = self._held
        elif self._each and isinstance(result, list):
            yield from self.items(result)
            result = self._held
        else:
            result = self._shown(result)
        if not self._each:
            yield self._envelope(None, result, extra)
        elif isinstance(result, list):
            yield self._item(result[-1] if result else None, last=True, extra=extra)
        else:
            yield self._item(result, last=True, extra=extra)

    def failed(self, error: RowError) -> Iterator[Envelope]:
        """Give the item that was held back, and the row's error envelope, which is its last."""
        repeatable = self._exchange.repeatable and error.code not in ("outcome_unknown", "internal_error")
        extra: dict[str, Any] = {"repeatable": repeatable}
        if self._each:
            for item in self._held:
                yield self._item(item, last=False)
            self._count += 1
            extra |= {"item": self._count, "last": True}
        yield self._envelope(error, self._shown(error.result), extra)

    def drop_held(self) -> None:
        """Forget the items that no envelope was made of: they cannot be written."""
        self._held = []

    def _item(self, item: Json, *, last: bool, extra: Mapping[str, Any] | None = None) -> Envelope:
        self._count += 1
        return self._envelope(None, item, {**(extra or {}), "item": self._count, "last": last})

    def _envelope(self, error: RowError | None, result: Json, extra: Mapping[str, Any]) -> Envelope:
        """Make an envelope of a result in which nothing secret is left."""
        about: Any = self._exchange.last
        if error is not None and (error.attempts or error.status is not None):
            about = error
        meta: dict[str, Any] = {
            "action": self._invoker.action.name,
            "status": about.status if about else None,
            "code": error.code if error else None,
            "attempts": about.attempts if about else 0,
            "request_id": about.request_id if about else None,
            **extra,
        }
        if self._exchange.warnings:
            meta["warnings"] = self._exchange.warnings
        message = None
        if error is not None:
            message = self._invoker.client.redactor.text(str(error)) or error.code
        kept = self._row if self._invoker.keep_row else ABSENT
        return Envelope(self._number, message, result, meta, kept)

    def _shown_items(self, items: list[Json]) -> list[Json]:
        """Hide what is secret in a page's items. To look at the answer's text first spares most of them that.

        A handler of the action's own may have made them of more than the last answer.
        """
        last, may_hide = self._exchange.last, self._invoker.client.redactor.may_hide
        if self._invoker.action.handler is None and last is not None and not may_hide(last.text):
            return items
        shown: list[Json] = self._shown(items)
        return shown

    def _shown(self, value: Json) -> Json:
        return value if self._invoker.reveal_secrets else self._invoker.client.redactor.json(value)


def declared_request(
    action: Action, service: Service, bindings: Bindings, uploads: Path, row: Mapping[str, Json]
) -> Request:
    """Give the request that the declaration describes for a row, names as they are given. Raises RowError."""
    return Inputs(action, service, bindings.values(row), uploads).request()


def first_request(
    action: Action, service: Service, bindings: Bindings, uploads: Path, row: Mapping[str, Json]
) -> Request:
    """Give the first request that a row becomes; nothing is sent. Raises RowError."""
    steps = find_handler(action)(Inputs(action, service, bindings.values(row), uploads))
    try:
        step = next(steps)
        while isinstance(step, (Page, Note)):
            step = next(steps)
        return step
    except StopIteration:
        raise RowError("input_invalid", "nothing is left to send for this row") from None
    finally:
        steps.close()
