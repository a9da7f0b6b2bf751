"""A receiver alone in a process: `python -m tests.torture.receiver_process FOLDER PORT`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from connector.sync.hook_key import HookKey
from connector.sync.receiver import Receiver, Store, listen


def main() -> None:
    folder = Path(sys.argv[1])
    hooks = {"rmm": HookKey.of(folder).secrets_of("rmm")}
    server = listen(Receiver(Store(folder), hooks, time.time), "127.0.0.1", int(sys.argv[2]))
    print(server.effective_port, flush=True)
    server.run()


if __name__ == "__main__":
    main()
