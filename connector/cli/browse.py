"""`catalog serve` and `catalog export`: the catalogue in a browser."""

from __future__ import annotations

import argparse
import contextlib

from connector.cli.main import OK


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone catalog serve`."""
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.set_defaults(command=_serve)


def _serve(options: argparse.Namespace) -> int:
    from connector.web.server import CatalogueServer

    server = CatalogueServer(options.port)
    print(f"The catalogue is at {server.address}", flush=True)
    print("The address is a key: whoever has it sees what you see. Ctrl-C ends it.", flush=True)
    if not options.no_browser:
        server.open_browser()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    return OK
