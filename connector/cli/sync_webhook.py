"""The commands `ninjaone sync webhook register` and `remove`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from connector.cli.action_sources import add_own_actions
from connector.cli.ask import confirm, is_terminal
from connector.cli.main import OK, ROWS_FAILED
from connector.cli.sync_sides import add_delay, add_json, sides_of
from connector.common.listening import LOOPBACK_NAMES
from connector.errors import RowError, RunError
from connector.sync.folder import open_folder
from connector.sync.hook_key import HookKey
from connector.sync.webhooks import Hook, load_hooks


def add_webhook(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync webhook` and its commands."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, run, help in (
        ("register", _register, "register webhooks of both services for `sync serve`"),
        ("remove", _remove, "remove the webhooks"),
    ):
        command = commands.add_parser(name, help=help, description=help)
        command.add_argument("folder", metavar="FOLDER", type=Path, help="folder of the sync")
        command.add_argument(
            "--url",
            metavar="URL",
            required=True,
            type=_base,
            help="the URL at which the services reach `sync serve`, such as https://hooks.example.com",
        )
        command.add_argument("--only", metavar="SERVICE", help="only this service")
        command.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        add_delay(command, argparse.SUPPRESS)
        add_json(command)
        add_own_actions(command)
        command.set_defaults(command=run)


def _base(text: str) -> str:
    """Return the URL of the receiver without a trailing slash. Raises ArgumentTypeError."""
    address = urlsplit(text)
    if address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK_NAMES):
        return text.rstrip("/")
    raise argparse.ArgumentTypeError("expected a URL that starts with https://")


def _register(options: argparse.Namespace) -> int:
    hooks, key = _hooks(options), HookKey.of(options.folder)
    _confirm(options, [hook.webhook.warning for hook in hooks if hook.webhook.warning])

    def register(hook: Hook) -> bool:
        error = hook.register(options.url, key)
        if options.json:
            found = {"service": hook.name, "registered": error is None}
            print(json.dumps({**found, "error": None if error is None else str(error)}))
            return error is None
        if error is None:
            print(f"{hook.title}: delivers to {hook.url(options.url)}")
            return True
        print(f"{hook.title}: refused: {error}")
        address = hook.url_with_token(options.url, key.secrets_of(hook.name))
        print(f"  Register the webhook manually, with this URL, which contains a secret: {address}")
        print(f"  {hook.webhook.steps}")
        print("  Until then, the sync finds the events of this service only by polling.")
        return False

    return _each(hooks, register)


def _remove(options: argparse.Namespace) -> int:
    hooks = _hooks(options)
    _confirm(
        options,
        [
            f"{hook.title}: this turns off the configured webhook, even if it is not that of this sync"
            for hook in hooks
            if hook.webhook.warning
        ],
    )

    def remove(hook: Hook) -> bool:
        found = hook.remove(options.url)
        if options.json:
            print(json.dumps({"service": hook.name, "removed": found}))
            return True
        print(f"{hook.title}: {'removed' if found else f'no webhook delivers to {hook.url(options.url)}'}")
        return True

    return _each(hooks, remove)


def _hooks(options: argparse.Namespace) -> list[Hook]:
    hooks = load_hooks(*sides_of(open_folder(options.folder), options))
    if options.only is None:
        return [*hooks.values()]
    if options.only not in hooks:
        raise RunError(f'--only: "{options.only}" is not one of {", ".join(hooks)}')
    return [hooks[options.only]]


def _confirm(options: argparse.Namespace, warnings: list[str]) -> None:
    """Print warnings and ask for confirmation. Raises RunError if it is not given."""
    for warning in warnings:
        print(f"{warning}.", file=sys.stderr if options.json else sys.stdout)
    if options.yes or not warnings:
        return
    if not is_terminal():
        raise RunError("confirmation requires a terminal; use --yes")
    if not confirm("Continue?"):
        raise RunError("not confirmed; nothing was sent")


def _each(hooks: list[Hook], act: Callable[[Hook], bool]) -> int:
    """Call `act` for the webhook of each service; return the exit code."""
    is_done = True
    for hook in hooks:
        try:
            is_done &= act(hook)
        except RowError as error:
            print(f"{hook.title}: failed: {error}", file=sys.stderr)
            is_done = False
    return OK if is_done else ROWS_FAILED
