"""The progress bar in a real pseudo-terminal: what is drawn, and that it is removed at the end."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import screen
from tests.fakes import write_lines
from tests.loopback import PATIENCE_S

fcntl = pytest.importorskip("fcntl")
pty = pytest.importorskip("pty")
termios = pytest.importorskip("termios")


class InTerminal:
    """A command whose standard error is a terminal; `text` is what it has written there so far."""

    def __init__(self, width: int, *arguments: object, stdout: Any = subprocess.PIPE) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "connector", *map(str, arguments)],
            stdout=theirs if stdout is None else stdout, stderr=theirs, env=os.environ,
        )  # fmt: skip
        os.close(theirs)
        self.text = ""

    def read(self) -> bool:
        """Read what has been written since; tell whether there may be more."""
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # how a terminal says that its last user is gone
            data = b""
        self.text += data.decode().replace("\r\n", "\n")
        return bool(data)

    def read_until(self, pattern: str) -> None:
        while not re.search(pattern, self.text):
            assert self.read(), self.text

    def end(self) -> list[str]:
        """Wait for its end, and return the lines of the screen."""
        while self.read():
            pass
        os.close(self._ours)
        self.process.communicate(timeout=PATIENCE_S)
        return screen(self.text)


def rows_of(folder: Path, count: int) -> Path:
    return write_lines(
        folder / "rows.jsonl", [{"device_id": n, "mode": "NORMAL"} for n in range(1, count + 1)]
    )


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_bar_of_a_run_leaves_nothing_but_the_summary(
    sandbox: Sandbox, connection_file: Path, tmp_path: Path, width: int
) -> None:
    rows = rows_of(tmp_path, 12)
    output = tmp_path / "out.jsonl"
    run = InTerminal(width, "run", "reboot_device", "--yes", "-c", connection_file, "-i", rows, "-o", output,
                     "--delay-ms", "100")  # fmt: skip
    lines = run.end()
    assert run.process.returncode == 0
    assert re.search(r"\d+ %, ([1-9]|1[012])/12 rows, 0 failed", run.text)
    if width > 40:
        assert re.search(r"\[#+\.+\] ", run.text)
        assert re.search(r" left \(\d\.\d s of delays\), \d", run.text)
    drawn = [line for line in re.split(r"[\r\n]", run.text) if "/12 rows" in line]
    assert len(drawn) > 2
    assert all(len(line) < width for line in drawn)
    assert lines[0].startswith("reboot_device: 12 rows, 12 accepted, 0 failed, in ")
    assert lines[1:] == [
        "  accepted: NinjaOne has queued the work; it may not be done yet",
        f"envelopes: {output}",
        "",
    ]


def test_a_request_that_hangs_is_seen_to_hang(
    connection_file: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_faults(queue=[{"fault": "slow", "seconds": 3}])
    run = InTerminal(80, "run", "reboot_device", "--yes", "-c", connection_file, "-i", rows_of(tmp_path, 2),
                     "-o", tmp_path / "out.jsonl", "--delay-ms", "0")  # fmt: skip
    run.read_until(r"0 %, 0/2 rows, 0 failed, waiting for 2\.\d s")
    assert "succeeded" not in run.text
    run.end()
    assert run.process.returncode == 0


def test_no_bar_among_the_envelopes(connection_file: Path, tmp_path: Path) -> None:
    run = InTerminal(80, "run", "reboot_device", "--yes", "-c", connection_file, "-i", rows_of(tmp_path, 12),
                     "--delay-ms", "50", stdout=None)  # fmt: skip
    run.end()
    assert run.process.returncode == 0
    assert run.text.count('{"has_error":false') == 12
    assert "/12 rows" not in run.text
