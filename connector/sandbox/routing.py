"""Finds the endpoint for a request by its method and path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, Map, Rule

from connector.sandbox.endpoints import Endpoint, path_argument
from connector.sandbox.errors import HttpError


class Router:
    """Finds the endpoint for a request by its method and its escaped path, after one of the `prefixes`."""

    def __init__(self, endpoints: Iterable[Endpoint], prefixes: Iterable[str] = ("",)) -> None:
        self.endpoints = tuple(endpoints)
        prefixes = tuple(prefixes)
        rules = [
            Rule(prefix + _rule(entry.path), methods=[entry.method], endpoint=entry)
            for entry in self.endpoints
            for prefix in prefixes
        ]
        # paths are matched exactly, without a redirect to or from a trailing slash
        self._paths = Map(
            rules,
            converters={"segment": Segment},
            strict_slashes=True,
            merge_slashes=False,
            redirect_defaults=False,
        ).bind("sandbox")

    def find(self, method: str, raw_path: str) -> tuple[Endpoint, dict[str, str]]:
        """Return the endpoint and its still escaped path values. Raises HttpError 404 or 405."""
        try:
            found, values = self._paths.match(_normalized(raw_path), method)
        except NotFound:
            raise HttpError(404) from None
        except MethodNotAllowed as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            raise HttpError(405, headers={"Allow": allowed}) from None
        if not isinstance(found, Endpoint):
            raise HttpError(404)
        return found, dict(values)


class Segment(BaseConverter):
    """A path segment in escaped form, in which an escaped slash does not end the segment."""

    regex = "[^/]+"


def _normalized(raw_path: str) -> str:
    """Return a path whose segments are all escaped in the same way, as clients differ in this."""
    return "/".join(quote(unquote(segment), safe="") for segment in raw_path.split("/"))


def _rule(path: str) -> str:
    return re.sub(r"\{([^}]+)\}", lambda match: f"<segment:{path_argument(match[1])}>", path)
