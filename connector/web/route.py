"""An address, and the function that answers there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.wrappers import Response


@dataclass(frozen=True)
class Route:
    """An address below the root (see werkzeug's rules), and the function that answers there.

    The function gets the site, the request and the rule's values by name.
    """

    rule: str
    view: Callable[..., Response]
    methods: tuple[str, ...] = ("GET",)
