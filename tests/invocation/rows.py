"""One row through one action, for tests of its result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.errors import NotSentError, ResponseLostError
from connector.files.envelope import Envelope
from connector.invocation.invoke import Invoker

ENVELOPE = validator(schema("envelope.schema.json"))
READ: dict[str, Any] = {}
CREATE: dict[str, Any] = {"request": "POST /v2/x", "effect": "write", "idempotent": False}
UPDATE: dict[str, Any] = {"request": "PATCH /v2/x", "effect": "write", "idempotent": True}
LOST = ResponseLostError("no whole answer", "timeout")
UNSENT = NotSentError("no connection")
HANDLER = """
    from connector.handlers import request

    def handle(inputs):
        made = (yield inputs.request()).json()
        yield request("PATCH", "/v2/x/{id}/fields", {"id": made["id"]}, body={}, idempotent=True)
        return made
"""


def ran(invoker: Invoker, row: Mapping[str, Any] | None = None, number: int = 1) -> list[Envelope]:
    """A row's envelopes, each held against the schema and written."""
    envelopes = list(invoker.envelopes(number, row or {}))
    for envelope in envelopes:
        ENVELOPE.validate(json.loads(envelope.line()))
        assert envelope.row == number
    return envelopes


def one(invoker: Invoker, row: Mapping[str, Any] | None = None) -> Envelope:
    (envelope,) = ran(invoker, row)
    return envelope
