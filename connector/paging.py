"""Pagers: generators that walk a paged list to its end, or say that they could not.

A page that cannot be read, or that does not advance, is an error and never a short success.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.errors import RowError
from connector.http import Request, Response
from connector.json_text import Json, kind
from connector.service import Pager


@dataclass(frozen=True)
class Page:
    """Items of a list, handed over as they come. The walk's last `Page` may have none."""

    items: list[Json]


Walk = Generator[Request | Page, Response, dict[str, Json]]
"""Yields requests and pages; returns what the last answer says beside its items (`meta.page`), with
`truncated` true when `limit` ended the walk before the list did."""


def walk(pager: Pager, first: Request, limit: int | None = None) -> Walk:
    """Walk a list from its first page. `limit` caps the items, over all pages.

    Raises RowError (`bad_response`) for a page that cannot be read or that does not advance.
    """
    # One item more than the cap is asked for: only its arrival proves that something was left out.
    size = pager.page_size if limit is None else max(pager.least, min(pager.page_size, limit + 1))
    request = _set(first, pager.size, size) if pager.size else first
    position: Json = None
    progress: Json = None
    count = 0
    while True:
        response = yield request
        answer = response.json()
        items = _items(pager, answer, response)
        beside = _beside(pager, answer)
        room = len(items) if limit is None else limit - count
        yield Page(items[:room])
        if len(items) > room:
            return {**beside, "truncated": True}
        count += len(items)
        following = _position(pager, answer, items, response)
        if _is_last(pager, items, following, size):
            return beside
        advanced = _member(answer, pager.advances)
        _check_advance(pager, (position, progress), (following, advanced), response)
        position, progress = following, advanced
        request = _set(request, pager.send, following)


def _items(pager: Pager, answer: Json, response: Response) -> list[Json]:
    items = _member(answer, pager.items)
    if not isinstance(items, list):
        where = f'its "{pager.items}"' if pager.items else "the answer"
        raise _unreadable(f"{where} should be an array, and is {kind(items)}", response)
    return items


def _beside(pager: Pager, answer: Json) -> dict[str, Json]:
    if not pager.items or not isinstance(answer, Mapping):
        return {}
    return {name: value for name, value in answer.items() if name != pager.items.partition(".")[0]}


def _position(pager: Pager, answer: Json, items: list[Json], response: Response) -> Json:
    """Find where the next page begins; None when the answer does not say."""
    if pager.next:
        holder = _member(answer, pager.next.rpartition(".")[0])
        if holder is not None and not isinstance(holder, Mapping):
            raise _unreadable(f'its "{pager.next.rpartition(".")[0]}" is {kind(holder)}', response)
        return _member(answer, pager.next)
    if not pager.pick or not items:
        return None
    places = [_member(item, pager.item) for item in items]
    if pager.pick == "last":
        return places[-1]
    if not all(type(place) is int for place in places):
        raise _unreadable(f'an item has no whole number as its "{pager.item}"', response)
    return max(places) if pager.pick == "max" else min(places)


def _is_last(pager: Pager, items: list[Json], following: Json, size: int) -> bool:
    reasons = {
        "first": True,
        "empty": not items,
        "short": len(items) < size,
        "no_position": following is None,
    }
    return any(reasons[reason] for reason in pager.until)


def _check_advance(
    pager: Pager, before: tuple[Json, Json], after: tuple[Json, Json], response: Response
) -> None:
    """Refuse a page that leads back to where the walk already was."""
    (position, progress), (following, advanced) = before, after
    if following is None:
        raise _unreadable("it does not say where the next page begins", response)
    if position is None:
        return
    stuck = following == position
    if pager.pick in ("max", "min"):
        stuck = following <= position if pager.pick == "max" else following >= position
    if stuck and pager.advances:
        stuck = not (_number(advanced) > _number(progress))
    if stuck:
        raise _unreadable(f"it leads back to {following!r}, where this page began", response)


def _number(value: Json) -> float:
    """Read an offset leniently: it was seen as text. What is no number never advances."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _unreadable(what: str, response: Response) -> RowError:
    return response.bad(
        f"a page of the list cannot be followed: {what}. What was read before it is not the whole list"
    )


def _member(value: Json, path: str) -> Any:
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _set(request: Request, target: str, value: Json) -> Request:
    place, _, name = target.partition(".")
    return request.with_query(name, value) if place == "query" else request.with_body(name, value)
