"""Stopping runs that other processes run, and only those."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from filelock import FileLock

from connector.catalog.catalog import Catalog
from connector.cli.main import INTERRUPTED
from connector.errors import RunError
from connector.files.work_folder import partial_output_of
from connector.runs.job import Job
from connector.runs.output_names import absolute, id_of
from connector.runs.record import Record
from connector.runs.records import find, save
from connector.runs.stop_event import Process, StopEvent, process_of
from connector.web.runs.stopping import stop_process, stoppable
from tests.fakes import write_lines
from tests.web.guest import Guest, open_site, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows can only kill a process")


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with a run."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def record(output: Path, process: Process | None) -> Record:
    return Record(absolute(output), Job("update_device", output=str(output)), {}, 1000.0, process=process)


def test_a_run_of_the_command_line_is_stopped_after_the_rows_in_progress(
    guest: Guest, connection_file: Path, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in range(1, 1001)])
    output = absolute(tmp_path / "out.jsonl")
    id = id_of(output)
    options = ["-t", "device_id={{ n }}", "-t", "display_name=PC {{ n }}", "--delay-ms=100"]
    command = ["run", "update_device", "-i", "rows.jsonl", "-o", "out.jsonl", "-c", str(connection_file)]
    with subprocess.Popen(
        [sys.executable, "-m", "connector", *command, *options], cwd=tmp_path, stderr=subprocess.DEVNULL
    ) as process:
        try:
            page = until(lambda: 'id="stop"' in (page := guest.get(f"/runs/{id}").text) and page)
            assert f'id="stop-{id}"' in guest.get("/runs").text
            assert guest.post(f"/runs/{id}/stop").get_json() == {"location": f"/runs/{id}"}
            # A second click is no second signal, which would end the process at once.
            assert guest.post(f"/runs/{id}/stop").status_code == 200
            page = guest.get(f"/runs/{id}").text
            assert 'id="stop"' not in page
            assert process.wait(60) == INTERRUPTED
        finally:
            process.kill()
    assert "stopped, can be resumed" in guest.get(f"/runs/{id}").text
    stopped = find(output)
    assert stopped is not None
    assert stopped.process == Process(process.pid, platform.node())
    assert (stopped.summary or {})["stopped"] is True


def test_a_process_that_has_the_id_of_a_killed_run_is_left_alone(
    guest: Guest, bystander: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    killed = record(tmp_path / "out.jsonl", Process(bystander.pid, platform.node()))
    save(killed)
    with pytest.raises(RunError, match="it has ended, or another program runs it"):
        stop_process(killed)
    response = guest.post(f"/runs/{killed.id}/stop")
    assert (response.status_code, "it has ended" in response.get_json()["error"]) == (400, True)
    assert bystander.poll() is None


@pytest.mark.parametrize("of", ["another machine", "a library", "an ended run"])
def test_no_other_process_is_sent_a_signal(
    bystander: subprocess.Popen[bytes], tmp_path: Path, of: str
) -> None:
    process = Process(bystander.pid, platform.node())
    its = record(tmp_path / "out.jsonl", process)
    if of == "another machine":
        its = replace(its, process=process._replace(machine="elsewhere"))
    elif of == "a library":
        its = replace(its, process=process_of(Event()))
    else:
        its = replace(its, ended=1010.0)
    partial = partial_output_of(its.output)
    partial.parent.mkdir()
    with FileLock(partial.parent / "lock"):
        assert stoppable(its) is None
        with pytest.raises(RunError, match="cannot be stopped from here"):
            stop_process(its)
    assert bystander.poll() is None


def test_only_the_command_line_gives_its_process() -> None:
    assert process_of(StopEvent()) == Process(os.getpid(), platform.node())
    assert process_of(None) is None
