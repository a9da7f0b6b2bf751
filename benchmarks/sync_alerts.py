"""From an alert to its ticket through `ninjaone sync serve`, at the real pace of requests.

The time is that from the alert, as the NinjaOne sandbox has recorded it, to the request that creates its
ticket, as it is in the HaloPSA sandbox's log. Alerts come at random intervals.
"""

from __future__ import annotations

import json
import random
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, percentile
from benchmarks.measure import UnmeasuredError
from benchmarks.sandboxes import Sandbox, sandbox

WITHIN_S = 60.0
"""The longest time to wait for anything."""
DEVICES = 1500
ALERTS = """
version: 1
source: ninjaone.yaml
target: halopsa.yaml
clients: {take: all}
alerts:
  ticket: {type: 25, summary: "{{ alert.subject }}", details: "{{ alert.message }}", priority: 3, source: 12}
  default_user: 3002
  stamp: CFNinjaAlert
limits: {tickets_per_hour: 10000}
"""
FULL_READS = """\
devices:
  type: "{{ device.nodeClass }}"
  match: {field: 117}
  fields: {117: "{{ device.system.serialNumber }}"}
"""


@dataclass(frozen=True)
class Work:
    """What the process does besides: the mapping, the options of `sync serve`, and the goal."""

    name: str
    mapping: str
    options: tuple[str, ...]
    goal_s: float


WORK = (
    Work("nothing else to do", ALERTS, ("--every", "1h"), 2),
    Work(f"during full reads of {DEVICES:,} devices", ALERTS + FULL_READS, ("--every", "1s", "--full"), 5),
)


@contextmanager
def serving(
    folder: Path, *options: str, delay: str | None = "0"
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a sync, and yield its address and its process, which is stopped by SIGTERM."""
    command = [sys.executable, "-m", "connector", "sync", "serve", str(folder), "--port", "0", *options]
    command += ["--delay-ms", delay] if delay is not None else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        output = process.stderr.readline()
        assert "receiving on http://" in output, output + process.stderr.read()
        yield output.partition("receiving on ")[2].partition(": ")[0], process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WITHIN_S)


def seconds_to_tickets(ninjaone: Sandbox, halopsa: Sandbox, count: int, gap_s: float) -> list[float]:
    """Raise alerts of devices 1, 2, … at random intervals with this mean; return the seconds that each took.

    Raises UnmeasuredError unless each alert has one ticket in the end.
    """
    halopsa.forget()
    draw, raised = random.Random(17), dict[str, float]()
    due = time.monotonic()
    for device in range(1, count + 1):
        time.sleep(max(0.0, due - time.monotonic()))
        due += draw.expovariate(1 / gap_s)
        alert = ninjaone.ask("alerts", "POST", {"raise": {"device": device, "subject": f"alert {device}"}})
        raised[alert["uid"]] = alert["createTime"]
    end = time.monotonic() + WITHIN_S
    while (tickets := _tickets(halopsa)).keys() < raised.keys() and time.monotonic() < end:
        time.sleep(0.2)
    if {uid: len(times) for uid, times in tickets.items()} != dict.fromkeys(raised, 1):
        made = sum(map(len, tickets.values()))
        raise UnmeasuredError(f"{count} alerts have {made} tickets after {WITHIN_S:.0f} s")
    return [tickets[uid][0] - at for uid, at in raised.items()]


def _tickets(halopsa: Sandbox) -> dict[str, list[float]]:
    """Return the times, in epoch seconds, at which a ticket was created for each alert."""
    to_epoch = time.time() - time.monotonic()
    found: dict[str, list[float]] = {}
    for request in halopsa.requests():
        if (request["method"], request["path"]) == ("POST", "/api/Tickets"):
            for record in request["body"]:
                if record.get("ninja_alert_id") and "id" not in record:
                    found.setdefault(record["ninja_alert_id"], []).append(request["time"] + to_epoch)
    return found


def measure(bench: Bench) -> Findings:
    """Return the times from alerts to their tickets, with and without other work."""
    findings, lines = Findings(), list[tuple[str, ...]]()
    gap_s, count = bench.sizes.alert_gap_s, bench.sizes.alerts
    for number, work in enumerate(WORK):
        folder = bench.folder / f"alerts-{number}"
        folder.mkdir()
        (folder / "mapping.yaml").write_text(work.mapping)
        took = _measure(bench, folder, work, count, gap_s)
        what = f"alert to ticket at {60 / gap_s:.0f} alerts a minute, {work.name}: 95th percentile"
        findings.figures.append(Figure(what, percentile(took, 95), Target(work.goal_s, most=True), " s"))
        shown = (min(took), statistics.median(took), percentile(took, 95), max(took))
        lines.append((work.name, str(count), *(f"{seconds:.2f}" for seconds in shown)))
    head = ("work", "alerts", "minimum, s", "median, s", "95th percentile, s", "maximum, s")
    findings.tables.append(Table("Alerts to tickets", head, lines))
    return findings


def _measure(bench: Bench, folder: Path, work: Work, count: int, gap_s: float) -> list[float]:
    with ExitStack() as stack:
        ninjaone = stack.enter_context(sandbox("ninjaone", "--devices", str(DEVICES)))
        assets = ("--assets", str(DEVICES), "--trap", "rate_limit=none")
        halopsa = stack.enter_context(sandbox("halopsa", *assets))
        for one in (ninjaone, halopsa):
            one.write_connection(folder)
        bench.ninjaone("sync", "run", folder, "--delay-ms", "0")
        return serve_alerts(folder, work, ninjaone, halopsa, count, gap_s)


def serve_alerts(
    folder: Path, work: Work, ninjaone: Sandbox, halopsa: Sandbox, count: int, gap_s: float
) -> list[float]:
    """Serve a sync with its webhooks, and return the seconds from each alert to its ticket."""
    with serving(folder, *work.options, delay=None) as (address, _):
        end = time.monotonic() + WITHIN_S
        while not _health(address).get("last_run") and time.monotonic() < end:
            time.sleep(0.2)
        _register(folder, address)
        return seconds_to_tickets(ninjaone, halopsa, count, gap_s)


def _health(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/health", timeout=10) as response:
        found: dict[str, Any] = json.loads(response.read())
        return found


def _register(folder: Path, address: str) -> None:
    command = [sys.executable, "-m", "connector", "sync", "webhook", "register", str(folder)]
    command += ["--url", address, "--yes", "--delay-ms", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S)
    if done.returncode:
        raise UnmeasuredError(f"the webhooks were not registered: {done.stdout}{done.stderr}")
