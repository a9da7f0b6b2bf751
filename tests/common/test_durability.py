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
