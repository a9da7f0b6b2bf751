"""How the events of all waiting rows are read: in which polls, from which event on, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.client import Client
from connector.runs.outcomes import Order
from connector.runs.wait import Outcomes, Waiter, plan_wait
from tests.fakes import Answer, FakeClock, FakeTransport, reply
from tests.runs.test_outcomes import event

START = 1_790_000_000.0
"""The time of the fake clock, and of the event 0."""
ORDER = Order(1, {"device_id": 1, "type": "SCRIPT", "script_id": 1})


@pytest.fixture
def waiter(catalog: Catalog, service: Service, client: Client, clock: FakeClock) -> Waiter:
    plan = plan_wait(catalog.action("run_script"), service, catalog, 100.0)
    return Waiter(plan, client, clock)


def events(*items: dict[str, Any]) -> Answer:
    """The response of a poll; the list is newest first."""
    newest = sorted(items, key=lambda item: -item["id"])
    return reply({"activities": newest, "lastActivityId": newest[-1]["id"] if newest else 0})


def wait(waiter: Waiter, transport: FakeTransport, *polls: Answer, order: Order = ORDER) -> Outcomes:
    """Wait 100 s for an order, from the event 7 on; the scripts and the offline devices are listed first."""
    transport.answers = [reply([{"id": 1, "name": "Tidy up"}]), reply([]), *polls]
    return waiter.wait([order], 7, START + 100)


def test_a_poll_reads_what_is_new_and_the_last_minutes_again(
    waiter: Waiter, transport: FakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event can be listed later than a newer one."""
    since = []
    read = waiter._list

    def noted(name: str, inputs: Mapping[str, Any]) -> Any:
        since.extend([inputs["newer_than"]] if "newer_than" in inputs else [])
        return read(name, inputs)

    monkeypatch.setattr(waiter, "_list", noted)
    seen = [event(8, "STARTED"), event(400, "STARTED", "b", device=2)]
    late = event(90, "COMPLETED", activityResult="SUCCESS")
    found = wait(waiter, transport, events(*seen), events(event(350, "STARTED", "c", device=3)), events(late))
    assert since == [7, 8, 8]
    assert found.found.ended[1].id == 90
    assert not found.problem


@pytest.mark.parametrize(("status", "code"), [(403, "forbidden"), (404, "not_found")])
def test_an_error_that_lasts_ends_the_wait(
    waiter: Waiter, transport: FakeTransport, clock: FakeClock, status: int, code: str
) -> None:
    found = wait(waiter, transport, *[reply({"resultCode": code}, status) for _ in range(9)])
    assert found.is_cut_short
    assert code in found.problem
    assert clock.time < START + 60


def test_an_error_that_was_over_is_not_the_reason(waiter: Waiter, transport: FakeTransport) -> None:
    polls = [reply({"resultCode": "x"}, 403), *[events(event(8, "STARTED")) for _ in range(20)]]
    found = wait(waiter, transport, *polls)
    assert (found.problem, found.is_late, found.found.ended) == ("", True, {})


def test_a_value_is_read_only_after_a_success(waiter: Waiter, transport: FakeTransport) -> None:
    order = Order(1, {**ORDER.inputs, "result_field": "lastCheck"})
    failed = events(event(8, "STARTED"), event(9, "COMPLETED", activityResult="FAILURE"))
    found = wait(waiter, transport, failed, order=order)
    assert (found.found.ended[1].succeeded, found.values) == (False, {})
    assert transport.sent[-1][1].startswith("/v2/activities?")
    done = events(event(8, "STARTED"), event(9, "COMPLETED", activityResult="SUCCESS"))
    found = wait(waiter, transport, done, reply({"lastCheck": 5}), order=order)
    assert found.values == {1: 5}
