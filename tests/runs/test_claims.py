"""Which series of events can belong to the work of which row: by cases, and for any order of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalog.catalog import Catalog
from connector.runs.claims import Candidates, Claim, find_candidates
from connector.runs.outcomes import Ended, Found, Order, find_ended
from tests.examples import examples
from tests.runs.test_outcomes import event


def candidates(claims: list[Claim], series: int) -> dict[int, tuple[tuple[int, ...], bool]]:
    found = find_candidates(claims, {claim.row: frozenset(range(series)) for claim in claims})
    return {row: (its.series, its.may_be_missing) for row, its in found.items()}


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (0, {2: ((), True), 3: ((), True)}),
        (1, {2: ((0,), True), 3: ((), True)}),
        (2, {2: ((0, 1), False), 3: ((1,), True)}),
        (3, {2: ((1,), False), 3: ((2,), False)}),
        (4, {2: ((0, 1, 2, 3), False), 3: ((0, 1, 2, 3), False)}),
    ],
)
def test_a_lost_request_claims_its_place(series: int, expected: dict[int, Any]) -> None:
    claims = [Claim(1, is_sure=False), Claim(2), Claim(3)]
    assert candidates(claims, series) == expected


def test_rows_in_parallel_have_no_order() -> None:
    claims = [Claim(1, is_alone=False), Claim(2, is_alone=False)]
    assert candidates(claims, 1) == {1: ((0,), True), 2: ((0,), True)}
    assert candidates(claims, 2) == {1: ((0, 1), False), 2: ((0, 1), False)}


def test_a_series_that_only_one_row_matches_is_not_another_rows() -> None:
    claims = [Claim(1, is_alone=False), Claim(2, is_alone=False)]
    found = find_candidates(claims, {1: frozenset({0, 1}), 2: frozenset({1})})
    assert found == {1: Candidates((0,), False, True, (1, 2)), 2: Candidates((1,), False, True, (1, 2))}


def test_rows_without_common_series_are_apart() -> None:
    found = find_candidates([Claim(1), Claim(2)], {1: frozenset({1}), 2: frozenset({0})})
    assert {row: its.rivals for row, its in found.items()} == {1: (1,), 2: (2,)}


@dataclass(frozen=True)
class Device:
    """Rows that run scripts on one device, and what it reports: `true_ends` are those of the rows, by row."""

    orders: list[Order]
    events: list[dict[str, Any]]
    true_ends: dict[int, Ended]


Find = Callable[[Device], Found]


@st.composite
def devices(draw: st.DrawFn, *, is_certain: bool = False) -> Device:
    """Any rows, of which some are lost, run in any possible order as far as the device has come."""
    orders, started = [], []
    scripts = draw(st.sampled_from([["Clean"], ["Clean", "Clean disk"]]))
    names = draw(st.lists(st.sampled_from(scripts), min_size=1, max_size=4))
    in_parallel = not is_certain and draw(st.booleans())
    for row, name in enumerate(names, start=1):
        is_sure = is_certain or draw(st.booleans())
        is_alone = not in_parallel or draw(st.booleans())
        orders.append(Order(row, {"device_id": 1}, name, is_sure=is_sure, is_alone=is_alone))
        place = len(started) if is_alone else draw(st.integers(_last_alone(started), len(started)))
        if is_sure or draw(st.booleans()):
            started.insert(place, orders[-1])
    started = started[: draw(st.integers(0, len(started)))]
    has_names = draw(st.booleans())
    events = [_event(number, "STARTED", order, has_names) for number, order in enumerate(started, start=1)]
    ends = {}
    for order in draw(st.permutations(started))[: draw(st.integers(0, len(started)))]:
        number, has_failed = len(events) + 1, draw(st.booleans())
        result = "FAILURE" if has_failed else "SUCCESS"
        params = {"data": {"message": {"params": {"exit_code": order.row}}}}
        events.append(_event(number, "COMPLETED", order, has_names, activityResult=result, **params))
        at = events[-1]["activityTime"]
        state = "FAILURE" if has_failed else "COMPLETED"
        ends[order.row] = Ended(not has_failed, state, order.row, at, number)
    return Device(orders, events, ends)


def _last_alone(started: list[Order]) -> int:
    """Return the first place at which a row in parallel can have started: after those that ran alone."""
    return max((place + 1 for place, order in enumerate(started) if order.is_alone), default=0)


def _event(number: int, code: str, order: Order, has_names: bool, **more: Any) -> dict[str, Any]:
    name = {"subject": f"Run {order.name}"} if has_names else {}
    return event(number, code, f"s{order.row}", **name, **more)


@pytest.fixture(scope="module")
def find(catalog: Catalog) -> Find:
    """A function that returns what is known of the orders of a device."""
    outcome, log = catalog.action("run_script").outcome, catalog.service("ninjaone").event_log
    assert outcome
    return lambda device: find_ended(outcome, log, device.orders, device.events)


@examples(600)
@given(device=devices())
def test_no_row_gets_the_outcome_of_another_row(find: Find, device: Device) -> None:
    found = find(device)
    sure = {order.row for order in device.orders if order.is_sure}
    for row, end in found.ended.items():
        true = device.true_ends[row]
        assert row in sure
        assert (end.succeeded, end.state) == (true.succeeded, true.state)
        assert (end.exit_code, end.at, end.id) in (
            (true.exit_code, true.at, true.id),
            (None, None, None),
        )
    assert not found.unclear.keys() & found.ended.keys()
    assert found.final <= found.unclear.keys() <= sure


@examples(100)
@given(device=devices(is_certain=True))
def test_rows_that_run_one_after_the_other_get_all_of_their_outcomes(find: Find, device: Device) -> None:
    found = find(device)
    if any("subject" in event for event in device.events) and len({o.name for o in device.orders}) > 1:
        return  # "Clean" is also in the name of the other script.
    assert found == Found(device.true_ends)
