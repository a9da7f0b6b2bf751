"""Runs without an input, and jobs with steps whose last rows go to standard output, as in pipelines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from connector.cli import streams
from connector.cli.streams import stdin_has_data
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.terminal import on_terminal

pytestmark = pytest.mark.in_process

LIST = ("run", "list_organizations", "-c", "connection.yaml", "--delay-ms", "0")
STEPS = [
    {"name": "org", "action": "list_organizations", "rows": "each"},
    {
        "name": "site", "action": "list_organization_locations", "rows": "each",
        "input": {"step": "org", "only": "{{ org.id < 3 }}"},
        "templates": {"organization_id": "{{ org.id }}"},
    },
]  # fmt: skip


@pytest.fixture(autouse=True)
def inputs(connection_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))  # for commands that run as processes
    write(tmp_path)


def write(folder: Path, **settings: Any) -> None:
    job = {"connection": "connection.yaml", "delay_ms": 0, "steps": STEPS, **settings}
    (folder / "job.yaml").write_text(json.dumps(job))


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


# --- no input ----------------------------------------------------------------------------------------------


def test_an_action_without_required_inputs_runs_once(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone(*LIST)
    assert done.returncode == 0, done.stderr
    [envelope] = lines(done.stdout)
    assert (envelope["row"], len(envelope["result"]) > 2) == (1, True)
    assert "1 row, 1 succeeded" in done.stderr
    assert ninjaone(*LIST, "-o", "out.jsonl").returncode == 0
    [written] = lines((tmp_path / "out.jsonl").read_text())
    assert written["result"] == envelope["result"]
    shown = ninjaone("preview", *LIST[1:4])
    assert (shown.returncode, shown.stdout.count("GET ")) == (0, 1), shown.stderr
    filtered = ninjaone("run", "list_devices", *LIST[2:], "-t", "filter=class = LINUX_SERVER", "--results")
    assert {device["nodeClass"] for device in lines(filtered.stdout)} == {"LINUX_SERVER"}


def test_rows_on_standard_input_and_named_inputs_are_used(ninjaone: Ninjaone, tmp_path: Path) -> None:
    assert [envelope["row"] for envelope in lines(ninjaone(*LIST, stdin="{}\n{}\n").stdout)] == [1, 2]
    (tmp_path / "empty.jsonl").write_text("")
    for named in ("-", "empty.jsonl"):
        done = ninjaone(*LIST, "-i", named)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_an_action_with_required_inputs_and_a_write_do_not_run_once(
    ninjaone: Ninjaone, sandbox: Sandbox
) -> None:
    reads = ("run", "get_device", *LIST[2:], "-t", "device_id={{ id }}")
    writes = ("run", "create_organization", *LIST[2:], "-t", "name=Acme")
    for arguments in (reads, writes):
        done = ninjaone(*arguments)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "0 rows" in done.stderr
    assert sandbox.log.requests() == []


def test_a_run_without_input_is_resumed_and_rerun(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "one.yaml").write_text(
        'action: get_device\nconnection: connection.yaml\noutput: out.jsonl\ntemplates: {device_id: "999"}\n'
    )
    assert ninjaone("run", "one.yaml").returncode == 1
    done = ninjaone("rerun", "out.jsonl")
    assert done.returncode == 1, done.stderr
    assert len(sandbox.log.requests()) == 2


def test_steps_without_input_run_once(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write(tmp_path, output="out")
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out/site.jsonl").read_text().splitlines()) > 2


@pytest.mark.parametrize(
    ("content", "expected"), [(b"{}\n", True), (b"", False)], ids=["with data", "without data"]
)
def test_what_a_pipe_has_is_known_before_it_is_read(
    content: bytes, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.write(writer, content)
    os.close(writer)
    with open(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert stdin_has_data() is expected
        assert stdin.read().encode() == content


def test_a_longer_wait_for_a_pipe_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setattr(streams, "_PATIENCE_MS", 1)
    said = []

    def close_pipe(text: str) -> None:
        said.append(text)
        os.close(writer)

    with open(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert stdin_has_data(close_pipe) is False
    assert said == ["waiting for rows on standard input; use --input FILE, or </dev/null if there are none"]


def test_the_null_device_has_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert stdin_has_data() is False


# --- standard output ---------------------------------------------------------------------------------------


def test_the_last_step_writes_to_standard_output(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone("run", "job.yaml", "-o", "-")
    assert done.returncode == 0, done.stderr
    found = lines(done.stdout)
    assert {envelope["meta"]["action"] for envelope in found} == {"list_organization_locations"}
    assert len(found) > 2
    assert "steps-" not in done.stderr
    assert list((tmp_path / "temporary").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"connection.yaml", "job.yaml", "temporary"}
    results = ninjaone("run", "job.yaml", "-o", "-", "--results", "--output-format", "csv")
    assert results.stdout.splitlines()[0].startswith("id,name,")
    assert len(results.stdout.splitlines()) == len(found) + 1


def test_the_other_steps_write_to_the_folder_of_the_job(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write(tmp_path, output="out")
    expected = ninjaone("run", "job.yaml", "-o", "-", "--results").stdout
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["org.jsonl"]
    again = ninjaone("run", "job.yaml", "-o", "-")
    assert (again.returncode, "already exists" in again.stderr) == (2, True)
    assert ninjaone("run", "job.yaml", "-o", "-", "--restart", "--results").stdout == expected
    resumed = ninjaone("run", "job.yaml", "-o", "-", "--resume")
    assert (resumed.returncode, "standard output cannot be resumed" in resumed.stderr) == (2, True)


def test_earlier_results_are_kept_after_a_failure(ninjaone: Ninjaone, tmp_path: Path) -> None:
    failing = {**STEPS[1], "templates": {"organization_id": "{{ org.id + 990 }}"}}
    write(tmp_path, steps=[STEPS[0], failing])
    done = ninjaone("run", "job.yaml", "-o", "-")
    assert done.returncode == 1
    [folder] = (tmp_path / "temporary").iterdir()
    assert f"results of the earlier steps: {folder}" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["org.jsonl"]


# --- a terminal --------------------------------------------------------------------------------------------


def test_a_terminal_is_not_waited_for(tmp_path: Path) -> None:
    code, screen = on_terminal(LIST, [], tmp_path)
    assert (code, "1 row, 1 succeeded" in screen) == (0, True), screen
    code, screen = on_terminal(["run", "get_device", *LIST[2:], "-t", "device_id={{ id }}"], [], tmp_path)
    assert (code, "no input; use --input FILE, or pipe rows to standard input" in screen) == (2, True), screen


def test_standard_input_of_cron_is_not_waited_for(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "connector", *LIST]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, len(lines(done.stdout))) == (0, 1), done.stderr
