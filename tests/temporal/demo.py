"""Shows a run on several machines, with all of its servers as processes of this one: `make demo-scale`."""

from __future__ import annotations

import shlex
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import wait_until
from tests.postgres import Server, binary
from tests.temporal.server import PROGRAM, TemporalServer
from tests.temporal.stage import Process, Stage

TENANTS, ROWS = 20, 800
KILLED_AFTER = 200


def main() -> int:
    """Run the demo and return the exit code: 0 if each row has a result and none was sent twice."""
    if not binary("initdb") or PROGRAM is None:
        print("The demo needs PostgreSQL and a Temporal server: `make postgres temporal` installs them.")
        return 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demo-scale-")))
        database = Server()
        stack.callback(database.stop)
        temporal = stack.enter_context(TemporalServer(folder))
        sandboxes = [stack.enter_context(Sandbox()) for _ in range(TENANTS)]
        stage = Stage(folder / "machines", sandboxes, database.url(), temporal.url("demo"), ROWS)
        stage.write_job(delay_ms=300)
        print(f"PostgreSQL, Temporal ({temporal.host}) and {TENANTS} accounts of the sandbox are running.")
        workers = [stack.enter_context(stage.worker(f"worker-{number}")) for number in (1, 2)]
        print("Two workers are running, each with its own folder and connections.\n")
        run = stack.enter_context(stage.run())
        print(f"$ {shlex.join(['ninjaone', *run.arguments])}")
        show(run)
        wait_until(lambda: len(stage.sent()) >= KILLED_AFTER or run.process.poll() is not None, 120)
        workers[0].kill()
        print(
            f"--- worker 1 was killed (SIGKILL) after {len(stage.sent())} of {ROWS} requests ---", flush=True
        )
        began = time.monotonic()
        run.wait()
        print(f"\nThe run ended {time.monotonic() - began:.0f} s after that. What the sandbox received:")
        return report(stage)


def show(run: Process) -> None:
    """Print what the run says while it runs."""

    def copy() -> None:
        shown = 0
        while run.process.poll() is None or shown < len(run.said()):
            said = run.said()
            print(said[shown:], end="", flush=True)
            shown = len(said)
            time.sleep(0.2)

    threading.Thread(target=copy, daemon=True).start()


def report(stage: Stage) -> int:
    """Print the requests and the results, and return the exit code of the demo."""
    sent, envelopes = stage.sent(), stage.envelopes()
    twice = [row for row, count in sent.items() if count > 1]
    codes = Counter(envelope["meta"]["code"] or "success" for envelope in envelopes)
    print(f"  {sum(sent.values())} requests for {len(sent)} rows; rows sent twice: {len(twice)}")
    print(f"  {len(envelopes)} envelopes for {ROWS} rows, in order: {dict(codes)}")
    if unknown := [envelope["row"] for envelope in envelopes if envelope["has_error"]]:
        print(f"  rows of worker 1 that had begun, and were not sent again: {unknown}")
    in_order = [envelope["row"] for envelope in envelopes] == list(range(1, ROWS + 1))
    return 0 if in_order and not twice else 1


if __name__ == "__main__":
    sys.exit(main())
