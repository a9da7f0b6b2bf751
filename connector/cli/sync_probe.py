"""The option `--probe` of `ninjaone sync check`."""

from __future__ import annotations

import argparse
import json
import sys
import threading

from connector.cli.ask import confirm, is_terminal
from connector.cli.main import INTERRUPTED, OK, ROWS_FAILED
from connector.cli.stopping import stopping
from connector.cli.sync_sides import sides_of
from connector.common.clock import SystemClock
from connector.errors import RunError
from connector.sync.folder import SyncFolder, open_folder
from connector.sync.probe import Finding, Probe, Trial
from connector.sync.sides import ActionTarget


def add_probe(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `sync check` for a probe."""
    parser.add_argument(
        "--probe",
        action="store_true",
        help="try how the target stores values, with one asset and one ticket that are created and deleted; "
        "asks for confirmation",
    )
    parser.add_argument(
        "--probe-client",
        metavar="ID",
        type=int,
        help="the client of this asset and ticket (default: the first one in the mapping)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation before --probe")


def probe(options: argparse.Namespace) -> int:
    """Run the tests, delete the test records, and return the exit code. Raises RunError."""
    folder = open_folder(options.folder)
    source, target = sides_of(folder, options)
    if target.calls.connection.read_only:
        raise RunError(f"the connection to {target.title} is read-only: --probe is not possible")
    tried = Probe(folder, source, target)
    earlier = tried.earlier()
    client = options.probe_client or _first_client(folder)
    _confirm(options, target, client, earlier)
    if earlier is not None and (left := tried.remove(earlier)):
        return _say_left(target, earlier, left)
    trial = tried.begin(client, SystemClock.now())
    stop = threading.Event()
    findings: list[Finding] = []
    with stopping(stop, lambda text: print(text, file=sys.stderr), "after the current question"):
        try:
            for finding in tried.findings(trial, stop):
                findings.append(finding)
                if not options.json:
                    print(
                        f"{finding.level:8}{finding.service:9} {finding.subject:22}{finding.text}", flush=True
                    )
        finally:
            left = tried.remove(trial)
    if options.json:
        print(json.dumps({"answers": [vars(finding) for finding in findings], "left": left}))
    if left:
        return _say_left(target, trial, left)
    if not options.json:
        print("the test records are deleted")
    return INTERRUPTED if stop.is_set() else OK


def _first_client(folder: SyncFolder) -> int:
    rows = folder.mapping.clients.rows.values()
    clients = [row.client for row in rows if isinstance(row.client, int)]
    if not clients:
        raise RunError("the mapping has no client for the test asset and ticket: use --probe-client ID")
    return clients[0]


def _confirm(options: argparse.Namespace, target: ActionTarget, client: int, earlier: Trial | None) -> None:
    """Print the test records to create, and ask for confirmation. Raises RunError if it is not given."""
    if options.yes:
        return
    if not is_terminal():
        raise RunError("confirmation requires a terminal; use --yes")
    if earlier is not None:
        print(f'The last probe was interrupted: what it left, called "{earlier.name}", is deleted first.')
    print(
        f"One asset and one ticket are created in client {client} of {target.title} ({target.account}), "
        "changed, and deleted. Automations and mails of new tickets may be started."
    )
    if not confirm("Continue?"):
        raise RunError("not confirmed; nothing was sent")


def _say_left(target: ActionTarget, trial: Trial, left: list[str]) -> int:
    names = ", ".join(left)
    print(
        f'ninjaone: left in client {trial.client} of {target.title}, called "{trial.name}": {names}. Delete '
        "them, or use --probe again",
        file=sys.stderr,
    )
    return ROWS_FAILED
