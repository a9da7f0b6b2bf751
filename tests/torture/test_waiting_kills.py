"""SIGKILL at every write point of a run that waits for the end of work: no request is sent twice."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.data.orders import FAILING_DIGIT
from connector.sandbox.ninjaone.server import Sandbox
from tests.torture.test_repair_kills import Life, Record
from tests.torture.test_repair_kills import context as context

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there"),
]

DEVICES = (1, 4, 5, 6, 7)
SCRIPT = {"device_id": "{{ name }}", "type": "SCRIPT", "script_id": "1"}
JOBS: dict[str, dict[str, Any]] = {
    "run": {"action": "run_script", "output": "out.jsonl", "templates": SCRIPT, "wait": "1m"},
    "job": {
        "output": "out",
        "steps": [
            {"name": "work", "action": "run_script", "templates": SCRIPT, "wait": "1m"},
            {
                "name": "renamed",
                "action": "update_device",
                "input": {"step": "work"},
                "templates": {"device_id": "{{ name }}", "display_name": "done {{ name }}"},
            },
        ],
    },
}
OUTPUTS = {"run": "out.jsonl", "job": "out/work.jsonl"}


@pytest.fixture
def life(tmp_path: Path, context: Any) -> Iterator[Life]:
    """Work takes so long that the first polls do not find its end."""
    with Sandbox(order_s=0.2) as sandbox:
        yield Life(tmp_path / "work", sandbox, context)


def sent(life: Life, method: str) -> Counter[str]:
    return Counter(r["path"] for r in life.sandbox.log.requests() if r["method"] == method)


@pytest.mark.parametrize("kind", JOBS)
def test_an_order_is_given_once_whenever_its_run_is_killed(
    life: Life, kind: str, record_property: Record
) -> None:
    """Two kills: one at each write point, and one at the same number of points of the run that continues."""

    def begin() -> None:
        life.begin({"input": "rows.csv", "delay_ms": 0, **JOBS[kind]}, "name\n1\n4\n5\n6\n7\n")

    begin()
    done = life.run("run", "job.yaml", "--yes")
    assert done is not None
    assert done[0] == 1, life.messages
    points = done[1]
    assert points > 30
    in_doubt = 0
    for point in range(1, points + 1, 1 if kind == "run" else 3):
        begin()
        life.run("run", "job.yaml", "--yes", kill_at=point)
        life.run("run", "job.yaml", "--yes", "--resume", kill_at=point)
        life.finish("run", "job.yaml", "--yes")
        orders = sent(life, "POST")
        assert set(orders.values()) <= {1}, point
        found = [json.loads(line) for line in (life.folder / OUTPUTS[kind]).read_text().splitlines()]
        assert len(found) == len(DEVICES)
        for device, envelope in zip(DEVICES, found, strict=True):
            code, outcome = envelope["meta"]["code"], envelope["meta"].get("outcome", {})
            was_sent = orders[f"/v2/device/{device}/script/run"] == 1
            if code == "outcome_unknown":
                in_doubt += 1
            else:
                state = "failed" if device == FAILING_DIGIT else "completed"
                assert (was_sent, outcome["state"]) == (True, state), (point, envelope)
        doubts = sum(envelope["meta"]["code"] == "outcome_unknown" for envelope in found)
        assert doubts <= 2, point
        if kind == "job":
            succeeded = [d for d, e in zip(DEVICES, found, strict=True) if not e["has_error"]]
            assert sent(life, "PATCH").keys() == {f"/v2/device/{device}" for device in succeeded}, point
    record_property("write points", points)
    record_property("kills", life.kills)
    record_property("rows in doubt", in_doubt)
