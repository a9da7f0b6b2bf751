"""The requests of one row: what an earlier run has noted of them, and what may be said because of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from connector.client.client import Client
from connector.client.error_responses import read_warnings
from connector.common.json_text import Json
from connector.errors import Code, RowError, RunStoppedError
from connector.http.messages import Request, Response

logger = logging.getLogger(__name__)


class Recorder(Protocol):
    """Keeps what was sent and answered of requests that are not just repeated, so that none is sent twice.

    `step` is a request's place among those of its row that are noted, from 0. Others are not counted: how
    often a row reads before it writes may be another matter when it is resumed.
    """

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return what an interrupted run was answered; None for what it did not send.

        Raises RowError (`outcome_unknown`) for what it sent, if no answer was noted.
        """

    def sent(self, row: int, step: int, request: Request) -> None:
        """Note that a request is about to be sent. Raises RunStoppedError."""

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
        self._refusals: dict[str, tuple[Code, str, int | None]] = {}
        self._lock = threading.Lock()

    def ask(self, request: Request, send: Callable[[Request], Response]) -> Response:
        """Return the answer, sending the request only if nobody did.

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


class Exchange:
    """The requests of one row, and what may be said of the row because of them.

    `redactor` also hides what is secret in this row alone, once that is known.
    """

    def __init__(self, action: str, row: int, client: Client, recorder: Recorder, lookups: Lookups) -> None:
        self.action, self.row, self.redactor = action, row, client.redactor
        self._client, self._recorder, self._lookups = client, recorder, lookups
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
                response = self._lookups.ask(request, self._send)
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
        if self._client.service.errors.warnings and not request.binary:
            self._take_warnings(response)
        if request.effect != "read":
            self._done.append((request, response))
        return response

    def _take_warnings(self, response: Response) -> None:
        """Add what the API says that was not as requested, once each."""
        for text in read_warnings(self._client.service, response):
            said = f"the API warns: {text}"
            if said not in self.warnings:
                self.warnings.append(said)

    def _send(self, request: Request) -> Response:
        return self._client.send(request, self)

    def _send_noted(self, request: Request) -> Response:
        """Send what is noted: what cannot be repeated, and deletions, whose repetition finds nothing left."""
        step, self._step = self._step, self._step + 1
        sent_before = False
        try:
            response = self._recorder.recorded(self.row, step, request)
        except RowError as error:
            if not request.repeatable:
                self._log_resumed(request, f"not sent again ({error.code})")
                raise
            self._log_resumed(request, "sent again, as the interrupted run got no response")
            response, sent_before = None, True
        if response is not None:
            self._log_resumed(request, "not sent again, as the interrupted run got its response")
        else:
            self._recorder.sent(self.row, step, request)
            response = self._send_and_take_back(request, step, sent_before)
            self._recorder.answered(self.row, step, self._noted(response))
        self.repeatable = self.repeatable and request.repeatable
        return response

    def _log_resumed(self, request: Request, decision: str) -> None:
        """Log what is decided about a request that an interrupted run had sent."""
        shown = self.redactor.said(str(request))
        logger.warning("%s, row %d: %s: %s", self._client.connection.label, self.row, shown, decision)

    def _noted(self, response: Response) -> Response:
        """Return an answer as it may be noted: the recorder does not know the row's own secrets."""
        if self.redactor is self._client.redactor:
            return response
        headers = {name: self.redactor.text(value) for name, value in response.headers.items()}
        return replace(response, headers=headers, body=self.redactor.text(response.text).encode())

    def _send_and_take_back(self, request: Request, step: int, sent_before: bool) -> Response:
        """Send a request that is noted, and take the note back if it was certainly not carried out."""
        try:
            return self._send(request)
        except RunStoppedError:  # before it was sent, or after a try that was certainly not carried out
            if not request.repeatable:
                self._recorder.refused(self.row, step)
            raise
        except RowError as error:
            if sent_before and error.code == "not_found":
                return Response(204, attempts=error.attempts, request_id=error.request_id)
            if error.refused:
                self._recorder.refused(self.row, step)
            raise

    def explain(self, error: RowError) -> RowError:
        """Return the error, or one with code `partial` if earlier requests of the row succeeded."""
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
    if isinstance(answer, list) and len(answer) == 1:
        (answer,) = answer
    return answer.get("id") if isinstance(answer, dict) else None
