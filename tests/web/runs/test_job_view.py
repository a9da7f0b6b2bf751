"""A job with steps as one run: in the list, and on the pages of its steps."""

from __future__ import annotations

import html
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.runs.job import Job
from connector.runs.output_names import absolute, id_of
from connector.runs.record import Record
from connector.runs.records import save
from tests.web.guest import Guest, open_site

JOB = """
input: rows.jsonl
output: onboarding
delay_ms: 0
steps:
  - name: device
    action: get_device
    templates: {device_id: "{{ n }}"}
  - name: renamed
    action: update_device
    input: {step: device}
    templates: {device_id: "{{ device.id }}", display_name: "PC {{ n }}"}
"""


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


def text_of(page: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", page).split()))


def test_a_job_of_the_command_line_is_one_run_with_its_steps(
    guest: Guest, connection_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "rows.jsonl").write_text('{"n": 1}\n{"n": 9999}\n{"n": 2}\n')
    (tmp_path / "job.yaml").write_text(JOB)
    command = [sys.executable, "-m", "connector", "run", "job.yaml", "-c", str(connection_file)]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1
    listed = text_of(guest.get("/runs").text)
    folder = tmp_path / "onboarding"
    assert "Job onboarding finished, 1 failed 2 steps" in listed
    assert f"ninjaone rerun {folder}" in listed
    assert listed.index("Job onboarding") < listed.index("device: ") < listed.index("renamed: ")
    second = guest.get(f"/runs/{id_of(absolute(folder / 'renamed.jsonl'))}").text
    assert "Job onboarding finished, 1 failed device finished, 1 failed renamed finished" in text_of(second)
    assert 'aria-current="page">renamed</a>' in second


def step(folder: Path, name: str, state: str, started: float) -> Record:
    outputs = [str(folder / f"{one}.jsonl") for one in ("a", "b", "c")]
    job = Job("get_device", output=str(folder / f"{name}.jsonl"), step=name, step_outputs=outputs)
    ended = None if state == "killed" else started + 5
    summary = {"rows": 4, "succeeded": 4, "stopped": state == "stopped"}
    record = Record(absolute(job.output), job, {}, started, ended, summary=summary)
    save(record)
    return record


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        ({"a": "finished", "b": "finished", "c": "finished"}, "finished 3 steps"),
        ({"a": "finished", "b": "killed"}, "interrupted 3 steps, not started: c"),
        ({"a": "finished", "b": "stopped"}, "stopped 3 steps, not started: c"),
        ({"a": "finished"}, "stopped 3 steps, not started: b, c"),
    ],
)
def test_the_state_of_a_job_is_that_of_its_steps(
    guest: Guest, tmp_path: Path, states: dict[str, str], shown: str
) -> None:
    records = [step(tmp_path, name, state, 1000.0 + n) for n, (name, state) in enumerate(states.items())]
    save(Record(tmp_path / "other.jsonl", Job("list_devices", output="other.jsonl"), {}, 1001.5, 1002.0))
    listed = text_of(guest.get("/runs").text)
    assert f"Job {tmp_path.name} {shown}" in listed
    assert listed.count("Job ") == 1
    assert guest.get(f"/runs/{records[0].id}").text.count("<li>") >= 3


def test_a_job_runs_on_between_two_steps(guest: Guest, tmp_path: Path) -> None:
    first = step(tmp_path, "a", "finished", time.time() - 5)
    page = guest.get(f"/runs/{first.id}").text
    assert f"Job {tmp_path.name} running a finished b not started" in text_of(page)
    assert 'data-state="live"' in page
