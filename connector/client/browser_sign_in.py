"""Signs in a user with a browser on this machine: authorization code with PKCE, loopback redirect.

Sources: RFC 6749 (4.1), RFC 7636 (PKCE), RFC 8252 (7.3, loopback redirects). RFC 8252 allows any loopback
port; the port is fixed here, because some services require the exact redirect URI.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from queue import Empty, Queue
from socketserver import TCPServer, ThreadingMixIn
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from connector.catalog.service import Service, SignIn
from connector.client.token_endpoint import TokenEndpoint
from connector.common.listening import LOOPBACK, netloc
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.errors import ConnectionSetupError, RowError, shorten
from connector.http.messages import Transport

PORT = 28765
"""The default port of the redirect URI. Operating systems use higher ports for outgoing connections."""
PATIENCE_S = 300.0
"""The time that the user has to sign in, in seconds."""
_SLICE_S = 0.2
_CALLER_S = 10.0
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign-in</title>
<body style="font-family: sans-serif; margin: 4em auto; max-width: 30em"><p>{}</p></body></html>
"""


def sign_in(
    service: Service,
    connection: Connection,
    transport: Transport,
    *,
    say: Callable[[str], None],
    port: int = PORT,
    open_browser: Callable[[str], object] = webbrowser.open,
) -> str:
    """Let the user sign in with a browser, and return the refresh token.

    `open_browser` opens the address; `say` prints it, so that the user can also open it. Raises
    ConnectionSetupError if the sign-in fails.
    """
    if not service.sign_in.authorize_path:
        raise ConnectionSetupError(
            f"{service.title} does not support sign-in with a browser: use the app's client secret"
        )
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
    with _listening(port, state) as listener:
        redirect_uri = f"http://{netloc(LOOPBACK, listener.port)}/"
        scope = _scope(service.sign_in, connection)
        address = _address(service, connection, redirect_uri, scope, state, verifier)
        say(_invitation(service.sign_in, address, redirect_uri))
        threading.Thread(target=_open, args=(open_browser, address), daemon=True).start()
        response = listener.wait_for_response()
    if response is None:
        raise ConnectionSetupError(
            f"no sign-in within {PATIENCE_S / 60:g} minutes. If the browser showed an error, check "
            f"whether the client app has exactly {redirect_uri} among its redirect URIs. "
            f"{service.sign_in.app}"
        )
    if "error" in response:
        raise ConnectionSetupError(_refusal(service.sign_in, response, scope))
    code = response["code"]
    redactor = Redactor(connection.secrets)
    redactor.add(code)
    redactor.add(verifier)
    endpoint = TokenEndpoint(service, connection, transport, redactor)
    try:
        granted = endpoint.ask(
            "authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier
        )
    except RowError as error:
        raise ConnectionSetupError(str(error)) from error
    if not granted.refresh_token:
        raise ConnectionSetupError(
            f"{service.title} returned no refresh token, without which you would have to sign in every hour. "
            f"{service.sign_in.app}"
        )
    return granted.refresh_token


def _scope(about: SignIn, connection: Connection) -> str:
    scopes = connection.scope.split() or list(about.user_scopes)
    return " ".join(dict.fromkeys([*scopes, about.offline_scope])).strip()


def _address(
    service: Service, connection: Connection, redirect_uri: str, scope: str, state: str, verifier: str
) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": connection.client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{connection.base_url}{service.sign_in.authorize_path}?{urlencode(query, quote_via=quote)}"


def _invitation(about: SignIn, address: str, redirect_uri: str) -> str:
    return (
        "sign in with the browser that opens now. If none opens, open this address on this machine:\n\n"
        f"{address}\n\n"
        f"The client app needs exactly {redirect_uri} among its redirect URIs (--browser-port changes the "
        f"port). {about.app}. You have {PATIENCE_S / 60:g} minutes to sign in; press Ctrl-C to cancel"
    )


def _open(open_browser: Callable[[str], object], address: str) -> None:
    """Open the browser. If there is none, the user can open the printed address."""
    with suppress(webbrowser.Error, OSError):
        open_browser(address)


def _refusal(about: SignIn, response: Mapping[str, str], scope: str) -> str:
    parts = (response["error"], response.get("error_description", ""))
    said = shorten(": ".join("".join(filter(str.isprintable, part)) for part in parts if part))
    message = f"the browser returned an error ({said})"
    if reason := about.errors.get(response["error"]):
        message += f": {reason}"
    return (
        f"{message}. Requested scopes: {scope}; use --scope to request others" if "scope" in said else message
    )


class _Listener(ThreadingMixIn, TCPServer):
    """An HTTP server on the loopback interface that receives the redirect of the browser.

    It uses threads, because browsers also open connections on which they send nothing.
    """

    daemon_threads = True
    # On POSIX, this allows reusing the port at once. On Windows, other programs could listen on it, too.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int, state: str) -> None:
        self.state = state
        self.responses: Queue[dict[str, str]] = Queue()
        super().__init__((LOOPBACK, port), _Handler)
        self.port = int(self.server_address[1])

    def wait_for_response(self) -> dict[str, str] | None:
        """Return the query parameters of the redirect, or None if the time limit was reached."""
        end = monotonic() + PATIENCE_S
        while (left := end - monotonic()) > 0:
            with suppress(Empty):  # The wait is short, so that Ctrl-C works on every system.
                return self.responses.get(timeout=min(left, _SLICE_S))
        return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors, such as a client that disconnects."""


@contextmanager
def _listening(port: int, state: str) -> Iterator[_Listener]:
    try:
        listener = _Listener(port, state)
    except (OSError, OverflowError) as error:
        said = (isinstance(error, OSError) and error.strerror) or error
        raise ConnectionSetupError(
            f"cannot listen on port {port} for the redirected browser: {said}. Stop the program "
            "that uses it, or use another --browser-port and change the client app's redirect URI to match"
        ) from error
    with listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            listener.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Accepts the redirect of the current sign-in, and refuses all other requests."""

    server: _Listener
    timeout = _CALLER_S

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        pairs = parse_qsl(query)
        response = dict(pairs)
        state = response.pop("state", "").encode()
        is_ours = (
            secrets.compare_digest(state, self.server.state.encode()) and len(pairs) == len(response) + 1
        )
        if path != "/":
            self._show(404, "Not found.")
        elif not is_ours or not response.keys() & {"code", "error"}:
            self._show(400, "This request does not belong to the sign-in in progress.")
        else:
            self._show(200, "Thank you. You can close this window; the terminal shows the result.")
            self.server.responses.put(response)

    def _show(self, status: int, text: str) -> None:
        page = _PAGE.format(text).encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(page))),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def version_string(self) -> str:
        """Return a server name without Python's version."""
        return "sign-in"

    def log_message(self, *_: object) -> None:
        """Log nothing, because the request contains the authorization code."""
