"""The `catalog serve` and `catalog export` commands: the catalog in a browser."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from connector.catalog.catalog import Catalog
from connector.cli.main import OK
from connector.cli.ports import port_or_free


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone catalog serve`."""
    parser.add_argument(
        "--port", type=port_or_free, default=0, help="the port on 127.0.0.1 (default: a free one)"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address without opening a browser"
    )
    parser.add_argument(
        "--sync",
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help="also show the sync in this folder; can be repeated",
    )
    parser.set_defaults(command=_serve)


def add_export(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone catalog export`."""
    parser.add_argument(
        "folder", metavar="DIR", type=Path, help="a new or empty folder, or one with an earlier export"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="write to a folder that contains other files, and overwrite files of the same name",
    )
    parser.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> int:
    from connector.web.export import export

    catalog = Catalog()
    written = export(options.folder, catalog, force=options.force)
    print(f"{options.folder / 'index.html'}: {len(catalog.names)} actions, {written} files")
    return OK


def _serve(options: argparse.Namespace) -> int:
    from connector.web.server import CatalogServer

    server = CatalogServer(options.port, syncs=options.sync)
    print(f"The catalog is at {server.address}", flush=True)
    print("Anyone on this machine with this address has your permissions. Press Ctrl-C to stop.", flush=True)
    if not options.no_browser:
        server.open_browser()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    return OK
