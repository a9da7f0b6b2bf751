"""Stops runs of other processes, such as those of the command line."""

from __future__ import annotations

import os
import signal
import socket
import sys

from connector.errors import RunError
from connector.runs.record import Record
from connector.runs.run_stores import store_of
from connector.runs.stop_event import Process


def stoppable(record: Record) -> Process | None:
    """Return the process of a run that can be stopped from here; None if it has ended or cannot be."""
    process = record.process
    if record.ended is not None or process is None or process.machine != socket.gethostname():
        return None
    return None if sys.platform == "win32" else process  # Windows can only kill a process


def stop_process(record: Record) -> None:
    """Signal a run to stop after the rows in progress. Raises RunError if it has ended in the meantime.

    While the run's lock is held, the process id in the record is that of the run.
    """
    process = stoppable(record)
    try:
        store_of(record.job.state).check_not_running(record.output, record.run_id)
    except RunError:  # The run is writing its output.
        is_running = process is not None
    else:
        is_running = False
    if process is None or not is_running:
        raise RunError("This run cannot be stopped from here: it has ended, or another program runs it.")
    try:
        os.kill(process.id, signal.SIGTERM)
    except OSError as error:
        raise RunError(f"This run cannot be stopped: {error.strerror}.") from error
