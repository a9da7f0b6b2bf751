"""`ninjaone sync rebuild`."""

from __future__ import annotations

import argparse

from connector.cli.main import OK
from connector.cli.sync_plan import described
from connector.cli.sync_sides import sides_of
from connector.common.clock import SystemClock
from connector.common.plurals import counted
from connector.errors import RunError
from connector.sync.folder import open_folder
from connector.sync.plan import PlanInputs, make_plan
from connector.sync.plan_file import new_plan_path, save_plan
from connector.sync.run import SOURCES


def add_rebuild(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync rebuild`."""
    parser.add_argument("--delay-ms", metavar="MS", type=float, help="minimum interval between two requests")
    parser.set_defaults(command=_rebuild)


def _rebuild(options: argparse.Namespace) -> int:
    """Propose the links of a lost state file, as a plan that contains only links."""
    folder = open_folder(options.folder)
    source, target = sides_of(folder, options)
    with folder.read_state() as state:
        if links := sum(state.link_count(entity) for entity in SOURCES):
            raise RunError(
                f"{state.path} has {counted(links, 'link')}, so nothing is lost. To rebuild it anyway, move "
                "the file away first"
            )
        now = SystemClock.now()
        inputs = PlanInputs(folder.mapping, folder.pins, state, source, target, now, full=True)
        with make_plan(inputs) as plan:
            print("\n".join(described(plan, str(options.folder))))
            plan.spool.keep_items("link")
            file = new_plan_path(folder.path, now)
            save_plan(file, plan, source, target)
            links = sum(1 for _ in plan.items())
    print(f"{counted(links, 'link')} proposed: ninjaone sync apply {options.folder} --plan {file}")
    return OK
