"""Exceptions for requests to a mock server: an HTTP error response, or an invalid value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HttpError(Exception):
    """Makes the mock server send an error response with this `status`.

    Without a JSON `body`, the service's standard body for the status is sent. A `text` is sent unchanged
    instead, with the media type in `headers`.
    """

    def __init__(
        self,
        status: int,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        text: str | None = None,
    ) -> None:
        super().__init__(f"{status} {body or text}")
        self.status = status
        self.body = None if body is None else dict(body)
        self.text = text
        self.headers = dict(headers or {})


class InvalidValueError(Exception):
    """A path, query or body value has the wrong type or is out of range.

    `field` is its name, such as `items[0].id`.
    """

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected
