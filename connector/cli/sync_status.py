"""The commands `ninjaone sync status`, `pin` and `unpin`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from connector.cli.main import OK
from connector.cli.sync_plan import NOUNS, ROWS, hint
from connector.cli.sync_report import OUTCOMES, clock_text, describe_alerts, problem_lines, progress_line
from connector.cli.sync_sides import ENTITIES, add_json, positive_id, read_with
from connector.common.plurals import counted
from connector.sync.alert_run import alert_problems
from connector.sync.folder import SyncFolder, open_folder
from connector.sync.pins import NOUNS as PINNED
from connector.sync.pins import save_pins
from connector.sync.plan_file import load_plan, plan_paths
from connector.sync.run import FULL_READ
from connector.sync.state import State
from connector.sync.state_alerts import AlertRows
from connector.sync.state_lock import StateLock
from connector.sync.state_queues import Inbox
from connector.sync.state_reports import last_error, later_run

_NOUNS = "organization, location or device"


def add_status(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync status`."""
    add_json(parser)
    parser.add_argument(
        "--unmatched", action="store_true", help="list the records that are skipped or need a decision"
    )
    parser.add_argument("--links", action="store_true", help="list the links between records")
    parser.set_defaults(command=_status)


def add_pin(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync pin`."""
    _add_record(parser)
    add_json(parser)
    parser.add_argument(
        "target",
        metavar="TARGET",
        type=read_with(positive_id),
        help="id of the matching client, site or asset in the target",
    )
    parser.set_defaults(command=_pin)


def add_unpin(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync unpin`."""
    _add_record(parser)
    add_json(parser)
    parser.set_defaults(command=_unpin)


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("noun", metavar="NOUN", choices=PINNED, help=_NOUNS)
    parser.add_argument(
        "source", metavar="ID", type=read_with(positive_id), help="id of the record in the source"
    )


def _status(options: argparse.Namespace) -> int:
    folder = open_folder(options.folder)
    with folder.read_state() as state:
        found = status_of(state, is_running=StateLock(folder.path).holder() is not None)
        if options.unmatched:
            found["unmatched"] = unmatched_of(folder, state)
        if options.links:
            found["links"] = _links(state)
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(_described(found)))
    return OK


def unmatched_of(folder: SyncFolder, state: State) -> list[dict[str, Any]]:
    """Return the records that are skipped or need a decision, as of the last run or a newer plan."""
    rows = {(row["entity"], str(row["source"])): {**row, "hint": ""} for row in state.unmatched()}
    paths = plan_paths(folder.path)
    plan = load_plan(paths[0]) if paths else None
    if plan is not None and later_run(state, plan.made) is None:
        for item in plan.items():
            rows.pop((item.entity, str(item.source)), None)
            if item.op in ("skip", "conflict"):
                rows[item.entity, str(item.source)] = {
                    "entity": item.entity,
                    "source": str(item.source),
                    "op": item.op,
                    "target": item.target,
                    "reason": item.reason,
                    "run": None,
                    "hint": hint(item, str(folder.path)) if item.op == "conflict" else "",
                }
    order = {entity: number for number, entity in enumerate(ROWS)}
    return sorted(rows.values(), key=lambda r: (order[r["entity"]], r["op"], len(r["source"]), r["source"]))


def status_of(state: State, *, is_running: bool) -> dict[str, Any]:
    """Return the state of a sync as a JSON object. `is_running`: whether a process uses the folder."""
    runs = state.runs()
    full, progress = state.cursor(FULL_READ), state.meta("progress")
    alerts = AlertRows(state)
    is_unfinished = bool(runs) and runs[0]["ended"] is None
    return {
        "last_run": runs[0] if runs else None,
        "interrupted": is_unfinished and not is_running,
        "last_error": last_error(state),
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
    outcome = (last and OUTCOMES.get(last["outcome"], last["outcome"])) or unfinished
    parts = [f"last run {clock_text(last['began'])} {outcome}" if last else "never run"]
    parts += [f"full {clock_text(full)}"] if full else []
    parts.append("linked: " + ", ".join(counted(n, entity) for entity, n in found["linked"].items()))
    parts += [f"alerts: {describe_alerts(found['alerts'])}"] if found["alerts"] else []
    parts += [f"inbox {found['inbox']:,}", counted(found["conflicts"], "conflict")]
    parts += [f"{counted(found['missing'], 'device')} missing"] if found["missing"] else []
    lines = [" · ".join(parts)]
    if error := found["last_error"]:
        lines.append(f"failed    {clock_text(error['at'])}: {error['text']}")
    if found["progress"]:
        lines.append(f"running: {progress_line(found['progress'])}")
    lines += problem_lines(found["alert_problems"])
    for row in found.get("unmatched", ()):
        lines.append(f"{row['op']:9} {NOUNS[row['entity']]} {row['source']}: {row['reason']}{row['hint']}")
    for row in found.get("links", ()):
        lines.append(f"{row['entity']:7}{row['source']:>8} → {row['target']:>8}  {row['method']}")
    return lines


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
