"""A listening HTTP server for a WSGI application: waitress, which only some extras install."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.common.listening import bound


class Listener:
    """A listening HTTP server that one thread runs and another thread closes."""

    def __init__(self, server: Any) -> None:
        self._server, self._is_closing = server, False
        self.effective_port: int = server.effective_port

    def run(self) -> None:
        """Serve requests until `close` is called."""
        try:
            self._server.run()
        except (OSError, ValueError):  # `close` closed the sockets while the server waited for requests.
            if not self._is_closing:
                raise

    def close(self) -> None:
        """Stop listening."""
        self._is_closing = True
        self._server.close()


def open_listener(
    application: Any, host: str, port: int, *, threads: int, most_bytes: int, **settings: Any
) -> Listener:
    """Return a server that listens on an address; port 0 selects a free port.

    It responds with 413 to bodies of more than `most_bytes`. `settings` are further ones of waitress. Raises
    ImportError if waitress is not installed, and OSError if the address cannot be used.
    """
    import waitress

    server = waitress.create_server(
        application,
        sockets=[bound(host, port)],
        threads=threads,
        ident=None,
        max_request_body_size=most_bytes + 1,
        channel_timeout=30,
        # The application reads the headers of proxies: waitress would replace the host by that of one.
        clear_untrusted_proxy_headers=False,
        **settings,
    )
    return Listener(server)


def is_gone(environ: Mapping[str, Any]) -> bool:
    """Return whether the client of a request has closed the connection.

    It is noticed with the setting `channel_request_lookahead` only, and never with another server.
    """
    check = environ.get("waitress.client_disconnected")
    return bool(check and check())
