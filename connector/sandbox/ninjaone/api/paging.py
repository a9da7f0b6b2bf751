"""Paging of lists, with one function for each kind of pager."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.types import BOOLEAN, INTEGER, LONG, TEXT, Scalar, within

DEFAULT_PAGE = 1000
"""The default page size where the API document has none."""

AFTER: Mapping[str, Scalar] = {"pageSize": within(1, 2**31 - 1), "after": INTEGER}
"""The query parameters of lists that are sorted by id; `after=<last id>` requests the next page."""
ACTIVITY_PAGE: Mapping[str, Scalar] = {
    "pageSize": within(10, 1000),
    "olderThan": LONG,
    "newerThan": LONG,
    "status": TEXT,
    "seriesUid": TEXT,
    "lang": TEXT,
    "tz": TEXT,
}
"""The query parameters of both activity lists, newest first; `olderThan=<smallest id>` requests the next
page."""
LANGUAGE: Mapping[str, Scalar] = {"lang": TEXT, "tz": TEXT}
"""Query parameters that are accepted and ignored."""
INHERITANCE: Mapping[str, Scalar] = {"withInheritance": BOOLEAN}


def after_page(items: Iterable[JSON], query: Mapping[str, Any]) -> list[JSON]:
    """Return the page of `items`, sorted by id, after the id in the query."""
    start = query.get("after", 0)
    return list(islice((item for item in items if item["id"] > start), query.get("pageSize", DEFAULT_PAGE)))


def activity_page(newest_first: Iterable[JSON], query: Mapping[str, Any]) -> list[JSON]:
    """Return a page of the activities between `olderThan` and `newerThan`.

    The page has the newest of these activities, or the oldest if only `newerThan` is given. In this way, all
    activities can be read in both directions.
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
