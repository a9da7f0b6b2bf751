"""The `sync` command, which keeps two services in sync. Each subcommand is in a separate module."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from connector.cli import (
    sync_apply,
    sync_check,
    sync_demo,
    sync_explain,
    sync_init,
    sync_plan,
    sync_rebuild,
    sync_sample,
    sync_serve,
    sync_status,
    sync_webhook,
)
from connector.cli.action_sources import add_own_actions

COMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], str]] = {
    "init": (sync_init.add_init, "generate a mapping file for two connections"),
    "check": (sync_check.add_check, "check the mapping and the permissions, without writing anything"),
    "plan": (sync_plan.add_plan, "show what would be written, without writing anything"),
    "apply": (sync_apply.add_apply, "apply a plan"),
    "run": (sync_apply.add_run, "plan and apply, once or at regular intervals"),
    "serve": (sync_serve.add_serve, "receive webhooks, and run at regular intervals"),
    "status": (sync_status.add_status, "show the last runs, pending creations, and records without a match"),
    "sample": (
        sync_sample.add_sample,
        "print the template variables of some devices, and the target's asset fields",
    ),
    "explain": (
        sync_explain.add_explain,
        "show how a record is matched, or how an alert is handled",
    ),
    "rebuild": (
        sync_rebuild.add_rebuild,
        "after the state file is lost: make a plan that restores its links",
    ),
    "pin": (sync_status.add_pin, "set the match of one record"),
    "unpin": (sync_status.add_unpin, "remove the match that was set with `sync pin`"),
}


def add_sync(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync` and its commands."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (add, help) in COMMANDS.items():
        command = commands.add_parser(name, help=help, description=help)
        command.add_argument("folder", metavar="FOLDER", type=Path, help="folder of the sync")
        add_own_actions(command)
        add(command)
    demo = "show a sync, a killed process and a restart, with the sandboxes of both services"
    sync_demo.add_demo(commands.add_parser("demo", help=demo, description=demo))
    webhook = "register or remove the webhooks of both services for `sync serve`"
    sync_webhook.add_webhook(commands.add_parser("webhook", help=webhook, description=webhook))
