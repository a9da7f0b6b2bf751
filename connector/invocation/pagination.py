"""Paging: generators that read a paged list to its end.

A page that cannot be read, or that does not advance, is an error; it never ends the list early.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connector.catalog.service import Pager
from connector.common.json_text import Json, kind
from connector.errors import RowError
from connector.http.messages import Request, Response


class Page(NamedTuple):
    """A page: some items of a list. The last `Page` can be empty."""

    items: list[Json]


@dataclass(frozen=True, eq=False)
class PagedResult:
    """The return value of paging, after the items were yielded as pages.

    `page` has the other members of the last response; `truncated` is true if the list has, or can have, more
    items.
    """

    page: Mapping[str, Json] = field(default_factory=dict)
    truncated: bool = False


Walk = Generator[Request | Page, Response, PagedResult]
"""A generator that yields requests and pages, receives responses, and returns the paged result."""
CheckItems = Callable[[list[Json], Response], None]
"""A function that raises RowError if a page has items that the list must not have."""


def walk(pager: Pager, first: Request, limit: int | None = None, check: CheckItems | None = None) -> Walk:
    """Read a list from its first page, at most `limit` items over all pages; `check` is called per page.

    Raises RowError (`bad_response`) for a page that cannot be read or that does not advance.
    """
    size = _page_size(pager, limit)
    request = _set(first, pager.size, size) if pager.size else first
    for place, value in pager.always.items():
        request = _set(request, place, value)
    if pager.first is not None:
        return (yield from _walk_counted(pager, request, limit, check))
    cursor = _Cursor(pager)
    count = 0
    while True:
        response = yield request
        content = response.json()
        items = _items(pager, content, response)
        page_info = _page_info(pager, content)
        progress = _member(content, pager.advances) if pager.advances else None
        cursor.refuse_gap(progress, items, response)
        if check:
            check(items, response)
        room = len(items) if limit is None else limit - count
        yield Page(items[:room])
        if len(items) > room:
            return PagedResult(page_info, truncated=True)
        count += len(items)
        if _has_ended(pager, items, size):
            # A list that is not paged may have more items if the response has as many as requested.
            return PagedResult(page_info, truncated=not pager.send and len(items) >= size)
        following = _position(pager, content, items, response)
        if following is None and "no_position" in pager.until:
            return PagedResult(page_info)
        cursor.advance(following, progress, items, response)
        request = _set(request, pager.send, following)
        del content, items  # frees a page before the next one is parsed


def _walk_counted(pager: Pager, request: Request, limit: int | None, check: CheckItems | None) -> Walk:
    """Read a list with numbered pages, until it has as many items as the response says, or a page is empty.

    A short page is not the end, because the API can return fewer items than requested.
    """
    number, count, is_second_try = pager.first or 0, 0, False
    before: list[Json] = []
    while True:
        response = yield _set(request, pager.send, number)
        content = response.json()
        items, total = _items(pager, content, response), _total(pager, content, response)
        if not items and total is not None and count < total:
            if is_second_try:
                raise _unreadable(f"the page after {count} of {total} items is empty", response)
            is_second_try = True
            continue
        marks = _marks(pager, items)
        if items and marks == before:
            raise _unreadable(f"page {number} has the same items as page {number - 1}", response)
        if check:
            check(items, response)
        room = len(items) if limit is None else limit - count
        yield Page(items[:room])
        if len(items) > room:
            return PagedResult(_page_info(pager, content), truncated=True)
        count += len(items)
        if not items or ("total" in pager.until and count == total):
            return PagedResult(_page_info(pager, content))
        number, before, is_second_try = number + 1, marks, False
        del content, items, marks  # as in `walk`


def _total(pager: Pager, content: Json, response: Response) -> int | None:
    """Return the total number of items of the list, or None if it is not in the response."""
    total = _member(content, pager.total) if pager.total else None
    if total is not None and type(total) is not int:
        raise _unreadable(f'its "{pager.total}" should be a number, but is {kind(total)}', response)
    return total


def _marks(pager: Pager, items: list[Json]) -> list[Json]:
    """Return the values that identify a page: the pager's `item` of each item, or the items themselves."""
    marks = [_member(item, pager.item) for item in items] if pager.item else items
    return items if None in marks else marks


