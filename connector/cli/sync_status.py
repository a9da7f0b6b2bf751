"""The commands `ninjaone sync status`, `explain`, `pin` and `unpin`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from connector.cli.main import OK
from connector.cli.sync_apply import clock_text, describe_alerts, problem_lines, progress_line
from connector.cli.sync_plan import NOUNS
from connector.cli.sync_sides import add_json, read_with, sides_of
from connector.common.clock import SystemClock
from connector.common.plurals import counted
from connector.errors import RunError
from connector.sync.alert_run import alert_problems
from connector.sync.explain import decisions, record_of, steps_of
from connector.sync.folder import SyncFolder, open_folder
from connector.sync.pins import NOUNS as PINNED
from connector.sync.pins import save_pins
from connector.sync.plan import PlanInputs
from connector.sync.plan_items import Entity, Item
from connector.sync.records import Device, Organization
from connector.sync.run import FULL_READ
from connector.sync.state import State
from connector.sync.state_alerts import AlertRows
from connector.sync.state_lock import StateLock
from connector.sync.state_queues import Inbox

ENTITIES: dict[str, Entity] = {"organization": "client", "location": "site", "device": "asset"}
_NOUNS = "organization, location or device"


def add_status(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync status`."""
    add_json(parser)
    parser.add_argument(
        "--unmatched", action="store_true", help="list the records that are skipped or need a decision"
    )
    parser.add_argument("--links", action="store_true", help="list the links between records")
    parser.set_defaults(command=_status)


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync explain`."""
    _add_record(parser)
    add_json(parser)
    parser.add_argument("--delay-ms", metavar="MS", type=float, help="minimum interval between two requests")
    parser.set_defaults(command=_explain)


def add_pin(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync pin`."""
    _add_record(parser)
    add_json(parser)
    parser.add_argument(
        "target",
        metavar="TARGET",
        type=read_with(_id),
        help="id of the matching client, site or asset in the target",
    )
    parser.set_defaults(command=_pin)


def add_unpin(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync unpin`."""
    _add_record(parser)
    add_json(parser)
    parser.set_defaults(command=_unpin)


def _id(text: str) -> int:
    """Return an id. Raises ValueError."""
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ValueError(f'"{text}" is not an id: a number from 1 is expected')
    return int(text)


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("noun", metavar="NOUN", choices=PINNED, help=_NOUNS)
    parser.add_argument("source", metavar="ID", type=read_with(_id), help="id of the record in the source")


def _status(options: argparse.Namespace) -> int:
    folder = open_folder(options.folder)
    with folder.read_state() as state:
        found = status_of(state, is_running=StateLock(folder.path).holder() is not None)
        if options.unmatched:
            found["unmatched"] = list(state.unmatched())
        if options.links:
            found["links"] = _links(state)
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(_described(found)))
    return OK


def status_of(state: State, *, is_running: bool) -> dict[str, Any]:
    """Return the state of a sync as a JSON object. `is_running`: whether a process uses the folder."""
    runs = state.runs()
    full, progress = state.cursor(FULL_READ), state.meta("progress")
    alerts = AlertRows(state)
    is_unfinished = bool(runs) and runs[0]["ended"] is None
    return {
        "last_run": runs[0] if runs else None,
        "interrupted": is_unfinished and not is_running,
        "last_full_read": float(full) if full else None,
        "linked": {entity: state.link_count(entity) for entity in ENTITIES.values()},
        "conflicts": sum(row["op"] == "conflict" for row in state.unmatched()),
        "missing": sum(1 for _ in state.missing("asset")),
        "alerts": alerts.count(),
        "alert_problems": alert_problems(alerts),
        "inbox": Inbox(state).waiting(),
        "progress": json.loads(progress) if progress and is_unfinished and is_running else None,
    }


def _links(state: State) -> list[dict[str, Any]]:
    return [
        {"entity": entity, "source": link.source, "target": link.target, "method": link.method}
        for entity in ENTITIES.values()
        for link in sorted(state.each_link(entity), key=lambda link: link.source)
        if link.target is not None
    ]


