"""The command `ninjaone sync rebuild`."""

from __future__ import annotations

import argparse
import json

from connector.cli.main import OK
from connector.cli.sync_plan import described, ticket_lines
from connector.cli.sync_sides import add_delay, add_json, sides_of
from connector.common.clock import SystemClock
from connector.common.plurals import counted
from connector.errors import RunError
from connector.sync.alert_run import read_alerts
from connector.sync.folder import open_folder
from connector.sync.plan import PlanInputs, make_plan
from connector.sync.plan_file import new_plan_path, save_plan
from connector.sync.plan_tickets import lost_items
from connector.sync.run import SOURCES


def add_rebuild(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync rebuild`."""
    add_delay(parser)
    add_json(parser)
    parser.set_defaults(command=_rebuild)


def _rebuild(options: argparse.Namespace) -> int:
    """Save a plan that contains only links, to restore those of a lost state file."""
    folder = open_folder(options.folder)
    source, target = sides_of(folder, options)
    with folder.read_state_of(source, target) as state:
        driver = read_alerts(folder, source, target, state, SystemClock())
        lost = driver.lost() if driver is not None else []
        tickets = [*lost_items(lost, folder.mapping)]
        links = sum(state.link_count(entity) for entity in SOURCES)
        if links and not tickets:
            raise RunError(
                f"{state.path} has {counted(links, 'link')}, so it is not lost. To rebuild it anyway, move "
                "the file to another folder first"
            )
        now = SystemClock.now()
        inputs = PlanInputs(folder.mapping, folder.pins, state, source, target, now, full=not links)
        with make_plan(inputs) as plan:
            for item in tickets:
                plan.counts.add(item.entity, item.op)
                plan.spool.add_item(item)
            if not options.json:
                print("\n".join([*described(plan, str(options.folder)), *ticket_lines(plan)]))
            plan.spool.keep_items("link")
            plan.limits = []  # Links are not limited.
            file = new_plan_path(folder.path, now)
            save_plan(file, plan, source, target)
            found = sum(1 for _ in plan.items())
    if options.json:
        print(json.dumps({"plan": str(file), "links": found}))
        return OK
    print(f"{counted(found, 'link')} proposed: ninjaone sync apply {options.folder} --plan {file}")
    return OK
