"""Reads the error messages and warnings in API responses, including errors with status 200."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connector.catalog.service import EVERY, Service
from connector.common import package_data
from connector.common.json_text import Json
from connector.errors import RowError, shorten
from connector.http.messages import Request, Response

_MAX_ERROR_LENGTH = 1 << 16
"""The maximum size of a body that is searched for an error, in bytes: error responses are small."""
_FIRST_ITEM = r"^(\$\.?)?\[0\]\.?|^\$\.?"
"""The start of a JSON path that messages omit: the body, or the first item of an array."""


def is_failed_success(service: Service, request: Request, response: Response) -> bool:
    """Return whether a response with a successful status has an error in its body.

    Only the members and texts that the service declares as errors are recognized, at the top level of the
    body, and not if the declared result of the request can have them.
    """
    errors = service.errors
    if not 0 < len(response.body) <= _MAX_ERROR_LENGTH or (request.binary and _is_file(response)):
        return False
    text = response.text.strip()
    if text[0:1] != "{":
        bare = text.strip('"')
        declared = (bare in one.get("enum", ()) for one in _schemas(request.result))
        return bare in errors.failed_texts and not any(declared)
    for mark in errors.marks_in_success:  # Most successful responses end here, without being parsed.
        if mark in text:
            break
    else:
        return False
    try:
        members = response.json()
    except RowError:
        return False
    found = [name for name in errors.in_success if _is_failure(members.get(name), errors.successes)]
    return bool(found) and not any(_may_have(request.result, name) for name in found)


def _is_file(response: Response) -> bool:
    is_json = "json" in response.headers.get("content-type", "").lower()
    return not is_json or "content-disposition" in response.headers or not response.is_text


def _is_failure(value: Json, successes: tuple[str, ...]) -> bool:
    return bool(value) and value not in successes


def _may_have(result: Json, name: str) -> bool:
    """Return whether the value of a declared result can be an object with this member.

    A schema without `properties` is a map, which can have any member.
    """
    for one in _schemas(result):
        properties = one.get("properties", {})
        is_object = one.get("type") == "object" or "object" in (one.get("type") or ())
        if name in properties or one.get("additionalProperties") or (is_object and not properties):
            return True
    return False


def _schemas(schema: Json) -> Iterator[Mapping[str, Json]]:
    """Yield a schema, and the schemas that it refers to or combines."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    if isinstance(schema.get("$ref"), str):
        yield from _schemas(package_data.schema(schema["$ref"]))
    for key in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(key, ()):
            yield from _schemas(one)


def read_error(service: Service, response: Response) -> tuple[str, str]:
    """Return the vendor's code of an error response ("" if none), and its message on one line.

    The body can be an object, a JSON string, an HTML page or empty.
    """
    if response.is_html:
        return "", "an HTML page"
    try:
        body: Json = response.json()
    except RowError:
        return "", shorten(" ".join(response.text.split()))
    if isinstance(body, str):
        return "", shorten(body)
    if not isinstance(body, dict):
        return "", shorten(response.text.strip()) or "an empty body"
    for shape in service.errors.shapes:
        if shape.when == EVERY and body:
            return "", shorten(_message_text(body)) or shorten(response.text)
        if shape.when in body:
            code = str(body.get(shape.code) or "")
            message = _message_text(body.get(shape.message))
            said = ": ".join(dict.fromkeys(part for part in (code, message) if part))
            incident = body.get(shape.incident)
            return code, shorten(said) + (f" (incident {shorten(str(incident))})" if incident else "")
    return "", shorten(response.text)


def _message_text(message: Json) -> str:
    """Return an error message as text.

    The message is a text, an array of texts, an object with a code and its parameters, or an object of
    messages, keyed by their subject, such as the JSON path `[0].name`.
    """
    if isinstance(message, dict) and "code" in message:
        params = message.get("params")
        listed = ", ".join(f"{k}={v}" for k, v in params.items()) if isinstance(params, dict) else ""
        return f"{message['code']} ({listed})" if listed else str(message["code"])
    if isinstance(message, dict):
        said = ((re.sub(_FIRST_ITEM, "", name), _message_text(one)) for name, one in message.items())
        return "; ".join(f"{name}: {text}" if name else text for name, text in said if text)
    if isinstance(message, list):
        return ", ".join(text for one in message if (text := _message_text(one)))
    return "" if message is None else str(message)


def read_warnings(service: Service, response: Response) -> list[str]:
    """Return the warnings in a successful response, each on one line.

    A warning means that something was not done as requested. The members that the service declares as
    warnings are read, at the top level of the body or of the items of an array.
    """
    text = response.text
    # Searching the text is faster than parsing it.
    if not any(mark in text for mark in service.errors.marks_of_warnings):
        return []
    try:
        body = response.json()
    except RowError:
        return []
    found = [
        shorten(_message_text(item[name]))
        for item in (body if isinstance(body, list) else [body])
        if isinstance(item, dict)
        for name in service.errors.warnings
        if item.get(name)
    ]
    return list(dict.fromkeys(found))
