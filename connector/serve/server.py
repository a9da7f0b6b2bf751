"""Starts the HTTP server, or returns the application for another server."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from connector.catalog.catalog import Catalog
from connector.common.listening import netloc
from connector.connections.settings import absolute_file
from connector.errors import RunError
from connector.http.waitress_server import Listener, open_listener
from connector.runs.job import DelayMs
from connector.serve.app import Application
from connector.serve.bodies import Limits
from connector.serve.settings import Settings
from connector.serve.turns import THREADS


def create_app(
    connections: Sequence[str] = (),
    *,
    delay_ms: DelayMs | None = None,
    audit: str | None = None,
    uploads: str | None = None,
    files: str | None = None,
    actions: str | None = None,
    allow_handlers: bool = False,
    max_body_mb: float = Limits.body / (1 << 20),
    max_rows: int = Limits.rows,
    max_wait_s: float = Settings.max_wait_s,
) -> Application:
    """Return the WSGI application for a server such as gunicorn. Every request needs a key.

    The arguments are the options of `ninjaone serve`.
    """
    settings = Settings(
        connections=tuple(map(absolute_file, connections)),
        delay_ms=delay_ms,
        audit=Path(audit) if audit else None,
        uploads=Path(uploads) if uploads else None,
        files=Path(files) if files else None,
        limits=Limits.of(max_body_mb, max_rows),
        max_wait_s=max_wait_s,
    )
    catalog = Catalog(own=Path(actions) if actions else None, allow_handlers=allow_handlers)
    return Application(settings, catalog)


def listen(application: Application, settings: Settings, host: str, port: int) -> Listener:
    """Return a server that listens on an address; port 0 selects a free port. Raises RunError."""
    try:
        logging.getLogger("waitress").setLevel(logging.CRITICAL)  # the application logs its own errors
        return open_listener(
            application,
            host,
            port,
            threads=THREADS,
            most_bytes=settings.limits.body,
            channel_request_lookahead=1,  # to notice callers that close the connection
        )
    except ImportError:
        raise RunError(
            "serving actions requires the package waitress: install ninjaone-connector[serve]"
        ) from None
    except OSError as error:
        raise RunError(f"{netloc(host, port)}: cannot be used: {error}") from error
