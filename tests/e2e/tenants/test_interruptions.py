"""A run over several tenants that is killed, stopped or out of room goes on and sends nothing twice."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Ninjaone
from tests.cli.test_run import envelopes
from tests.e2e.tenants.instances import (
    CREATE,
    FILES,
    NAMES,
    REFUSED,
    Start,
    Tenants,
    asked,
    assert_each_row_once,
    end,
    is_untouched,
    write_rows,
)
from tests.fakes import wait_until
from tests.interruption import hold_from, interrupt, wait_for_requests


def asked_in_all(tenants: Tenants) -> int:
    return sum(len(asked(sandbox)) for sandbox in tenants.values())


def wait_for(process: subprocess.Popen[bytes], tenants: Tenants, count: int) -> None:
    """Wait until so many requests were received, or the process has ended."""
    wait_until(lambda: process.poll() is not None or asked_in_all(tenants) >= count)


def test_a_run_that_is_killed_again_and_again_sends_nothing_twice(
    start: Start, tenants: Tenants, tmp_path: Path
) -> None:
    draw, concurrency, count = random.Random(1), 2, 120
    write_rows(tmp_path, count, *NAMES)
    for name in ("acme", "globex"):
        tenants[name].set_faults(queue=[{"fault": "slow", "seconds": 0.01}] * 500)
    kills = 0
    while not (tmp_path / "out.jsonl").exists() or (tmp_path / "out.jsonl.run" / "journal.jsonl").exists():
        is_begun = (tmp_path / "out.jsonl.run" / "journal.jsonl").exists()
        process = start(*CREATE, *FILES, "--concurrency", concurrency, *(("--resume",) if is_begun else ()))
        if kills < 6:
            wait_for(process, tenants, asked_in_all(tenants) + draw.randint(0, 12))
            time.sleep(draw.uniform(0, 0.02))
            process.kill()
            kills += 1
        message = end(process)
        assert process.returncode in (-signal.SIGKILL, 0, 1), message
    found = envelopes(tmp_path / "out.jsonl")
    assert [e["row"] for e in found] == list(range(1, count + 1))
    assert is_untouched(tenants["initech"])
    done = Counter(asked(tenants["acme"])) + Counter(asked(tenants["globex"]))
    assert set(done.values()) == {1}
    for envelope in found:
        code = envelope["meta"]["code"]
        if envelope["row"] % 3 == 0:
            assert code == "input_invalid"
        else:
            assert code in (None, "outcome_unknown")
            assert code or done[f"Client {envelope['row']}"] == 1
    in_doubt = sum(e["meta"]["code"] == "outcome_unknown" for e in found)
    assert in_doubt <= kills * 2 * concurrency


def test_ctrl_c_stops_all_tenants_after_the_rows_under_way(
    start: Start, tenants: Tenants, tmp_path: Path
) -> None:
    write_rows(tmp_path, 200)
    both = tenants["acme"], tenants["globex"]
    for sandbox in both:
        hold_from(sandbox, 3)
    process = start(*CREATE, *FILES, "--concurrency", 2)
    wait_for_requests(process, 3, *both)
    message = interrupt(process, *both)
    assert process.returncode == 130, message
    assert "stopping after the rows in progress" in message
    assert "--resume" in message
    sent = asked_in_all(tenants)
    assert f"{sent} rows, {sent} succeeded" in message
    assert sent < 200
    resumed = start(*CREATE, *FILES, "--resume")
    message = end(resumed)
    assert resumed.returncode == 0, message
    assert f"200 rows ({sent} of them before it was interrupted)" in message
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 200)


def test_what_was_answered_is_printed_when_a_run_to_standard_output_is_stopped(
    start: Start, tenants: Tenants, tmp_path: Path
) -> None:
    write_rows(tmp_path, 200)
    tenants["acme"].set_faults(queue=[None] * 5 + ["hold"])
    process = start(*CREATE, "-i", "rows.jsonl", stdout=subprocess.PIPE)
    wait_until(lambda: len(asked(tenants["globex"])) == 100 and len(asked(tenants["acme"])) == 6)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert b"stopping after the rows in progress" in process.stderr.readline()
    tenants["acme"].set_faults(queue=[])
    printed, message = process.communicate(timeout=60)
    assert process.returncode == 130, message
    rows = [json.loads(line)["row"] for line in printed.splitlines()]
    assert rows == sorted([*range(1, 13, 2), *range(2, 201, 2)])


_LIMITED = """
import resource, sys
from connector.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
sys.exit(main())
"""


def test_a_full_disk_stops_all_tenants(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    write_rows(tmp_path, 200)
    command = [sys.executable, "-c", _LIMITED, *map(str, (*CREATE, *FILES))]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    assert "cannot be written" in done.stderr
    assert 0 < asked_in_all(tenants) < 200
    again = ninjaone(*CREATE, *FILES, "--resume")
    assert again.returncode == 0, again.stderr
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 200)


def test_a_work_folder_that_is_removed_is_put_back(start: Start, tenants: Tenants, tmp_path: Path) -> None:
    """Also what a tenant had sent that was through already."""
    write_rows(tmp_path, 200)
    tenants["acme"].set_faults(queue=[None] * 5 + ["hold"])
    process = start(*CREATE, *FILES)
    wait_until(lambda: len(asked(tenants["globex"])) == 100 and len(asked(tenants["acme"])) == 6)
    shutil.rmtree(tmp_path / "out.jsonl.run")
    tenants["acme"].set_faults(queue=[])
    message = end(process)
    assert process.returncode == 3, message
    assert "was removed during the run, and has been restored" in message
    resumed = start(*CREATE, *FILES, "--resume")
    message = end(resumed)
    assert resumed.returncode == 0, message
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 200)


@pytest.mark.parametrize(
    "change",
    [
        ("--allow-connections", "acme,globex,initech"),
        ("--connection", "{{ tenant | lower }}"),
        ("--allow-connections", "globex"),
    ],
)
def test_another_run_is_not_taken_for_the_interrupted_one(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path, change: tuple[str, ...]
) -> None:
    write_rows(tmp_path, 20)
    tenants["acme"].set_faults(queue=[None, REFUSED])
    assert ninjaone(*CREATE, *FILES, "--on-error", "stop").returncode == 3
    before = [len(asked(sandbox)) for sandbox in tenants.values()]
    done = ninjaone(*CREATE, *FILES, *change, "--resume")
    assert done.returncode == 2, done.stderr
    assert "this run differs from the unfinished one in its connection" in done.stderr
    assert [len(asked(sandbox)) for sandbox in tenants.values()] == before
    # In another order they are the same connections.
    same = ninjaone(*CREATE, *FILES, "--allow-connections", "globex,acme", "--resume")
    assert same.returncode == 1, same.stderr
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 20)


def test_a_restart_begins_again(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    write_rows(tmp_path, 20)
    tenants["acme"].set_faults(queue=[None, REFUSED])
    assert ninjaone(*CREATE, *FILES, "--on-error", "stop").returncode == 3
    for sandbox in tenants.values():
        sandbox.reset()
        sandbox.log.clear("requests")
    done = ninjaone(*CREATE, *FILES, "--restart", "--yes")
    assert done.returncode == 0, done.stderr
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 20)


def test_a_rerun_sends_what_failed_to_its_own_tenants(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path
) -> None:
    write_rows(tmp_path, 9, *NAMES)
    tenants["acme"].set_faults(queue=[None, REFUSED, "reset_after"])
    tenants["globex"].set_faults(queue=[REFUSED])
    assert ninjaone(*CREATE, *FILES).returncode == 1
    before = {name: len(asked(tenants[name])) for name in NAMES}
    done = ninjaone("rerun", "out.jsonl")
    assert done.returncode == 1, done.stderr
    assert asked(tenants["acme"])[before["acme"] :] == ["Client 4"]
    assert asked(tenants["globex"])[before["globex"] :] == ["Client 2"]
    found = envelopes(tmp_path / "out.rerun.jsonl")
    assert [(e["row"], e["meta"].get("connection")) for e in found] == [
        *((2, "globex"), (3, None), (4, "acme"), (6, None), (9, None))
    ]
    # What was refused goes out once its connection is allowed, which has to be said.
    done = ninjaone("rerun", "out.jsonl", "--allow-connections", "acme,globex,initech")
    assert done.returncode == 1, done.stderr
    assert asked(tenants["initech"]) == ["Client 3", "Client 6", "Client 9"]
    assert [len(asked(tenants[name])) for name in ("acme", "globex")] == [
        before["acme"] + 1,
        before["globex"] + 1,
    ]
    assert "no rows to rerun" in ninjaone("rerun", "out.jsonl").stderr
