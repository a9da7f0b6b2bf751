"""Runs that end early and can be resumed: Ctrl-C once and twice, a full disk, a removed folder."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import wait_until, write_lines
from tests.interruption import hold_from, interrupt, release, wait_for_requests
from tests.loopback import PATIENCE_S

ROWS = 60
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(connection_file: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a run of writes that must not be repeated, or go on with it."""
    write_lines(tmp_path / "rows.jsonl", [{"reason": f"row {n}"} for n in range(1, ROWS + 1)])
    running: list[subprocess.Popen[bytes]] = []

    def run(*more: object, **pipes: Any) -> subprocess.Popen[bytes]:
        templates = ("-t", "device_id=1", "-t", "mode=NORMAL", "-t", "reason={{ reason }}")
        files = () if "stdin" in pipes else ("-i", "rows.jsonl", "-o", "out.jsonl")
        command = ["run", "reboot_device", "--yes", "-c", connection_file, *templates, *files, *more]
        process = subprocess.Popen(
            [sys.executable, "-m", "connector", *map(str, command)],
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=os.environ,
            **pipes,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        with process:  # closes its pipes
            pass


def end(process: subprocess.Popen[bytes], seconds: float = PATIENCE_S) -> str:
    """Wait for the end, and return the text of standard error."""
    _, message = process.communicate(timeout=seconds)
    return message.decode()


def envelopes(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def sent(sandbox: Sandbox) -> Counter[str]:
    """How often each row's write was received and not refused."""
    return Counter(r["body"]["reason"] for r in sandbox.log.requests() if r["fault"] != "429")


def assert_each_row_once(sandbox: Sandbox, path: Path) -> None:
    assert [e["row"] for e in envelopes(path)] == list(range(1, ROWS + 1))
    assert sent(sandbox) == {f"row {n}": 1 for n in range(1, ROWS + 1)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_one_finishes_and_writes_what_is_under_way(
    start: Start, sandbox: Sandbox, tmp_path: Path, number: signal.Signals
) -> None:
    hold_from(sandbox, 8)
    process = start("--concurrency", 4, "--delay-ms", 0)
    wait_for_requests(process, 8, sandbox)
    message = interrupt(process, sandbox, number=number)
    assert process.returncode == 130, message
    assert "stopping after the rows in progress; press Ctrl-C again to stop now" in message
    assert "--resume" in message
    # Whatever was sent has its envelope.
    written = envelopes(tmp_path / "out.jsonl.run" / "envelopes.jsonl")
    assert 8 <= len(written) < ROWS
    assert sent(sandbox) == {f"row {e['row']}": 1 for e in written}
    # It goes on at another speed.
    resumed = start("--resume", "--concurrency", 2, "--delay-ms", 0)
    message = end(resumed)
    assert resumed.returncode == 0, message
    assert_each_row_once(sandbox, tmp_path / "out.jsonl")


@pytest.mark.parametrize("concurrency", [1, 4])
def test_it_does_not_wait_for_rows_that_wait_for_minutes(
    start: Start, sandbox: Sandbox, tmp_path: Path, concurrency: int
) -> None:
    sandbox.set_faults(queue=[None, None, *[{"fault": "429", "headers": {"Retry-After": "250"}}] * 50])
    process = start("--concurrency", concurrency, "--delay-ms", 0)
    wait_until(lambda: len(sandbox.log.requests()) >= 2 + concurrency)
    process.send_signal(signal.SIGINT)
    message = end(process)
    assert process.returncode == 130, message
    assert len(sandbox.log.requests()) == 2 + concurrency
    # A row that was carried out behind one that waits has no envelope yet: the journal knows its answer.
    written = envelopes(tmp_path / "out.jsonl.run" / "envelopes.jsonl")
    assert {f"row {e['row']}" for e in written} <= set(sent(sandbox))
    sandbox.set_faults(queue=[])
    resumed = start("--resume", "--delay-ms", 0)
    message = end(resumed)
    assert resumed.returncode == 0, message
    assert_each_row_once(sandbox, tmp_path / "out.jsonl")


@pytest.mark.parametrize("concurrency", [1, 4])
def test_where_nothing_can_be_resumed_such_rows_end_as_cancelled(
    start: Start, sandbox: Sandbox, tmp_path: Path, concurrency: int
) -> None:
    sandbox.set_faults(queue=[{"fault": "429", "headers": {"Retry-After": "250"}}] * 50)
    with (tmp_path / "rows.jsonl").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
        process = start("--concurrency", concurrency, "--delay-ms", 0, stdin=stdin, stdout=stdout)
        wait_until(lambda: len(sandbox.log.requests()) >= concurrency)
        process.send_signal(signal.SIGINT)
        message = end(process)
    assert process.returncode == 130, message
    written = envelopes(tmp_path / "out")
    assert [e["row"] for e in written] == list(range(1, concurrency + 1))
    assert {(e["meta"]["code"], e["meta"]["repeatable"]) for e in written} == {("cancelled", True)}
    assert len(sandbox.log.requests()) == concurrency


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_second_one_ends_the_process_although_requests_hang(
    start: Start, sandbox: Sandbox, tmp_path: Path, concurrency: int
) -> None:
    sandbox.set_faults(queue=[None, None, *[{"fault": "slow", "seconds": 50}] * concurrency])
    process = start("--concurrency", concurrency, "--delay-ms", 0)
    wait_until(lambda: len(sandbox.log.requests()) >= 2 + concurrency)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert b"press Ctrl-C again to stop now" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    end(process)
    assert process.returncode == 130
    resumed = start("--resume", "--delay-ms", 0, "--concurrency", 3)
    message = end(resumed)
    assert resumed.returncode == 1, message
    assert_each_row_once(sandbox, tmp_path / "out.jsonl")
    failed = [e["meta"]["code"] for e in envelopes(tmp_path / "out.jsonl") if e["has_error"]]
    assert failed == ["outcome_unknown"] * concurrency


def test_the_second_one_ends_the_process_although_nobody_reads_its_output(
    start: Start, sandbox: Sandbox, tmp_path: Path
) -> None:
    rows = [{"reason": f"row {n}", "filler": "x" * 4000} for n in range(1, 151)]
    with write_lines(tmp_path / "long.jsonl", rows).open("rb") as stdin:
        process = start(
            "--concurrency", 4, "--delay-ms", 0, "--keep-row", stdin=stdin, stdout=subprocess.PIPE
        )
        # The window, of 64 rows, is begun for sure. The pipe holds but a few of them.
        wait_until(lambda: len(sandbox.log.requests()) >= 60)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert b"press Ctrl-C again to stop now" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE_S)
    assert process.returncode == 130
    assert b"Fatal" not in process.stderr.read()


def test_a_run_that_waits_for_standard_input_ends_too(start: Start, sandbox: Sandbox) -> None:
    process = start("--concurrency", 4, "--delay-ms", 0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b'{"reason": "a"}\n{"reason": "b"}\n')
    process.stdin.flush()
    assert [json.loads(process.stdout.readline())["row"] for _ in range(2)] == [1, 2]
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE_S)
    assert process.stderr is not None
    output = process.stderr.read().decode()
    assert process.returncode == 130, output
    assert "it cannot be resumed" in output
    assert "Fatal" not in output


# --- nowhere to write --------------------------------------------------------------------------------------


def limit_files(size: int) -> Callable[[], None]:
    """Let no file of a process grow beyond a size, as on a disk that is full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("size", [900, 2000, 5003, 9001])
def test_a_full_disk_stops_the_run_and_nothing_is_lost_or_sent_twice(
    start: Start, sandbox: Sandbox, tmp_path: Path, concurrency: int, size: int
) -> None:
    full = start("--concurrency", concurrency, "--delay-ms", 0, preexec_fn=limit_files(size))
    message = end(full)
    assert full.returncode == 3, message
    assert "cannot be written: File too large" in message
    assert "Traceback" not in message
    assert 0 < len(sandbox.log.requests()) < ROWS
    resumed = start("--resume", "--delay-ms", 0)
    message = end(resumed)
    assert resumed.returncode in (0, 1), message
    assert_each_row_once(sandbox, tmp_path / "out.jsonl")
    failed = [e["meta"]["code"] for e in envelopes(tmp_path / "out.jsonl") if e["has_error"]]
    assert failed == ["outcome_unknown"] * len(failed)
    # In doubt are at most those whose answer came when there was no room for it any more.
    assert len(failed) <= concurrency


def test_a_disk_that_is_full_before_the_first_row_is_a_fault(
    start: Start, sandbox: Sandbox, tmp_path: Path
) -> None:
    process = start(preexec_fn=limit_files(100))
    message = end(process)
    assert process.returncode == 2, message
    assert "cannot be written: File too large" in message
    assert sandbox.log.requests() == []
    assert not list(tmp_path.glob("out.jsonl*"))


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_folder_that_is_removed_stops_the_run_and_is_put_back(
    start: Start, sandbox: Sandbox, tmp_path: Path, concurrency: int
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    hold_from(sandbox, 10)
    process = start("-o", results / "out.jsonl", "--concurrency", concurrency, "--delay-ms", 20)
    wait_for_requests(process, 10, sandbox)
    shutil.rmtree(results)
    release(sandbox)
    message = end(process)
    assert process.returncode == 3, message
    assert "was removed during the run, and has been restored; use --resume to continue" in message
    assert len(sandbox.log.requests()) < ROWS
    resumed = start("--resume", "-o", results / "out.jsonl", "--delay-ms", 0)
    message = end(resumed)
    assert resumed.returncode == 0, message
    assert_each_row_once(sandbox, results / "out.jsonl")


@pytest.mark.parametrize("more", [(), ("--restart",)])
def test_a_pipe_or_a_device_is_no_output_file(
    start: Start, sandbox: Sandbox, tmp_path: Path, more: tuple[str, ...]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    process = start("-o", "pipe", *more)
    message = end(process)
    assert process.returncode == 2
    assert "pipe: is not a regular file; use a file for the output, or - for standard output" in message
    assert (tmp_path / "pipe").is_fifo()
    assert sandbox.log.requests() == []


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("format", ["jsonl", "json", "csv"])
def test_a_full_standard_output_stops_the_run(
    start: Start, sandbox: Sandbox, format: str, concurrency: int
) -> None:
    with open("/dev/full", "wb") as full:
        process = start(
            "-o", "-", "--output-format", format, "--concurrency", concurrency, "--delay-ms", 0, stdout=full
        )
        message = end(process)
    assert process.returncode == 3, message
    assert "standard output cannot be written: No space left on device" in message
    assert "Traceback" not in message
