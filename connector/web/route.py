"""A URL route of the site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.wrappers import Response


@dataclass(frozen=True)
class Route:
    """A URL rule in werkzeug's syntax, and the view that handles it.

    The view is called with the site, the request and the rule's variables as keyword arguments.
    """

    rule: str
    view: Callable[..., Response]
    methods: tuple[str, ...] = ("GET",)
