"""A full disk, or a deleted folder: the run stops with a message and can be resumed."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.torture.kinds import LIST, TICKET, UPDATE, Kind
from tests.torture.oracle import Oracle
from tests.torture.runs import FINISHED, NOTHING_RUN, STOPPED, Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size there")

ROWS = 30
Record = Callable[[str, Any], None]


def sizes(folder: Path, sandbox: Sandbox, kind: Kind, output: str, count: int) -> list[int]:
    """Return random limits that a run's files exceed: some for all files, some for the output only."""
    whole = Run(folder / "whole", sandbox, kind, ROWS, output=output)
    assert whole.finish().returncode in FINISHED
    draw = random.Random(f"{kind.name} {output}")
    end = whole.output.stat().st_size
    return [0, end - 10, *(draw.randint(1, end) for _ in range(count))]


@pytest.mark.parametrize(
    ("kind", "output", "concurrency", "count"),
    [
        pytest.param(TICKET, "out.jsonl", 1, 1, id="journal"),
        pytest.param(UPDATE, "out.json", 8, 0, id="json"),
        *(
            pytest.param(kind, output, at_once, 12, id=f"{output}-{at_once}-many", marks=pytest.mark.slow)
            for kind, output in ((TICKET, "out.json"), (UPDATE, "out.json"), (LIST, "out.csv"))
            for at_once in (1, 8)
        ),
    ],
)
def test_a_disk_that_is_full_stops_the_run_until_there_is_room(
    tmp_path: Path, kind: Kind, output: str, concurrency: int, count: int, record_property: Record
) -> None:
    met: Counter[str] = Counter()
    with Sandbox(devices=100) as sandbox:
        for number, size in enumerate(sizes(tmp_path, sandbox, kind, output, count)):
            sandbox.log.clear("requests")
            run = Run(tmp_path / str(number), sandbox, kind, ROWS, concurrency=concurrency, output=output)
            stopped = run.finish(largest_file=size)
            met[where_it_stopped(run, stopped)] += 1
            in_doubt = run.state().noted
            if stopped.returncode not in FINISHED:
                assert not run.output.exists()
                run.resume_to_the_end()
            check(run, in_doubt)
    for place, times in met.items():
        record_property(place, times)
    # The journal takes more space than the output, so it is the first that cannot be written.
    assert met["nothing was run"]
    assert met["journal.jsonl" if kind.once else "output"], met
    assert kind.once or not count or met["envelopes.jsonl"], met


def where_it_stopped(run: Run, stopped: subprocess.CompletedProcess[str]) -> str:
    """Return the file that could not be written, from the message."""
    if stopped.returncode in FINISHED:
        return "there was room"
    last = stopped.stderr.splitlines()[-1]
    message = re.fullmatch(r"ninjaone: (stopped: )?(\S+): cannot be written: File too large(\. .*)?", last)
    assert message, stopped.stderr
    if stopped.returncode == NOTHING_RUN:
        assert not run.requests()
        assert not run.work.exists()
        return "nothing was run"
    assert stopped.returncode == STOPPED, stopped
    file = Path(message[2])
    return "output" if file == run.output else file.name


def check(run: Run, in_doubt: frozenset[int]) -> None:
    """Check the output against the sandbox's log; CSV does not have everything that is checked."""
    if run.output.suffix != ".csv":
        Oracle(run.kind, run.requests()).check_killed(run.envelopes(), ROWS, in_doubt)
    else:
        lines = run.output.read_text(encoding="utf-8").splitlines()
        assert [line.partition(",")[0] for line in lines] == ["row", *map(str, range(1, ROWS + 1))]


@pytest.mark.slow
@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("gone", ["the work folder", "the output's folder"])
def test_a_folder_that_is_removed_in_mid_run(tmp_path: Path, gone: str, concurrency: int) -> None:
    """Requests that cannot be recorded must neither continue for hours nor be forgotten."""
    rows = 80 * concurrency
    with Sandbox(devices=100, latency_ms=10) as sandbox:
        run = Run(tmp_path, sandbox, TICKET, rows, concurrency=concurrency, output="below/out.jsonl")
        run.output.parent.mkdir()
        process = subprocess.Popen(run.command(), stderr=subprocess.PIPE, text=True)
        assert run.wait_for(10, process)
        shutil.rmtree(run.work if gone == "the work folder" else run.output.parent)
        after = len(run.requests())
        _, message = process.communicate(timeout=60)
        assert process.returncode == STOPPED
        assert re.search(r"^ninjaone: stopped: \S+ was removed during the run, ", message, re.M), message
        # It is checked ten times per second, so a tenth of these may be sent in between.
        assert len(run.requests()) <= after + 40 * concurrency
        in_doubt = run.state().noted
        run.resume_to_the_end()
    Oracle(TICKET, run.requests()).check_killed(run.envelopes(), rows, in_doubt)


def test_a_folder_that_is_moved_away_and_back(tmp_path: Path) -> None:
    with Sandbox(devices=100, latency_ms=5) as sandbox:
        run = Run(tmp_path, sandbox, TICKET, ROWS, output="below/out.jsonl")
        run.output.parent.mkdir()
        process = run.start()
        assert run.wait_for(10, process)
        run.output.parent.rename(tmp_path / "elsewhere")
        assert process.wait(60) == STOPPED
        (tmp_path / "elsewhere").rename(run.output.parent)
        sent = len(run.requests())
        run.resume_to_the_end()
        assert len(run.requests()) == sent
    Oracle(TICKET, run.requests()).check_killed(run.envelopes(), ROWS, set())
