"""Runs the commands of a page, and compares what they print with what the page shows.

`...` in a page stands for any text in a line, and on a line of its own for any lines. Times, random ids and
the sandbox's port vary, and are compared as placeholders (`_VARY`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.docs.pages import Block
from tests.loopback import free_port

PORT = "8765"
"""The sandbox's port in the documentation. What runs here takes a free one."""
SERVERS = {
    "ninjaone sandbox": (PORT, "client_secret"),
    "ninjaone serve": ("8700", "Ctrl-C"),
    "node-red": ("1880", "Started flows"),
    "celery": ("", " ready."),
    "python runbook.py": ("8710", "listening"),
}
"""Commands that run in the background: their port in the pages, and a word of the last line they print."""

_VARY = (
    (re.compile(r"\b\d+(\.\d+)? (m?s)\b"), r"# \2"),
    (re.compile(r" \(\d+(\.\d+)?/s\)"), ""),  # the rate, which only longer runs print
    (re.compile(r"(?<=\S) {2,}"), "  "),  # columns get wider with the port
    (re.compile(r'(request_id\\?": ?\\?)"[0-9a-f]+'), r'\1"#'),
    (re.compile(r'("expires": )[\d.]+'), r"\1#"),
    (re.compile(r"(WEB_MGMT_SERVICE|incident)[-\w ]+"), r"\1 #"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"), "TIME"),
)
_PATIENCE_S = 300.0
"""More than the time in which a slow engine of a page starts on a busy machine, in seconds."""


class Shell:
    """Runs commands in a folder, one after the other: the folder, the variables and `$?` carry over."""

    def __init__(self, folder: Path, state: Path, port: int, *programs: Path) -> None:
        """Take the folder and the sandbox's port, and folders of programs that come first."""
        self.folder, self._programs = folder, programs
        self._ports = {PORT: str(port)}
        self._state = state
        self._status = 0
        self._servers: list[subprocess.Popen[str]] = []
        state.mkdir()
        (state / "cwd").write_text(str(folder))
        (state / "variables").write_text("")

    def write(self, name: str, text: str) -> None:
        """Write a file that a page shows."""
        path = self.folder / name
        assert path.resolve().is_relative_to(self.folder.resolve()), f"{name} is outside of the page's folder"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._here(text), encoding="utf-8")

    def run(self, command: str) -> list[str]:
        """Run a command and return the lines that it prints, on standard output and standard error."""
        for start, (port, last) in SERVERS.items():
            if command.startswith(f"{start} "):
                return self._start(command, port, last)
        state = self._state
        script = (
            f'set -o pipefail; source {state}/variables; cd "$(cat {state}/cwd)"; (exit {self._status})\n'
            f"{self._here(command)}\n"
            f"status=$?; export -p > {state}/variables; pwd > {state}/cwd; exit $status"
        )
        done = subprocess.run(
            ["bash", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(*self._programs),
            timeout=_PATIENCE_S,
        )
        self._status = done.returncode
        return self._shown(done.stdout).splitlines()

    def port_of(self, shown: str) -> str:
        """Return the real port in place of one that the page shows."""
        return self._ports[shown]

    def close(self) -> None:
        """End the servers that a page has started."""
        for server in reversed(self._servers):
            server.terminate()
            server.communicate(timeout=_PATIENCE_S)

    def _here(self, text: str) -> str:
        for shown, real in self._ports.items():
            text = text.replace(f":{shown}", f":{real}")
        return text

    def _shown(self, text: str) -> str:
        for shown, real in self._ports.items():
            text = text.replace(f":{real}", f":{shown}")
        return text

    def _start(self, command: str, port: str, last: str) -> list[str]:
        """Start a server in the background, on a free port, and return the first lines that it prints."""
        free = free_port() if command.startswith("node-red ") else 0  # Node-RED does not print which it took
        command = f"exec {command.replace(f'--port {port}', f'--port {free}') if port else command}"
        state = self._state
        server = subprocess.Popen(
            ["bash", "-c", f'source {state}/variables; cd "$(cat {state}/cwd)"; {command}'],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(*self._programs),
        )
        self._servers.append(server)
        assert server.stdout
        lines: list[str] = []
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end and not any(last in line for line in lines):
            lines.append(server.stdout.readline().rstrip("\n"))
        if port:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", "\n".join(lines))
            assert found, lines
            self._ports[port] = found[1]
        return [self._shown(line) for line in lines]


def matches(shown: list[str], printed: list[str]) -> bool:
    """Return whether what a command printed is what the page shows."""
    pattern = ""
    for line in shown:
        text = _plain(line)
        pattern += r"(?:.*\n)*" if text == "..." else re.escape(text).replace(r"\.\.\.", ".*") + r"\n"
    return re.fullmatch(pattern, "".join(_plain(line) + "\n" for line in printed)) is not None


def check_block(shell: Shell, page: str, block: Block) -> None:
    """Write the file that a block shows, or run its commands and compare what they print."""
    if block.file:
        shell.write(block.file, block.text)
        return
    for command, shown in block.commands():
        printed = shell.run(command)
        assert matches(shown, printed), "\n".join(
            [f"{page}, line {block.line}: $ {command}", "--- shown", *shown, "--- printed", *printed]
        )


def _plain(line: str) -> str:
    line = line.rstrip()
    for pattern, placeholder in _VARY:
        line = pattern.sub(placeholder, line)
    return line


def _bin() -> Path:
    return Path(sys.executable).parent


def _environment(*programs: Path) -> dict[str, str]:
    """Return the environment of the commands: it finds `ninjaone`, prints in order, and installs nothing."""
    own = {
        "PATH": os.pathsep.join((*map(str, programs), str(_bin()), os.environ["PATH"])),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "110",
        "LC_ALL": "C.UTF-8",
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }
    return {**os.environ, **own}
