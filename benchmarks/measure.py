"""Measure the elapsed time, CPU time and memory of a process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

LONGEST_S = 1800.0
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024

Measured = TypeVar("Measured")


class UnmeasuredError(Exception):
    """A benchmark could not be measured; the message is the reason."""


@dataclass(frozen=True)
class Run:
    """The measurement of one process: elapsed time, user and system CPU time, peak resident memory.

    On Linux, the peak is at least the memory of the parent process, so the benchmarks must use little memory.
    """

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
    errors = folder / "stderr"
    with open(output or os.devnull, "wb") as stdout, errors.open("wb") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
        limit = threading.Timer(LONGEST_S, process.kill)
        limit.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            limit.cancel()
            if process.returncode is None:
                process.kill()
                process.wait()
    wall_s = time.perf_counter() - began
    if process.returncode:
        said = errors.read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise UnmeasuredError(f"the process ended with code {process.returncode}: {said[0][:300]}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _RSS_UNIT)


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
