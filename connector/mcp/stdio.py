"""Serves one client over standard input and output, which belong to the protocol; the log is on stderr.

The SDK cancels all calls in progress at the end of its input, and their results would be lost. So it sees the
end only after they have their responses.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from functools import partial
from threading import Event
from typing import Any

import anyio
import anyio.to_thread
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from connector.mcp.server import McpServer

_POLL_S = 0.2
"""How often a signal is looked for, in seconds."""


def serve_stdio(server: McpServer, stop: Event) -> None:
    """Serve until the client closes standard input or `stop` is set, and all calls have their responses.

    A thread may still wait for standard input afterwards.
    """
    anyio.run(_serve, server, stop)


async def _serve(server: McpServer, stop: Event) -> None:
    stdin: Any = _lines(stop)
    pending = _Pending()
    received, for_sdk = anyio.create_memory_object_stream[SessionMessage | Exception]()
    from_sdk, sent = anyio.create_memory_object_stream[SessionMessage]()

    async def receive(read: Any) -> None:
        async with received:
            async for item in read:
                pending.note_received(item)
                await received.send(item)
            await pending.wait()

    async def send(write: Any) -> None:
        async with write, sent:
            async for item in sent:
                await write.send(item)
                await pending.note_sent(item)

    async with stdio_server(stdin=stdin) as (read, write), anyio.create_task_group() as group:
        group.start_soon(receive, read)
        group.start_soon(send, write)
        await server.sdk.run(for_sdk, from_sdk, server.sdk.create_initialization_options())


async def _lines(stop: Event) -> AsyncIterator[str]:
    """Yield the lines of standard input until it ends, or `stop` is set."""
    read = partial(anyio.to_thread.run_sync, sys.stdin.buffer.readline, abandon_on_cancel=True)
    line = b""

    async def cancel(scope: anyio.CancelScope) -> None:
        while not stop.is_set():
            await anyio.sleep(_POLL_S)
        scope.cancel()

    while not stop.is_set():
        async with anyio.create_task_group() as group:
            group.start_soon(cancel, group.cancel_scope)
            line = await read()
            group.cancel_scope.cancel()
        if not line:
            return
        yield line.decode("utf-8", "replace")
        line = b""


class _Pending:
    """The calls of the client that have no response, and the questions of the server to the person."""

    def __init__(self) -> None:
        self._calls: set[object] = set()
        self._questions: set[object] = set()
        self._changed = anyio.Condition()

    def note_received(self, item: SessionMessage | Exception) -> None:
        """Note a message of the client."""
        message = item.message if isinstance(item, SessionMessage) else None
        if isinstance(message, JSONRPCRequest) and message.method == "tools/call":
            self._calls.add(message.id)
        elif isinstance(message, (JSONRPCResponse, JSONRPCError)):
            self._questions.discard(message.id)
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._calls.discard((message.params or {}).get("requestId"))  # it gets no response

    async def note_sent(self, item: SessionMessage) -> None:
        """Note a message of the server."""
        async with self._changed:
            if isinstance(item.message, JSONRPCRequest):
                self._questions.add(item.message.id)
            elif isinstance(item.message, (JSONRPCResponse, JSONRPCError)):
                self._calls.discard(item.message.id)
            self._changed.notify_all()

    async def wait(self) -> None:
        """Wait until every call has its response, or waits for the person, who can no longer answer."""
        async with self._changed:
            while len(self._calls) > len(self._questions):
                await self._changed.wait()
