"""From an alert to its ticket through `sync serve`, at the real pace of requests; figures are recorded."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sync.alert_pair import ALERTS
from tests.sync.pair import Pair
from tests.sync.test_serve import ninjaone, serving, until

ALERTS_SENT, SECONDS_BETWEEN = 15, 6.0
DEVICES = {
    "type": "{{ device.nodeClass }}",
    "match": {"field": 117},
    "fields": {"117": "{{ device.system.serialNumber }}"},
}
Record = Callable[[str, Any], None]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, devices=1500, assets=1500, tickets=0, traps={"rate_limit": "none"}) as made:
        made.ninja.state.alerts.clear()
        yield made


@pytest.mark.slow
@pytest.mark.parametrize(("work", "goal_s"), [("idle", 2.0), ("full reads", 5.0)])
def test_an_alert_is_a_ticket_within_seconds(
    pair: Pair, work: str, goal_s: float, record_property: Record
) -> None:
    devices = {"devices": DEVICES} if work == "full reads" else {}
    clients = {"map": [{"organization": 1, "client": 11}]} if not devices else {"take": "all"}
    pair.map(clients=clients, alerts=dict(ALERTS), limits={"tickets_per_hour": 1000}, **devices)
    options = ["--every", "1h"] if not devices else ["--every", "1s", "--full"]
    with serving(pair.folder, *options, delay=None) as (address, _):
        if not devices:
            until(lambda: requests.get(f"{address}/health", timeout=10).json().get("last_run"))
        done = ninjaone("webhook", "register", str(pair.folder), "--url", address, "--yes")
        assert done.returncode == 0, done.stdout
        took = [seconds_to_ticket(pair, number) for number in range(1, ALERTS_SENT + 1)]
    record_property("median s", round(statistics.median(took), 2))
    record_property("p95 s", round(sorted(took)[-1], 2))
    record_property("goal s", goal_s)


def seconds_to_ticket(pair: Pair, number: int) -> float:
    """Raise an alert, wait for its ticket, and then until the next one is due; return what the first took."""
    began = time.monotonic()
    uid = pair.ninja.alerts.trigger(number, subject=f"alert {number}")["uid"]
    until(lambda: any(t.get("ninja_alert_id") == uid for t in list(pair.halo.state.tickets.values())))
    took = time.monotonic() - began
    time.sleep(max(0.0, SECONDS_BETWEEN - took))
    return took
