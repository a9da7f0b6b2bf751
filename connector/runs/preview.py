"""Previews of requests: nothing is sent except look-ups on request, and secrets are hidden."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.client.client import Client, standard_headers
from connector.common.absent import ABSENT
from connector.common.redaction import HIDDEN, Redactor
from connector.errors import RowError
from connector.files.readers import InputRow
from connector.http.messages import MultipartPart, Request
from connector.invocation.bindings import Bindings
from connector.invocation.changes import require_change
from connector.invocation.exchange import Exchange, NoRecorder
from connector.invocation.existing import is_wanted, list_request
from connector.invocation.first_request import declared_request, first_request
from connector.invocation.handlers import Inputs
from connector.invocation.looked_up import looked_up_request
from connector.invocation.lookups import Lookups
from connector.invocation.names import pending_names

NO_INSTANCE = "https://INSTANCE"
"""The base URL in a preview without a connection."""


@dataclass(frozen=True)
class Reads:
    """What looks names up for the previews of one connection."""

    client: Client
    lookups: Lookups = field(default_factory=Lookups)

    def exchange(self, action: Action, row: InputRow) -> Exchange:
        """Return the exchange that sends the reads of a row."""
        return Exchange(action.name, row.number, self.client, NoRecorder(), self.lookups)


def preview_row(
    action: Action,
    service: Service,
    bindings: Bindings,
    uploads: Path,
    row: InputRow,
    base_url: str,
    reads: Reads | None = None,
) -> dict[str, Any]:
    """Return a row's first request (`row, method, url, query, headers, body`), or its `error`.

    `times` has the times among its inputs, in ISO 8601, whatever the format in which they are sent. If names
    must be looked up first (`looks_up` has the URL, and `resolved_later` the names), the request contains the
    names instead of the ids. With `reads`, they are looked up, and the request is the one that will be sent.
    """
    if row.error:
        return {"row": row.number, "error": row.error}
    asked = (action, service, bindings, uploads, row.data)
    notes: dict[str, Any] = {}
    try:
        if reads:
            request, notes = _looked_up(action, service, bindings, uploads, row, reads)
        else:
            request = first_request(*asked)
            if request.cached:
                notes = {"looks_up": base_url + request.target}
                request = declared_request(*asked)
        values = bindings.values(row.data)
        if later := [] if reads else list(pending_names(action, service, values)):
            notes["resolved_later"] = later
    except RowError as error:
        return {"row": row.number, "error": str(error)}
    secrets = action.secrets_in(values) if action.secret_inputs else []
    times = dict(instant for name, value in values.items() for instant in action.inputs[name].instants(value))
    shown: dict[str, Any] = {
        "row": row.number,
        **notes,
        "method": request.method,
        "url": base_url + request.target,
        "query": dict(request.query),
        "headers": _headers(request),
        "body": _body(request),
    }
    if times:
        shown["times"] = times
    if is_wanted(action, values):
        shown["if_missing"] = base_url + list_request(action, request).target
    if action.handler or action.paging:
        shown["then"] = "more requests can follow, depending on the response"
    redactor = Redactor(members=service.secrets).with_secrets(secrets)
    hidden: dict[str, Any] = redactor.json(shown)
    return hidden


def _looked_up(
    action: Action, service: Service, bindings: Bindings, uploads: Path, row: InputRow, reads: Reads
) -> tuple[Request, dict[str, Any]]:
    """Return a row's request as it will be sent, and its `warnings`. Only reads are sent. Raises RowError."""
    exchange = reads.exchange(action, row)
    try:
        values = bindings.values(row.data)
        require_change(bindings, row.data, values)
        inputs = Inputs(action, service, values, uploads, reads.lookups)
        request = looked_up_request(inputs, exchange)
    except RowError as error:
        raise RowError(error.code, exchange.redactor.said(str(error))) from error
    return request, {"warnings": exchange.warnings} if exchange.warnings else {}


def _headers(request: Request) -> dict[str, str]:
    media_type = "multipart/form-data" if request.parts else "application/json"
    described = {"content-type": media_type} if request.parts or request.body is not ABSENT else {}
    return {**standard_headers(HIDDEN), **described, **request.headers}


def _body(request: Request) -> Any:
    if request.parts:
        return [_part(part) for part in request.parts]
    return None if request.body is ABSENT else request.body


def _part(part: MultipartPart) -> dict[str, Any]:
    content = {"value": part.value} if part.path is None else {"file": str(part.path)}
    return {"name": part.name, "media_type": part.media_type, **content}
