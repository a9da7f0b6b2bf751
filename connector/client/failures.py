"""Failed attempts of requests: their errors, and whether they can be retried."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from connector.catalog.service import Service
from connector.client.auth import Auth
from connector.client.error_responses import read_error
from connector.client.pacing import Pacer
from connector.client.retries import MAX_WAIT_S, retry_after_s
from connector.errors import ApiError, Code, NotSentError, RowError, TransportError
from connector.http.messages import Request, Response

_NOT_YET = (408, 425)
"""The statuses (request timeout, too early) after which a retry can succeed."""
_MAX_THROTTLE_PAGE_LENGTH = 4096
_IN_DOUBT = ". It may have taken effect: check before you send it again"


class Failure(NamedTuple):
    """A failed attempt, and whether it may be retried."""

    why: str
    error: RowError
    may_repeat: bool
    wait_s: float | None = None


class Failures:
    """Describes the failed attempts of one connection's requests. Times are epoch seconds."""

    def __init__(self, service: Service, auth: Auth, pacer: Pacer) -> None:
        self._service, self._auth, self._pacer = service, auth, pacer

    def no_response(self, request: Request, error: TransportError, attempt: int) -> Failure:
        """Return the failure of an attempt without a response."""
        unsent = isinstance(error, NotSentError)
        safe = unsent or request.repeatable
        code = error.code if safe else "outcome_unknown"
        message = f"{request}: {error}"
        if not safe:
            message += _IN_DOUBT
        failure = ApiError(code, message, refused=unsent, lasting=error.lasting, attempts=attempt)
        return Failure("unsent" if unsent else "lost", failure, safe and not error.lasting)

    def html(self, request: Request, response: Response, now: float) -> Failure:
        """Return the failure for an HTML page: throttling (instead of 429), or a page of a gateway."""
        page = response.text.lower()
        if any(word in page for word in self._service.throttling.html_words):
            said, refused = "asks for fewer requests (an HTML page)", 300 <= response.status < 500
            error = self.api_error("rate_limited", request, response, said, refused)
            self._learn_limit(response)
            return Failure("throttled", error, request.repeatable)
        if not 200 <= response.status < 300:
            return self.error_response(request, response, now)
        error = self.api_error("bad_response", request, response, "sent an HTML page instead of JSON")
        return Failure("html", error, False)

    def _learn_limit(self, response: Response) -> None:
        """Apply the rate limit that a response about too many requests reports."""
        says, limit = self._service.throttling.says, self._pacer.limit
        if says and limit:
            limit.learn(says, response.text)

    def is_document(self, response: Response) -> bool:
        """Return whether an HTML response is the requested file and not a (short) page about throttling."""
        page = response.text.lower() if len(response.body) < _MAX_THROTTLE_PAGE_LENGTH else ""
        return response.status < 300 and not any(word in page for word in self._service.throttling.html_words)

    def error_response(self, request: Request, response: Response, now: float) -> Failure:
        """Return the failure that a response reports, as the service declares its errors."""
        errors, status = self._service.errors, response.status
        # Hide secrets before cutting the text, because a part of a secret would not be recognized.
        shown = replace(response, body=response.hide(response.text).encode())
        vendor_code, said = read_error(self._service, shown)
        code: Code = errors.codes.get(vendor_code) or errors.statuses.get(status) or "api_error"
        if 300 <= status < 400:
            place = response.headers.get("location", "nowhere")
            said = f"redirects to {place}; check base_url of the connection"
        hint = errors.hints.get(vendor_code) or errors.hints.get(code, "")
        if status == 404 and vendor_code in ("", *errors.generic):
            hint = "This instance may not offer the operation"
        if code == "forbidden":
            said += self._lacking_scope(request)
        # With an error code that the service declares, the request was refused, whatever the status.
        refused = status < 500 or vendor_code in errors.codes
        error = self.api_error(code, request, response, f"{said}. {hint}" if hint else said, refused)
        if status in self._service.throttling.statuses:
            wait_s = retry_after_s(response, now)
            self._learn_limit(response)
            return Failure("throttled", error, wait_s is None or wait_s <= MAX_WAIT_S, wait_s)
        expired = self._service.sign_in.expired
        if vendor_code in expired if status < 300 else status == 401 and vendor_code in ("", *expired):
            return Failure("expired", error, False)
        may_repeat = request.repeatable and (not refused or status in _NOT_YET)
        return Failure("server", error, may_repeat)

    def _lacking_scope(self, request: Request) -> str:
        """Return a sentence on the scope that a request needs and its token lacks; or an empty string.

        Also deletes the saved token, so that the next run gets one with the scopes that the app has then.
        """
        scopes, needed = self._auth.scopes, self._service.sign_in.needs.get(request.effect, "")
        if not scopes or not needed or needed in scopes:
            return ""
        self._auth.forget()
        return f'. The token carries the scopes "{" ".join(scopes)}" and lacks "{needed}"'

    def api_error(
        self, code: Code, request: Request, response: Response, said: str, refused: bool = False
    ) -> ApiError:
        """Return the error for a response. If a write may have taken effect, the message says so."""
        message = f"{request}: the API answered {response.status}: {said}"
        if not refused and not request.repeatable:
            message += _IN_DOUBT
            code = "outcome_unknown" if response.status in (502, 504) else code
        return ApiError(
            code,
            response.hide(message),
            refused=refused,
            status=response.status,
            request_id=response.request_id,
            attempts=response.attempts,
        )
