"""Where a run was started or resumed last: its machine, and the absolute path of its output.

Runs are found by their outputs as their jobs name them, because the folders of workers differ. So a run that
is found can be that of another job, in another folder or on another machine, with an output of the same name.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NamedTuple


class RunPlace(NamedTuple):
    """A machine and the path of an output, escaped to ASCII; both are None for runs of earlier versions.

    A path can have characters that the encoding of the database lacks, and bytes that are no valid text.
    """

    machine: str | None
    path: str | None

    @property
    def file(self) -> str:
        """The path for messages and commands."""
        return _unescaped(self.path)

    def __str__(self) -> str:
        return f"{self.file} on {_unescaped(self.machine)}"


def place_of(path: Path) -> RunPlace:
    """Return the place of an output in this process."""
    return RunPlace(_escaped(socket.gethostname()), _escaped(str(path.parent.resolve() / path.name)))


def _escaped(text: str) -> str:
    return text.encode("unicode_escape").decode()


def _unescaped(text: str | None) -> str:
    unescaped = (text or "").encode().decode("unicode_escape")
    return unescaped.encode(errors="backslashreplace").decode()
