"""The address of a Temporal server, such as `temporal://localhost:7233/default?task_queue=billing`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from connector.errors import RunError

SCHEME = "temporal"
PORT = 7233
NAMESPACE = "default"
_FORM = "temporal://HOST:PORT/NAMESPACE?task_queue=NAME"


@dataclass(frozen=True)
class Address:
    """A task queue of a namespace of a Temporal server. `host` has its port: `localhost:7233`."""

    host: str
    namespace: str
    task_queue: str

    def __str__(self) -> str:
        return f"{SCHEME}://{self.host}/{self.namespace}?task_queue={self.task_queue}"


def read_address(text: str, task_queue: str) -> Address:
    """Return the address in a URL; `task_queue` is used if it names none. Raises RunError."""
    if "@" in text:  # anywhere, because the parts of an invalid URL can be misread
        raise RunError(
            f"the address of the Temporal server has the form {_FORM}, without credentials: set the "
            "environment variable TEMPORAL_API_KEY, or those of a client certificate (TEMPORAL_TLS_...)"
        )
    try:
        parts = urlsplit(text)
        port = parts.port or PORT
        query = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
    except ValueError as error:
        raise RunError(f"{text}: is not the address of a Temporal server, {_FORM}: {error}") from None
    is_malformed = parts.netloc.endswith(":") or parts.port == 0 or "/" in parts.path.strip("/")
    if parts.scheme != SCHEME or not parts.hostname or is_malformed:
        raise RunError(f"{text}: is not the address of a Temporal server, {_FORM}")
    if unknown := sorted({name for name, _ in query} - {"task_queue"}):
        raise RunError(f"{text}: {unknown[0]} is not a setting of the address, {_FORM}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    namespace = unquote(parts.path.strip("/")) or NAMESPACE
    return Address(f"{host}:{port}", namespace, dict(query).get("task_queue") or task_queue)
