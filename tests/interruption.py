"""Interrupts a process in the middle of its run, however slow or busy the machine is."""

from __future__ import annotations

import signal
import subprocess
from threading import Timer
from typing import Any

from connector.sandbox.server import MockServer
from tests.fakes import wait_until

_NOTICED = "press Ctrl-C again to stop now"
_PATIENCE_S = 120


def hold_from(sandbox: MockServer, request: int) -> None:
    """Hold the responses to API requests, from this one (from 1) on; the script of faults is replaced."""
    sandbox.set_faults(queue=[*[None] * (request - 1), *["hold"] * 1000])


def release(*sandboxes: MockServer) -> None:
    """Send the responses that are held, and hold no more."""
    for sandbox in sandboxes:
        sandbox.set_faults(queue=[])


def wait_for_requests(process: subprocess.Popen[Any], count: int, *sandboxes: MockServer) -> None:
    """Wait until each sandbox has received so many requests; fail if the process ends before."""
    wait_until(
        lambda: process.poll() is not None or all(len(each.log.requests()) >= count for each in sandboxes)
    )
    assert process.poll() is None, "the process has ended"


def interrupt(process: subprocess.Popen[Any], *holding: MockServer, number: int = signal.SIGINT) -> str:
    """Send a signal, release the responses once the process has noticed it, and wait for its end.

    Returns what it prints on standard error, which is a pipe.
    """
    process.send_signal(number)
    printed = _read_until_noticed(process)
    release(*holding)
    timer = Timer(_PATIENCE_S, process.kill)
    timer.start()
    assert process.stderr is not None
    with process.stderr:
        printed += _text(process.stderr.read())
    process.wait()
    timer.cancel()
    return printed


def _read_until_noticed(process: subprocess.Popen[Any]) -> str:
    assert process.stderr is not None
    printed = ""
    while _NOTICED not in printed:
        line = process.stderr.readline()
        assert line, f"the process has ended: {printed}"
        printed += _text(line)
    return printed


def _text(output: str | bytes) -> str:
    return output if isinstance(output, str) else output.decode()
