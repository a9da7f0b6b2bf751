"""A process that runs one command, and that can be killed at any of its write points.

A write point is just before a change of a file or a folder, and just before and after a request.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from connector.catalog.catalog import Catalog
from connector.cli.main import main
from connector.http.transport import HttpTransport
from connector.runs import wait
from tests.torture.alert_process import WritePoints

_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

list(Catalog().actions())  # read once, before the process is forked


def work(
    arguments: Sequence[str], folder: str, environment: Mapping[str, str], kill_at: int, answer: Any
) -> None:
    """Run `ninjaone ARGUMENTS` in a folder; send the exit code and the number of write points.

    The messages go to the file `messages` in the folder.
    """
    os.environ.update(environment)
    os.chdir(folder)
    sys.stdout = sys.stderr = open("messages", "w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    points = WritePoints(kill_at)

    def look(event: str, values: tuple[Any, ...]) -> None:
        is_open = event == "open" and isinstance(values[2], int) and values[2] & _WRITING
        if (is_open or event in _CHANGES) and not str(values[0]).endswith(".pyc"):
            points.pass_one()

    wait._POLLS_S = (0.0, 0.05)
    sys.addaudithook(look)
    write = os.write

    def counted(descriptor: int, data: bytes) -> int:
        points.pass_one()
        return write(descriptor, data)

    os.write = counted  # type: ignore[assignment]
    points.around(HttpTransport, "send")
    try:
        code = main(list(arguments))
    except SystemExit as exit:
        code = int(exit.code or 0)
    answer.send((code, points.count))
    sys.stdout.flush()
