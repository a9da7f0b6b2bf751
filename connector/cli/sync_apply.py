"""The commands `ninjaone sync apply` and `ninjaone sync run`."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from connector.cli.sync_console import Console
from connector.cli.sync_sides import (
    add_choice,
    add_json,
    add_requests,
    choice_of,
    read_with,
)
from connector.sync.alert_run import AlertChoice
from connector.sync.apply import chosen
from connector.sync.folder import open_folder
from connector.sync.plan_file import PlanFile, load_plan
from connector.sync.run import FULL_READ, Choice, Run, Syncer
from connector.sync.schedule import is_full_due, parse_interval, parse_time_of_day


def add_apply(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync apply`."""
    parser.add_argument(
        "--plan",
        metavar="FILE",
        type=Path,
        help="the plan to apply; values that were changed in the meantime are not overwritten (default: a "
        "new plan)",
    )
    add_writing(parser)
    parser.set_defaults(command=_apply)


def add_run(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync run`."""
    add_writing(parser)
    add_schedule(parser, every="repeat the run at this interval, such as 10m")
    parser.set_defaults(command=_run)


def add_schedule(parser: argparse.ArgumentParser, *, every: str, every_s: float | None = None) -> None:
    """Declare the times of repeated runs, and the options for alerts that failed or are held.

    `every` is the help of `--every`, and `every_s` its default.
    """
    parser.add_argument(
        "--every", metavar="TIME", type=read_with(parse_interval), default=every_s, help=every
    )
    parser.add_argument(
        "--full-at",
        metavar="HH:MM",
        type=read_with(parse_time_of_day),
        help="read and compare all assets in the first run after this local time",
    )
    parser.add_argument("--retry", action="store_true", help="retry the alerts whose calls the API refused")
    parser.add_argument("--release", action="store_true", help="create the tickets of held alerts")


def add_writing(parser: argparse.ArgumentParser) -> None:
    """Declare the options of commands that apply a plan: the records to write, and safety overrides."""
    add_json(parser)
    add_requests(parser)
    add_choice(parser)
    parser.add_argument(
        "--beyond-limits",
        action="store_true",
        help="also write changes that exceed the limits of the mapping",
    )
    parser.add_argument(
        "--beside-halo",
        action="store_true",
        help="write even if the target's built-in integration with the source is turned on",
    )


def writing_choice(options: argparse.Namespace) -> Choice:
    """Return the chosen part of the plan. Raises RunError."""
    return replace(choice_of(options), beyond_limits=options.beyond_limits)


def _apply(options: argparse.Namespace) -> int:
    choice = writing_choice(options)
    plan = load_plan(options.plan) if options.plan is not None else None

    def work(syncer: Syncer) -> Run:
        if plan is None:
            return syncer.run(choice, full=options.full, believe=options.full)
        return syncer.apply(plan, choice)

    alerts = alerts_of(choice) if plan is None else planned_alerts(plan, choice)
    with Console(options) as console:
        folder = open_folder(options.folder)
        return console.once(folder, *console.sides(folder), work, alerts)


def planned_alerts(plan: PlanFile, choice: Choice) -> AlertChoice | None:
    """Return the alerts of a plan that are chosen; None without any."""
    items = [
        item
        for item in chosen(plan.items(), choice.entities, choice.keys)
        if item.entity == "ticket" and item.op not in ("skip", "conflict")
    ]
    if not items:
        return None
    is_lost = all((item.op, item.method) == ("link", "stamp") for item in items)
    return AlertChoice(only=frozenset(str(item.source) for item in items), lost=is_lost)


def alerts_of(choice: Choice) -> AlertChoice | None:
    """Return which alerts are chosen without a plan; None for none."""
    if choice.entities is not None and "ticket" not in choice.entities:
        return None
    if choice.keys is None:
        return AlertChoice()
    uids = frozenset(source for entity, source in choice.keys if entity == "ticket")
    return AlertChoice(only=uids) if uids else None


def _run(options: argparse.Namespace) -> int:
    choice = writing_choice(options)

    def work(syncer: Syncer) -> Run:
        return scheduled_run(syncer, choice, options)

    alerts = run_choice(choice, options)
    with Console(options) as console:
        if options.every is None:
            folder = open_folder(options.folder)
            return console.once(folder, *console.sides(folder), work, alerts)
        return console.again_and_again(work, options.every, alerts)


def scheduled_run(syncer: Syncer, choice: Choice, options: argparse.Namespace) -> Run:
    """Make one run; it reads all assets if the time of `--full-at` has passed."""
    last = syncer.state.cursor(FULL_READ)
    is_due = options.full_at is not None and is_full_due(
        float(last) if last else None, options.full_at, syncer.clock.now()
    )
    return syncer.run(choice, full=options.full or is_due, believe=options.full)


def run_choice(choice: Choice, options: argparse.Namespace) -> AlertChoice:
    """Return the options of a run for alerts. Alerts that are due are worked on, whatever is chosen."""
    alerts = alerts_of(choice) or AlertChoice(poll=False)
    return replace(alerts, retry=options.retry, release=options.release)
