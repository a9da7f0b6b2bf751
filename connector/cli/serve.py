"""The `serve` command: actions over HTTP, for other programs."""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

from connector.catalog.catalog import Catalog
from connector.cli.action_sources import add_own_actions, open_catalog
from connector.cli.main import OK
from connector.cli.stopping import stopping
from connector.connections.settings import absolute_file
from connector.errors import RunError, count_of

PORT = 8700


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone serve`."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (default: %(default)s); any other requires keys: `ninjaone key add`",
    )
    parser.add_argument(
        "--port", type=int, default=PORT, help="the port; 0 for a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--connection",
        metavar="NAME",
        action="append",
        default=[],
        help="saved connection (name) or a YAML file to serve; can be repeated, and the first one of a "
        "service is its default (default: the default connection of each service)",
    )
    parser.add_argument(
        "--delay-ms", metavar="MS", type=float, help="minimum time between API requests (default: 300)"
    )
    parser.add_argument("--uploads", metavar="DIR", type=Path, help="folder of the files to upload")
    parser.add_argument("--files", metavar="DIR", type=Path, help="folder for downloaded files")
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
    from connector.serve.server import LOOPBACK_NAMES, listen
    from connector.serve.settings import Settings

    keys, catalog = Keys(), open_catalog(options)
    settings = Settings(
        connections=tuple(map(absolute_file, options.connection)),
        delay_ms=options.delay_ms,
        uploads=options.uploads,
        files=options.files,
        requires_key=options.host not in LOOPBACK_NAMES,
        limits=Limits(round(options.max_body_mb * (1 << 20)), options.max_rows),
        max_wait_s=options.max_wait,
    )
    has_keys = bool(keys.all())
    if settings.requires_key and not has_keys:
        raise RunError(f"listening on {options.host} requires keys: add one with `ninjaone key add NAME`")
    _check_connections(catalog, settings.connections)
    application = Application(settings, catalog, keys=keys)
    stop = threading.Event()
    server = listen(application, settings, options.host, options.port)
    with stopping(stop, _say):
        thread = threading.Thread(target=server.run, name="http", daemon=True)
        thread.start()
        if keys.are_required() and not has_keys:
            _say("All keys were removed, and every request needs one: add one with `ninjaone key add NAME`.")
        elif not has_keys:
            _say("There are no keys: every program of this machine can call actions that read and write.")
        host = f"[{options.host}]" if ":" in options.host else options.host
        at = f"http://{host}:{server.effective_port}"
        _say(f"serving {count_of(len(catalog.names), 'action')} on {at}. Press Ctrl-C to stop.")
        while thread.is_alive() and not stop.wait(0.5):
            pass
        application.close()
        server.close()
        thread.join(1.0)
    return OK


def _check_connections(catalog: Catalog, names: tuple[str, ...]) -> None:
    """Raise RunError for a connection that cannot be used."""
    from connector.callers.sessions import service_of
    from connector.connections.connection import load_connection

    for name in names:
        load_connection(catalog.service(service_of(catalog, name)), name)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
