"""The MCP server: answers the requests of clients for the list of tools and for calls of tools."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
)

import connector
from connector.callers.access import Caller
from connector.callers.keys import Rights
from connector.catalog.action import EFFECTS
from connector.catalog.catalog import Catalog
from connector.errors import ConnectorError, nearest
from connector.mcp import tools
from connector.mcp.actions import Actions, require_read
from connector.mcp.arguments import Arguments, Call
from connector.mcp.confirmation import Confirmations, boundary
from connector.mcp.offer import Offer, services_of
from connector.mcp.results import refusal, tool_result
from connector.mcp.settings import Settings

logger = logging.getLogger(__name__)
NAME = "ninjaone-connector"
CALLER = "connector.caller"
"""The key of the caller in the scope of an HTTP request."""
_LOCAL = Caller("", Rights(effects=EFFECTS))
"""The caller who has started the server as a process."""
Context = ServerRequestContext[Any, Any]
ToolResult = CallToolResult | InputRequiredResult
T = TypeVar("T")

_GENERAL = (
    "Actions of {services}. Find an action with search_actions, read its inputs with describe_action, check "
    "the request with preview_action, then call it: call_read_action for actions that read, call_action for "
    "others."
)
_ALWAYS = (
    " Inputs for ids also accept names, where the schema has a string. Results are envelopes: `has_error`, "
    "`error`, `result`, `meta`. Lists are cut at `limit` items, and `meta.truncated` is then true: narrow "
    "the filter. After the code `outcome_unknown`, check whether the change was made before you call again."
)


class McpServer:
    """The tools of a server. `sdk` is the server of the SDK, which a transport runs."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._settings = settings
        self.offer = Offer(catalog, settings, services_of(catalog, settings))
        self._actions = Actions(catalog, settings)
        self._confirmations = Confirmations()
        self.tools = tools.list_tools(
            self.offer, read_only=settings.read_only, asks=not settings.allow_destructive
        )
        titles = " and ".join(catalog.service(name).title for name in self.offer.services)
        self.sdk: Server[Any] = Server(
            NAME,
            version=connector.__version__,
            instructions=("" if self.offer.is_direct else _GENERAL.format(services=titles)) + _ALWAYS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        self.sdk.middleware.append(boundary(NAME))

    def finish_calls(self) -> None:
        """Refuse further calls, and wait for those in progress."""
        self._actions.finish()

    def close(self) -> None:
        """Refuse further calls, wait for those in progress, and close the connections."""
        self._actions.close()

    async def _list_tools(self, context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=self.tools)

    async def _call_tool(self, context: Context, params: CallToolRequestParams) -> ToolResult:
        """Answer a call. What goes wrong is a result in words, so that the model can read it."""
        if params.name not in {tool.name for tool in self.tools}:
            names = [tool.name for tool in self.tools]
            raise MCPError(INVALID_PARAMS, f'no tool "{params.name}"{nearest(params.name, names)}')
        try:
            if self.offer.is_direct:
                return await self._call_direct(context, params)
            return await self._call_general(context, params)
        except ConnectorError as error:
            logger.info("%s: %s", params.name, error)
            return refusal(str(error))
        except MCPError:
            raise
        except Exception:
            logger.exception("%s: a bug in the connector", params.name)
            return refusal(f"{params.name} failed because of a bug in the connector; the server's log has it")

    async def _call_direct(self, context: Context, params: CallToolRequestParams) -> ToolResult:
        action, given = self.offer.direct[params.name], dict(params.arguments or {})
        limit = Arguments(params.name, {}, ()).limit()
        if "limit" in given and action.returns_list and "limit" not in action.inputs:
            limit = Arguments(params.name, {"limit": given.pop("limit")}, ("limit",)).limit()
        return await self._call(context, params, Call.of(action, given, limit))

    async def _call_general(self, context: Context, params: CallToolRequestParams) -> ToolResult:
        tool, known = params.name, tuple(tools.ARGUMENTS[params.name])
        given = Arguments(tool, params.arguments or {}, known)
        if tool == tools.SEARCH:
            words = given.text("words", "")
            return tool_result(await in_thread(lambda: self.offer.search(words)))
        action = self.offer.action(given.text("action"))
        if tool == tools.DESCRIBE:
            return tool_result(await in_thread(lambda: self._actions.describe(action)))
        if tool == tools.PREVIEW:
            preview = Call(action, given.object("inputs"))
            return tool_result(await in_thread(lambda: self._actions.preview(self._caller(context), preview)))
        if tool == tools.CALL_READ:
            require_read(action, tools.CALL)
        return await self._call(context, params, Call.of(action, given.object("inputs"), given.limit()))

    async def _call(self, context: Context, params: CallToolRequestParams, call: Call) -> ToolResult:
        caller, confirmed = self._caller(context), ""
        if call.action.effect == "destructive" and not self._settings.allow_destructive:
            question = await in_thread(lambda: self._actions.question(caller, call))
            asked = await self._confirmations.require(context, params, question)
            if asked is not None:
                return asked
            confirmed = question.subject
        return tool_result(await in_thread(lambda: self._actions.call(caller, call, confirmed)))

    def _caller(self, context: Context) -> Caller:
        """Return the caller of a request: over HTTP, that of its key; otherwise one without limits."""
        if not self._settings.http:
            return _LOCAL
        request: Any = context.request
        caller: Caller = request.scope[CALLER]
        return caller


async def in_thread(run: Callable[[], T]) -> T:
    """Return the result of a function that blocks. A call that has started is finished if it is cancelled."""
    return await anyio.to_thread.run_sync(partial(run))
