"""Signing in: OAuth 2.0 client credentials, or a ready bearer token.

A sign-in is no API request: it is neither paced nor counted. One at a time, renewed before it ends, kept
between runs in a file that only its user can read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

from filelock import FileLock

from connector import json_text
from connector.clock import Clock
from connector.connections import Connection
from connector.errors import NotSent, RowError, TransportError, shorten
from connector.http import USER_AGENT, Response, Transport
from connector.redact import Redactor
from connector.service import Service
from connector.state import write_whole

RENEW_BEFORE_S = 60.0
"""A token is renewed when it has less than this left, or less than a tenth of its life."""
TRIES = 3
"""How often a sign-in is tried while the service is busy or its answer gets lost."""


class Auth:
    """Gives the bearer token of a connection. Safe for threads and processes.

    `cache` is the file that keeps the token between runs; None keeps it in memory alone. `scopes` is what
    the latest token carries, as the sign-in said; empty when that is not known.
    """

    def __init__(
        self,
        service: Service,
        connection: Connection,
        transport: Transport,
        clock: Clock,
        redactor: Redactor,
        cache: Path | None = None,
    ) -> None:
        self._service, self._connection, self._transport = service, connection, transport
        self._clock, self._redactor, self._cache = clock, redactor, cache
        self.scopes: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._token = connection.access_token
        self._until = float("inf") if self._token else 0.0
        self._refused: tuple[str, int] | None = None

    def token(self) -> str:
        """Give a token that is good for a while, signing in if need be.

        Raises RowError: `auth_failed` when the sign-in is refused (and then again without asking, as the
        answer would not change), or `network_error`, `timeout`, `bad_response`, `rate_limited`.
        """
        if self._clock.now() < self._until:
            return self._token
        return self._one_at_a_time(lambda: self._clock.now() < self._until)

    def renew(self, dead: str) -> str:
        """Give another token than `dead`, which the API has refused. Raises RowError as `token` does."""
        if self._connection.access_token:
            raise RowError("auth_failed", "the API refuses the connection's access_token: get a new one")
        return self._one_at_a_time(lambda: self._token != dead and self._clock.now() < self._until, dead)

    def _one_at_a_time(self, done: Callable[[], bool], dead: str = "") -> str:
        with self._lock:
            if done():
                return self._token
            if self._refused is not None:
                raise RowError("auth_failed", self._refused[0], status=self._refused[1])
            if self._cache is None:
                self._sign_in()
                return self._token
            with _held(FileLock(f"{self._cache}.lock", mode=0o600)):
                self._read_cache(self._cache)
                if not (self._token and self._token != dead and self._clock.now() < self._until):
                    self._sign_in()
                    self._write_cache(self._cache)
            return self._token

    def _sign_in(self) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                return self._ask()
            except RowError as error:
                final = error.code == "auth_failed" or isinstance(error.__cause__, NotSent)
                if final or attempt == TRIES:
                    raise
                self._clock.sleep(2.0 ** (attempt - 1))

    def _ask(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._connection.client_id,
            "client_secret": self._connection.client_secret,
        }
        if self._connection.scope:
            form["scope"] = self._connection.scope
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
            "user-agent": USER_AGENT,
        }
        sign_in = self._service.sign_in
        try:
            answer = self._transport.send("POST", sign_in.token_path, headers, urlencode(form).encode())
        except TransportError as error:
            raise RowError(error.code, f"signing in at {self._connection.base_url}: {error}") from error
        self._read_answer(answer)

    def _read_answer(self, answer: Response) -> None:
        body = self._body(answer)
        token = body.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not token:
            raise self._refusal(answer, body)
        life = body.get("expires_in")
        life_s = float(life) if isinstance(life, (int, float)) and life > 0 else 3600.0
        self._redactor.add(token)
        self._token, self.scopes = token, tuple(str(body.get("scope") or "").split())
        self._until = self._clock.now() + life_s - min(RENEW_BEFORE_S, life_s / 10)

    def _body(self, answer: Response) -> dict[str, object]:
        try:
            body = answer.json()
        except RowError:
            return {}
        return body if isinstance(body, dict) else {}

    def _refusal(self, answer: Response, body: dict[str, object]) -> RowError:
        vendor_code = str(body.get("error") or body.get("resultCode") or "")
        meaning = self._service.sign_in.errors
        reason = meaning.get(vendor_code) or meaning.get(answer.status)  # type: ignore[call-overload]
        said = "an HTML page" if answer.is_html else self._redactor.text(vendor_code or answer.text.strip())
        said = shorten(said or "nothing", 120)
        message = f"signing in at {self._connection.base_url} failed: it answered {answer.status} ({said})"
        if body.get("incidentId"):
            message += f", incident {body['incidentId']}"
        final = 400 <= answer.status < 500 and answer.status not in (408, 429)
        message = f"{message}: {reason}" if reason else message
        if final:
            self._refused = (message, answer.status)
        code = "auth_failed" if final else "rate_limited" if answer.status == 429 else "bad_response"
        return RowError(code, message, status=answer.status, vendor_code=vendor_code)

    def _read_cache(self, path: Path) -> None:
        try:
            kept = json_text.loads(path.read_text(encoding="utf-8"))
            token, until, scopes = kept["token"], float(kept["until"]), tuple(kept["scopes"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        if isinstance(token, str) and token and self._clock.now() < until:
            self._redactor.add(token)
            self._token, self._until, self.scopes = token, until, scopes

    def _write_cache(self, path: Path) -> None:
        """Write the token so that no reader sees half of it. A full disk costs a sign-in, not the run."""
        with suppress(OSError):
            kept = {"token": self._token, "until": self._until, "scopes": self.scopes}
            write_whole(path, json_text.dump_bytes(kept))


@contextmanager
def _held(lock: FileLock) -> Iterator[None]:
    """Hold a lock between processes; a folder that allows none costs a sign-in, not the run."""
    with suppress(OSError, NotImplementedError):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
