"""`ninjaone runs`: the latest runs of this machine, or of all machines that share a database."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from connector.common.user_folders import records_folder
from connector.runs.job import Job
from connector.runs.output_names import absolute, id_of
from connector.runs.record import Record
from connector.runs.records import save
from connector.state.databases import open_database
from connector.state.records import DatabaseRecords
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines
from tests.loopback import Server

pytestmark = pytest.mark.in_process

NOWHERE = "postgresql://127.0.0.1:9/nowhere"
"""A database on a port on which nothing listens."""


def a_run(output: Path, started: float, **more: object) -> Record:
    job = Job("update_device", input="rows.csv", output=str(output))
    return Record(absolute(output), job, {}, started, where="acme (localhost)", **more)  # type: ignore[arg-type]


def test_a_finished_run_is_listed_with_its_rows_and_failures(
    ninjaone: Ninjaone, connection_file: Path, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"d": 1}, {"d": 999}])
    arguments = ("-c", connection_file, "-i", rows, "-t", "device_id={{ d }}", "--delay-ms", 0)
    assert ninjaone("run", "get_device_link", *arguments, "-o", "out.jsonl").returncode == 1
    done = ninjaone("runs")
    assert done.returncode == 0, done.stderr
    header, line = done.stdout.splitlines()
    assert header.split() == ["STARTED", "STATE", "ROWS", "FAILED", "ACTION", "CONNECTION", "OUTPUT"]
    assert line.split()[2:6] == ["finished", "2", "1", "get_device_link"]
    assert line.endswith(str(tmp_path / "out.jsonl"))
    (run,) = json.loads(ninjaone("runs", "--json").stdout)
    assert (run["state"], run["rows"], run["succeeded"], run["failed"]) == ("finished", 2, 1, 1)
    assert run["codes"] == {"not_found": 1}
    assert run["output"] == str(tmp_path / "out.jsonl")


def test_the_latest_come_first_and_unfinished_ones_are_named(ninjaone: Ninjaone, tmp_path: Path) -> None:
    save(a_run(tmp_path / "killed.jsonl", 1000.0, summary={"rows": 5, "failed": 1}, total=20))
    save(a_run(tmp_path / "stopped.jsonl", 2000.0, ended=2010.0, summary={"rows": 7, "stopped": True}))
    save(a_run(tmp_path / "running.jsonl", 3000.0, seen=time.time(), summary={"rows": 2}, total=9))
    lines = ninjaone("runs").stdout.splitlines()[1:]
    assert [line.split()[2:4] for line in lines] == [
        ["running", "2/9"],
        ["stopped", "7"],
        ["interrupted", "5/20"],
    ]
    assert len(ninjaone("runs", "--limit", 2).stdout.splitlines()) == 3


def test_no_runs_and_broken_records_are_said(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone("runs")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no runs yet\n")
    assert ninjaone("runs", "--json").stdout == "[]\n"
    records_folder().mkdir(parents=True, exist_ok=True)
    (records_folder() / f"{'0' * 32}.json").write_text("{")
    done = ninjaone("runs")
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
    save(a_run(tmp_path / "out.jsonl", 1000.0))
    done = ninjaone("runs")
    assert (done.returncode, "cannot be read" in done.stderr) == (0, True)
    assert str(tmp_path / "out.jsonl") in done.stdout


def test_a_database_that_cannot_be_read_is_a_failure(ninjaone: Ninjaone, tmp_path: Path) -> None:
    save(a_run(tmp_path / "out.jsonl", 1000.0))
    for state in ((), ("--state", NOWHERE)):
        done = ninjaone("runs", *state, **({} if state else {"NINJAONE_STATE": NOWHERE}))
        assert (done.returncode, "127.0.0.1:9/nowhere" in done.stderr) == (2, True), done.stderr
        assert str(tmp_path / "out.jsonl") in done.stdout  # those of this machine are listed


def test_runs_of_other_machines_are_listed_with_their_database(
    ninjaone: Ninjaone, tmp_path: Path, postgres: str
) -> None:
    save(
        a_run(tmp_path / "out.jsonl", 1000.0, ended=1001.0, summary={}),
        DatabaseRecords(open_database(postgres)),
    )
    for path in records_folder().glob("*.json"):
        path.unlink()
    assert ninjaone("runs").stdout == ""
    assert str(tmp_path / "out.jsonl") in ninjaone("runs", "--state", postgres).stdout


def test_names_that_no_terminal_can_show_do_not_end_the_list(ninjaone: Ninjaone, tmp_path: Path) -> None:
    save(a_run(tmp_path / "\udcff.jsonl", 3000.0, ended=3001.0))
    save(a_run(tmp_path / "good.jsonl", 2000.0, ended=2001.0))
    for name, change in (("a", {"output": "/x/\ud800.jsonl"}), ("b", {"started": 1e300})):
        save(a_run(tmp_path / f"{name}.jsonl", 1000.0))
        path = records_folder() / f"{id_of(absolute(tmp_path / f'{name}.jsonl'))}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    done = ninjaone("runs")
    assert done.returncode == 0, done.stderr
    assert [line.rpartition("/")[2] for line in done.stdout.splitlines()[1:]] == [
        "\\udcff.jsonl",
        "good.jsonl",
    ]
    assert done.stderr.count("cannot be read") == 2


def test_a_database_that_cannot_be_used_is_tried_once(ninjaone: Ninjaone, tmp_path: Path) -> None:
    with Server((lambda talk: None,)) as server:
        state = f"postgresql://127.0.0.1:{server.port}/x?sslmode=disable&gssencmode=disable"
        for name in "abc":
            one = a_run(tmp_path / f"{name}.jsonl", 1000.0)
            save(replace(one, job=replace(one.job, state=state)))
        assert ninjaone("runs").stdout.count(" running ") == 3
    assert server.connections == 1


@pytest.mark.parametrize("argument", ["x", "0", "-1"])
def test_a_wrong_limit_is_refused(ninjaone: Ninjaone, argument: str) -> None:
    assert ninjaone("runs", f"--limit={argument}").returncode == 2
