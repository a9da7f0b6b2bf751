"""The command `ninjaone sync explain`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from connector.cli.main import OK
from connector.cli.sync_sides import ENTITIES, add_delay, add_json, positive_id, sides_of
from connector.common.clock import SystemClock
from connector.errors import RunError
from connector.sync.alert_run import preview_alerts
from connector.sync.explain import decisions, record_of, steps_of
from connector.sync.explain_alert import AlertExplanation, alert_decision
from connector.sync.folder import SyncFolder, open_folder
from connector.sync.pins import NOUNS
from connector.sync.plan import PlanInputs
from connector.sync.plan_items import Item
from connector.sync.records import Device, Organization
from connector.sync.sides import ActionSource, ActionTarget
from connector.sync.state import State

ALERT = "alert"


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync explain`."""
    nouns = (*NOUNS, ALERT)
    parser.add_argument("noun", metavar="NOUN", choices=nouns, help="organization, location, device or alert")
    parser.add_argument("source", metavar="ID", help="id of the record in the source; the uid of an alert")
    add_json(parser)
    add_delay(parser)
    parser.set_defaults(command=_explain)


def _explain(options: argparse.Namespace) -> int:
    id = options.source if options.noun == ALERT else _id_of(options.source)
    folder = open_folder(options.folder)
    source, target = sides_of(folder, options)
    with folder.read_state_of(source, target) as state:
        inputs = PlanInputs(
            folder.mapping, folder.pins, state, source, target, SystemClock.now(), believe=True
        )
        if options.noun == ALERT:
            more = _alert(folder, source, target, inputs, options.source)
        else:
            more = _record(options.noun, id, inputs)
        found = {"noun": options.noun, "source": id, **more}
    print(json.dumps(found) if options.json else "\n".join(_explained(found)))
    return OK


def _id_of(text: str) -> int:
    try:
        return positive_id(text)
    except ValueError as error:
        raise RunError(str(error)) from None


def _record(noun: str, id: int, inputs: PlanInputs) -> dict[str, Any]:
    state, entity = inputs.state, ENTITIES[noun]
    record = record_of(inputs, noun, id)
    if record is None:
        raise RunError(f"{inputs.source.title} has no {noun} {id}")
    items = decisions(inputs, record.organization if isinstance(record, Device) else None)
    item = items.get((entity, id))
    number = record.id if isinstance(record, Organization) else record.organization
    client = _client(state, items.get(("client", number)), number)
    link = state.links(entity, [id]).get(id)
    return {
        "steps": [vars(step) for step in steps_of(inputs, record, client)],
        "decision": item.as_json("source", "target") if item else None,
        "link": {"target": link.target, "method": link.method} if link else None,
        "history": state.items_of(entity, id),
    }


def _alert(
    folder: SyncFolder, source: ActionSource, target: ActionTarget, inputs: PlanInputs, uid: str
) -> dict[str, Any]:
    if folder.mapping.alerts is None:
        raise RunError(f"{folder.mapping.path} has no section alerts")
    explanation = AlertExplanation(inputs, uid)
    if not explanation.is_known:
        raise RunError(f"{source.title} has no active alert {uid}, and the sync has never seen it")
    clock = SystemClock()
    item, problem = alert_decision(
        inputs, uid, lambda copy: preview_alerts(folder, source, target, copy, clock)
    )
    if problem:
        raise RunError(f"alert {uid}: {problem}")
    ticket = explanation.ticket
    return {
        "steps": [vars(step) for step in explanation.steps()],
        "decision": item.as_json("source", "target") if item else None,
        "link": {"target": ticket, "method": "ticket"} if ticket is not None else None,
        "history": [],
    }


def _client(state: State, item: Item | None, organization: int) -> int | None:
    """Return the client id of an organization, from the plan item, or else from the saved link."""
    if item is not None:
        return item.target
    link = state.links("client", [organization]).get(organization)
    return link.target if link else None


def _explained(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['noun']} {found['source']}"]
    lines += [f"  {step['step']:8} {step['looked_at']}: {step['found']}" for step in found["steps"]]
    if (link := found["link"]) and link["method"] != "ticket":
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
