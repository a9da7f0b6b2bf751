"""Reads lists once per run, and finds items by name. Names in place of ids are declared in service.yaml."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connector.handlers import (
    Inputs,
    Json,
    Page,
    RowError,
    Steps,
    lookup,
    nearest,
    quote_value,
    same_name,
    shorten,
    walk,
)

_SHOWN = 20
"""The maximum number of choices in an error message."""


def listing(inputs: Inputs, path: str, pager: str = "") -> Steps:
    """Return all items of a list, from all pages, requested once per run. Raises RowError."""
    first = lookup(path)
    if pager:
        pages = walk(inputs.service.pagers[pager], first)
    else:
        response = yield first
        items = response.json()
        if not isinstance(items, list):
            raise response.bad(f"{first}: the response is not an array")
        return items
    found: list[Json] = []
    try:
        step = next(pages)
        while True:
            if isinstance(step, Page):
                found += step.items
                step = next(pages)
            else:
                step = pages.send((yield step))
    except StopIteration:
        return found


def named(noun: str, items: Sequence[Json], value: str, where: str) -> Json:
    """Return the only item with a name. Raises RowError with the existing names."""
    found = _called(items, value)
    if len(found) == 1:
        return found[0]
    quoted = quote_value(value)
    if found:
        raise RowError(
            "input_invalid",
            f"{where}: {quoted} is the name of more than one {noun}; use the id: {choices(found)}",
        )
    near = nearest(shorten(value), [item["name"] for item in items if item.get("name")])
    there = f"Existing: {choices(items)}" if items else "None exist"
    raise RowError("input_invalid", f"{where}: no {noun} is named {quoted}{near}. {there}")


def _called(items: Sequence[Json], value: str) -> list[Json]:
    """Return the items with a name; if none matches exactly, case and word separators are ignored."""
    for form in (str, _loosely):
        found = [item for item in items if item.get("name") and form(value) == form(item["name"])]
        if found:
            return found
    return []


def choices(items: Sequence[Json]) -> str:
    """Return the names of items for a message, with numeric ids; only the first ones if there are many."""
    listed = []
    for item in items[:_SHOWN]:
        name, number = item.get("name"), item.get("id")
        listed.append(f"{name} ({number})" if isinstance(number, int) else str(name))
    return ", ".join(listed) + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")


def _loosely(text: str) -> str:
    return same_name(re.sub("[_-]", " ", str(text)))
