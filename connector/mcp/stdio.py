"""Serves one client over standard input and output, which belong to the protocol; the log is on stderr."""

from __future__ import annotations

import anyio
from mcp.server.stdio import stdio_server

from connector.mcp.server import McpServer


def serve_stdio(server: McpServer) -> None:
    """Serve until the client closes standard input."""
    anyio.run(_serve, server)


async def _serve(server: McpServer) -> None:
    async with stdio_server() as (read, write):
        await server.sdk.run(read, write, server.sdk.create_initialization_options())
