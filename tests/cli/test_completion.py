"""`ninjaone completion`, by the shell that uses it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Ninjaone

COMPLETE = """
source "$1"; shift
function=$(complete -p ninjaone | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
"$function" ninjaone "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The completion script for bash, in a file."""
    path = tmp_path_factory.mktemp("completion") / "ninjaone.bash"
    command = [sys.executable, "-m", "connector", "completion", "bash"]
    path.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    return path


@needs_bash
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("con", ["connection"]),
        ("connection a", ["add"]),
        ("show schedule_m", ["schedule_maintenance"]),
        ("run create_org", ["create_organization"]),
        ("run reboot_device --outp", ["--output", "--output-format", "--output-exists"]),
        ("run reboot_device --input ro", ["rows.csv"]),
        ("call reboot_device --ye", ["--yes"]),
        ("completion z", ["zsh"]),
        ("examples copy fo", ["folder"]),
    ],
)
def test_bash_completes(script: Path, tmp_path: Path, words: str, expected: list[str]) -> None:
    (tmp_path / "rows.csv").touch()
    (tmp_path / "folder").mkdir()
    command = ["bash", "--norc", "-c", COMPLETE, "bash", str(script), "ninjaone", *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")


@pytest.mark.parametrize(("shell", "first"), [("zsh", "#compdef ninjaone"), ("fish", "# AUTOMATICALLY")])
def test_the_script_of_another_shell(in_process: Ninjaone, shell: str, first: str) -> None:
    done = in_process("completion", shell)
    assert done.returncode == 0
    assert done.stdout.startswith(first)
    assert "schedule_maintenance" in done.stdout


def test_without_the_extra_it_says_what_to_install(
    in_process: Ninjaone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)  # an import of it fails
    done = in_process("completion", "bash")
    assert done.returncode == 2
    assert "pip install 'ninjaone-connector[completion]'" in done.stderr


def test_no_other_command_loads_the_library() -> None:
    code = (
        "import sys; from connector.cli.main import COMMANDS, build_parser; build_parser(list(COMMANDS)); "
        "print('shtab' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
