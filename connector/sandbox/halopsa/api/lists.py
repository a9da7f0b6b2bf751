"""List responses: an object with the number of all records and one page of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from connector.sandbox.halopsa.api.call import HaloCall, flag, integer
from connector.sandbox.invented import JSON

CAP, ASSET_CAP = 100, 50
"""The maximum number of records on a page."""


def page(call: HaloCall, key: str, found: Sequence[Any], show: Callable[[Any], JSON], cap: int = CAP) -> JSON:
    """Return a page of records. `key` is the name of the array; `show` returns an item of it."""
    traps = call.state.traps
    wanted = integer(call, "page_size") or integer(call, "count") or cap
    size = wanted if traps.is_on("page_cap", "ignored") else min(wanted, cap)
    number = max(integer(call, "page_no") or 1, 1) if flag(call, "pageinate") else 1
    first = 0 if traps.is_on("paging", "ignored") else (number - 1) * max(size, 1)
    rows = [show(entry) for entry in found[first : first + max(size, 1)]]
    if number == 2 and rows and traps.once("paging", "empty"):
        rows = []
    if flag(call, "idonly"):
        rows = [{"id": row["id"]} for row in rows]
    return {"page_no": number, "page_size": size, "record_count": len(found), key: rows}


def ordered(call: HaloCall, rows: Iterable[JSON], *, newest_first: bool = False) -> list[JSON]:
    """Return records in the order that the query requests (default: by id); unknown members are ignored."""
    listed = sorted(rows, key=lambda row: int(row["id"]), reverse=newest_first)
    member = call.query.get("order")
    if member and any(member in row for row in listed):
        listed.sort(key=lambda row: _sort_key(row.get(member)), reverse=flag(call, "orderdesc"))
    return listed


def _sort_key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, (int, float)):
        return 1, value, ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value).casefold())


def contains(call: HaloCall, name: str, *texts: Any) -> bool:
    """Return whether one of the texts contains a query parameter's value; true if it is absent."""
    wanted = call.query.get(name, "").casefold()
    return not wanted or any(wanted in str(text or "").casefold() for text in texts)


def is_listed(call: HaloCall, record: JSON) -> bool:
    """Return whether a list includes a record; inactive records only if the query requests them."""
    return not record.get("inactive") or flag(call, "includeinactive")
