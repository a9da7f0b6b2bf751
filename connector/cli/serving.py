"""What `ninjaone serve` and `ninjaone mcp` share: options, keys, and serving until a signal."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from connector.cli.job_options import add_audit, add_delay
from connector.cli.main import OK
from connector.cli.ports import port_or_free
from connector.cli.stopping import stopping
from connector.common.listening import LOOPBACK, LOOPBACK_NAMES
from connector.connections.settings import absolute_file
from connector.errors import RunError, RunStoppedError

if TYPE_CHECKING:
    from connector.callers.keys import Keys


_END_S = 1.0
"""How long to wait for the thread of a closed server, whose clients can keep connections open, in seconds."""


class Server(Protocol):
    """A listening server."""

    def run(self) -> None:
        """Serve requests until the server is closed."""


def add_address(parser: argparse.ArgumentParser, port: int, about: str = "") -> None:
    """Declare `--host` and `--port` with its default; their help begins with `about`."""
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        help=f"{about}the address to listen on (default: %(default)s); any other requires keys: "
        "`ninjaone key add`",
    )
    parser.add_argument(
        "--port",
        type=port_or_free,
        default=port,
        help=f"{about}the port; 0 for a free one (default: %(default)s)",
    )


def add_calls(parser: argparse.ArgumentParser) -> None:
    """Declare the options for the connections, and for how actions are called."""
    add_connections(parser, "to serve", "the default connection of each service")
    parser.add_argument("--uploads", metavar="DIR", type=Path, help="folder of the files to upload")
    parser.add_argument("--files", metavar="DIR", type=Path, help="folder for downloaded files")
    add_audit(parser)
    add_delay(parser)


def add_connections(parser: argparse.ArgumentParser, purpose: str, default: str) -> None:
    """Declare `--connection`, which can be repeated."""
    parser.add_argument(
        "-c",
        "--connection",
        metavar="NAME|FILE",
        action="append",
        default=[],
        help=f"saved connection (name) or a connection file {purpose}; can be repeated, and the first one of "
        f"a service is its default (default: {default})",
    )


def call_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of `add_calls` and `add_address`, by their names in `CallSettings`."""
    return {
        "connections": tuple(map(absolute_file, options.connection)),
        "delay_ms": options.delay_ms,
        "audit": options.audit,
        "uploads": options.uploads,
        "files": options.files,
        "requires_key": options.host not in LOOPBACK_NAMES,
    }


def about_keys(keys: Keys, host: str) -> str:
    """Return a note for the user if there are no keys, else an empty text.

    Raises RunError if the host requires keys, and there are none.
    """
    if keys.all():
        return ""
    if host not in LOOPBACK_NAMES:
        raise RunError(f"listening on {host} requires keys: add one with `ninjaone key add NAME`")
    if keys.are_required():
        return "All keys were removed, and every request needs one: add one with `ninjaone key add NAME`."
    return "There are no keys: every program of this machine can call actions that read and write."


def serve_until_stopped(
    server: Server, what: str, close: Callable[[], None], *, note: str = "", after: str
) -> int:
    """Run a server in a thread until a signal; then call `close`, which ends the server. Return OK.

    `what` is what is served, and where; `after` is what a signal waits for. Raises RunStoppedError if the
    server ends by itself.
    """
    stop = threading.Event()
    with stopping(stop, say, after):
        thread = threading.Thread(target=server.run, name="http", daemon=True)
        thread.start()
        if note:
            say(note)
        say(f"serving {what}. Press Ctrl-C to stop.")
        while thread.is_alive() and not stop.wait(0.5):
            pass
        close()
        thread.join(_END_S)
    if not stop.is_set():
        raise RunStoppedError("the server has ended because of an error, which is above")
    return OK


def say(text: str) -> None:
    """Print a line on standard error: standard output can belong to a protocol."""
    print(text, file=sys.stderr, flush=True)
