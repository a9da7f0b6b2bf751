"""The `worker` command: run the rows of runs that were started with `ninjaone run --on`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from connector.cli.action_sources import add_own_actions, open_catalog
from connector.cli.logs import show_log_by
from connector.cli.main import OK
from connector.cli.numbers import whole_number
from connector.cli.stopping import stopping
from connector.errors import RunError
from connector.runs.stop_event import StopEvent

TASK_QUEUE = "ninjaone"
"""The default task queue of workers and runs."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^][:/?#@]+)(:[0-9]+)?")
_CHUNKS = 3
"""The default number of chunks in parallel. 150 connections, with 300 ms between the requests of each, send
500 requests/s, which is about what one process can send."""
_MAX_CHUNKS = 64


def add_worker(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone worker`."""
    add_own_actions(parser)
    parser.add_argument(
        "--task-queue",
        default=TASK_QUEUE,
        metavar="NAME",
        help="task queue of the runs (default: %(default)s)",
    )
    parser.add_argument(
        "--address",
        default="localhost:7233",
        metavar="HOST:PORT",
        help="address of the Temporal server (default: %(default)s)",
    )
    parser.add_argument(
        "--namespace", default="default", metavar="NAME", help="namespace of Temporal (default: %(default)s)"
    )
    parser.add_argument(
        "--state",
        metavar="URL",
        help="PostgreSQL database of the shared state (default: from NINJAONE_STATE)",
    )
    parser.add_argument(
        "--connections",
        metavar="DIR",
        type=Path,
        help="folder in which connection files are found by name (default: the paths in the job)",
    )
    parser.add_argument(
        "--chunks",
        type=whole_number(
            lambda chunks: 1 <= chunks <= _MAX_CHUNKS, f"1 to {_MAX_CHUNKS} chunks can run in parallel"
        ),
        default=_CHUNKS,
        metavar="N",
        help="number of chunks in parallel, each of up to 50 connections; one worker sends at most "
        "about 500 requests/s, so use more workers rather than more chunks (default: %(default)s)",
    )
    parser.set_defaults(command=_worker)


def _worker(options: argparse.Namespace) -> int:
    from connector.state.setting import find_state  # imported only if it is used

    state = find_state(options.state)
    if not state:
        raise RunError("a worker requires the database of the runs: use --state URL, or set NINJAONE_STATE")
    require_temporal()
    from connector.state.databases import open_database
    from connector.temporal.address import SCHEME, read_address
    from connector.temporal.chunk import Chunks
    from connector.temporal.worker import run_worker

    host = options.address.removeprefix(f"{SCHEME}://").removesuffix("/")
    if not _HOST.fullmatch(host):  # It can have a password, so it is not shown.
        raise RunError(
            "--address: use HOST:PORT, such as localhost:7233; set the rest with --namespace and --task-queue"
        )
    address = read_address(f"{SCHEME}://{host}/{options.namespace}", options.task_queue)
    open_database(state)
    stop = StopEvent()
    with stopping(stop, _say), show_log_by(_say):
        run_worker(
            address,
            Chunks(open_catalog(options), state, options.connections),
            options.chunks,
            stop,
            lambda: _say(f"worker {os.getpid()} takes tasks from {address}. Press Ctrl-C to stop."),
        )
    return OK


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def require_temporal() -> None:
    """Raise RunError if the package `temporalio` is not installed."""
    try:
        import temporalio  # noqa: F401  # imported only if it is used
    except ImportError:
        raise RunError(
            "runs on Temporal require the package temporalio: "
            "`pip install 'ninjaone-connector[temporal,postgres]'`"
        ) from None
