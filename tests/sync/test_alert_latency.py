"""From an alert to its ticket through `sync serve`, at the real pace of requests; figures are recorded."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.findings import percentile
from benchmarks.sandboxes import Sandbox
from benchmarks.sync_alerts import DEVICES, WORK, Work, serve_alerts
from tests.sync.pair import Pair

ALERTS_SENT, SECONDS_BETWEEN = 15, 6.0
Record = Callable[[str, Any], None]


@pytest.mark.slow
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.name)
def test_each_alert_has_a_ticket_within_seconds(tmp_path: Path, work: Work, record_property: Record) -> None:
    with Pair(tmp_path, devices=DEVICES, assets=DEVICES, tickets=0) as pair:
        text = work.mapping.replace("ninjaone.yaml", "ninja.yaml").replace("halopsa.yaml", "halo.yaml")
        (tmp_path / "mapping.yaml").write_text(text)
        pair.run()
        both = Sandbox("ninjaone", pair.ninja.base_url, {}), Sandbox("halopsa", pair.halo.base_url, {})
        took = serve_alerts(tmp_path, work, *both, ALERTS_SENT, SECONDS_BETWEEN)
    assert len(took) == ALERTS_SENT
    record_property("median s", round(statistics.median(took), 2))
    record_property("p95 s", round(percentile(took, 95), 2))
    record_property("goal s", work.goal_s)
