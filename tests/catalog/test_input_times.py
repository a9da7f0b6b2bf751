"""Times as inputs: the units in which they are sent, also inside of nested values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.common.absent import ABSENT
from connector.common.times import UNITS, Unit
from tests.catalog.reading import an_input, read, refusal


@pytest.mark.parametrize(
    ("unit", "given", "value"),
    [
        ("iso", "2026-12-01T06:00:00-4:00", "2026-12-01T10:00:00Z"),
        ("iso", 1500206400, "2017-07-16T12:00:00Z"),
        ("iso", 1500206400.5, "2017-07-16T12:00:00.500Z"),
        ("iso", "1500206400000", "2017-07-16T12:00:00Z"),
        ("epoch_s", "2017-07-16T12:00:00Z", 1500206400),
        ("epoch_ms", 1500206400, 1500206400000),
        ("epoch_ms", "", ABSENT),
        ("epoch_ms", None, ABSENT),
    ],
)
def test_a_time_is_sent_in_its_unit(unit: Unit, given: Any, value: Any) -> None:
    assert read({"type": "string", "format": "date-time"}, given, unit) == value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("tomorrow", '"tomorrow" is not a time'),
        (True, "expected a time, got a boolean"),
        ([1], "expected a time, got an array"),
        (float("inf"), "is not a time"),
        (1e300, "is not a time"),
    ],
)
def test_what_is_no_time_is_refused(given: Any, message: str) -> None:
    assert message in refusal({"type": "string"}, given, "epoch_s")


CHECKLISTS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "dueDate": {"type": "number", "as": "epoch_s"},
            "tasks": {
                "type": "array",
                "items": {"type": "object", "properties": {"day": {"type": "string", "as": "date"}}},
            },
        },
    },
}


@pytest.mark.parametrize("due", [1748390400, "1748390400000", "2025-05-28", "20250528T0000Z", 20250528])
def test_a_time_in_a_nested_body_follows_the_same_rule(due: Any) -> None:
    given = an_input(CHECKLISTS)
    value = [{"name": "Move", "dueDate": due, "tasks": [{"day": due}, {}]}]
    read = given.read(value)
    assert read == [{"name": "Move", "dueDate": 1748390400, "tasks": [{"day": "2025-05-28"}, {}]}]
    assert given.read(json.dumps(value)) == read
    assert list(given.instants(read)) == [
        ("it[0].dueDate", "2025-05-28T00:00:00Z"),
        ("it[0].tasks[0].day", "2025-05-28"),
    ]


def test_a_time_in_a_nested_body_that_is_none_is_refused() -> None:
    message = refusal(CHECKLISTS, [{"dueDate": 47088}])
    assert message.startswith("it: at [0]: at .dueDate: 47088 looks like a spreadsheet date: 2028-12-01")
    assert list(an_input(CHECKLISTS).instants([{"dueDate": None}, 5])) == []


def test_the_instant_of_a_time_input_is_shown_whatever_its_unit() -> None:
    for unit in UNITS:
        given = an_input({"type": "string"}, unit)
        ((place, shown),) = given.instants(given.read("2028-12-01"))
        assert place == "it"
        assert shown.removeprefix("after ").removesuffix("T00:00:00Z") == "2028-12-01"
