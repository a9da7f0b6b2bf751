"""Reruns of a job that are killed, stopped or mixed with reruns of single steps send each change once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_rerun import REFUSED
from tests.cli.test_rerun_job import JOB, ROWS, STEPS, codes, made
from tests.cli.test_rerun_job import onboarding as onboarding
from tests.fakes import wait_until

pytestmark = pytest.mark.in_process

WANTED = sorted([*ROWS, *(f"{name} Town of {name}" for name in ROWS if name != "Acme")])


def killed(folder: Path, sandbox: Sandbox, requests: int, *more: str) -> None:
    """Kill a rerun while it waits for the response to its last request."""
    before = len(made(sandbox, executed=False))
    sandbox.set_faults(queue=[*[None] * (requests - 1), {"fault": "slow", "seconds": 60}])
    command = [sys.executable, "-m", "connector", "rerun", "out", *more]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, env=os.environ)
    wait_until(lambda: len(made(sandbox, executed=False)) == before + requests)
    process.send_signal(signal.SIGKILL)
    process.wait()
    sandbox.set_faults(queue=[])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_rerun_is_resumed(ninjaone: Ninjaone, onboarding: Path, sandbox: Sandbox) -> None:
    killed(onboarding, sandbox, 2)
    assert ninjaone("rerun", "out").returncode == 2
    assert ninjaone("rerun", "out/site.jsonl").returncode == 2
    before = made(sandbox, executed=False)
    killed(onboarding, sandbox, 1, "--resume")
    resumed = ninjaone("rerun", "out", "--resume")
    assert resumed.returncode == 1, resumed.stderr
    assert codes(onboarding / "out/rerun", *STEPS) == [[None], ["outcome_unknown", "outcome_unknown"], [None]]
    assert made(sandbox, executed=False)[len(before) :] == ["Globex Town of Globex"]
    nothing = ninjaone("rerun", "out")
    assert nothing.returncode == 1
    assert "no rows to rerun; 3 to check first" in nothing.stderr


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12))])
def test_every_order_of_repairs_ends_with_each_change_once(
    connection_file: Path, sandbox: Sandbox, ninjaone: Ninjaone, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    lines = [f"{name},Town of {name},{name != 'Acme'}" for name in ROWS]
    (tmp_path / "rows.csv").write_text("client,town,has_site\n" + "\n".join(lines) + "\n")
    (tmp_path / "job.yaml").write_text(JOB)

    def faults(share: float) -> None:
        sandbox.set_faults(queue=[REFUSED if draw.random() < share else None for _ in range(15)])

    faults(0.5)
    assert ninjaone("run", "job.yaml").returncode == 1
    for number in range(6):
        faults(0.5 if number < 5 else 0)
        if draw.random() < 0.3:
            ninjaone("rerun", f"out/{draw.choice(STEPS)}.jsonl")
        stops = ("--on-error", "stop") if draw.random() < 0.3 else ()
        done = ninjaone("rerun", draw.choice(("out", "job.yaml")), *stops)
        while done.returncode == 3:
            done = ninjaone("rerun", "out", "--resume", *stops)
        assert done.returncode in (0, 1), done.stderr
    sandbox.set_faults(queue=[])
    assert ninjaone("rerun", "out").returncode == 0
    assert "no rows to rerun" in ninjaone("rerun", "out").stderr
    assert sorted(made(sandbox)) == WANTED
    checks = [codes(path.parent, path.stem)[0] for path in (tmp_path / "out").rglob("check*.jsonl")]
    assert Counter(code for file in checks for code in file)[None] == 4


def test_two_reruns_at_once(
    ninjaone: Ninjaone,
    in_process: Ninjaone,
    onboarding: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second one is refused while the first one asks for confirmation or signs in."""
    (onboarding / "fix.csv").write_text("row,step,client,town\n2,organization,Umbrella,Leeds\n")
    (onboarding / "other.csv").write_text("row,step,client,town\n2,organization,Hooli,Hull\n")
    refused: list[tuple[int, str]] = []

    def confirm(*_: object, **__: object) -> None:
        for command in (["rerun", "out", "--input", "other.csv"], ["rerun", "out/organization.jsonl"]):
            other = ninjaone(*command)
            refused.append((other.returncode, other.stderr))

    with monkeypatch.context() as patched:
        patched.setattr("connector.cli.run.require_consent", confirm)
        in_process("rerun", "out", "--input", "fix.csv")
    assert [code for code, _ in refused] == [2, 2]
    assert all("another rerun of these rows is running; wait until it ends" in text for _, text in refused)
    assert "Umbrella" in (onboarding / "out/rerun/rerun.json").read_text()
    assert "Hooli" not in (onboarding / "out/rerun/rerun.json").read_text()
