"""Measure a sync of very many devices: the first plan, a run without changes, requests, and the state file.

Also how soon alerts have tickets, and the receiver of webhooks (`sync_alerts`, `receiver`).

The HaloPSA sandbox has an asset for each device, with the device's id stored in it, so that the first run
links all assets without 50,000 writes. The sandboxes count the requests.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks import receiver, sync_alerts
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, ratio
from benchmarks.measure import Run
from benchmarks.sandboxes import Sandbox, sandbox

MAPPING = """
version: 1
source: ninjaone.yaml
target: halopsa.yaml
clients: {take: all}
devices:
  type: "{{ device.nodeClass }}"
  types: {WINDOWS_SERVER: Server, WINDOWS_WORKSTATION: Workstation, MAC: Mac, LINUX_SERVER: Linux,
          LINUX_WORKSTATION: Linux}
  match: {field: 117}
  fields:
    117: "{{ device.system.serialNumber }}"
    44: "{{ (device.memory.capacity / 2**30) | round | int }} GB"
    inventory_number: "{{ 'A%05d' % device.id }}"
    notes: {value: "{{ device.system.manufacturer }} {{ device.system.model }}", when: new}
    51: {value: "{{ device.system.model }}", when: new}
    52: {value: "{{ device.os.name }}", when: new}
    53: {value: "{{ custom.purchased }}", when: new}
    54: {value: "{{ 'New' if device.created > 1760000000 else 'Used' }}", when: new}
    55: {value: "{{ device.processors | sum(attribute='numCores') }}", when: new}
    CFAssetTag: {value: "T-{{ device.id }} {{ organization.name }}", when: new}
    CFLeaseEnd: {value: "{{ custom.leaseEnd }}", when: new}
limits: {creates: 0}
"""
HIDDEN_MORE = """\
  user: {value: "{{ last_user }}", match: [login, name]}
  warranty: true
  link: "https://rmm.example.com/{{ device.id }}"
