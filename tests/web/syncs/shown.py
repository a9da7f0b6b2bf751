"""A sync's folder with something of everything that its pages show: runs, a plan, conflicts and alerts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from connector.sync.alert_rows import Alert
from connector.sync.plan_file import new_plan_path, save_plan
from connector.sync.records import Client, Location, Organization, Site
from connector.sync.state import State
from connector.sync.state_alerts import AlertRows
from connector.sync.state_queues import Inbox
from tests.sync.sides import Sync, asset, device

MAPPING = """version: 1
source: rmm.yaml
target: psa.yaml
clients: {take: all, create: false}
devices:
  type: "{{ device.kind }}"
  match: {field: 117}
  fields:
    117: "{{ device.serial }}"
    51: {value: "{{ device.rack }}", when: always}
alerts:
  ticket: {type: 25, summary: "{{ alert.subject or alert.message }}"}
"""
RMM = {"service": "ninjaone", "region": "eu", "client_id": "app"}
PSA = {"service": "halopsa", "base_url": "https://acme.halopsa.com", "client_id": "app"}


def make_folder(folder: Path, now: float, *, devices: int = 6, read_only: bool = False) -> Path:
    """Make a sync that has run once, has a plan, and knows a few alerts."""
    folder.mkdir()
    (folder / "rmm.yaml").write_text(json.dumps(RMM))
    (folder / "psa.yaml").write_text(json.dumps({**PSA, "read_only": read_only}))
    sync = Sync(folder, mapping=MAPPING, now=now)
    sync.source.org = [
        Organization(1, "Acme"),
        Organization(2, "Globex & <Sons>"),
        Organization(3, "Initech"),
    ]
    sync.source.loc = [Location(2, 1, "Main"), Location(3, 1, "Lab")]
    sync.target.client = {17: Client(17, "ACME", main_site=40)}
    sync.target.client |= {18: Client(18, "Initech"), 19: Client(19, "INITECH")}
    sync.target.site = {40: Site(40, 17, "main"), 41: Site(41, 17, "lab")}
    sync.source.dev = [device(number, location=3, rack=f"R{number}") for number in range(1, devices + 1)]
    sync.target.stock = {
        7: asset(7, serial="SN1", stamp=1),
        8: asset(8, serial="SN2", name="PC-OLD"),
        9: asset(9, serial="SN2", name="PC-2"),
    }
    sync.run()
    sync.source.dev[0] = device(1, location=3, rack="R 99", serial="SN1")
    sync.source.dev.append(device(900, organization=2))
    sync.source.dev.append(device(901, location=2, name="PC-NEW", rack="<b>R</b>"))
    with sync.plan() as plan:
        save_plan(new_plan_path(folder, now), plan, sync.source, sync.target)
    _runs(sync.state, now)
    _alerts(sync.state, now)
    sync.state.close()
    return folder


def _runs(state: State, now: float) -> None:
    run = state.begin_run("apply", now - 600)
    item = {
        "entity": "asset",
        "source": 3,
        "op": "update",
        "target": 30,
        "changes": [1],
        "reason": "refused: 403",
    }
    state.save_item(run, item, "failed")
    state.save_item(run, {**item, "source": 4, "reason": ""}, "done")
    state.end_run(run, now - 540, "problems", {"outcomes": {}, "organizations": 3, "devices": 6})
    conflict = {**item, "source": 2, "op": "conflict", "target": None, "changes": []}
    state.save_item(run, {**conflict, "reason": "2 candidates"}, "conflict")
    Inbox(state).add("ninja", "e1", b"{}", now)


def _alerts(state: State, now: float) -> None:
    message = json.dumps({"subject": "Disk C: is full", "message": "C: has 1 % left"})
    row = Alert("a-1", 1, "OPEN", start=now - 7200, device=1, organization=1, alert=message, ticket=4711)
    rows = [
        replace(row, opened_at=now - 7100, repeats=2),
        replace(row, uid="a-2", state="CLOSED", ticket=4712, opened_at=now - 7000, ended=now - 3600,
                closed_at=now - 3500, closed_by="source", alert=json.dumps({"subject": "CPU <hot>"})),
        replace(row, uid="a-3", state="ERROR", ticket=None, start=now - 900, attempts=12,
                error="The PSA refuses ticket type 31 to this agent (403)", 
                alert='{"subject": "Service stopped"}'),
        replace(row, uid="a-4", state="HELD", ticket=None, start=now - 60, alert="{}"),
        Alert("held", 1, "OPEN", kind="held", opened_at=now - 50, ticket=4720),
    ]  # fmt: skip
    AlertRows(state).put(rows)
