"""Who sends a request, and what it may call.

Without any key, requests are accepted from this machine only. A page in a browser cannot send one: the Host
header must be a name of this machine, which a host name that resolves to 127.0.0.1 (DNS rebinding) is not,
and browsers send JSON to another site only with its consent, which this server never gives. Headers of
proxies cannot replace the Host header: a request with one of them can come from another machine, and needs a
key.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from connector.callers.keys import Keys, Rights
from connector.callers.problems import ProblemError, unauthorized
from connector.callers.settings import CallSettings
from connector.catalog.action import Action
from connector.common.listening import LOOPBACK_HOSTS
from connector.errors import RunError

logger = logging.getLogger(__name__)

_OF_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto")
WITHOUT_KEY = Rights(effects=("read", "write"))
"""The rights of a request without a key: a destructive action always requires one."""
KEY_HEADER = "X-API-Key"


@dataclass(frozen=True)
class Caller:
    """The name of a request's key (empty without one), and its rights."""

    key: str
    rights: Rights

    def require(self, action: Action) -> None:
        """Raise ProblemError (403) if the action may not be called."""
        if self.rights.allows(action):
            return
        who = f'the key "{self.key}"' if self.key else "a request without a key"
        if not self.rights.allows_name(action.name):
            raise ProblemError(403, f"{who} has no right to call {action.name}")
        raise ProblemError(
            403, f'{action.name} has the effect "{action.effect}", for which {who} has no right'
        )


class Headers(Protocol):
    """The headers of a request, by name in any case."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a header, or None."""
        ...


def caller_of(headers: Headers, keys: Keys, settings: CallSettings) -> Caller:
    """Return who sends a request with these headers. Raises ProblemError (401, 403, 500)."""
    try:
        return _caller_of(headers, keys, settings)
    except RunError as error:
        logger.error("the keys cannot be read: %s", error)
        raise ProblemError(500, "the keys cannot be read: see the log of the server") from error


def _caller_of(headers: Headers, keys: Keys, settings: CallSettings) -> Caller:
    secret = _secret(headers)
    if secret is not None:
        key = keys.find(secret)
        if key is None:
            raise unauthorized("the key is not valid: it is mistyped, or was removed")
        return Caller(key.name, key.rights)
    if settings.requires_key or keys.are_required():
        raise unauthorized(f"send a key as `Authorization: Bearer KEY` or `{KEY_HEADER}: KEY`")
    if any(headers.get(name) is not None for name in _OF_PROXIES):
        raise ProblemError(403, "a request that comes through a proxy needs a key")
    host = headers.get("Host") or ""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    if name not in LOOPBACK_HOSTS:
        raise ProblemError(403, "a request without a key must use the host 127.0.0.1 or localhost")
    return Caller("", WITHOUT_KEY)


def _secret(headers: Headers) -> str | None:
    """Return the secret that a request sends, or None. Raises ProblemError for another scheme."""
    given = headers.get("Authorization")
    if given is None:
        return headers.get(KEY_HEADER)
    scheme, _, secret = given.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise unauthorized("the header Authorization must be `Bearer KEY`")
    return secret.strip()
