"""Ctrl-C at any instant: the first one finishes rows in progress, the second stops immediately."""

from __future__ import annotations

import itertools
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.torture.kinds import ORGANIZATION, TICKET, Kind
from tests.torture.oracle import Oracle
from tests.torture.runs import FINISHED, Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process there")

ROWS = 160
INTERRUPTED = 130
Record = Callable[[str, Any], None]


@pytest.mark.parametrize(
    ("kind", "concurrency", "runs"),
    [
        pytest.param(TICKET, 8, 1, id="ticket-8"),
        *(
            pytest.param(kind, at_once, runs, id=f"{kind.action}-{at_once}-many", marks=pytest.mark.slow)
            for kind in (TICKET, ORGANIZATION)
            for at_once, runs in ((1, 2), (8, 8))
        ),
    ],
)
def test_ctrl_c_at_any_instant(
    tmp_path: Path, kind: Kind, concurrency: int, runs: int, record_property: Record
) -> None:
    """Repeatedly interrupted runs: after one Ctrl-C no row is in doubt, after two some are."""
    draw = random.Random(f"{kind.action} {concurrency}")
    every_other = itertools.cycle((False, True))
    met: Counter[str] = Counter()
    for number in range(runs):
        in_doubt: set[int] = set()
        with Sandbox(latency_ms=5) as sandbox:
            run = Run(tmp_path / str(number), sandbox, kind, ROWS, concurrency=concurrency)
            while not run.is_complete():
                before = run.state()
                process = run.start(*run.again())
                run.wait_for(len(run.requests()) + 1, process)
                time.sleep(draw.uniform(0, 0.06))
                process.send_signal(signal.SIGINT)
                twice = next(every_other)
                if twice:
                    time.sleep(draw.uniform(0, 0.006))
                    process.send_signal(signal.SIGINT)
                # By the signal itself, if it is already exiting.
                assert process.wait(60) in (INTERRUPTED, *FINISHED, -signal.SIGINT)
                left = run.state()
                # A run interrupted before its first row leaves the rows in progress of the previous one.
                left_more = bool((left.noted | left.answered) - (before.noted | before.answered))
                assert twice or not left_more
                in_doubt |= left.noted
                if process.returncode == INTERRUPTED:
                    met["stopped at once" if left_more else "finished the rows in progress"] += 1
        Oracle(kind, run.requests()).check_killed(run.envelopes(), ROWS, in_doubt)
    for end, times in met.items():
        record_property(end, times)
    assert runs == 1 or len(met) == 2, met
