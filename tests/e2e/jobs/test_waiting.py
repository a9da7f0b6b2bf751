"""Scripts and patches on 200 devices, whose end the run waits for, also when it is killed in between."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connector.runs import wait
from connector.sandbox.ninjaone.data.orders import ENDLESS_DIGIT, FAILING_DIGIT
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.e2e.jobs.conftest import changes, once, sent, step
from tests.fakes import FakeClock, wait_until

WORK_S = 3600.0
"""The time that devices take for their work, by the clock of the sandbox."""


class ShiftedClock:
    """The time of the machine, plus `shift_s`."""

    shift_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.shift_s


def write_job(
    sandbox: Sandbox, folder: Path, count: int, action: str, templates: dict[str, Any], only: str
) -> None:
    """Write a job that lists the first devices that are online, and queues work on them."""
    listed = {"filter": "online", "limit": count}
    steps = [
        step("device", "list_devices", listed, rows="each"),
        step("work", action, templates, of="device", only=only, keep_row=True, wait="2m"),
    ]
    job = {"connection": "connection.yaml", "delay_ms": 0, "output": "out", "steps": steps}
    (folder / "job.yaml").write_text(json.dumps(job))
    (folder / "connection.yaml").write_text(json.dumps(sandbox.connection))


def states(path: Path) -> list[tuple[int, str | None, str]]:
    """The last digit of each row's device, with its code and its state."""
    envelopes = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        (e["input"]["device"]["id"] % 10, e["meta"]["code"], e["meta"].get("outcome", {}).get("state", ""))
        for e in envelopes
    ]


def test_patches_of_200_devices_are_waited_for_with_one_list(
    in_process: Ninjaone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, polls = ShiftedClock(), []

    def sleep(waiter: wait.Waiter, number: int, deadline: float) -> None:
        """All work has ended before the third poll; what never ends is waited for until the time is over."""
        polls.append(number)
        clock.shift_s += WORK_S / 2
        if number > 2:
            waiter._clock = FakeClock()
            waiter._clock.time = deadline

    monkeypatch.setattr(wait.Waiter, "_sleep", sleep)
    with Sandbox(devices=600, order_s=WORK_S, clock=clock) as sandbox:
        inputs = {"device_id": "{{ device.id }}"}
        write_job(sandbox, tmp_path, 200, "apply_os_patches", inputs, "{{ true }}")
        done = in_process("run", "job.yaml", "--expect-rows", "200")
        assert done.returncode == 1, done.stderr
        received = Counter(r["path"] for r in sandbox.log.requests() if r["method"] == "GET")
        ordered = changes(sandbox)
    found = states(tmp_path / "out/work.jsonl")
    assert len(found) == len(ordered) == 200
    assert ordered == once(ordered)
    ends = {
        FAILING_DIGIT: ("execution_failed", "failed"),
        ENDLESS_DIGIT: ("execution_timeout", "timed_out"),
    }
    assert all((code, state) == ends.get(digit, (None, "completed")) for digit, code, state in found)
    # The step with the devices, the offline ones, the newest activity, and one list for each poll.
    assert received == {"/v2/devices": 2, "/v2/activities": 1 + len(polls)}
    assert len(polls) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_script_on_200_devices_is_killed_twice_and_each_order_is_given_once(tmp_path: Path) -> None:
    """It is killed while it sends the orders, and while it waits. Of one order the response is lost."""
    clock, count = ShiftedClock(), 200
    with Sandbox(devices=3 * count, order_s=WORK_S, clock=clock) as sandbox:
        inputs = {"device_id": "{{ device.id }}", "type": "SCRIPT", "script_id": "Clear temporary files"}
        may_end = f"{{{{ device.id % 10 != {ENDLESS_DIGIT} }}}}"
        write_job(sandbox, tmp_path, count, "run_script", inputs, may_end)

        def orders() -> Counter[str]:
            return Counter(r["path"] for r in sent(sandbox))

        def start(*more: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "connector", "run", "job.yaml", *more]
            return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)

        # Reads: the devices, the newest activity, the scripts.
        sandbox.set_faults(queue=[*[None] * (3 + count // 2), {"fault": "slow", "seconds": 120}])
        with start() as process:
            wait_until(lambda: orders().total() == count // 2 + 1)
            process.kill()
        sandbox.set_faults(queue=[])
        before = len(sandbox.log.requests())
        with start("--resume") as process:
            wait_until(lambda: any(r["path"] == "/v2/activities" for r in sandbox.log.requests(before)))
            process.kill()
        assert not (tmp_path / "out/work.jsonl").exists()
        given = orders()
        clock.shift_s = WORK_S
        assert start("--resume").wait(timeout=120) == 1
        assert orders() == given == once(given)
    found = states(tmp_path / "out/work.jsonl")
    assert len(found) == len(given) > count // 2 + 1
    codes = Counter(code for _, code, _ in found)
    assert codes["outcome_unknown"] == 1
    assert codes["execution_failed"] > 0
    for digit, code, state in found:
        if code != "outcome_unknown":
            assert state == ("failed" if digit == FAILING_DIGIT else "completed")
