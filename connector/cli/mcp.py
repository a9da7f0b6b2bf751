"""The `mcp` command: actions as tools of a language model, by the Model Context Protocol."""

from __future__ import annotations

import argparse
import os
import threading
from typing import TYPE_CHECKING

from connector.cli.action_sources import add_own_actions, add_service_option, open_catalog
from connector.cli.job_options import add_read_only
from connector.cli.main import OK, STOPPED, report_bug
from connector.cli.serving import about_keys, add_address, add_calls, call_settings, say, serve_until_stopped
from connector.cli.stopping import stopping
from connector.common.comma_separated import comma_separated
from connector.common.listening import netloc
from connector.errors import RunError, RunStoppedError, count_of

if TYPE_CHECKING:
    from connector.mcp.server import McpServer
    from connector.mcp.settings import Settings

PORT = 8701
_AFTER = "after the calls in progress"
_MANY_TOOLS = 40
"""The number of tools above which some clients ignore tools."""


def add_mcp(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone mcp`."""
    add_calls(parser)
    add_service_option(
        parser,
        "offer the actions of this service only (default: those of the connections, or of all services)",
    )
    parser.add_argument(
        "--tools",
        metavar="NAMES",
        type=comma_separated,
        default=(),
        help="offer only these actions, each as a tool, instead of the general tools; separated by commas, "
        "and * stands for any characters",
    )
    parser.add_argument(
        "--areas",
        metavar="AREAS",
        type=comma_separated,
        default=(),
        help="offer only the actions of these areas, each as a tool; separated by commas",
    )
    add_read_only(parser)
    parser.add_argument(
        "--allow-destructive",
        action="store_true",
        help="call destructive actions without asking the person to confirm each call",
    )
    parser.add_argument(
        "--http",
        action="store_true",
        help="serve clients over streamable HTTP instead of one client over standard input and output",
    )
    add_address(parser, PORT, "with --http, ")
    add_own_actions(parser)
    parser.set_defaults(command=_mcp)


def _mcp(options: argparse.Namespace) -> int:
    try:
        from connector.mcp.server import McpServer
        from connector.mcp.settings import Settings
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        raise RunError("this requires the package mcp: install ninjaone-connector[mcp]") from None
    settings = Settings(
        **call_settings(options),
        service=options.service,
        tools=options.tools,
        areas=options.areas,
        read_only=bool(options.read_only),
        allow_destructive=options.allow_destructive,
        http=options.http,
    )
    server = McpServer(open_catalog(options), settings)
    if len(server.tools) > _MANY_TOOLS:
        say(f"ninjaone: {count_of(len(server.tools), 'tool')}: some clients use only the first {_MANY_TOOLS}")
    if settings.allow_destructive:
        say("ninjaone: --allow-destructive: destructive actions are called without asking")
    try:
        return _serve_http(server, settings, options) if options.http else _serve_stdio(server)
    finally:
        server.close()


def _serve_stdio(server: McpServer) -> int:
    """Serve until the client closes standard input, or until a signal; then finish the calls in progress."""
    from connector.mcp.stdio import serve_stdio

    stop = threading.Event()
    with stopping(stop, say, _AFTER):
        exit_code = OK
        try:
            serve_stdio(server, stop)
            server.close()
        except RunStoppedError as error:
            say(f"ninjaone: stopped: {error}")
            exit_code = STOPPED
        except Exception:
            exit_code = report_bug()
            stop.set()
        if stop.is_set():
            os._exit(exit_code)  # A thread is still waiting for standard input, which cannot be interrupted.
    return exit_code


def _serve_http(server: McpServer, settings: Settings, options: argparse.Namespace) -> int:
    from connector.callers.keys import Keys
    from connector.mcp.http import PATH, HttpServer, application

    keys = Keys()
    note = about_keys(keys, options.host)
    http = HttpServer(application(server, settings, keys), options.host, options.port)

    def close() -> None:
        server.finish_calls()
        http.stop()

    at = f"on http://{netloc(options.host, http.port)}{PATH}"
    return serve_until_stopped(http, at, close, note=note, after=_AFTER)
