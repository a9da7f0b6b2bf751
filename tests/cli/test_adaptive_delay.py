"""`--delay-ms auto`: the pace that a run in the sandbox reached, with which the next one begins."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process

RUN = ("run", "get_device_link", "-c", "connection.yaml", "-i", "rows.jsonl")


@pytest.fixture(autouse=True)
def rows(connection_file: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}] * 3)


def test_a_run_says_which_pace_it_reached_and_the_next_one_begins_there(
    sandbox: Sandbox, ninjaone: Ninjaone, tmp_path: Path
) -> None:
    sandbox.set_faults(queue=[None, "429_bare"])
    first, pace = run(ninjaone, tmp_path, "--delay-ms", "auto", "--min-delay-ms", "5")
    assert (pace["requests"], pace["throttled"]) == (4, 1)
    assert 300 < pace["delay_ms"] <= 600
    shown = re.search(r"pace: (\d+) ms between requests at the end, 1 of 4 requests throttled", first)
    assert shown
    assert int(shown[1]) == pytest.approx(pace["delay_ms"], abs=1)
    _, again = run(ninjaone, tmp_path, "--delay-ms", "auto", "--limit", "1")
    assert again == {"delay_ms": pytest.approx(pace["delay_ms"], abs=1), "requests": 1, "throttled": 0}
    later, none = run(ninjaone, tmp_path, "--delay-ms", "0")
    assert none is None
    assert "pace:" not in later


def run(ninjaone: Ninjaone, folder: Path, *options: str) -> tuple[str, Any]:
    """Run all rows; return what is shown, and the pace in the summary."""
    done = ninjaone(*RUN, "-o", "out.jsonl", "--restart", "--summary", "summary.json", *options)
    assert done.returncode == 0, done.stderr
    summary = json.loads((folder / "summary.json").read_text())
    validator(schema("summary.schema.json")).validate(summary)
    return done.stderr, summary["runs"][0].get("pace")


def test_a_shortest_delay_needs_one_that_adapts(ninjaone: Ninjaone) -> None:
    done = ninjaone(*RUN, "--min-delay-ms", "5")
    assert done.returncode == 2
    assert "min_delay_ms requires delay_ms: auto" in done.stderr
