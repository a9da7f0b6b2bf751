"""The command `ninjaone sync plan`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from connector.cli.main import NOTHING_RUN, OK
from connector.cli.sync_sides import add_choice, add_json, add_requests, choice_of, other_writers, sides_of
from connector.common.clock import SystemClock
from connector.common.plurals import counted
from connector.sync.alert_run import preview_alerts
from connector.sync.folder import open_folder
from connector.sync.mapping_ids import IdCheck, known_ids
from connector.sync.plan import Plan, PlanInputs, empty_plan, make_plan
from connector.sync.plan_choice import narrow
from connector.sync.plan_file import new_plan_path, save_plan
from connector.sync.plan_items import UNCHANGED, Item
from connector.sync.plan_tickets import add_tickets
from connector.sync.run import Choice, is_first
from connector.sync.sides import read_once

PENDING = 10
"""The exit code of `sync plan --exit-code` if the plan has changes to apply."""
SHOWN = 20
COLUMNS = {
    "create": ("create",),
    "link": ("link",),
    "update": ("update", "move", "deactivate"),
    "unchanged": (UNCHANGED,),
    "skipped": ("skip",),
    "conflict": ("conflict",),
}
ROWS = {
    "client": "clients",
    "site": "sites",
    "type": "types",
    "field": "fields",
    "asset": "assets",
    "ticket": "tickets",
}
NOUNS = {
    "client": "organization",
    "site": "location",
    "type": "type",
    "field": "field",
    "asset": "device",
    "ticket": "alert",
}
"""The nouns for source records, keyed by entity."""


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync plan`."""
    add_json(parser)
    add_requests(parser)
    add_choice(parser)
    parser.add_argument(
        "--exit-code", action="store_true", help=f"exit with code {PENDING} if the plan has changes to apply"
    )
    parser.set_defaults(command=_plan)


def _plan(options: argparse.Namespace) -> int:
    choice = choice_of(options)
    folder = open_folder(options.folder)
    opened = sides_of(folder, options)
    source, target = read_once(opened[0]), read_once(opened[1])
    if problems := IdCheck(folder.mapping, target).all(known_ids(source, target)):
        print("\n".join(f"ninjaone: {problem}" for problem in problems), file=sys.stderr)
        return NOTHING_RUN
    for warning in folder.mapping.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    with folder.read_state_of(source, target) as state:
        now = SystemClock.now()
        full = options.full or is_first(state)
        inputs = PlanInputs(
            folder.mapping, folder.pins, state, source, target, now, full=full, believe=options.full
        )
        with make_plan(inputs) if choice.has_records else empty_plan(inputs) as plan:
            if has_tickets(choice):
                clock = SystemClock()
                add_tickets(plan, inputs, lambda copy: preview_alerts(folder, source, target, copy, clock))
            for entity, record in narrow(plan, choice):
                print(f"warning: {NOUNS[entity]}:{record} is not in the plan", file=sys.stderr)
            plan.writers = other_writers(folder, target)
            for writer in plan.writers:
                print(f"warning: {writer}: turn it off, or apply with --beside-halo", file=sys.stderr)
            file = new_plan_path(folder.path, now)
            save_plan(file, plan, source, target)
            if options.json:
                with open(file, encoding="utf-8") as lines:
                    sys.stdout.writelines(lines)
            else:
                between = target.calls.seconds_between
                print("\n".join([*described(plan, str(options.folder)), *ticket_lines(plan)]))
                pace = f", at least {plan.writes * between:,.0f} s with a delay of {1000 * between:,.0f} ms"
                most = f" to {plan.most_writes:,}" if plan.most_writes > plan.writes else ""
                print(f"writes: {plan.writes:,}{most}{pace if plan.writes and between else ''}. {file}")
            is_pending = plan.most_writes > 0 or plan.counts.get("asset", "link") > 0
    return PENDING if options.exit_code and is_pending else OK


