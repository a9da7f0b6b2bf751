"""Parses the device filter `df`: clauses joined by `AND`, each of which tests one property.

Without a `status` clause, only approved devices match. As with the vendor's API, the response is a 500 for a
known key with an invalid value and for a lower-case `and`; an unknown key is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from connector.sandbox.ninjaone.data.fleet import Facts
from connector.sandbox.ninjaone.errors import invalid_filter

Predicate = Callable[[Facts], bool]

_CLAUSE = re.compile(
    r"(?P<key>\w+)\s*(?P<operator>!=|<>|=|<|>|!in\b|(?:eq|neq|in|nin|notin|lt|before|gt|after)\b)\s*(?P<value>\S.*)"
)
_OPERATORS = {
    "=": "=", "eq": "=", "!=": "!=", "<>": "!=", "neq": "!=",
    "in": "in", "nin": "nin", "notin": "nin", "!in": "nin",
    "<": "<", "lt": "<", "before": "<", ">": ">", "gt": ">", "after": ">",
}  # fmt: skip
_KEYS: dict[str, Callable[[Facts], Any]] = {
    "org": lambda facts: facts.organization_id,
    "organization": lambda facts: facts.organization_id,
    "loc": lambda facts: facts.location_id,
    "location": lambda facts: facts.location_id,
    "role": lambda facts: facts.role_id,
    "id": lambda facts: facts.id,
    "class": lambda facts: facts.node_class,
    "status": lambda facts: facts.status,
}
_TEXT_KEYS = ("class", "status")
GROUPS = {
    1: ("Windows servers", "class = WINDOWS_SERVER"),
    2: ("Offline devices", "offline"),
    3: ("First customer", "org = 1"),
}
"""The saved groups, keyed by id: the name and the device filter of each."""
_DATES = ("%Y%m%d", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ")


def device_filter(text: str | None) -> Predicate:
    """Return a function that tests a device for the filter `df`.

    Without the filter, only approved devices match. Raises HttpError 500 for an invalid filter.
    """
    clauses = [_clause(part) for part in re.split(r"\s+AND\s+", (text or "").strip()) if part]
    tests = [test for _, test in clauses]
    if not any(key == "status" for key, _ in clauses):
        tests.append(_approved)
    return tests[0] if len(tests) == 1 else lambda facts: all(test(facts) for test in tests)


def _approved(facts: Facts) -> bool:
    return facts.status == "APPROVED"


def _clause(text: str) -> tuple[str, Predicate]:
    if text in ("online", "offline"):
        return text, lambda facts: facts.offline == (text == "offline")
    if re.fullmatch(r"group\s+\d+", text):
        number = int(text.split()[1])
        saved = device_filter(GROUPS[number][1]) if number in GROUPS else None
        return "group", saved or (lambda facts: False)
    found = _CLAUSE.fullmatch(text)
    if found is None or re.search(r"\s(and|or|OR)\s", found["value"]):
        raise invalid_filter(text)
    key, operator, value = found["key"], _OPERATORS[found["operator"]], found["value"].strip()
    if key == "created":
        return key, _created(operator, value, text)
    if key == "tagId":
        return key, _tags(operator, value, text)
    if key not in _KEYS:
        return key, lambda facts: True
    return key, _comparison(key, operator, value, text)


def _comparison(key: str, operator: str, value: str, clause: str) -> Predicate:
    read = _KEYS[key]
    if operator in ("in", "nin"):
        members = set(_members(value, key not in _TEXT_KEYS, clause))
        return lambda facts: (read(facts) in members) == (operator == "in")
    if operator not in ("=", "!="):
        raise invalid_filter(clause)
    wanted = _scalar(value, key not in _TEXT_KEYS, clause)
    return lambda facts: (read(facts) == wanted) == (operator == "=")


def _created(operator: str, value: str, clause: str) -> Predicate:
    for form in _DATES:
        try:
            moment = datetime.strptime(value, form).replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            continue
        if operator == "<":
            return lambda facts: facts.created < moment
        if operator == ">":
            return lambda facts: facts.created > moment
        if operator == "=":
            return lambda facts: moment <= facts.created < moment + 86_400
    raise invalid_filter(clause)


def _tags(operator: str, value: str, clause: str) -> Predicate:
    if operator not in ("in", "nin"):
        raise invalid_filter(clause)
    wanted = set(_members(value, True, clause))
    return lambda facts: bool(wanted.intersection(facts.tag_ids)) == (operator == "in")


def _members(value: str, numeric: bool, clause: str) -> list[int | str]:
    if not (value.startswith("(") and value.endswith(")")):
        raise invalid_filter(clause)
    return [_scalar(member.strip(), numeric, clause) for member in value[1:-1].split(",")]


def _scalar(text: str, numeric: bool, clause: str) -> int | str:
    text = text.strip("'\"")
    if re.fullmatch(r"-?\d+" if numeric else r"\w+", text) is None:
        raise invalid_filter(clause)
    return int(text) if numeric else text
