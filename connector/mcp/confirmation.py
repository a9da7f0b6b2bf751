"""Confirmation of a destructive call by the person, in both eras of the protocol. The model cannot confirm.

Until 2025-11-25, the server asks during the call. From 2026-07-28 on, it returns the question, and the client
repeats the call with the answer. `RequestStateBoundary` of the SDK encrypts the state of that question and
binds it to the tool, its arguments and the caller; a state is good for one answer. In both, the answer is
also bound to the connection, which can be edited in the meantime.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequestParams,
    ClientCapabilities,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from connector.errors import RunError
from connector.mcp.actions import CHANGED, Question

ANSWER_S = 600.0
"""How long a person can take for an answer, in seconds, if the client repeats the call with it."""
_KEY = "confirmation"
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "confirm": {
            "type": "boolean",
            "title": "Confirm",
            "description": "Set this to send the request.",
            "default": False,
        }
    },
    "required": ["confirm"],
}


def boundary(name: str) -> RequestStateBoundary:
    """Return the middleware that protects the states of questions, with a key of this process."""
    return RequestStateBoundary(RequestStateSecurity.ephemeral(ttl=ANSWER_S), default_audience=name)


@dataclass(frozen=True)
class _Asked:
    """An open question: the time until which it can be answered, and the digest of its subject."""

    until: float
    subject: str


class Confirmations:
    """Asks the person, and accepts each answer once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, _Asked] = {}

    async def require(
        self, context: ServerRequestContext[Any, Any], params: CallToolRequestParams, question: Question
    ) -> InputRequiredResult | None:
        """Return None if the person has confirmed, or the result that makes the client ask.

        Raises RunError if the person has not confirmed, or cannot be asked.
        """
        if not _can_ask(context.session.client_capabilities):
            raise RunError(_cannot_ask("this client cannot ask the person (it has no form elicitation)"))
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return self._answered_or_asked(params, question)
        try:
            answer = await context.session.elicit_form(question.text, _FORM, context.request_id)
        except MCPError as error:
            raise RunError(_cannot_ask(f"the client could not ask the person: {error}")) from error
        _require_yes(answer)
        return None

    def _answered_or_asked(
        self, params: CallToolRequestParams, question: Question
    ) -> InputRequiredResult | None:
        answer = (params.input_responses or {}).get(_KEY)
        if params.request_state is None or answer is None:
            return self._asked(question)
        with self._lock:
            asked = self._open.pop(params.request_state, None)
        if asked is None:
            raise RunError("this confirmation was already used. Nothing was sent; call the tool again")
        _require_yes(answer)
        if asked.subject != question.subject:
            raise RunError(CHANGED)
        return None

    def _asked(self, question: Question) -> InputRequiredResult:
        state, now = secrets.token_urlsafe(16), time.monotonic()
        with self._lock:
            self._open = {key: asked for key, asked in self._open.items() if asked.until > now}
            self._open[state] = _Asked(now + ANSWER_S, question.subject)
        asked = ElicitRequest(params=ElicitRequestFormParams(message=question.text, requested_schema=_FORM))
        return InputRequiredResult(input_requests={_KEY: asked}, request_state=state)


def _can_ask(capabilities: ClientCapabilities | None) -> bool:
    """Return whether the client can show a form to the person; an empty capability means that it can."""
    found = capabilities.elicitation if capabilities else None
    return found is not None and (found.form is not None or found.url is None)


def _cannot_ask(reason: str) -> str:
    return (
        f"a destructive action requires a confirmation by the person, and {reason}. Nothing was sent. "
        "The person can start the server with --allow-destructive, which calls without asking"
    )


def _require_yes(answer: Any) -> None:
    """Raise RunError unless the answer is a confirmation."""
    if not isinstance(answer, ElicitResult) or answer.action == "cancel":
        raise RunError("not confirmed: the person gave no answer. Nothing was sent")
    if answer.action != "accept" or (answer.content or {}).get("confirm") is not True:
        raise RunError("not confirmed: the person declined. Nothing was sent")
