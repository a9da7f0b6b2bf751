"""Filter expressions are refused before they are sent where their grammar is known."""

from __future__ import annotations

import contextlib
import re
import time

import pytest

from connector.catalog.filter_grammar import FilterGrammar
from connector.catalog.inputs import Input
from connector.catalog.service import Service
from connector.errors import RowError

GOOD = [
    ("device-filter", "org = 1"),
    ("device-filter", "organization in (1, 2) AND class = WINDOWS_SERVER AND offline"),
    ("device-filter", "loc!=3 AND role eq 5 AND id notin (1,2)"),
    ("device-filter", "class in (WINDOWS_SERVER,MAC) AND status = PENDING"),
    ("device-filter", "created after 2026-01-31 AND created < 20261201"),
    ("device-filter", "group 563"),
    ("device-filter", "tagId in (1,2) AND online"),
    ("backup-status-filter", "status in (COMPLETED, FAILED)"),
    ("backup-plan-filter", "planType = IMAGE"),
    ("backup-start-filter", "startTime between(2026-01-01T00:00:00Z,2026-02-01T00:00:00Z)"),
    ("backup-start-filter", "startTime after 2026-01-01T00:00:00Z"),
]
BAD = [
    ("device-filter", "deviceId = 5", '"deviceId = 5" is not a valid device filter; an example: org = 1 AND'),
    ("device-filter", "org = 1 and class = MAC", 'join clauses with AND, not "and"'),
    ("device-filter", "org = 1 OR org = 2", '"org = 1 OR org = 2" is not a valid device filter'),
    ("device-filter", "org = Acme", '"org = Acme" is not a valid device filter'),
    ("device-filter", "org = 1 AND", '"org = 1 AND" is not a valid device filter'),
    ("device-filter", "org = 1\nAND x", '"x" is not a valid device filter'),
    ("device-filter", "org = 1)", '"org = 1)" is not a valid device filter'),
    ("backup-status-filter", "status = DONE", "is not a valid backup status filter"),
    ("backup-status-filter", "status = RUNNING AND status = FAILED", "is not a valid backup status filter"),
    ("backup-plan-filter", "plan = IMAGE", "planType in (IMAGE,FILE_FOLDER)"),
]


@pytest.mark.parametrize(("name", "text"), GOOD)
def test_what_the_grammar_knows_passes_as_it_is(service: Service, name: str, text: str) -> None:
    assert service.filters[name].read(text) == text


@pytest.mark.parametrize(
    ("name", "text", "sent"),
    [
        (
            "device-filter",
            "org = 1 AND created after 1748390400  AND created<1748390400250 AND online",
            "org = 1 AND created after 2025-05-28T00:00:00Z  AND created<2025-05-28T00:00:00.250Z AND online",
        ),
        ("device-filter", " created > 2025-05-27T20:00:00-04:00 ", " created > 2025-05-28T00:00:00Z "),
        ("backup-start-filter", "startTime after 1748390400", "startTime after 2025-05-28T00:00:00Z"),
        (
            "backup-start-filter",
            "startTime between 20250528T000000Z and 1748390401",
            "startTime between 2025-05-28T00:00:00Z and 2025-05-28T00:00:01Z",
        ),
        (
            "backup-start-filter",
            "startTime between(2025-05-28,1748390401.0)",
            "startTime between(2025-05-28,2025-05-28T00:00:01Z)",
        ),
    ],
)
def test_a_time_that_the_api_does_not_read_is_sent_as_one_that_it_does(
    service: Service, name: str, text: str, sent: str
) -> None:
    assert service.filters[name].read(text) == sent


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("device-filter", "created after 47088", "47088 looks like a spreadsheet date: 2028-12-01"),
        ("device-filter", "created < 2026-13-01", '"2026-13-01" is not a time'),
        ("backup-start-filter", "startTime between(2026-01-01,12)", "12 is not a time between 1990 and 2100"),
    ],
)
def test_a_time_in_a_filter_is_a_time(service: Service, name: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        service.filters[name].read(text)


@pytest.mark.parametrize(("name", "text", "says"), BAD)
def test_what_it_does_not_know_is_shown(service: Service, name: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        service.filters[name].read(text)


def test_every_example_is_understood(service: Service) -> None:
    for grammar in service.filters.values():
        grammar.read(grammar.example)


def test_an_input_is_checked_by_the_grammar_that_its_format_names() -> None:
    grammar = FilterGrammar("thing filter", (r"thing \d+",), "", "thing 5")
    given = Input("filter", "Filter", {"type": "string", "format": "thing-filter"}, grammar=grammar)
    assert given.read("thing 7") == "thing 7"
    with pytest.raises(
        RowError, match='filter: "thing x" is not a valid thing filter; an example: thing 5'
    ) as error:
        given.read("thing x")
    assert error.value.code == "input_invalid"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("2026-12-01T06:00:00Z", "after 1796104800"),
        ("after 2026-12-01T06:00:00Z", "after 1796104800"),
        ("BEFORE 2026-12-01T06:00:00+02:00", "before 1796097600"),
        ("before 1796104800", "before 1796104800"),
        (1796104800, "after 1796104800"),
        ("1796104800000", "after 1796104800"),
    ],
)
def test_a_plain_time_becomes_the_expression_that_the_api_understands(text: object, sent: str) -> None:
    given = Input("recorded", "Recorded", {"type": "string"}, unit="after_epoch_s")
    assert given.read(text) == sent


def test_a_time_expression_of_two_clauses_is_refused() -> None:
    given = Input("recorded", "Recorded", {"type": "string"}, unit="after_epoch_s")
    with pytest.raises(RowError, match="is not a time"):
        given.read("after 1 before 2")


def test_a_filter_of_many_spaces_is_checked_in_time(service: Service) -> None:
    grammar = service.filters["device-filter"]
    begun = time.process_time()
    for text in (" " * 60_000, "org = 1" + " " * 60_000 + "x", "org = 1" + " " * 60_000 + "AND org = 2"):
        with contextlib.suppress(ValueError):
            grammar.read(text)
    assert time.process_time() - begun < 5
    with pytest.raises(ValueError, match="at most 65,536 characters"):
        grammar.read("org = 1 AND " * 10_000)


def test_clauses_stand_apart_by_any_spaces(service: Service) -> None:
    service.filters["device-filter"].read("org = 1  AND \t offline AND\nonline")
