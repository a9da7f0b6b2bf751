"""The `connection` command: manage and test saved connections."""

from __future__ import annotations

import argparse
import json
from typing import Any

from connector.catalog.catalog import Catalog
from connector.cli.action_sources import open_catalog
from connector.cli.connection_edit import add, edit, remove, run_checks, say
from connector.cli.connection_service import add_service, of_service, opened, service_of
from connector.cli.connection_settings import add_settings
from connector.cli.job_options import add_connection_option
from connector.cli.main import OK
from connector.cli.subcommands import subcommands
from connector.client.factory import open_client
from connector.common.redaction import HIDDEN, masked
from connector.connections.connection import (
    described,
    host,
    load_connection,
    saved_connection,
)
from connector.connections.saved import SavedConnections
from connector.connections.secret_store import FIELDS as SECRETS
from connector.connections.secret_store import SecretStore
from connector.connections.settings import SETTINGS, read_settings
from connector.errors import ConnectionSetupError, RunError


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone connection`."""
    declare = subcommands(parser)
    changes = declare("add", add, "save a connection and test it")
    shown = declare("list", _list, "list the saved connections; * is the default")
    single = declare("show", _show, "show a saved connection; secrets show their last four characters only")
    edits = declare("edit", edit, "change a saved connection and test it; other settings are kept")
    test = declare("test", _test, "sign in and run the health checks")
    default = declare("default", _default, "make a saved connection the default")
    gone = declare("remove", remove, "remove a saved connection and its secrets")
    for command in (changes, single, edits, default, gone):
        command.add_argument("name", metavar="NAME", help="name of the saved connection")
    test.add_argument("name", metavar="NAME", nargs="?", help="name of a saved connection")
    add_connection_option(test)
    services = list(Catalog().all_services())
    for command in (changes, shown, single, edits, test, default, gone):
        add_service(command, is_new=command is changes)
    for command in (changes, edits):
        add_settings(command, services)
        command.add_argument("--no-test", action="store_true", help="skip the health checks")
    keys = (*SETTINGS, *dict.fromkeys(name for service in services for name in service.settings), *SECRETS)
    edits.add_argument(
        "--unset", metavar="KEY", action="append", default=[], choices=keys, help="remove a setting or secret"
    )
    for command in (shown, single, test):
        command.add_argument("--json", action="store_true", help="print JSON")
    gone.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _test(options: argparse.Namespace) -> int:
    if options.name and options.connection:
        raise RunError("use either NAME or --connection, not both")
    catalog = open_catalog(options)
    service = service_of(catalog, options, options.name or options.connection)
    if options.name:
        connection = saved_connection(service, options.name)
    else:
        connection = load_connection(service, options.connection)
    say(f"using {connection.origin}")
    return run_checks(catalog, service, open_client(service, connection, 0), as_json=options.json)


def _list(options: argparse.Namespace) -> int:
    catalog, saved = open_catalog(options), SavedConnections()
    names = [name for name in saved.names() if options.service in ("", saved.service(name))]
    listed = [_listed(catalog, saved, name) for name in names]
    if options.json:
        print(json.dumps(listed, indent=1))
    elif not listed:
        say("no saved connections; use `ninjaone connection add NAME` to add one")
    else:
        print("\n".join(map(_listed_line, listed)))
    return OK


def _listed(catalog: Catalog, saved: SavedConnections, name: str) -> dict[str, Any]:
    """Return one entry of `connection list`, with an `error` if the connection cannot be read."""
    about = {"name": name, "default": saved.is_default(name)}
    try:
        service = catalog.service(saved.service(name))
        settings = read_settings(service, saved.path(name))
        region, base_url = settings.get("region"), settings.get("base_url")
        return {
            **about,
            "service": service.name,
            "region": region,
            "base_url": base_url or host(service, region, None, str(saved.path(name))),
            "client_id": settings.get("client_id"),
            "secrets": _places(name),
        }
    except RunError as error:
        return {**about, "error": str(error)}


def _listed_line(one: dict[str, Any]) -> str:
    name = f"{'*' if one['default'] else ' '} {one['name']:<16}"
    if "error" in one:
        return f"{name} {one['error']}"
    instance = f"{one['region'] or '':<4} {one['base_url']:<32}"
    return f"{name} {one['service']:<10} {instance} {one['client_id'] or '-':<28} {one['secrets']}"


def _places(name: str) -> str:
    return " and ".join(sorted(set(SecretStore().places(name).values()))) or "none"


def _show(options: argparse.Namespace) -> int:
    _, service = opened(options)
    saved, store = SavedConnections(), SecretStore()
    settings = read_settings(service, saved.path(options.name))
    secrets = {}
    for field in store.places(options.name):
        try:
            secrets[field] = masked(store.get(options.name, field) or "")
        except ConnectionSetupError as error:
            secrets[field] = HIDDEN
            say(str(error))
    about = {"name": options.name, "default": saved.is_default(options.name), "service": service.name}
    shown = {**about, **described(settings), **secrets, "secrets": _places(options.name)}
    if options.json:
        print(json.dumps(shown, indent=1, ensure_ascii=False))
    else:
        for key, value in shown.items():
            print(f"{key:<18} {value if isinstance(value, str) else json.dumps(value)}")
    return OK


def _default(options: argparse.Namespace) -> int:
    _, service = opened(options)
    SavedConnections().make_default(options.name)
    say(f"{options.name} is the default connection{of_service(service)}")
    return OK