def has_tickets(choice: Choice) -> bool:
    """Return whether a choice can contain alerts."""
    if choice.keys is not None and all(entity != "ticket" for entity, _ in choice.keys):
        return False
    return choice.entities is None or "ticket" in choice.entities


def ticket_lines(plan: Plan) -> Iterator[str]:
    """Yield a line for each of the first tickets that would be created or changed."""
    listed = plan.items(entities=["ticket"])
    items = (item for item in listed if item.op not in ("skip", "conflict"))
    for item in islice(items, SHOWN):
        target = f" {item.target}" if item.target is not None else ""
        fields = ", ".join(str(change.field) for change in item.changes) if item.op == "update" else ""
        name = f' "{item.name}"' if item.name else ""
        what = f"{item.op}{target}{f' ({fields})' if fields else ''}"
        why = f": {item.reason}" if item.reason else ""
        yield f"ticket    {what} for alert {item.source}{name}{why}"


def described(plan: Plan, folder: str) -> Iterator[str]:
    """Yield the summary of a plan as lines of text."""
    yield " " * 10 + "".join(f"{name:>11}" for name in COLUMNS)
    for entity, name in ROWS.items():
        numbers = [plan.counts.get(entity, *ops) for ops in COLUMNS.values()]
        if entity not in ("type", "field", "ticket") or any(numbers):
            yield f"  {name:8}" + "".join(f"{number:>11,}" for number in numbers)
    if missing := plan.counts.get("asset", "missing"):
        yield f"missing   {counted(missing, 'linked device')} not in the list"
    yield from _decisions(plan, folder)
    if unread := plan.unread:
        yield f"compared  {counted(unread, 'asset')} when applied, because lists lack some mapped fields"
    for key, number in sorted(plan.fields.no_value.items()):
        yield f"no value  field {key}: {counted(number, 'device')}"
    for key, number in sorted(plan.fields.errors.items()):
        yield f"error     field {key}: {counted(number, 'device')}"
    for stop in (*plan.stops, *plan.limits):
        yield f"stopped   {ROWS[stop.entity]}: {stop.reason}"


def _decisions(plan: Plan, folder: str) -> Iterator[str]:
    """Yield a line for each conflict, and a line for each reason for which records are skipped."""
    conflicts = 0
    skipped: Counter[tuple[str, str]] = Counter()
    for item in plan.items("conflict", "skip"):
        if item.op == "conflict":
            conflicts += 1
            if conflicts <= SHOWN:
                yield f"conflict  {conflict_line(item, folder)}"
        else:
            skipped[NOUNS[item.entity], item.reason] += 1
    if conflicts > SHOWN:
        yield f"conflict  {counted(conflicts - SHOWN, 'more conflict')}: sync status {folder} --unmatched"
    for (noun, reason), number in skipped.most_common(SHOWN):
        yield f"skipped   {counted(number, noun)}: {reason}"
    if any(noun != NOUNS["ticket"] for noun, _ in skipped):
        yield f"          list them: sync status {folder} --unmatched"


def conflict_line(item: Item, folder: str) -> str:
    """Return a line that describes a conflict, with the command that can resolve it."""
    noun = NOUNS[item.entity]
    name = f' "{item.name}"' if item.name else ""
    return f"{noun} {item.source}{name}: {item.reason}{hint(item, folder)}"


def hint(item: Item, folder: str) -> str:
    """Return the command that resolves a conflict, after an arrow; empty text if there is none."""
    noun = NOUNS[item.entity]
    if item.method == "pin":
        return f"   → sync unpin {folder} {noun} {item.source}"
    if item.method == "map":
        return "   → change clients.map in mapping.yaml"
    candidates = [id for id, _ in item.named_candidates]
    if not candidates or item.entity == "ticket":
        return ""
    others = f" (or {', '.join(map(str, candidates[1:]))})" if candidates[1:] else ""
    return f"   → sync pin {folder} {noun} {item.source} {candidates[0]}{others}"
