"""A receiver of webhooks alone in a process: `python -m benchmarks.receiver_process FOLDER PORT`.

It prints its port and the token of its address, and receives until it is killed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from connector.sync.hook_key import HookKey
from connector.sync.receiver import Receiver, Store, listen


def main() -> None:
    """Receive until killed."""
    folder = Path(sys.argv[1])
    secrets = HookKey.of(folder).secrets_of("rmm")
    server = listen(Receiver(Store(folder), {"rmm": secrets}, time.time), "127.0.0.1", int(sys.argv[2]))
    print(server.effective_port, secrets.token, flush=True)
    server.run()


if __name__ == "__main__":
    main()
