"""A conversation with an MCP server by the SDK's own client, without `async` in the tests.

The SDK is imported when it is used, because every process of the tests imports all test modules.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from tests.loopback import PATIENCE_S

ERAS = {"2025-11-25": "legacy", "2026-07-28": "auto"}
"""The protocol versions, and the modes of the client in which it uses them."""


@dataclass
class Person:
    """The person at the client: answers `action` and `content`, or with None cannot be asked."""

    action: str | None = None
    content: Mapping[str, Any] | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def callback(self) -> Any:
        if self.action is None:
            return None

        async def answer(_: Any, params: Any) -> Any:
            from mcp_types import ElicitResult

            self.asked.append(params.message)
            return ElicitResult(action=self.action, content=self.content)

        return answer


def yes() -> Person:
    return Person("accept", {"confirm": True})


@dataclass(frozen=True)
class Result:
    """The result of a tool: what it has as text, and whether it failed."""

    data: dict[str, Any]
    is_error: bool

    @property
    def error(self) -> str:
        assert self.is_error
        return str(self.data["error"])


@dataclass(frozen=True)
class Talk:
    """An open conversation. `client` is the SDK's, whose methods `wait` awaits."""

    client: Any
    portal: Any

    def wait(self, method: Any, *arguments: Any, **keywords: Any) -> Any:
        return self.portal.call(lambda: method(*arguments, **keywords))

    def tools(self) -> dict[str, Any]:
        return {tool.name: tool for tool in self.wait(self.client.list_tools).tools}

    def call(self, tool: str, /, **arguments: Any) -> Result:
        import json

        found = self.wait(self.client.call_tool, tool, arguments)
        (content,) = found.content
        assert json.loads(content.text) == found.structured_content
        return Result(found.structured_content, found.is_error)


@contextmanager
def talk(
    server: Any, era: str = "2026-07-28", person: Person | None = None, *, key: str = ""
) -> Iterator[Talk]:
    """Talk to an SDK server in this process, to a command (StdioServerParameters), or to a URL with a key."""
    from anyio.from_thread import start_blocking_portal

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_client(server, era, person, key)) as client,
    ):
        assert client.protocol_version == era
        yield Talk(client, portal)


@asynccontextmanager
async def _client(server: Any, era: str, person: Person | None, key: str) -> AsyncIterator[Any]:
    from mcp import Client
    from mcp.client import session

    callback = person.callback if person else None
    async with AsyncExitStack() as stack:
        # The client takes a server that does not respond within 10 s, as on a busy machine, for an old one.
        stack.enter_context(mock.patch.object(session, "DISCOVER_TIMEOUT_SECONDS", PATIENCE_S))
        if isinstance(server, str):
            server = await _over_http(stack, server, key)
        client = Client(server, mode=ERAS[era], elicitation_callback=callback)
        yield await stack.enter_async_context(client)


async def _over_http(stack: AsyncExitStack, url: str, key: str) -> Any:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    made = httpx2.AsyncClient(headers=headers, timeout=PATIENCE_S)
    return streamable_http_client(url, http_client=await stack.enter_async_context(made))
