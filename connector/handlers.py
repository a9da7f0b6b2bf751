"""The public API for handlers of actions; a handler imports no other module of `connector`.

A handler is a Python file in the same folder as the action's declaration, with one function:

    from connector.handlers import Inputs, Steps, request

    def handle(inputs: Inputs) -> Steps:
        response = yield inputs.request()
        return response.json()

It yields a `Request` and receives its `Response`. It can also yield a `Page` of items, or a `Note`, which
becomes a warning in the envelope. Its return value is the result. It performs no input or output itself. To
fail its row, it raises `RowError(code, message)`, where `code` is one of the envelope's `meta.code` values.

The source or the target of a sync (`sync_source.py`, `sync_target.py` beside a service's declaration) is
written with `Call`, `Each` and the records of `connector.sync`.
"""

from connector.catalog.coercion import typed_value
from connector.common.json_text import Json, kind
from connector.common.same_name import same_name
from connector.common.times import convert_time, parse_time
from connector.errors import RowError, nearest, quote_value, shorten
from connector.http.messages import Request, Response, query_text
from connector.invocation.handlers import Download, Inputs, Note, Steps, http_handler, lookup, request
from connector.invocation.pagination import Page, PagedResult, walk
from connector.sync.deliveries import AlertNews, HookSecrets
from connector.sync.records import (
    AlertReading,
    Asset,
    AssetType,
    Client,
    Device,
    Location,
    Organization,
    Site,
    TicketReading,
    User,
)
from connector.sync.records import Catalog as AssetCatalog
from connector.sync.steps import Call, CallSteps, Each
from connector.sync.values import FieldDefinition

__all__ = [
    "AlertNews",
    "AlertReading",
    "Asset",
    "AssetCatalog",
    "AssetType",
    "Call",
    "CallSteps",
    "Client",
    "Device",
    "Download",
    "Each",
    "FieldDefinition",
    "HookSecrets",
    "Inputs",
    "Json",
    "Location",
    "Note",
    "Organization",
    "Page",
    "PagedResult",
    "Request",
    "Response",
    "RowError",
    "Site",
    "Steps",
    "TicketReading",
    "User",
    "convert_time",
    "http_handler",
    "kind",
    "lookup",
    "nearest",
    "parse_time",
    "query_text",
    "quote_value",
    "request",
    "same_name",
    "shorten",
    "typed_value",
    "walk",
]
