"""The process of a run that a signal stops."""

from __future__ import annotations

import os
import socket
from threading import Event
from typing import NamedTuple


class StopEvent(Event):
    """An event that stops a run, and that SIGTERM sets in this process."""


class Process(NamedTuple):
    """A process: its id, and the name of the machine or container in which the id is valid."""

    id: int
    machine: str


def process_of(stop: Event | None) -> Process | None:
    """Return this process if SIGTERM stops its run after the rows in progress.

    None stands for a program that uses the connector as a library, which the signal may end at once.
    """
    return Process(os.getpid(), socket.gethostname()) if isinstance(stop, StopEvent) else None
