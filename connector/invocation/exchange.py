"""Sends the requests of one row, and records them, so that none is repeated after an interruption."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol

from connector.client.client import Client
from connector.client.error_responses import read_warnings
from connector.common.json_text import Json
from connector.errors import RowError, RunStoppedError
from connector.http.digest import request_digest
from connector.http.messages import Request, Response
from connector.invocation.lookups import Lookups

logger = logging.getLogger(__name__)


class Recorder(Protocol):
    """Records requests that must not be repeated, and their responses, so that no such request is sent twice.

    `step` is the index of a request among the recorded requests of its row, from 0. Other requests are not
    counted, because the number of reads before a write can differ when the row is resumed.
    """

    def has_sent(self, row: int) -> bool:
        """Return whether an interrupted run has sent a request of a row that must not be repeated."""

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return the response that an interrupted run received; None if it did not send the request.

        Raises RowError (`outcome_unknown`) if the request was sent, but no response was recorded.
        """

    def sent(self, row: int, step: int, request: Request) -> None:
        """Record that a request is about to be sent. Raises RunStoppedError."""

    def require_held(self) -> None:
        """Raise RunStoppedError if this process may send nothing more, as another one has taken over."""

    def require_lease(self) -> bool:
        """Renew the lease of this process unless it is fresh; return whether it was renewed.

        With a fresh lease, no other process can have taken over. Raises RunStoppedError as `require_held`.
        """

    def answered(self, row: int, step: int, response: Response) -> None:
        """Record the response to a request."""

    def refused(self, row: int, step: int) -> None:
        """Record that the request had no effect."""


class NoRecorder:
    """Records nothing, for runs that cannot be resumed."""

    def has_sent(self, row: int) -> bool:
        """Return False: nothing was recorded."""
        return False

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return None: nothing was recorded."""

    def sent(self, row: int, step: int, request: Request) -> None:
        """Do nothing."""

    def require_held(self) -> None:
        """Do nothing: no other process can take over."""

    def require_lease(self) -> bool:
        """Return False: no other process can take over."""
        return False

    def answered(self, row: int, step: int, response: Response) -> None:
        """Do nothing."""

    def refused(self, row: int, step: int) -> None:
        """Do nothing."""


class Exchange:
    """Sends the requests of one row, and keeps track of whether the row can be repeated.

    `redactor` also hides the secrets of this row, once they are known. With `plain_numbers`, the responses
    do not keep the spelling of numbers, for callers that only write them.
    """

    def __init__(
        self,
        action: str,
        row: int,
        client: Client,
        recorder: Recorder,
        lookups: Lookups,
        *,
        plain_numbers: bool = False,
    ) -> None:
        self.action, self.row, self.redactor = action, row, client.redactor
        self._client, self._recorder, self._lookups = client, recorder, lookups
        self._plain_numbers = plain_numbers
        self.last: Response | None = None
        self.warnings: list[str] = []
        self.repeatable = True
        self._step = 0
        self._done: list[tuple[Request, Response]] = []
        self._noted_done: list[tuple[Request, Response]] = []
        self._failed, self._may_continue = False, True

    def send(self, request: Request) -> Response:
        """Return a request's response, or the one that an interrupted run received. Raises RowError."""
        try:
            if request.cached:
                response = self._lookups.ask(request, self._send)
            elif request.repeatable and request.method != "DELETE":
                response = self._send(request)
            else:
                response = self._send_noted(request)
        except RowError as error:
            self._failed = True
            self._may_continue = self._may_continue and (request.repeatable or error.refused)
            if not request.repeatable and not error.refused:
                self.repeatable = False
            raise
        if request.cached:
            return response
        if self._plain_numbers:
            response = response.with_plain_numbers()
        self.last = response
        if self._client.service.errors.warnings and not request.binary:
            self._take_warnings(response)
        if request.effect != "read":
            self._done.append((request, response))
        return response

    def _take_warnings(self, response: Response) -> None:
        """Collect the warnings in the API's response, without duplicates."""
        for text in read_warnings(self._client.service, response):
            said = f"the API warns: {text}"
            if said not in self.warnings:
                self.warnings.append(said)

    def _send(self, request: Request) -> Response:
        """Send a request that is not recorded.

        A change that can be repeated is sent only while this process holds the run: after a pause, it could
        overwrite what a later row, or somebody else, has written since another process took over.
        """
        at_send = None if request.effect == "read" else self._recorder.require_lease
        return self._client.send(request, self, at_send=at_send)

    def _send_noted(self, request: Request) -> Response:
        """Send a request that must be recorded: one that must not be repeated, or a deletion."""
        step, self._step = self._step, self._step + 1
        sent_before = False
        try:
            response = self._recorder.recorded(self.row, step, request)
        except RowError as error:
            if not request.repeatable:
                self._log_resumed(request, f"not sent again ({error.code})")
                raise
            self._log_resumed(request, "sent again, because the interrupted run received no response")
            response, sent_before = None, True
        if response is not None:
            self._log_resumed(request, "not sent again, because the interrupted run received its response")
        else:
            response = self._send_and_record(request, step, sent_before)
            self._recorder.answered(self.row, step, self._noted(response))
        self.repeatable = self.repeatable and request.repeatable
        self._noted_done.append((request, response))
        return response

    def _log_resumed(self, request: Request, decision: str) -> None:
        """Log whether a request that an interrupted run sent is sent again."""
        shown = self.redactor.said(str(request))
        logger.warning("%s, row %d: %s: %s", self._client.connection.label, self.row, shown, decision)

    def _noted(self, response: Response) -> Response:
        """Return a response as it is recorded: without the row's secrets."""
        if self.redactor is self._client.redactor:
            return response
        headers = {name: self.redactor.text(value) for name, value in response.headers.items()}
        return replace(response, headers=headers, body=self.redactor.text(response.text).encode())

    def _send_and_record(self, request: Request, step: int, sent_before: bool) -> Response:
        """Record a request, and send it; if it fails without effect, record that, too.

        It is recorded when it can start, so that a run that is killed while requests wait leaves no doubt
        about them. Before it is sent again, it is checked that no other process has taken over since: it
        would have reported the outcome of this request as unknown.
        """
        is_recorded = False

        def record() -> None:
            nonlocal is_recorded
            if is_recorded:
                self._recorder.require_held()
                return
            self._recorder.sent(self.row, step, request)
            is_recorded = True

        try:
            return self._client.send(request, self, record)
        except RunStoppedError:
            # Either nothing was sent, or the attempt had no effect.
            if is_recorded and not request.repeatable:
                self._recorder.refused(self.row, step)
            raise
        except RowError as error:
            if sent_before and error.code == "not_found":
                return Response(204, attempts=error.attempts, request_id=error.request_id)
            if is_recorded and error.refused:
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
            result={"done": done, "failed": error.code, **self._continuation()},
        )

    def _continuation(self) -> dict[str, Json]:
        """Return what a rerun needs to continue the row after its completed requests; empty if unsafe.

        It is unsafe if the failed request may have had an effect, or if a secret or a header is needed.
        """
        if not self._may_continue or self.redactor is not self._client.redactor:
            return {}
        done = []
        for request, response in self._noted_done:
            answer = _answer(response)
            is_complete = answer is not None or not response.body
            if not is_complete or "location" in response.headers or self.redactor.json(answer) != answer:
                return {}
            done.append({"sha256": request_digest(request), "status": response.status, "answer": answer})
        return {"continue": done} if done else {}


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
