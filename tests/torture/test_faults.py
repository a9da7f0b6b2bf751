"""Thousands of rows against a sandbox with faults, whose log proves every envelope right."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.files.envelope import Envelope
from connector.runs.job_file import load_jobs
from connector.runs.job_run import run_all
from connector.runs.prepared import prepare_all
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import HurriedClock
from tests.torture.kinds import ORGANIZATION, READ, REBOOT, UPDATE, Kind
from tests.torture.oracle import Oracle
from tests.torture.runs import FINISHED, Run, codes

RATES = {
    "429": 0.04,
    "429_bare": 0.04,
    "html": 0.04,
    "500": 0.04,
    "502": 0.03,
    "503": 0.03,
    "reset_unread": 0.03,
    "reset": 0.03,
    "reset_after": 0.03,
    "truncate": 0.03,
    "slow": 0.01,
    "expire": 0.01,
    "hang_up": 0.03,
    "token": 0.3,
}
SIGNED_OUT = {"expire": 0.5, "token": 1.0}
"""Tokens also expire while the token endpoint is down."""
TOKEN_LIFE_S = 5
TIMEOUT_S, TOO_LONG_S = 2.0, 4.0

Record = Callable[[str, Any], None]


class Outage:
    """Observes a run's envelopes, and at some row disables the token endpoint for many requests."""

    def __init__(self, sandbox: Sandbox, rows: int) -> None:
        self._sandbox = sandbox
        self._first, self._sign_ins = rows * 6 // 10, rows // 10
        self._is_over = False

    def __call__(self, envelope: Envelope) -> None:
        if envelope.row == self._first:
            self._sandbox.set_faults(rates=SIGNED_OUT)
        elif (
            envelope.row > self._first
            and not self._is_over
            and failed_sign_ins(self._sandbox) > self._sign_ins
        ):
            self._sandbox.set_faults(rates=RATES)
            self._is_over = True


class Timeouts(logging.Handler):
    """Counts, by row, how often the client timed out and tried again."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.rows: Counter[int] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.search(r"row (\d+): .*no complete response.*; retrying in", record.getMessage()):
            self.rows[int(found[1])] += 1


def failed_sign_ins(sandbox: Sandbox) -> int:
    return sum(signin["status"] != 200 for signin in sandbox.log.signins())


@pytest.mark.parametrize(
    ("kind", "concurrency", "rows"),
    [
        (READ, 1, 300),
        (UPDATE, 8, 300),
        (REBOOT, 8, 300),
        (ORGANIZATION, 1, 300),
        *(
            pytest.param(kind, at_once, 10_000, marks=pytest.mark.slow)
            for kind in (READ, UPDATE, REBOOT, ORGANIZATION)
            for at_once in (1, 8)
        ),
    ],
    ids=lambda value: value.action if isinstance(value, Kind) else None,
)
def test_the_list_of_requests_proves_every_envelope_right(
    tmp_path: Path,
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Record,
    request: pytest.FixtureRequest,
    kind: Kind,
    concurrency: int,
    rows: int,
) -> None:
    """One at a time and waiting for slow responses, or eight at a time and not. Retries do not wait."""
    patient = concurrency == 1
    monkeypatch.setattr("connector.runs.run.SystemClock", HurriedClock)
    timeout_s, slow_s = (30.0, 0.005) if patient else (TIMEOUT_S, TOO_LONG_S)
    timeouts = Timeouts()
    client_log = logging.getLogger("connector.client.client")
    client_log.addHandler(timeouts)
    request.addfinalizer(lambda: client_log.removeHandler(timeouts))
    with Sandbox(seed=rows, devices=rows, token_lifetime_s=TOKEN_LIFE_S) as sandbox:
        sandbox.slow_s = slow_s
        run = Run(tmp_path, sandbox, kind, rows, concurrency=concurrency, timeout_s=timeout_s)
        steps = prepare_all(load_jobs(tmp_path / "job.yaml"), catalog)
        sandbox.set_faults(rates={**RATES, "token": 0.0})
        (_,) = run_all(steps, listeners=(Outage(sandbox, rows),))
    envelopes, entries = run.envelopes(), run.requests()
    oracle = Oracle(kind, entries, patient=patient, timeouts=timeouts.rows)
    oracle.check(envelopes, rows, failed_sign_ins(sandbox))
    record_property("rows that gave up on a request before it was handled", len(oracle.late))
    faults, ends = Counter(entry["fault"] for entry in entries), codes(envelopes)
    for fault, count in sorted(faults.items(), key=str):
        record_property(f"fault {fault}", count)
    record_property("failed sign-ins", failed_sign_ins(sandbox))
    for code, count in ends.items():
        record_property(f"rows: {code or 'success'}", count)
    assert set(faults) == {None, *RATES} - {"token"}
    assert {None, "template_error", "bad_response", *(("outcome_unknown",) if kind.once else ())} <= set(ends)
    assert "internal_error" not in ends
    assert ends[None] > rows / 3, ends


def test_the_command_line_waits_before_it_tries_again(tmp_path: Path) -> None:
    """The same with the real clock: a few rows, since it waits for seconds."""
    rows = 40
    with Sandbox(seed=3, faults=dict.fromkeys(RATES, 0.02)) as sandbox:
        sandbox.slow_s = 0.01
        run = Run(tmp_path, sandbox, REBOOT, rows)
        assert run.finish().returncode in FINISHED
    Oracle(REBOOT, run.requests()).check(run.envelopes(), rows, failed_sign_ins(sandbox))
