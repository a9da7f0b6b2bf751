"""Where a run was started or resumed last: its machine, and the absolute path of its output.

Runs are found by their outputs as their jobs name them, because the folders of workers differ. So a run that
is found can be that of another job, in another folder or on another machine, with an output of the same name.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NamedTuple


class RunPlace(NamedTuple):
    """A machine and the path of an output; both are None for runs of earlier versions."""

    machine: str | None
    path: str | None

    def __str__(self) -> str:
        return f"{self.path} on {self.machine}" if self.path else "an unknown output"


def place_of(path: Path) -> RunPlace:
    """Return the place of an output in this process."""
    absolute = str(path.parent.resolve() / path.name)
    # A path can have bytes that are no valid text, which the database refuses.
    return RunPlace(socket.gethostname(), absolute.encode(errors="backslashreplace").decode())
