"""The catalog's HTTP server on the loopback interface."""

from __future__ import annotations

import os
import socket
import threading
import webbrowser
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from connector.catalog.catalog import Catalog
from connector.common.listening import LOOPBACK, bound, netloc
from connector.errors import RunError
from connector.web.access import AccessControl
from connector.web.app import make_site
from connector.web.wsgi_server import BoundedServer, QuietHandler

_POLL_S = 0.05
_IN_THE_TERMINAL = ("GenericBrowser", "Elinks")
"""The classes with which Python's `webbrowser` starts text-mode browsers such as w3m and lynx."""


class CatalogServer:
    """The catalog's HTTP server. It listens as soon as it is created, so that `address` is known.

        with CatalogServer() as server:
            webbrowser.open(server.address)

    `port` 0 selects a free port. All actions are loaded before the first request. Raises RunError if the port
    is in use, a declaration is not valid, or one of the folders in `syncs` is not a sync.
    """

    def __init__(self, port: int = 0, catalog: Catalog | None = None, syncs: Iterable[Path] = ()) -> None:
        self.site = make_site(catalog or Catalog(), syncs)
        self.access = AccessControl(self.site)
        self.site.csrf_token = self.access.csrf_token
        self.site.load()
        with _listen(port) as listener:
            # With a listening socket, werkzeug does not bind a port; if the port is in use, it would exit.
            self._server = BoundedServer(
                LOOPBACK, listener.getsockname()[1], self.access, QuietHandler, fd=listener.fileno()
            )
        self.url = f"http://{netloc(LOOPBACK, self._server.port)}/"
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """The address of the first page, with the token, which is valid as long as the server runs."""
        return f"{self.url}?token={self.access.token}"

    def open_browser(self) -> None:
        """Open the address in the default browser, if there is one, with a token that is valid once.

        A text-mode browser is not started unless the environment variable BROWSER names it.
        """
        with suppress(webbrowser.Error):
            browser = webbrowser.get()
            if type(browser).__name__ in _IN_THE_TERMINAL and "BROWSER" not in os.environ:
                return
            address = f"{self.url}?token={self.access.ticket}"
            # A separate thread, because some browsers block until they are closed.
            threading.Thread(target=browser.open, args=(address,), daemon=True).start()

    def serve_forever(self) -> None:
        """Serve requests in this thread until Ctrl-C."""
        try:
            self._server.serve_forever(_POLL_S)
        finally:
            self.site.close()

    def __enter__(self) -> CatalogServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._thread:
            self._thread.join()
        self.site.close()


def _listen(port: int) -> socket.socket:
    try:
        listener = bound(LOOPBACK, port)
    except OSError as error:
        raise RunError(f"the catalog cannot be served on port {port}: {error}") from error
    listener.listen(128)
    return listener
