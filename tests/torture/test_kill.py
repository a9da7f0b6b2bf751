"""SIGKILL at any instant: nothing is lost, nothing is sent twice.

The instant of a kill is random: some time after the start, some time after so many requests, or in the phase
that the previous kills met least. For the latter the process is stopped (SIGSTOP) at many instants, its files
are read, and it is killed if it is in that phase, and continued otherwise.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.torture.kinds import CLOSE, ORGANIZATION, TICKET, Kind
from tests.torture.oracle import Oracle
from tests.torture.runs import FINISHED, Run, State, codes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP and SIGKILL there")

ROWS = 80
LATENCY_MS = 3
PHASES = (
    "before the journal stands",
    "before a request is noted",
    "request noted, not yet received",
    "request received, answer not noted",
    "answer noted, envelope not written",
    "between two rows",
    "at the end",
)
BETWEEN, AT_THE_END = PHASES[5:]
Process = subprocess.Popen[bytes]
Record = Callable[[str, Any], None]


class Killer:
    """Kills one run repeatedly until it is finished; `phases` counts the phases of all kills."""

    def __init__(self, run: Run, seed: int, phases: Counter[str]) -> None:
        self.run, self.phases = run, phases
        self.kills = 0
        self.in_doubt: set[int] = set()
        self.maybe: set[int] = set()
        self._draw = random.Random(seed)

    def kill(self) -> None:
        """Start or resume the run and kill it, unless it ends before."""
        since = max((entry["n"] for entry in self.run.requests()), default=0)
        before = self.run.state()
        process = self.run.start(*self.run.again())
        how = self._draw.choice((self._after_a_while, self._after_requests, self._in_a_phase))
        how(process, before, since)
        running = _is_running(process)
        process.send_signal(signal.SIGKILL)
        assert process.wait() in (-signal.SIGKILL, *FINISHED)
        if running:
            self._note(before, since)

    def _after_a_while(self, process: Process, before: State, since: int) -> None:
        time.sleep(self._draw.uniform(0, 0.7))

    def _after_requests(self, process: Process, before: State, since: int) -> None:
        self.run.wait_for(self._draw.randint(1, 5 * self.run.concurrency), process, since)
        time.sleep(self._draw.uniform(0, 2 * LATENCY_MS / 1000))

    def _in_a_phase(self, process: Process, before: State, since: int) -> None:
        """Wait for one of the least frequent phases that are still ahead."""
        ahead = phases_of(self.run.concurrency)[1 if before.stands else 0 :]
        expected = self._draw.choice(sorted(ahead, key=lambda phase: self.phases[phase])[:3])
        if expected == AT_THE_END:
            while self.run.lines() < ROWS and _is_running(process):
                time.sleep(0.0005)
        while _stop(process):
            if expected in self._phases(self.run.state(), before, since):
                return
            process.send_signal(signal.SIGCONT)
            time.sleep(self._draw.uniform(0, 0.002))

    def _note(self, before: State, since: int) -> None:
        after = self.run.state()
        self.in_doubt |= after.noted
        # If a read precedes the write, the response in the journal is that of another request now.
        self.maybe |= after.answered if self.run.kind is CLOSE else set()
        self.kills += 1
        self.phases.update(self._phases(after, before, since))
        self._tear()

    def _tear(self) -> None:
        """Sometimes leave half a line, as a kill while writing a long one does."""
        for path in (self.run.partial, self.run.journal):
            if path.exists() and self._draw.random() < 0.3:
                with path.open("ab") as file:
                    file.write(b'{"row":')

    def _phases(self, state: State, before: State, since: int) -> set[str]:
        """Return the phases of a process, one per row in progress; `before` is the state at its start."""
        if not state.stands:
            return {AT_THE_END if self.run.output.exists() else PHASES[0]}
        if self.run.output.exists() or state.written == ROWS or not self.run.partial.exists():
            return {AT_THE_END}
        if state == before:
            return {PHASES[1]}
        kind = self.run.kind
        received = {kind.row_of(entry) for entry in self.run.requests(since) if entry["method"] in kind.once}
        met = {PHASES[3] if row in received else PHASES[2] for row in state.noted}
        met |= {PHASES[4] for _ in state.answered}
        return met or {BETWEEN}


def phases_of(concurrency: int) -> tuple[str, ...]:
    """Return the phases of a run with this concurrency; with eight a row is nearly always in progress."""
    return tuple(phase for phase in PHASES if concurrency == 1 or phase != BETWEEN)


def _is_running(process: Process) -> bool:
    return process.poll() is None


def _stop(process: Process) -> bool:
    """Stop the process and wait until it is stopped. Return whether it was still running."""
    if not _is_running(process):
        return False
    process.send_signal(signal.SIGSTOP)
    seen = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    return seen is not None and seen.si_code == os.CLD_STOPPED


FAULTS = dict.fromkeys(("429_bare", "500", "reset_unread", "reset_after", "truncate", "expire"), 0.06)


@dataclass(frozen=True)
class Case:
    """The runs to kill, and the number of kills."""

    kind: Kind
    concurrency: int
    kills: int
    output: str = "out.jsonl"
    faults: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        named = [self.kind.action, self.concurrency, self.kills, *(["faults"] if self.faults else [])]
        return "-".join(map(str, named))


FEW = (Case(ORGANIZATION, 1, 6), Case(TICKET, 8, 6, "out.json"))
MANY = (
    Case(TICKET, 1, 55, "out.json"),
    Case(TICKET, 8, 55, "out.json"),
    Case(ORGANIZATION, 1, 55),
    Case(ORGANIZATION, 8, 55),
    Case(CLOSE, 1, 55),
    Case(CLOSE, 8, 55),
    Case(TICKET, 8, 55, faults=FAULTS),
)


@pytest.mark.parametrize(
    "case", [*FEW, *(pytest.param(case, marks=pytest.mark.slow) for case in MANY)], ids=str
)
def test_a_killed_run_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, case: Case, record_property: Record
) -> None:
    """Kill runs this many times; each is then finished and checked against the log."""
    phases: Counter[str] = Counter()
    message: Counter[str | None] = Counter()
    done = runs = 0
    while done < case.kills:
        runs += 1
        with Sandbox(latency_ms=LATENCY_MS, devices=100, seed=runs, faults=case.faults) as sandbox:
            folder = tmp_path / str(runs)
            run = Run(folder, sandbox, case.kind, ROWS, concurrency=case.concurrency, output=case.output)
            killer = Killer(run, runs, phases)
            while done + killer.kills < case.kills and not run.is_complete():
                killer.kill()
            run.resume_to_the_end()
        envelopes, oracle = run.envelopes(), Oracle(case.kind, run.requests())
        if case.faults:
            oracle.check_rows(envelopes, ROWS)
        else:
            oracle.check_killed(envelopes, ROWS, killer.in_doubt, killer.maybe)
        done += killer.kills
        message += codes(envelopes)
    record_property("kills", done)
    record_property("runs", runs)
    for phase in PHASES:
        record_property(phase, phases[phase])
    for code, count in message.items():
        record_property(f"rows: {code or 'success'}", count)
    assert case.kills < 20 or set(phases) >= set(phases_of(case.concurrency)), phases
