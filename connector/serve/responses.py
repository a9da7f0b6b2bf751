"""Responses of JSON values and of errors."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.wrappers import Response

from connector.callers.problems import MEDIA_TYPE, ProblemError
from connector.common import json_text
from connector.common.json_text import Json


def json_response(
    body: Json | bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON value, or its text, as a response."""
    content = body if isinstance(body, bytes) else json_text.dump_bytes(body)
    return Response(content, status, dict(headers or {}), mimetype="application/json")


def problem_response(problem: ProblemError) -> Response:
    """Return the response to a refused request."""
    return Response(problem.body(), problem.status, problem.headers, mimetype=MEDIA_TYPE)
