"""Pages of lists, with one function for each pager."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.types import BOOLEAN, INTEGER, LONG, TEXT, Scalar, within

DEFAULT_PAGE = 1000
"""The default page size if the document has no default."""

AFTER: Mapping[str, Scalar] = {"pageSize": within(1, 2**31 - 1), "after": INTEGER}
"""The query of the pager `after`: a bare array ascending by id, continued by `after=<last id>`."""
ACTIVITY_PAGE: Mapping[str, Scalar] = {
    "pageSize": within(10, 1000),
    "olderThan": LONG,
    "newerThan": LONG,
    "status": TEXT,
    "seriesUid": TEXT,
    "lang": TEXT,
    "tz": TEXT,
}
"""Query common to both activity lists: newest first, continued by `olderThan=<smallest id>`."""
LANGUAGE: Mapping[str, Scalar] = {"lang": TEXT, "tz": TEXT}
"""Accepted and ignored."""
INHERITANCE: Mapping[str, Scalar] = {"withInheritance": BOOLEAN}


def after_page(items: Iterable[JSON], query: Mapping[str, Any]) -> list[JSON]:
    """Return the page of `items` (ascending by id) that starts after the id `after`."""
    start = query.get("after", 0)
    return list(islice((item for item in items if item["id"] > start), query.get("pageSize", DEFAULT_PAGE)))


def activity_page(newest_first: Iterable[JSON], query: Mapping[str, Any]) -> list[JSON]:
    """Return the newest activities between the two ids, or with `newerThan` only, the oldest of them.

    In this way, all activities can be read in both directions.
    """
    size = query.get("pageSize", 200)
    older, newer = query.get("olderThan"), query.get("newerThan")
    found: Iterator[JSON] = (
        item
        for item in newest_first
        if (older is None or item["id"] < older) and (newer is None or item["id"] > newer)
    )
    if newer is not None and older is None:
        return list(found)[-size:]
    return list(islice(found, size))
