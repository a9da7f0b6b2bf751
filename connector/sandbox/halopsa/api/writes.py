"""Requests that write: a POST creates records without `id`, and updates records with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.sandbox.halopsa.api.bodies import check as check_types
from connector.sandbox.halopsa.api.call import HaloCall, query
from connector.sandbox.halopsa.data.seed import DATE, LIST, NUMBER
from connector.sandbox.halopsa.errors import NOT_AN_ARRAY, InvalidRecordError
from connector.sandbox.invented import JSON
from connector.sandbox.messages import ServerResponse, json_response
from connector.sandbox.types import TIME

RETURN_ALL = query("returnall")
"""The query parameter of requests that write."""


@dataclass(frozen=True)
class Writer:
    """The functions that save records of one schema.

    `check` raises InvalidRecordError or HttpError for an invalid record at a JSON path, and changes nothing;
    `save` returns the record's id; `show` returns a record as in responses. A record with the flag `dry` is
    checked, but not saved.
    """

    schema: str
    check: Callable[[HaloCall, JSON, str], None]
    save: Callable[[HaloCall, JSON], Any]
    show: Callable[[HaloCall, Any], JSON]
    dry: str = ""


def write(call: HaloCall, writer: Writer) -> ServerResponse:
    """Check and save the records in the body of a request, and return the response."""
    records = _records(call)
    shown: list[JSON] = []
    if call.state.traps.is_on("arrays", "atomic"):
        for index, record in enumerate(records):
            _check(call, writer, record, index)
    for index, record in enumerate(records):
        _check(call, writer, record, index)
        if writer.dry and record.get(writer.dry) and call.state.traps.is_on("validate_only", "obeyed"):
            shown.append({name: value for name, value in record.items() if not name.startswith("_")})
        else:
            shown.append(writer.show(call, writer.save(call, record)))
    return json_response(201, _answer(call, shown))


def _records(call: HaloCall) -> list[Any]:
    body = call.body
    if isinstance(body, dict) and call.state.traps.is_on("bodies", "both"):
        return [body]
    if not isinstance(body, list):
        raise InvalidRecordError("", NOT_AN_ARRAY)
    if not body:
        raise InvalidRecordError("", "At least one record is needed.")
    return body


def _check(call: HaloCall, writer: Writer, record: Any, index: int) -> None:
    writer.check(call, check_types(record, writer.schema, f"[{index}]"), f"[{index}]")


def _answer(call: HaloCall, shown: list[JSON]) -> Any:
    traps = call.state.traps
    if traps.is_on("warning", "yes"):
        shown = [record | {"_warning": "A matching rule could not be applied."} for record in shown]
    if traps.is_on("answer", "all") or call.query.get("returnall", "").lower() == "true":
        return shown
    return shown[-1:] if traps.is_on("answer", "list") else shown[-1]


def check_value(definition: JSON, value: Any, path: str) -> None:
    """Raise InvalidRecordError if a value is not valid for a field or custom field.

    Empty values are valid.
    """
    kind = definition["kind"]
    text = str(value if value is not None else "").strip()
    if not text:
        return
    if kind == NUMBER and not _is_number(text):
        raise InvalidRecordError(path, f"{json.dumps(value)} is not a number.")
    if kind == DATE and not (isinstance(value, str) and TIME.accepts(value)):
        raise InvalidRecordError(path, f"{json.dumps(value)} is not a date.")
    if kind == LIST and value not in definition["values"] and not _is_position(definition, text):
        raise InvalidRecordError(path, f"{json.dumps(value)} is not a value of {definition['name']}.")


def stored_value(definition: JSON, value: Any) -> Any:
    """Return a value as it is stored: for a drop-down the text, even if the request has the number."""
    if definition["kind"] == LIST and value not in definition["values"]:
        text = str(value if value is not None else "").strip()
        return definition["values"][int(text) - 1] if text else ""
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_position(definition: JSON, text: str) -> bool:
    return text.isdecimal() and 1 <= int(text) <= len(definition["values"])
