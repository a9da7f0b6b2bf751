"""How fast requests may be sent to a service: the delay between them, and its responses about too many."""

from __future__ import annotations

import re
from typing import NamedTuple

from connector.catalog.declaration import Section


class Throttling(NamedTuple):
    """The responses with which the service reports too many requests: statuses, and words of an HTML page.

    `waits_s` are the waits (seconds) before each further try, for a service that limits the requests of a
    long window; without them the waits are short. `says` is a regular expression that finds the limit in the
    text of the response: the first group is a number of requests, the second one a number of minutes.
    """

    statuses: tuple[int, ...]
    html_words: tuple[str, ...]
    waits_s: tuple[float, ...] = ()
    says: re.Pattern[str] | None = None


class Delay(NamedTuple):
    """The minimum interval between two requests, a setting of runs: its default, in milliseconds."""

    title: str = ""
    description: str = ""
    default_ms: float = 0.0


def read_delay(part: Section) -> Delay:
    """Read the delay of a service's declaration. Raises DeclarationError."""
    delay = Delay(part.text("title"), part.text("description", ""), part.value("default_ms", (int, float)))
    part.finish()
    if delay.default_ms < 0:
        raise part.fault("the delay cannot be negative", "default_ms")
    return delay


def read_throttling(part: Section) -> Throttling:
    """Read the throttling of a service's declaration. Raises DeclarationError."""
    throttling = Throttling(
        statuses=tuple(part.value("statuses", list)),
        html_words=part.texts("html_words"),
        waits_s=tuple(part.value("waits_s", list, [])),
        says=part.pattern("says"),
    )
    if throttling.says and throttling.says.groups != 2:
        raise part.fault("two groups are expected: the number of requests, and that of minutes", "says")
    part.finish()
    return throttling
