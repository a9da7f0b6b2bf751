"""Responses that several pages use: JSON, a confirmation dialog, a download, an error for a script."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from connector.errors import RunError
from connector.web.consent import Question
from connector.web.site import Site


def once_of(request: Request) -> str:
    """Return the key of a POST; a second POST with the same key does not start a second run."""
    return request.form.get("once") or secrets.token_hex(16)


def ask(site: Site, asked: Question) -> Response:
    """Return a JSON response with the content of the confirmation dialog."""
    return as_json({"ask": site.renderer.page("ask.html", "", asked=asked), "rows": asked.rows})


def download(content: Any, name: str, media_type: str) -> Response:
    """Return a response that the browser saves as a file."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(
        content, headers=headers, mimetype=media_type, direct_passthrough=not isinstance(content, bytes)
    )


def as_json(data: Mapping[str, Any]) -> Response:
    """Return a JSON response."""
    return Response(json.dumps(data), mimetype="application/json")


def as_message(view: Any) -> Any:
    """Return the view with RunError converted to a JSON response, whose message the page shows."""

    def answer(site: Site, request: Request, **values: str) -> Response:
        try:
            response: Response = view(site, request, **values)
            return response
        except RunError as fault:
            return Response(json.dumps({"error": str(fault)}), 400, mimetype="application/json")

    return answer
