"""The API client of a connection: sign-in, pacing, retries and errors, on top of a transport."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from connector.catalog.service import Service
from connector.client.auth import Auth
from connector.client.error_responses import is_failed_success
from connector.client.failures import Failure, Failures
from connector.client.pacing import Outcome, Pacer, Turn
from connector.client.retries import MAX_WAIT_S, TRIES, backoff_s
from connector.common.clock import Clock
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.errors import (
    ApiError,
    RowError,
    RunStoppedError,
    TransportError,
)
from connector.http.messages import USER_AGENT, Request, Response, Transport

if TYPE_CHECKING:
    from connector.client.audit import Audit

logger = logging.getLogger(__name__)

_REASONS = {
    "throttled": "throttled",
    "unsent": "not sent",
    "lost": "response lost",
    "server": "server error",
}
"""The kinds of failed attempts, as written to the log."""


class RequestContext(Protocol):
    """The origin of a request, for the audit log: an action and a row of its input.

    `redactor` also hides the secrets of the row.
    """

    action: str
    row: int
    redactor: Redactor


class _Leaving:
    """Waits until a request can be sent; `has_left` is whether this wait has ended."""

    has_left = False

    def __init__(self, leave: Callable[[], bool]) -> None:
        self._leave = leave

    def __call__(self) -> bool:
        has_waited = self._leave()
        self.has_left = True
        return has_waited


class Client:
    """Sends API requests for one connection, and returns successful responses. Safe for threads."""

    def __init__(
        self,
        service: Service,
        connection: Connection,
        transport: Transport,
        auth: Auth,
        pacer: Pacer,
        clock: Clock,
        redactor: Redactor,
        audit: Audit | None = None,
    ) -> None:
        self.service, self.connection = service, connection
        self._transport, self._auth, self.pacer, self._clock = transport, auth, pacer, clock
        self.redactor, self._audit = redactor, audit
        self._failures = Failures(service, auth, pacer)
        self.requests = 0
        """The number of API requests sent so far, including retries. It is not locked, and for display
        only."""
        self._dated: tuple[str, float] | None = None
        self._jitter: Callable[[], float] = random.Random().random  # noqa: S311 - spreads load, hides nothing

    @property
    def server_ahead_s(self) -> float:
        """The seconds by which the API's clock is ahead of the local one, by the last Date header; else 0."""
        if self._dated is None:
            return 0.0
        from email.utils import parsedate_to_datetime  # slow to import

        text, now = self._dated
        try:
            return parsedate_to_datetime(text).timestamp() - now
        except (ValueError, OverflowError):
            return 0.0

    def sign_in(self) -> tuple[str, ...]:
        """Sign in, to find wrong credentials before the first request; return the token's scopes.

        The scopes are empty if they are not known. Raises ApiError if the sign-in fails.
        """
        self._auth.token()
        return self._auth.scopes

    def send(
        self,
        request: Request,
        context: RequestContext | None = None,
        before: Callable[[], None] | None = None,
        at_send: Callable[[], bool] | None = None,
    ) -> Response:
        """Send a request, with retries if they are safe; return its response (2xx, or an expected 3xx).

        `before` is called before each attempt, when the request can start; if it raises an error, the request
        is not sent. `at_send` is called in the same way, but immediately before the request is sent, on an
        open connection; it returns whether it has waited.
        Raises ApiError with the code of the failure; its `refused` is true if the API certainly did not
        execute the request. With a read-only connection, only requests that read are sent. Raises
        RunStoppedError, and sends nothing, if the audit log cannot be written.
        """
        if self.connection.read_only and request.effect != "read":
            said = f'{request} has the effect "{request.effect}", and the run or its connection is read-only'
            raise ApiError("forbidden", f"{said}: it was not sent")
        described, body = request.encoded
        redactor = (context or self).redactor
        hide = redactor.said
        attempt, renewed, lost_before = 0, False, False
        is_logged = logger.isEnabledFor(logging.DEBUG)
        while True:
            if self._audit:
                self._audit.require()
            token = self._auth.token()
            headers = {**standard_headers(token), **described, **request.headers}
            turn = self.pacer.wait()
            if before:
                self._call(before, turn)
            leave = partial(self._leaving, turn, at_send) if at_send else partial(self.pacer.leaving, turn)
            self.requests += 1
            attempt += 1
            began = self._clock.monotonic() if is_logged else 0.0
            try:
                a_try = partial(self._try, request, headers, body, attempt, lost_before, redactor)
                if self._audit:
                    outcome = self._audited(self._audit, a_try, _Leaving(leave), request, attempt, context)
                else:
                    outcome = a_try(leave)
            except BaseException:
                self.pacer.ended(turn, "unknown")
                raise
            held_s = self.pacer.ended(turn, *_for_pace(outcome)) if self.pacer.adapts else 0.0
            if is_logged:
                status = outcome.status if isinstance(outcome, Response) else outcome.error.status
                took_ms = 1000 * (self._clock.monotonic() - began)
                about = (self._who(context), hide(str(request)), status or "no response", took_ms, attempt)
                logger.debug("%s: %s: %s in %.0f ms, try %d", *about)
            if isinstance(outcome, Response):
                return outcome
            error = outcome.error
            if outcome.why == "expired" and not renewed:
                renewed = True
                self._renew(token, error)
                continue
            if lost_before and request.method == "DELETE" and error.code == "not_found":
                # The response to an earlier attempt was lost, but that attempt has deleted the item.
                return Response(204, attempts=attempt, request_id=error.request_id)
            waits_s = self.service.throttling.waits_s if outcome.why == "throttled" else ()
            tries = 1 + len(waits_s) if waits_s else TRIES.get(outcome.why, 1)
            if not outcome.may_repeat or attempt >= tries:
                self._log_failure(outcome, attempt, context)
                raise error
            lost_before = lost_before or not error.refused
            wait_s = outcome.wait_s
            if wait_s is None:
                wait_s = waits_s[attempt - 1] if waits_s else backoff_s(attempt, self._jitter())
            is_held = held_s > 0 and not waits_s and (attempt == 1 or outcome.wait_s is not None)
            if is_held:
                wait_s = held_s  # No request to the account starts before.
            self._log_retry(outcome, attempt, tries, wait_s, context)
            if waits_s and self.pacer.limit:
                # The limit is for all requests to the account, so the next request waits, whichever it is.
                self.pacer.limit.hold(wait_s)
            elif not is_held:
                self._clock.sleep(wait_s)

    def _call(self, before: Callable[[], None], turn: Turn) -> None:
        try:
            before()
        except BaseException:
            self.pacer.ended(turn, "unknown")
            raise

    def _leaving(self, turn: Turn, at_send: Callable[[], bool]) -> bool:
        """Wait for the turn of a request, and call `at_send`; return whether there was a wait.

        After a wait of `at_send`, the request can be too late for its turn.
        """
        has_waited = self.pacer.leaving(turn)
        while at_send():
            has_waited = True
            self.pacer.leaving(turn)
        return has_waited

    def flush_audit(self) -> None:
        """Raise RunStoppedError unless the audit log has a line for each request that was sent."""
        if self._audit:
            self._audit.require()

    def close(self) -> None:
        """Close the open connections: idle ones now, and those in use after their responses."""
        self._transport.close()

    def _who(self, context: RequestContext | None) -> str:
        """Return the connection and the row of a request, for the log."""
        return f"{self.connection.label}, row {context.row}" if context else self.connection.label

    def _log_retry(
        self, outcome: Failure, attempt: int, tries: int, wait_s: float, context: RequestContext | None
    ) -> None:
        """Log the request to retry, the reason, and the wait."""
        logger.warning(
            "%s: %s; retrying in %.1f s (%s%s, try %d of %d)",
            self._who(context),
            (context or self).redactor.said(str(outcome.error)),
            wait_s,
            _REASONS[outcome.why],
            "" if outcome.wait_s is None else f", Retry-After {outcome.wait_s:.0f} s",
            attempt + 1,
            tries,
        )

    def _log_failure(self, outcome: Failure, attempt: int, context: RequestContext | None) -> None:
        """Log the request that failed, and why it is not retried."""
        level = logging.INFO if attempt == 1 else logging.WARNING
        if not logger.isEnabledFor(level):
            return
        why = f"after {attempt} tries" if attempt > 1 else "not retried"
        if outcome.wait_s is not None and outcome.wait_s > MAX_WAIT_S:
            why = f"Retry-After {outcome.wait_s:.0f} s exceeds {MAX_WAIT_S:.0f} s"
        said = (context or self).redactor.said(str(outcome.error))
        logger.log(level, "%s: %s; failed (%s, %s)", self._who(context), said, outcome.error.code, why)

    def _audited(
        self,
        audit: Audit,
        a_try: Callable[[Callable[[], bool]], Response | Failure],
        leaving: _Leaving,
        request: Request,
        attempt: int,
        context: RequestContext | None,
    ) -> Response | Failure:
        """Make an attempt, and write its outcome to the audit log, unless the run stopped before it."""
        began, start = self._clock.now(), self._clock.monotonic()
        about: Response | RowError | None = ApiError("internal_error", "", attempts=attempt)
        try:
            outcome = a_try(leaving)
            about = outcome if isinstance(outcome, Response) else outcome.error
            return outcome
        except RunStoppedError:
            if not leaving.has_left:
                about = None
            raise
        finally:
            if about is not None:
                seconds = self._clock.monotonic() - start
                action, row = (context.action, context.row) if context else ("", 0)
                hide = (context or self).redactor.text
                audit.note(request, about, action=action, row=row, began=began, seconds=seconds, hide=hide)

    def _renew(self, dead: str, expired: RowError) -> None:
        try:
            self._auth.renew(dead)
        except RowError as error:
            raise ApiError(
                error.code,
                f"{expired}; {error}",
                lasting=error.lasting,
                status=error.status or expired.status,
                request_id=expired.request_id,
                attempts=expired.attempts,
            ) from error

    def _try(
        self,
        request: Request,
        headers: dict[str, str],
        body: bytes | None,
        attempt: int,
        lost_before: bool,
        redactor: Redactor,
        leaving: Callable[[], bool],
    ) -> Response | Failure:
        try:
            came = self._transport.send(
                request.method, request.target, headers, body, leaving, is_file=request.binary
            )
        except TransportError as error:
            return self._failures.no_response(request, error, attempt)
        if "date" in came.headers:
            self._dated = (came.headers["date"], self._clock.now())
        request_id = came.headers.get(self.service.request_id_header)
        if request_id:  # The request id is from the response and can contain anything, even a secret.
            request_id = redactor.text(request_id)
        hide = redactor.said
        response = Response(came.status, came.headers, came.body, attempt, request_id, lost_before, hide)
        if response.body and not request.binary:
            response = response.in_utf8()
        if request.redirects and 300 <= response.status < 400:
            return response
        wanted = response.status in self.service.throttling.statuses or (
            request.binary and self._failures.is_document(response)
        )
        if response.is_html and not wanted:
            return self._failures.html(request, response, self._clock.now())
        if not 200 <= response.status < 300:
            return self._failures.error_response(request, response, self._clock.now())
        if not response.body:
            return response
        if not (request.binary or response.is_text):
            said = f"sent bytes that are not {response.charset} text"
            return Failure("text", self._failures.api_error("bad_response", request, response, said), False)
        if is_failed_success(self.service, request, response):
            return self._failures.error_response(request, response, self._clock.now())
        return response


def _for_pace(outcome: Response | Failure) -> tuple[Outcome, float | None]:
    """Return the outcome of an attempt as the pace sees it, with the wait that the service requires."""
    if isinstance(outcome, Response):
        return "accepted", None
    if outcome.why != "throttled":
        return "unknown" if outcome.why in ("unsent", "lost") else "accepted", None
    too_long = outcome.wait_s is not None and outcome.wait_s > MAX_WAIT_S
    return "throttled", 0.0 if too_long else outcome.wait_s


def standard_headers(token: str) -> dict[str, str]:
    """Return the headers of every API request."""
    return {
        "authorization": f"Bearer {token}",
        "accept": "application/json, */*;q=0.5",
        "accept-encoding": "gzip, deflate",
        "user-agent": USER_AGENT,
    }
