"""Describes, previews and calls actions by the Python library. It blocks while it waits."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connector.callers.access import Caller
from connector.callers.problems import stopping
from connector.callers.running import Running
from connector.callers.sessions import Sessions
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.input_schema import input_schema
from connector.common import json_text
from connector.common.json_text import Json
from connector.common.redaction import HIDDEN
from connector.connections.connection import Connection
from connector.errors import InputError, RunError, count_of
from connector.library.audited import audited
from connector.library.session import Session
from connector.mcp.arguments import Call
from connector.mcp.results import capped
from connector.mcp.settings import Settings

logger = logging.getLogger(__name__)
_MAX_QUESTION_LENGTH = 2000
"""The maximum length of the inputs in a question, in characters."""


CHANGED = "the connection was changed after the person was asked. Nothing was sent; call the tool again"


@dataclass(frozen=True)
class Question:
    """What the person is asked, and a digest of its subject, to which the answer is bound."""

    text: str
    subject: str


class Actions:
    """The actions of a server over its connections."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._settings = settings
        self._sessions = Sessions(catalog, self._settings)
        self._running, self._is_stopping = Running(), threading.Event()

    def describe(self, action: Action) -> dict[str, Json]:
        """Return what an action does, and the JSON Schema of its inputs."""
        returns = "a list" if action.returns_list else "a file" if action.returns_file else "a value"
        described: dict[str, Any] = {
            "name": action.name,
            "service": action.service,
            "area": action.area,
            "effect": action.effect_name,
            "idempotent": action.idempotent,
            "request": f"{action.method} {action.path}",
            "returns": "nothing" if action.result in (None, "none") else returns,
            "inputs": input_schema(action, names=True),
        }
        return {**described, "notice": action.notice} if action.notice else described

    def preview(self, caller: Caller, call: Call) -> dict[str, Json]:
        """Return the request of a call. Nothing is sent. Raises ConnectorError, as for a call."""
        with self._session(caller, call) as session:
            return session.preview(call.action.name, **_keywords(call))

    def question(self, caller: Caller, call: Call) -> Question:
        """Return what the person is asked to confirm. Raises ConnectorError if nothing can be sent."""
        action = call.action
        with self._session(caller, call) as session:
            request = session.preview(action.name, **_keywords(call))
        secret = {given.name for given in action.secret_inputs}
        shown = {name: HIDDEN if name in secret else value for name, value in call.inputs.items()}
        inputs = json_text.dumps(shown)
        if len(inputs) > _MAX_QUESTION_LENGTH:
            inputs = f"{inputs[:_MAX_QUESTION_LENGTH]}... ({count_of(len(inputs), 'character')} in total)"
        host = urlsplit(session.connection.base_url).netloc
        where = f"{session.connection.name} ({host})" if session.connection.name else host
        lines = [
            f"{action.title}: this is destructive. {action.summary}",
            f"Action: {action.name}",
            f"Connection: {where}",
            f"Request: {request['method']} {request['url']}",
            f"Inputs: {inputs}",
            "Send it?",
        ]
        return Question("\n".join(map(_printable, lines)), _subject(call, session.connection))

    def call(self, caller: Caller, call: Call, confirmed: str = "") -> dict[str, Json]:
        """Return the envelope of a call, with a capped list. `confirmed` is the subject of a question.

        Raises ConnectorError, before anything is sent, if the caller has no right, or the connection or an
        input is not valid. Raises RunStoppedError if the audit log or a file cannot be written: its message
        says whether a request was sent.
        """
        with self._running, self._session(caller, call) as session:
            if self._is_stopping.is_set():
                raise stopping()
            if confirmed and confirmed != _subject(call, session.connection):
                raise RunError(CHANGED)
            invoker = session.invoker(call.action.name)  # remembers a refused sign-in
            (envelope,) = audited(invoker.envelopes(1, _keywords(call)), invoker.client)
            code = envelope.meta["code"]
            if code == "auth_failed":
                self._sessions.refused(session)
        logger.info("%s: %s", call.action.name, code or "succeeded")
        return capped(envelope, call.limit)

    def _session(self, caller: Caller, call: Call) -> AbstractContextManager[Session]:
        caller.require(call.action)
        self._settings.require_folder(call.action, call.inputs)
        return self._sessions.using(call.action, caller.rights, None)

    def finish(self) -> None:
        """Refuse further calls, and wait for those in progress."""
        self._is_stopping.set()
        self._running.wait()

    def close(self) -> None:
        """Finish the calls in progress, and close the connections."""
        self.finish()
        self._sessions.close()


def _subject(call: Call, connection: Connection) -> str:
    """Return a digest of what the person confirms: the action, its inputs, and the account they reach.

    The order of the inputs does not matter, as a client can send them in another one with the answer.
    """
    text = json.dumps([call.action.name, call.inputs, *connection.identity], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _keywords(call: Call) -> dict[str, Any]:
    """Return the inputs as keywords. Raises InputError for a name that is not that of an input."""
    for name in call.inputs:
        if name not in call.action.inputs:
            raise InputError("input_invalid", call.action.no_input(name))
    return call.inputs


def _printable(text: str) -> str:
    """Return a text without characters that could hide or reorder the rest of a question."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def require_read(action: Action, tool: str) -> None:
    """Raise RunError for an action that does not only read."""
    if action.effect != "read":
        raise RunError(f'{action.name} has the effect "{action.effect_name}": use {tool}. Nothing was sent')
