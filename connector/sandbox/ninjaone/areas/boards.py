"""The rows of ticket boards, with filters and sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.sandbox.ninjaone.data.seed import EPOCH, JSON, uid
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid

_COLUMNS = ["id", "subject", "status", "organization", "assignee", "createTime"]


def _board(number: int, name: str) -> JSON:
    return {
        "id": number,
        "uid": uid(0, 17, number),
        "name": name,
        "description": f"Example board {number}",
        "conditions": {"any": [], "all": []},
        "createTime": EPOCH - 90_000_000.0,
        "updateTime": EPOCH - 90_000_000.0,
        "system": True,
        "columns": _COLUMNS,
        "sortBy": [{"field": "id", "direction": "DESC"}],
    }


BOARDS = [_board(1, "Open tickets"), _board(2, "All tickets")]
"""The statuses that board 1 excludes."""


def matching(state: State, board_id: int) -> list[JSON]:
    """Return the tickets on a board."""
    done = (5000, 6000) if board_id == 1 else ()
    return [ticket for ticket in state.tickets.values() if ticket["status"]["statusId"] not in done]


def row(state: State, ticket: JSON) -> JSON:
    """Return a ticket as a row of a board, with names instead of ids."""
    people = {user["uid"]: _name(user) for user in state.users.values()}
    people |= {contact["uid"]: _name(contact) for contact in state.store.get("contact", {}).values()}
    assignee = state.users.get(ticket.get("assignedAppUserId"))
    shown = ("id", "subject", "status", "priority", "severity", "type", "source", "tags", "createTime")
    return {name: ticket[name] for name in shown} | {
        "organization": state.organizations[ticket["clientId"]]["name"],
        "assignee": _name(assignee) if assignee else "",
        "requester": people.get(ticket["requesterUid"], ""),
        "lastUpdated": state.ticket_logs[ticket["id"]][-1]["createTime"],
    }


def _name(person: JSON) -> str:
    return f"{person.get('firstName', '')} {person.get('lastName', '')}".strip()


def sorted_rows(rows: list[JSON], sort_by: list[JSON]) -> list[JSON]:
    """Return the rows sorted by several fields, the first one first; equal rows are sorted by id."""
    rows = sorted(rows, key=lambda entry: int(entry["id"]))
    for order in reversed(sort_by):
        field = order["field"]
        if rows and field not in rows[0]:
            raise invalid("sortBy.field", "a column")
        rows.sort(key=lambda entry, name=field: _key(entry[name]), reverse=order.get("direction") == "DESC")  # type: ignore[misc]
    return rows


def _key(value: Any) -> tuple[int, float, str]:
    value = _plain(value)
    return (0, float(value), "") if isinstance(value, (int, float)) else (1, 0.0, str(value).casefold())


def _plain(value: Any) -> Any:
    return value["statusId"] if isinstance(value, dict) else value


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "present": lambda have, want: have not in ("", "[]"),
    "not_present": lambda have, want: have in ("", "[]"),
    "is": lambda have, want: have == want,
    "is_not": lambda have, want: have != want,
    "contains": lambda have, want: want in have,
    "not_contains": lambda have, want: want not in have,
    "contains_any": lambda have, want: any(part.strip() in have for part in want.split(",")),
    "contains_none": lambda have, want: not any(part.strip() in have for part in want.split(",")),
    "greater_than": lambda have, want: _number(have) > _number(want),
    "less_than": lambda have, want: _number(have) < _number(want),
    "greater_or_equal_than": lambda have, want: _number(have) >= _number(want),
    "less_or_equal_than": lambda have, want: _number(have) <= _number(want),
}
"""The operators of board filters. `between` and recurring times are missing, because their format is
unknown."""


def rule_test(rule: JSON) -> Callable[[JSON], bool]:
    """Return a function that tests a row for a filter.

    Text is compared without regard to case, a status by its id. Raises HttpError 400.
    """
    if rule["operator"] not in _OPERATORS:
        raise invalid("filters.operator", "one of " + ", ".join(_OPERATORS))
    compare, wanted = _OPERATORS[rule["operator"]], (rule.get("value") or "").casefold()
    return lambda entry: compare(str(_plain(entry.get(rule["field"], ""))).casefold(), wanted)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid("filters.value", "number") from None
