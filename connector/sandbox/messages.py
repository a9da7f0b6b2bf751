"""The requests that a mock server receives, and the responses that it sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast
from urllib.parse import parse_qsl

from werkzeug.http import parse_options_header

from connector.sandbox.wsgi_server import HANG_UP


class ServerRequest:
    """A WSGI request. The path stays escaped; the body is read on first use."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        target: str = environ["REQUEST_URI"]
        # the request target can be an absolute URL, as clients send it to proxies
        if not target.startswith("/"):
            target = "/" + target.partition("://")[2].partition("/")[2]
        self.path, _, self.query_text = target.partition("?")
        self.query = dict(parse_qsl(self.query_text))
        self.content_type: str = environ.get("CONTENT_TYPE", "")
        self.media_type = parse_options_header(self.content_type)[0].lower()
        self.authorization: str | None = environ.get("HTTP_AUTHORIZATION")

    @property
    def base_url(self) -> str:
        """The scheme, host and port of the server, without a slash at the end."""
        environ = self._environ
        return f"{environ['wsgi.url_scheme']}://{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"

    @cached_property
    def body(self) -> bytes:
        """The complete body of the request."""
        return cast(bytes, self._environ["wsgi.input"].read())

    def header(self, name: str) -> str:
        """Return a header by its CGI name, such as `USER_AGENT`, or an empty string."""
        return str(self._environ.get(f"HTTP_{name}", ""))

    def hang_up(self) -> None:
        """Close the connection after the response, without a `Connection: close` header."""
        self._environ[HANG_UP] = True


@dataclass(frozen=True)
class ServerResponse:
    """The response to send: status, headers and body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> ServerResponse:
    """Return a response with a JSON body in ASCII, which can represent lone surrogates in the data."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return ServerResponse(status, {"Content-Type": "application/json", **(headers or {})}, body)