def _described(found: dict[str, Any]) -> list[str]:
    last, full = found["last_run"], found["last_full_read"]
    unfinished = "interrupted" if found["interrupted"] else "unfinished"
    parts = [f"last run {clock_text(last['began'])} {last['outcome'] or unfinished}" if last else "never run"]
    parts += [f"full {clock_text(full)}"] if full else []
    parts.append("linked: " + ", ".join(counted(n, entity) for entity, n in found["linked"].items()))
    parts += [f"alerts: {describe_alerts(found['alerts'])}"] if found["alerts"] else []
    parts += [f"inbox {found['inbox']:,}", counted(found["conflicts"], "conflict")]
    parts += [f"{counted(found['missing'], 'device')} missing"] if found["missing"] else []
    lines = [" · ".join(parts)]
    if found["progress"]:
        lines.append(f"running: {progress_line(found['progress'])}")
    lines += problem_lines(found["alert_problems"])
    for row in found.get("unmatched", ()):
        lines.append(f"{row['op']:9} {NOUNS[row['entity']]} {row['source']}: {row['reason']}")
    for row in found.get("links", ()):
        lines.append(f"{row['entity']:7}{row['source']:>8} → {row['target']:>8}  {row['method']}")
    return lines


def _explain(options: argparse.Namespace) -> int:
    folder = open_folder(options.folder)
    source, target = sides_of(folder, options)
    with folder.read_state_of(source, target) as state:
        inputs = PlanInputs(
            folder.mapping, folder.pins, state, source, target, SystemClock.now(), believe=True
        )
        entity, id = ENTITIES[options.noun], options.source
        record = record_of(inputs, options.noun, id)
        if record is None:
            raise RunError(f"{source.title} has no {options.noun} {id}")
        items = decisions(inputs, record.organization if isinstance(record, Device) else None)
        item = items.get((entity, id))
        number = record.id if isinstance(record, Organization) else record.organization
        client = _client(state, items.get(("client", number)), number)
        link = state.links(entity, [id]).get(id)
        found = {
            "noun": options.noun,
            "source": id,
            "steps": [vars(step) for step in steps_of(inputs, record, client)],
            "decision": item.as_json("source", "target") if item else None,
            "link": {"target": link.target, "method": link.method} if link else None,
            "history": state.items_of(entity, id),
        }
    print(json.dumps(found) if options.json else "\n".join(_explained(found)))
    return OK


def _client(state: State, item: Item | None, organization: int) -> int | None:
    """Return the client id of an organization, from the plan item, or else from the saved link."""
    if item is not None:
        return item.target
    link = state.links("client", [organization]).get(organization)
    return link.target if link else None


def _explained(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['noun']} {found['source']}"]
    lines += [f"  {step['step']:8} {step['looked_at']}: {step['found']}" for step in found["steps"]]
    if link := found["link"]:
        lines.append(f"  linked   to {link['target'] or 'nothing'}, by {link['method']}")
    item = found["decision"]
    if item is None:
        lines.append("  now      nothing to do")
    else:
        target = f" {item['target']}" if item["target"] else ""
        reason = f": {item['reason']}" if item["reason"] else ""
        lines.append(f"  now      {item['op']}{target}{reason}")
        lines += [f"           {_change(change)}" for change in item["changes"]]
    for row in found["history"]:
        target = f" {row['target']}" if row["target"] else ""
        outcome = "" if row["op"] in ("skip", "conflict") else f", {row['outcome']}"
        reason = f": {row['reason']}" if row["reason"] else ""
        lines.append(f"  run {row['run']:<4} {row['op']}{target}{outcome}{reason}")
        lines += [f"           {_change(change)}" for change in row["changes"]]
    return lines


def _change(change: dict[str, Any]) -> str:
    return f"{change['field']}: {json.dumps(change['old'])} → {json.dumps(change['new'])}"


def _pin(options: argparse.Namespace) -> int:
    folder = open_folder(options.folder)
    save_pins(folder.pins_file, folder.pins.pinned(options.noun, options.source, options.target))
    _say_pin(options, folder, f"is {options.target}", options.target)
    return OK


def _unpin(options: argparse.Namespace) -> int:
    folder = open_folder(options.folder)
    save_pins(folder.pins_file, folder.pins.unpinned(options.noun, options.source))
    _say_pin(options, folder, "is no longer pinned", None)
    return OK


def _say_pin(options: argparse.Namespace, folder: SyncFolder, what: str, target: int | None) -> None:
    if options.json:
        found = {"file": str(folder.pins_file), "noun": options.noun, "source": options.source}
        print(json.dumps({**found, "target": target}))
    else:
        print(f"{folder.pins_file}: {options.noun} {options.source} {what}")
