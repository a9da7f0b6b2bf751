"""More open files than a process begins with."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource, sys
from connector.common.durability import allow_open_files
soft, hard, asked = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
allow_open_files(asked)
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
@pytest.mark.parametrize(
    ("limits", "asked", "after"),
    [((100, 400), 300, "300 400"), ((100, 400), 900, "400 400"), ((300, 400), 200, "300 400")],
)
def test_the_limit_is_raised_as_far_as_may_be(limits: tuple[int, int], asked: int, after: str) -> None:
    command = [sys.executable, "-c", CODE, *map(str, (*limits, asked))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == after


RESERVED = """
import resource, sys
from connector.common.durability import free_open_files, reserved_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 400))
for _ in range(2):
    with reserved_open_files(50), reserved_open_files(70):
        soft, free = resource.getrlimit(resource.RLIMIT_NOFILE)[0], free_open_files()
        files = [open(sys.executable, "rb") for _ in range(30)]
        print(soft, free - free_open_files())
        del files
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_what_several_threads_reserve_adds_up(capfd: pytest.CaptureFixture[str]) -> None:
    subprocess.run([sys.executable, "-c", RESERVED], check=True)
    assert capfd.readouterr().out.splitlines() == ["220 30", "220 30"]
