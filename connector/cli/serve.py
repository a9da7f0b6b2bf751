"""The `serve` command: actions over HTTP, for other programs."""

from __future__ import annotations

import argparse

from connector.catalog.catalog import Catalog
from connector.cli.action_sources import add_own_actions, open_catalog
from connector.cli.serving import about_keys, add_address, add_calls, call_settings, serve_until_stopped
from connector.common.listening import netloc
from connector.errors import count_of

PORT = 8700


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone serve`."""
    add_address(parser, PORT)
    add_calls(parser)
    parser.add_argument(
        "--max-body-mb",
        metavar="MB",
        type=float,
        default=64.0,
        help="maximum size of a body in MiB (default: 64)",
    )
    parser.add_argument(
        "--max-rows", metavar="N", type=int, default=100_000, help="maximum rows of a body (default: 100000)"
    )
    parser.add_argument(
        "--max-wait",
        metavar="SECONDS",
        type=float,
        default=30.0,
        help="maximum time that a request waits for its turn, before it gets the status 429 (default: 30)",
    )
    add_own_actions(parser)
    parser.set_defaults(command=_serve)


def _serve(options: argparse.Namespace) -> int:
    from connector.callers.keys import Keys
    from connector.serve.app import Application
    from connector.serve.bodies import Limits
    from connector.serve.server import listen
    from connector.serve.settings import Settings

    keys, catalog = Keys(), open_catalog(options)
    limits = Limits.of(options.max_body_mb, options.max_rows)
    settings = Settings(**call_settings(options), limits=limits, max_wait_s=options.max_wait)
    note = about_keys(keys, options.host)
    _check_connections(catalog, settings.connections)
    application = Application(settings, catalog, keys=keys)
    server = listen(application, settings, options.host, options.port)

    def close() -> None:
        try:
            application.close()
        finally:
            server.close()

    address = netloc(options.host, server.effective_port)
    what = f"{count_of(len(catalog.names), 'action')} on http://{address}"
    return serve_until_stopped(server, what, close, note=note, after="after the rows in progress")


def _check_connections(catalog: Catalog, names: tuple[str, ...]) -> None:
    """Raise RunError for a connection that cannot be used."""
    from connector.callers.sessions import service_of
    from connector.connections.connection import load_connection

    for name in names:
        load_connection(catalog.service(service_of(catalog, name)), name)
