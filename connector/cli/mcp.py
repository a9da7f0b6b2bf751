"""The `mcp` command: actions as tools of a language model, by the Model Context Protocol."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.action_sources import add_own_actions, open_catalog
from connector.cli.job_options import add_audit, add_delay, add_read_only
from connector.cli.main import OK
from connector.cli.stopping import stopping
from connector.connections.settings import absolute_file
from connector.errors import RunError, count_of

if TYPE_CHECKING:
    from connector.mcp.server import McpServer
    from connector.mcp.settings import Settings

PORT = 8701
LOOPBACK = "127.0.0.1"
_AFTER = "after the calls in progress"
_MANY_TOOLS = 40
"""The number of tools above which some clients ignore tools."""


def add_mcp(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone mcp`."""
    parser.add_argument(
        "-c",
        "--connection",
        metavar="NAME|FILE",
        action="append",
        default=[],
        help="saved connection (name) or a connection file; repeat it for another service (default: the "
        "default connection of each service)",
    )
    parser.add_argument(
        "--service",
        metavar="SERVICE",
        default="",
        help="offer the actions of this service only (default: those of the connections, or of all services)",
    )
    parser.add_argument(
        "--tools",
        metavar="NAMES",
        type=_names,
        default=(),
        help="offer only these actions, each as a tool, instead of the general tools; separated by commas, "
        "and * stands for any characters",
    )
    parser.add_argument(
        "--areas",
        metavar="AREAS",
        type=_names,
        default=(),
        help="offer only the actions of these areas, each as a tool; separated by commas",
    )
    add_read_only(parser)
    parser.add_argument(
        "--allow-destructive",
        action="store_true",
        help="call destructive actions without asking the person to confirm each call",
    )
    parser.add_argument("--uploads", metavar="DIR", type=Path, help="folder of the files to upload")
    parser.add_argument("--files", metavar="DIR", type=Path, help="folder for downloaded files")
    add_audit(parser)
    add_delay(parser)
    parser.add_argument(
        "--http",
        action="store_true",
        help="serve clients over streamable HTTP instead of one client over standard input and output",
    )
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        help="with --http, the address to listen on (default: %(default)s); any other requires keys: "
        "`ninjaone key add`",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=PORT,
        help="with --http, the port; 0 for a free one (default: %(default)s)",
    )
    add_own_actions(parser)
    parser.set_defaults(command=_mcp)


def _mcp(options: argparse.Namespace) -> int:
    try:
        from connector.mcp.server import McpServer
        from connector.mcp.settings import Settings
        from connector.serve.server import LOOPBACK_NAMES
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        raise RunError("this requires the package mcp: install ninjaone-connector[mcp]") from None
    settings = Settings(
        connections=tuple(map(absolute_file, options.connection)),
        service=options.service,
        tools=options.tools,
        areas=options.areas,
        read_only=bool(options.read_only),
        allow_destructive=options.allow_destructive,
        delay_ms=options.delay_ms,
        uploads=options.uploads,
        files=options.files,
        audit=options.audit,
        http=options.http,
        requires_key=options.http and options.host not in LOOPBACK_NAMES,
    )
    server = McpServer(open_catalog(options), settings)
    if len(server.tools) > _MANY_TOOLS:
        _say(f"{count_of(len(server.tools), 'tool')}: some clients use only the first {_MANY_TOOLS}")
    if settings.allow_destructive:
        _say("--allow-destructive: destructive actions are called without asking")
    try:
        if options.http:
            _serve_http(server, settings, options)
        else:
            _serve_stdio(server)
    finally:
        server.close()
    return OK


def _serve_stdio(server: McpServer) -> None:
    """Serve until the client closes standard input, or a signal ends the process after the calls in progress.

    A thread ends it, because another one that waits for standard input cannot be interrupted.
    """
    from connector.mcp.stdio import serve_stdio

    stop = threading.Event()

    def end() -> None:
        stop.wait()
        server.close()
        os._exit(OK)

    with stopping(stop, _print, _AFTER):
        threading.Thread(target=end, name="end", daemon=True).start()
        serve_stdio(server)


def _serve_http(server: McpServer, settings: Settings, options: argparse.Namespace) -> None:
    from connector.callers.keys import Keys
    from connector.mcp.http import PATH, HttpServer, application

    keys = Keys()
    has_keys = bool(keys.all())
    if settings.requires_key and not has_keys:
        raise RunError(f"listening on {options.host} requires keys: add one with `ninjaone key add NAME`")
    http = HttpServer(application(server, settings, keys), options.host, options.port)
    stop = threading.Event()
    with stopping(stop, _print, _AFTER):
        thread = threading.Thread(target=http.run, name="http", daemon=True)
        thread.start()
        if keys.are_required() and not has_keys:
            _say("all keys were removed, and every request needs one: add one with `ninjaone key add NAME`")
        elif not has_keys:
            _say("there are no keys: every program of this machine can call actions that read and write")
        _say(f"serving on http://{options.host}:{http.port}{PATH}. Press Ctrl-C to stop.")
        while thread.is_alive() and not stop.wait(0.5):
            pass
        http.stop()
        thread.join()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _say(text: str) -> None:
    _print(f"ninjaone: {text}")


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
