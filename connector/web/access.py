"""Access control: only the browser that opened the printed address, and only pages of this server.

Threats and their countermeasures:

- other users of this machine, and pages of other sites: each request needs the token from the address, or the
  session cookie that replaces it (`SameSite=Strict`: browsers do not send it for another site's page);
- a host name that resolves to 127.0.0.1 (DNS rebinding): the Host header must be 127.0.0.1 or localhost;
- pages of other servers on this machine, for which browsers do send the cookie: a POST requires this server's
  Origin and a CSRF token, and `Cross-Origin-Resource-Policy` prevents embedding of responses;
- injected content: the Content-Security-Policy allows no inline scripts or styles and no other hosts.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from markupsafe import escape
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from connector.common.listening import LOOPBACK

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

View = Callable[[Request], Response]
"""A function that returns the response to a request that has passed the access checks."""

CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf_token"
"""The names of the header and of the form field that contain the CSRF token of a POST."""

MAX_SENT = 64 * 2**20
"""The maximum size of a request body, in bytes. Uploaded files of rows are the largest requests."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""The headers of every response."""

_COME_IN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Action catalog</title>
<link rel="icon" href="data:,">
<meta http-equiv="refresh" content="0; url={target}"></head>
<body><p><a href="{target}">Open the catalog</a></p></body></html>
"""


class AccessControl:
    """The WSGI application: passes requests that pass the access checks to `view`.

    `token` is valid as long as the server runs; `ticket` is valid once. The command passes the ticket to the
    browser that it starts, because other users of the machine can read the arguments of a process.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.token, self.ticket, self.csrf_token = (secrets.token_urlsafe(32) for _ in range(3))
        self._session = secrets.token_urlsafe(32)
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Return the response to one request, as WSGI requires."""
        request = Request(environ)
        request.max_content_length = MAX_SENT
        try:
            response = self._answer(request)
        except HTTPException as error:
            response = refusal(error.code or 500, error.description or error.name)
        except Exception:
            logger.debug("%s %s failed", request.method, request.path, exc_info=True)
            response = refusal(500, "Internal error in the connector.")
        response.headers.update(HEADERS)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if _host(request)[0] not in (LOOPBACK, "localhost"):
            return refusal(403, "This server accepts requests to 127.0.0.1 only.")
        if "token" in request.args and request.method == "GET":
            return self._let_in(request)
        if not _same(request.cookies.get(_cookie(request), ""), self._session):
            return refusal(403, "Open the address that the command printed: it contains the token.")
        if request.method not in ("GET", "HEAD", "POST"):
            return refusal(405, "This method is not allowed.")
        if request.headers.get("Transfer-Encoding"):
            return refusal(411, "The request has no Content-Length header.")
        if (request.content_length or 0) > MAX_SENT:
            return refusal(413, f"A request can have at most {MAX_SENT >> 20} MiB.")
        if request.method == "POST" and not self._is_ours(request):
            return refusal(403, "This request is not from a page of this server. Reload the page.")
        return self.view(request)

    def _let_in(self, request: Request) -> Response:
        """Return a page that sets the session cookie and opens the same address without the token.

        It is not a redirect, because if a link on another site led here, browsers would not send the cookie
        with the redirected request.
        """
        if not self._opens(request.args["token"]):
            return refusal(403, "This token is not valid, or has expired. Open the address in your terminal.")
        others = [(name, value) for name, value in request.args.items(multi=True) if name != "token"]
        target = request.path + (f"?{urlencode(others)}" if others else "")
        response = Response(_COME_IN.format(target=escape(target)), mimetype="text/html")
        response.set_cookie(_cookie(request), self._session, httponly=True, samesite="Strict")
        return response

    def _opens(self, given: str) -> bool:
        if _same(given, self.token):
            return True
        with self._lock:
            fits = bool(self.ticket) and _same(given, self.ticket)
            if fits:
                self.ticket = ""
        return fits

    def _is_ours(self, request: Request) -> bool:
        """Return whether a POST comes from a page of this server."""
        if request.headers.get("Origin") != request.host_url.rstrip("/"):
            return False
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return False
        given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
        return _same(given, self.csrf_token)


def refusal(status: int, why: str) -> Response:
    """Return a plain-text error response with a reason."""
    return Response(why + "\n", status, mimetype="text/plain")


def _host(request: Request) -> tuple[str, int]:
    """Return the host name and port of the Host header; an empty name if it is not valid."""
    try:
        parts = urlsplit(f"//{request.host}")
        return parts.hostname or "", parts.port or 80
    except ValueError:
        return "", 0


def _cookie(request: Request) -> str:
    """Return the cookie's name. It contains the port, because browsers share cookies between ports."""
    return f"catalog-{_host(request)[1]}"


def _same(one: str, other: str) -> bool:
    """Return whether two texts are equal, in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
