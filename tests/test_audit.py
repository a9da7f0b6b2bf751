"""`make audit` fails for a known vulnerability, and does not pass if nothing was looked up."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.audit import main

SOUND = {"name": "one", "version": "1.0", "vulns": []}
WEAK = {"name": "two", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": []}]}
UNKNOWN = {"name": "three", "skip_reason": "Dependency not found"}


def program(folder: Path, *, found: Any = None, error: str = "") -> str:
    """Write a program that prints this output in place of pip-audit."""
    path = folder / "pip-audit"
    output = json.dumps({"dependencies": found, "fixes": []}) if found is not None else ""
    path.write_text(
        f"#!{sys.executable}\nimport sys\nprint({output!r}, end='')\nprint({error!r}, file=sys.stderr)\n"
        "sys.exit(1)\n",
        "utf-8",
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("given", "file", "code", "message"),
    [
        ({"found": [SOUND]}, "dev.txt", 0, "dev.txt: no known vulnerability (packages audited: 1)"),
        ({"found": [SOUND, WEAK]}, "dev.txt", 1, "dev.txt: two 2.0: PYSEC-1, fixed in 2.1"),
        ({"found": [WEAK]}, "oldest.txt", 0, "oldest.txt: not a failure: "),
        (
            {"found": [UNKNOWN]},
            "dev.txt",
            0,
            "skipped: pip-audit dev.txt: its database has none of the packages",
        ),
        ({"found": [SOUND, UNKNOWN]}, "dev.txt", 0, "dev.txt: not in its database: three"),
        (
            {"error": "x\nrequests.exceptions.ConnectionError: no"},
            "dev.txt",
            0,
            "dev.txt: its database cannot",
        ),
        (
            {"error": "error: invalid requirements"},
            "dev.txt",
            1,
            "dev.txt failed: error: invalid requirements",
        ),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_audit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: Any, file: str, code: int, message: str
) -> None:
    assert main([program(tmp_path, **given), file]) == code
    assert message in capsys.readouterr().out
