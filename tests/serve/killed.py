"""`python -m tests.serve.killed serve ...`: the server, which kills itself at the stage in `KILLED_AT`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from connector.cli.main import main
from connector.client.client import Client
from connector.serve.repeats import Repeat, RepeatStore

STAGES = {
    "before the key is stored": (RepeatStore, "_claimed", False),
    "key stored, nothing noted": (Repeat, "sent", False),
    "request noted, not sent": (Repeat, "sent", True),
    "response received, not noted": (Client, "send", True),
    "response noted, envelope not stored": (Repeat, "keep", False),
    "envelope stored, request not finished": (Repeat, "keep", True),
    "request finished, response not sent": (Repeat, "finish", True),
}
"""The function at whose beginning (False) or end (True) the process is killed."""


def kill_at(stage: str) -> None:
    owner, name, at_end = STAGES[stage]
    original: Any = getattr(owner, name)

    def killing(*arguments: Any, **more: Any) -> Any:
        result = original(*arguments, **more) if at_end else None
        os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, killing)


if __name__ == "__main__":
    kill_at(os.environ["KILLED_AT"])
    sys.exit(main())
