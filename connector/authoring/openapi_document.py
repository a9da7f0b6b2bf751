"""Read a vendor's OpenAPI document, JSON or YAML, from a file or a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connector.common import json_text, strict_yaml
from connector.common.json_text import kind
from connector.connections.connection import Connection
from connector.errors import RunError, TransportError
from connector.http.messages import USER_AGENT, Response, escape_target
from connector.http.transport import HttpTransport

_TIMEOUT_S = 60.0


def read_document(place: str) -> dict[str, Any]:
    """Return the document in a file or at a URL. Raises RunError if it cannot be read or is not OpenAPI 3."""
    if place.startswith(("https://", "http://")):
        return _parsed(_fetched(place), place)
    try:
        return _parsed(Path(place).read_bytes(), place)
    except OSError as error:
        raise RunError(f"{place}: cannot be read: {error}") from error


def instance_document(connection: Connection, path: str) -> dict[str, Any]:
    """Return the OpenAPI document that an instance serves without a sign-in. Raises RunError."""
    transport = HttpTransport(
        connection.base_url,
        timeout_s=connection.timeout_s,
        verify_tls=connection.verify_tls,
        ca_file=connection.ca_file,
        proxy=connection.proxy,
    )
    return _parsed(_content(transport, path, connection.base_url + path), connection.base_url + path)


def _fetched(url: str) -> bytes:
    parts = urlsplit(url)
    transport = HttpTransport(f"{parts.scheme}://{parts.netloc}", timeout_s=_TIMEOUT_S)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return _content(transport, escape_target(target), url)


def _content(transport: HttpTransport, target: str, url: str) -> bytes:
    try:
        headers = {"accept": "application/json, application/yaml;q=0.9", "user-agent": USER_AGENT}
        response: Response = transport.send("GET", target, headers, None)
    except TransportError as error:
        raise RunError(f"{url}: {error}") from error
    if response.status != 200:
        raise RunError(f"{url}: the server returned status {response.status}")
    return response.body


def _parsed(content: bytes, place: str) -> dict[str, Any]:
    try:
        text = content.decode("utf-8-sig")
        is_json = text.lstrip()[:1] == "{"
        document = json_text.loads(text) if is_json else strict_yaml.parse_json_like(text, place)
    except ValueError as error:
        raise RunError(f"{place}: not JSON or YAML: {error}") from error
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict) or "openapi" not in document:
        raise RunError(f"{place}: not an OpenAPI 3 document, but {kind(document)}")
    found: dict[str, Any] = document
    return found