def _page_size(pager: Pager, limit: int | None) -> int:
    """Return the page size to request: one more than the limit, to find out whether there are more items."""
    if limit is None:
        return pager.page_size
    wanted = limit + 1 if not pager.send else min(pager.page_size, limit + 1)
    return max(pager.least, wanted)


def _items(pager: Pager, content: Json, response: Response) -> list[Json]:
    items = _member(content, pager.items)
    if not isinstance(items, list):
        where = f'its "{pager.items}"' if pager.items else "the response"
        raise _unreadable(f"{where} should be an array, but is {kind(items)}", response)
    return items


def _page_info(pager: Pager, content: Json) -> dict[str, Json]:
    if not pager.items or not isinstance(content, Mapping):
        return {}
    return {name: value for name, value in content.items() if name != pager.items.partition(".")[0]}


def _has_ended(pager: Pager, items: list[Json], size: int) -> bool:
    reasons = {"first": True, "empty": not items, "short": len(items) < size, "no_position": False}
    return any(reasons[reason] for reason in pager.until)


def _position(pager: Pager, content: Json, items: list[Json], response: Response) -> Json:
    """Return the position of the next page, or None if the response does not have it."""
    if pager.next:
        holder = _member(content, pager.next.rpartition(".")[0])
        if holder is not None and not isinstance(holder, Mapping):
            raise _unreadable(
                f'its "{pager.next.rpartition(".")[0]}" should be an object, but is {kind(holder)}', response
            )
        place = _member(content, pager.next)
    elif not items or pager.pick == "last":
        place = _member(items[-1], pager.item) if items else None
    else:
        try:
            places = [item[pager.item] for item in items]
        except (KeyError, TypeError):
            places = [_member(item, pager.item) for item in items]
        if not all(type(place) is int for place in places):
            raise _unreadable(f'the "{pager.item}" of an item is not a whole number', response)
        place = max(places) if pager.pick == "max" else min(places)
    if isinstance(place, (bool, list, dict)):
        raise _unreadable(f"the position of the next page has the wrong type: {kind(place)}", response)
    return None if place == "" else place


class _Cursor:
    """The positions of the pages that were read, to detect a page that repeats one of them."""

    def __init__(self, pager: Pager) -> None:
        self._pager = pager
        self._seen: set[Json] = set()
        self._is_ordered = pager.pick in ("max", "min")
        self._position: Json = None
        self._progress: Json = None
        self._count = 0
        self._items: list[Json] = []

    def refuse_gap(self, progress: Json, items: list[Json], response: Response) -> None:
        """Raise RowError if items were lost between the previous page and this one.

        A named cursor moves with every response, also with one that was lost: repeating the same request then
        returns the page after it.
        """
        if not (self._pager.advances and self._seen and response.repeated):
            return
        # The offset is that of the page's start or end. Any other value means that a page was lost.
        if _number(progress) - _number(self._progress) not in (len(items), self._count):
            raise _unreadable("the items between two pages were lost", response)

    def advance(self, following: Json, progress: Json, items: list[Json], response: Response) -> None:
        """Record the next page's position. Raises RowError if there is none, or it was already read."""
        if following is None:
            raise _unreadable("the response does not contain the position of the next page", response)
        if self._seen and self._leads_back(following, progress, items):
            raise _unreadable(f"the page at the next position, {following!r}, was already read", response)
        self._seen.add(following)
        self._position, self._progress, self._count = following, progress, len(items)
        self._items = [] if self._is_ordered else items

    def _leads_back(self, following: Json, progress: Json, items: list[Json]) -> bool:
        if self._is_ordered:
            is_up = self._pager.pick == "max"
            return bool(following <= self._position if is_up else following >= self._position)
        if following not in self._seen and items != self._items:
            return False
        return not (self._pager.advances and _number(progress) > _number(self._progress))


def _number(value: Json) -> float:
    """Return an offset, which can be text, as a number; anything else is NaN, which never advances."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _unreadable(what: str, response: Response) -> RowError:
    return response.bad(
        f"the list cannot be read to its end: {what}. The items so far are not the complete list"
    )


def _member(value: Json, path: str) -> Any:
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _set(request: Request, target: str, value: Json) -> Request:
    place, _, name = target.partition(".")
    return request.with_query(name, value) if place == "query" else request.with_body(name, value)
