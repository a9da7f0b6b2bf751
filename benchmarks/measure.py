"""Measure the elapsed time, CPU time and memory of a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

TIMEOUT_S = 1800.0
_LAUNCHER = Path(__file__).with_name("launcher.py")
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024

Measured = TypeVar("Measured")


class UnmeasuredError(Exception):
    """A benchmark could not be measured; the message is the reason."""


@dataclass(frozen=True)
class Run:
    """The measurement of one process: elapsed time, user and system CPU time, peak resident memory."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def run(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    output: Path | None = None,
) -> Run:
    """Run a command in a folder and return its measurement. Raises UnmeasuredError on failure or timeout."""
    errors, measured = folder / "stderr", folder / "measured.json"
    measured.unlink(missing_ok=True)
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(measured), *map(str, command)]
    with open(output or os.devnull, "wb") as stdout, errors.open("wb") as stderr:
        process = subprocess.Popen(
            launcher,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise UnmeasuredError(f"the process did not end within {TIMEOUT_S:.0f} s") from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    said = errors.read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
    if process.returncode:
        raise UnmeasuredError(f"the process could not be started: {said[0][:300]}")
    wall_s, cpu_s, peak, code = json.loads(measured.read_text())
    if code:
        raise UnmeasuredError(f"the process ended with code {code}: {said[0][:300]}")
    return Run(wall_s, cpu_s, peak * _RSS_UNIT)


def expect_lines(path: Path, count: int, bad: bytes = b'"has_error": true') -> None:
    """Raise UnmeasuredError unless a file has `count` lines without `bad` in them."""
    with path.open("rb") as lines:
        found = sum(bad not in line for line in lines)
    if found != count:
        raise UnmeasuredError(f"{found} valid lines were written instead of {count}")


def in_turn(
    contestants: Mapping[str, Callable[[], Measured]], rounds: int
) -> tuple[dict[str, list[Measured]], list[str]]:
    """Run every program once per round, in turn, so that disturbances of the machine affect all of them.

    Return the measurements of the programs that completed all rounds, and the reasons of the others.
    """
    measured: dict[str, list[Measured]] = {name: [] for name in contestants}
    failed: dict[str, str] = {}
    for number in range(1, rounds + 1):
        for name, once in contestants.items():
            if name in failed:
                continue
            print(f"  round {number} of {rounds}: {name}", file=sys.stderr)
            try:
                measured[name].append(once())
            except UnmeasuredError as error:
                failed[name] = str(error)
                del measured[name]
    return measured, [f"{name} was not measured: {why}" for name, why in failed.items()]
