"""No command ends with a traceback, whatever standard output is: encodings, closed pipes, a full device."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from connector.cli.streams import usable_streams
from tests.fakes import write_lines
from tests.loopback import PATIENCE_S

TEXT = "é € 日本 \N{GRINNING FACE}"
CALL = ("call", "create_tag", "-c", "connection.yaml", f"name={TEXT}")
RENAME = (
    "-c", "connection.yaml", "-i", "rows.jsonl", "-t", "device_id={{ n }}", "-t", "display_name={{ text }}",
)  # fmt: skip
RUN = ("run", "update_device", *RENAME, "--delay-ms", "0", "--keep-row")
COMMANDS: list[tuple[str, ...]] = [
    (), ("--help",), ("--version",), ("run", "--help"), ("no_such_command",), ("run", f"{TEXT}.yaml"),
    ("actions",), ("actions", "--json"), ("actions", TEXT), ("show", "create_tag"),
    ("show", "create_tag", "--json"),
    CALL, RUN, (*RUN, "--output-format", "json"), (*RUN, "--output-format", "csv"), (*RUN, "--json"),
    ("preview", "update_device", *RENAME), ("preview", "update_device", *RENAME, "--json"),
    ("rerun", "failed.jsonl", "--json"), ("rerun", f"{TEXT}.jsonl"),
    ("runs",), ("runs", "--json"),
    ("connection", "list"), ("connection", "show", "acme"), ("connection", "show", "acme", "--json"),
    ("connection", "test", "acme"), ("connection", "show", TEXT),
    ("catalog", "check"), ("catalog", "reference"), ("docs",), ("examples",), ("new", "--help"),
    ("host", "lhub", "build", "integration"),
]  # fmt: skip
BUFFERED = {"PYTHONUNBUFFERED": ""}
"""What is written is lost or refused only when the process ends, as it is by default."""
FEW = [
    (),
    ("--help",),
    ("actions",),
    CALL,
    RUN,
    ("preview", "update_device", *RENAME),
    ("catalog", "reference"),
]
SLOW = pytest.mark.slow
MANY = [pytest.param(c, id=" ".join(c), marks=() if c in FEW else SLOW) for c in COMMANDS]


@pytest.fixture(autouse=True)
def files(connection_file: Path, tmp_path: Path, own_state: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"n": n, "text": TEXT} for n in (1, 999, 3)])
    saved = own_state / "config/ninjaone-connector/connections.yaml"
    saved.parent.mkdir(parents=True)
    settings = connection_file.read_text().replace("\n", "\n  ").rstrip()
    saved.write_text(f"acme:\n  {settings}\n")


def ninjaone(
    folder: Path, arguments: Sequence[str], stdout: int = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "connector", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, **BUFFERED, **environment},
        timeout=PATIENCE_S,
    )


def check(done: subprocess.CompletedProcess[bytes], exit_codes: Sequence[int]) -> None:
    errors = done.stderr.decode(errors="replace")
    for fault in ("Traceback", "Error:", "Exception ignored", "bug in the connector"):
        assert fault not in errors, (done.args, errors)
    assert done.returncode in exit_codes, (done.args, errors)


@pytest.mark.parametrize("command", MANY)
def test_characters_that_an_encoding_lacks_are_escaped(tmp_path: Path, command: tuple[str, ...]) -> None:
    check(ninjaone(tmp_path, command, PYTHONIOENCODING="cp932"), (0, 1, 2))


@pytest.mark.parametrize("command", FEW, ids=" ".join)
@pytest.mark.parametrize(
    "encoding", ["ascii", pytest.param("iso-8859-15", marks=SLOW), pytest.param("utf-16", marks=SLOW)]
)
def test_any_encoding_will_do(tmp_path: Path, command: tuple[str, ...], encoding: str) -> None:
    done = ninjaone(tmp_path, command, PYTHONIOENCODING=encoding)
    check(done, (0, 1, 2))
    done.stdout.decode("utf-8" if command[:1] == ("run",) else encoding)


@pytest.mark.parametrize("command", MANY)
def test_a_pipe_that_nobody_reads_ends_a_command_quietly(tmp_path: Path, command: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        check(ninjaone(tmp_path, command, stdout=write, PYTHONIOENCODING="utf-8"), (0, 1, 2, 3))
    finally:
        os.close(write)


def test_a_closed_output_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(tmp_path / "output", "w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        with usable_streams():
            print(TEXT)
            output.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("command", FEW, ids=" ".join)
def test_a_full_device_stops_a_command_with_a_message(tmp_path: Path, command: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        done = ninjaone(tmp_path, command, stdout=full.fileno())
    check(done, (3,))
    assert b"standard output cannot be written: No space left on device" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="there is no shell that closes streams")
@pytest.mark.parametrize("command", FEW, ids=" ".join)
@pytest.mark.parametrize(
    "closed", [*(pytest.param(stream, marks=SLOW) for stream in ("<&-", ">&-", "2>&-")), "<&- >&- 2>&-"]
)
def test_closed_streams_are_as_the_null_device(tmp_path: Path, command: tuple[str, ...], closed: str) -> None:
    script = f'exec "$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-m", "connector", *command],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, **BUFFERED},
        timeout=PATIENCE_S,
    )
    check(done, (0, 1, 2))