"""
HIDDEN = (
    MAPPING.replace('{value: "T-{{ device.id }} {{ organization.name }}", when: new}', '"T-{{ device.id }}"')
    .replace('custom.leaseEnd }}", when: new}', 'custom.leaseEnd }}", when: empty}')
    .replace("limits:", HIDDEN_MORE + "limits:")
)
"""A mapping with fields that asset lists do not contain: custom fields, users, a link, the warranty."""
SANDBOXES = (
    ("ninjaone", "--devices"),
    ("halopsa", "--trap", "integration=on", "--trap", "rate_limit=none", "--assets"),
)
LOCAL = ("--delay-ms", "0")


@dataclass(frozen=True)
class Requests:
    """The number of requests of a command to each service, and the number of writes to HaloPSA."""

    ninjaone: int
    halopsa: int
    writes: int


@dataclass(frozen=True)
class Synced:
    """The measurements of a sync with one number of devices."""

    hidden: Run
    hidden_sent: Requests
    plan: Run
    first: Requests
    unchanged: Run
    later: Requests
    state_bytes: int


def measure(bench: Bench) -> Findings:
    """Return the measurements of a first plan and a run without changes, for few and many devices, of alerts,
    and of the receiver of webhooks.
    """
    few, many = bench.sizes.few_synced, bench.sizes.many_synced
    found = {count: _measure(bench, count) for count in (few, many)}
    least, most = found[few], found[many]
    peak, share = most.plan.peak_bytes, ratio(most.plan.peak_bytes, least.plan.peak_bytes)
    of = f"sync of {many:,} devices, 11 fields"
    ninjaone, halopsa = 20 + 3 * many / 1000, 6 + 2 * _companies(many) * 2 / 50
    figures = [
        Figure(f"{of}: CPU time of the first plan", most.plan.cpu_s, Target(20, most=True), " s", 1),
        Figure("its peak memory", peak / 1e6, Target(150, most=True), " MB", 1),
        Figure(f"its peak memory ÷ that for {few:,} devices", share, Target(1.25, most=True)),
        Figure("its requests to HaloPSA", most.first.halopsa, Target(many / 50 + 30, most=True), "", 0),
        Figure(
            "CPU time of a first plan with fields that lists lack",
            most.hidden.cpu_s,
            Target(20, most=True),
            " s",
            1,
        ),
        Figure("its peak memory", most.hidden.peak_bytes / 1e6, Target(150, most=True), " MB", 1),
        Figure(
            "its requests to HaloPSA, including up to 500 single assets and one list of users per client",
            most.hidden_sent.halopsa,
            Target(many / 50 + 30 + 500 + _companies(many), most=True),
            "",
            0,
        ),
        Figure("CPU time of a run that changes nothing", most.unchanged.cpu_s, unit=" s", digits=1),
        Figure("its requests to NinjaOne", most.later.ninjaone, Target(ninjaone, most=True), "", 0),
        Figure("its requests to HaloPSA", most.later.halopsa, Target(halopsa, most=True), "", 0),
        Figure("its writes", most.later.writes, Target(0, most=True), "", 0),
        Figure(
            "`state.db` without the history of runs", most.state_bytes / 1e6, Target(15, most=True), " MB", 1
        ),
    ]
    lines = [line for count, synced in found.items() for line in _lines(count, synced)]
    head = ("devices, command", "CPU s", "s", "peak, MB", "to NinjaOne", "to HaloPSA", "writes")
    findings = Findings(figures, [Table("Sync", head, lines)])
    for part in (sync_alerts, receiver):
        findings.add(part.measure(bench))
    return findings


def _companies(devices: int) -> int:
    return min(200, max(4, devices // 50))


def _lines(count: int, synced: Synced) -> Iterator[tuple[str, ...]]:
    for name, run, sent in (
        ("first plan", synced.plan, synced.first),
        ("first plan with fields that lists lack", synced.hidden, synced.hidden_sent),
        ("run without changes", synced.unchanged, synced.later),
    ):
        times = (f"{run.cpu_s:.1f}", f"{run.wall_s:.1f}", f"{run.peak_bytes / 1e6:.1f}")
        requests = (f"{sent.ninjaone:,}", f"{sent.halopsa:,}", f"{sent.writes:,}")
        yield (f"{count:,}, {name}", *times, *requests)


def _measure(bench: Bench, count: int) -> Synced:
    folder = bench.folder / f"sync-{count}"
    folder.mkdir()
    (folder / "mapping.yaml").write_text(MAPPING)
    with ExitStack() as stack:
        both = [stack.enter_context(sandbox(*options, str(count))) for options in SANDBOXES]
        for one in both:
            one.write_connection(folder)
        (folder / "mapping.yaml").write_text(HIDDEN)
        hidden, hidden_sent = _counted(bench, both, "plan", folder)
        (folder / "mapping.yaml").write_text(MAPPING)
        plan, first = _counted(bench, both, "plan", folder)
        bench.ninjaone("sync", "run", folder, *LOCAL, "--beside-halo")
        unchanged, later = _counted(bench, both, "run", folder, "--beside-halo")
    return Synced(hidden, hidden_sent, plan, first, unchanged, later, _state_bytes(folder))


def _counted(
    bench: Bench, both: Sequence[Sandbox], name: str, folder: Path, *more: str
) -> tuple[Run, Requests]:
    """Run a `sync` command; return its measurement and the numbers of requests to the sandboxes."""
    for one in both:
        one.forget()
    run = bench.ninjaone("sync", name, folder, *LOCAL, *more)
    ninjaone, halopsa = (one.requests() for one in both)
    writes = sum(request["method"] != "GET" for request in halopsa)
    return run, Requests(len(ninjaone), len(halopsa), writes)


def _state_bytes(folder: Path) -> int:
    """Return the size in bytes of `state.db` without the history of runs."""
    copy = folder / "copy.db"
    with closing(sqlite3.connect(folder / "state.db")) as state, closing(sqlite3.connect(copy)) as other:
        state.backup(other)
        other.execute("DELETE FROM items")
        other.commit()
        other.execute("VACUUM")
    size = copy.stat().st_size
    shutil.rmtree(folder)
    return size
