"""The `connection add`, `edit` and `remove` commands."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.cli.action_sources import open_catalog
from connector.cli.ask import confirm, is_terminal
from connector.cli.connection_service import of_service, opened
from connector.cli.connection_settings import (
    APP_SECRET,
    USER_SECRET,
    ask_for_app_secret,
    ask_for_changes,
    ask_for_missing,
    given_secret,
    given_settings,
    secret_kind,
)
from connector.cli.main import NOTHING_RUN, OK, ROWS_FAILED
from connector.client.client import Client
from connector.client.factory import open_client
from connector.client.open_auth import saved_token
from connector.client.shared_state import find_database
from connector.client.transport import open_transport
from connector.connections.connection import (
    make_connection,
    require_long_secrets,
    saved_connection,
)
from connector.connections.saved import SavedConnections
from connector.connections.secret_store import Place, SecretStore, keyring_lacks
from connector.connections.settings import expanded, read_settings
from connector.errors import ConnectionSetupError, RunError
from connector.invocation.health_checks import Finding, examine

_MARKS = {True: "ok", False: "FAILED", None: "-"}


def add(options: argparse.Namespace) -> int:
    """Save a new connection and run its health checks; return the exit code.

    The connection is kept if the checks fail, so that the user can correct it with `connection edit`.
    """
    catalog, saved = open_catalog(options), SavedConnections()
    service = catalog.service(options.service)
    saved.refuse_taken(options.name)
    kind = secret_kind(options)
    settings, secret = given_settings(options, service), given_secret(options, kind)
    ask_for_missing(service, settings, secret, kind, browser=options.browser)
    if options.browser:
        secret |= _signed_in(service, options, settings, secret)
    client = _client(service, options.name, settings, secret)
    # A token can be left over if an earlier connection with this name was deleted by hand.
    _forget(options.name)
    place = _keep_secrets(options.name, secret, _wanted(options))
    is_first = not any(saved.service(name) in ("", service.name) for name in saved.names())
    path = saved.save(options.name, {"service": service.name, **settings})
    if is_first:
        saved.make_default(options.name)
    is_default = f". It is the default connection{of_service(service)}" if is_first else ""
    say(f"{options.name} is saved ({path}), its secret in {_where(options.name, place)}{is_default}")
    return OK if options.no_test else _try_saved(catalog, service, options.name, client)


def edit(options: argparse.Namespace) -> int:
    """Change the given settings of a saved connection and run its health checks; return the exit code."""
    catalog, service = opened(options)
    saved, store = SavedConnections(), SecretStore()
    before = read_settings(service, saved.path(options.name))
    has = store.places(options.name)
    kind = secret_kind(options, has)
    changes, secret = given_settings(options, service), given_secret(options, kind)
    if not (changes or secret or options.unset or options.browser) and options.keyring is None:
        if not is_terminal():
            raise RunError("nothing to change; see `ninjaone connection edit --help` for the options")
        changes, secret = ask_for_changes(service, before, kind)
    if changes.keys() & {"region", "base_url"}:
        before = {key: value for key, value in before.items() if key not in ("region", "base_url")}
    settings = {key: value for key, value in {**before, **changes}.items() if key not in options.unset}
    if options.browser:
        if settings.get("client_id") != before.get("client_id") and not secret:
            secret = ask_for_app_secret()
            options.unset.append(APP_SECRET)  # The saved app secret is that of the previous client app.
        has_app_secret = APP_SECRET in has and APP_SECRET not in options.unset
        kept = {APP_SECRET: store.get(options.name, APP_SECRET) or ""} if has_app_secret else {}
        secret |= _signed_in(service, options, settings, kept | secret)
    with _held(options.name, has | secret):
        client, are_gone = _change(service, options, settings, secret)
    left = OK if are_gone else ROWS_FAILED
    return left if options.no_test else max(left, _try_saved(catalog, service, options.name, client))


def _change(
    service: Service, options: argparse.Namespace, settings: dict[str, Any], secret: dict[str, str]
) -> tuple[Client, bool]:
    """Save changed settings and secrets; return the client, and whether the --unset secrets were removed."""
    store, name = SecretStore(), options.name
    has = store.places(name)
    gone = [field for field in has if field in options.unset and field not in secret]
    kept = {field: store.get(name, field) or "" for field in has if field not in (*gone, *secret)}
    client = _client(service, name, settings, {**kept, **secret})
    _forget_token(service, name)
    moved = kept if options.keyring is not None else {}
    place = _keep_secrets(name, {**moved, **secret}, _wanted(options))
    path = SavedConnections().save(name, {"service": service.name, **settings})
    its_secret = f", its secret in {_where(name, place)}" if moved or secret else ""
    say(f"{name} is saved ({path}){its_secret}")
    return client, not gone or _forget(name, *gone)


def _signed_in(
    service: Service, options: argparse.Namespace, settings: dict[str, Any], secret: dict[str, str]
) -> dict[str, str]:
    """Let the user sign in with a browser; return the resulting refresh token as a secret."""
    from connector.client import browser_sign_in  # imported here, because it loads slowly

    if "authorization_code" not in service.sign_in.grants:
        raise RunError(f"--browser: {service.title} does not support the sign-in of users")
    if _wanted(options) == "keyring" and (why := keyring_lacks()):
        raise ConnectionSetupError(f"the keyring cannot store the refresh token: {why}")
    values = expanded(settings, lambda key: f"{options.name}: {key}")
    connection = make_connection(service, {**values, **secret}, options.name, before_sign_in=True)
    port = options.browser_port or browser_sign_in.PORT
    transport = open_transport(connection)
    return {USER_SECRET: browser_sign_in.sign_in(service, connection, transport, say=say, port=port)}


def _held(name: str, secrets: Collection[str]) -> AbstractContextManager[None]:
    """Return a lock on the connection's refresh token, if it has one, so that no run uses it now."""
    return SecretStore().held(name) if USER_SECRET in secrets else nullcontext()


def _client(service: Service, name: str, settings: dict[str, Any], secrets: dict[str, str]) -> Client:
    """Check the settings of a connection that is not saved yet, without a request; return its client."""
    values = expanded(settings, lambda key: f"{name}: {key}")
    connection = make_connection(service, {**values, **secrets, "name": name}, name)
    require_long_secrets(connection, name)
    return open_client(service, connection, 0)


def _wanted(options: argparse.Namespace) -> Place | None:
    """Return where to store secrets: as the options say, else where the connection's other secrets are."""
    if options.keyring is not None:
        return "keyring" if options.keyring else "file"
    return next(iter(SecretStore().places(options.name).values()), None)


def _keep_secrets(name: str, secrets: dict[str, str], wanted: Place | None) -> Place:
    """Store secrets in `wanted` (None: the keyring, or a file with a warning); return where they are."""
    store = SecretStore()
    if wanted is None:
        why = keyring_lacks()
        if not why:
            try:
                return _keep_secrets(name, secrets, "keyring")
            except ConnectionSetupError as error:
                why = str(error)
        say(f"warning: no keyring found; the secret is stored in a file only you can read: {why}")
        wanted = "file"
    for field, value in secrets.items():
        store.set(name, field, value, wanted)
    return wanted


def _where(name: str, place: Place) -> str:
    return "the keyring" if place == "keyring" else f"a file only you can read ({SecretStore().path(name)})"


def _forget(name: str, *fields: str) -> bool:
    """Remove the named secrets (default: all); warn and return False if some could not be removed."""
    try:
        SecretStore().delete(name, *fields)
    except ConnectionSetupError as error:
        say(f"warning: {error}")
        return False
    return True


def _forget_token(service: Service, name: str) -> None:
    """Delete the cached access token. Call this before the secrets change: they determine its file name."""
    with suppress(RunError):
        connection = saved_connection(service, name)
        token = saved_token(connection, find_database(connection.state))
        if token:
            token.forget()


def _try_saved(catalog: Catalog, service: Service, name: str, client: Client) -> int:
    exit_code = run_checks(catalog, service, client, as_json=False)
    if exit_code != OK:
        say(
            f"{name} is saved, but some health checks failed; correct it with `ninjaone connection edit "
            f"{name}`, or skip checks that you do not need with its option --health-checks-off"
        )
    return exit_code


def remove(options: argparse.Namespace) -> int:
    """Remove a connection, its secrets and its cached access token."""
    _, service = opened(options)
    saved = SavedConnections()
    path = saved.path(options.name)
    if not options.yes:
        if not is_terminal():
            raise RunError("confirmation requires a terminal, or --yes")
        if not confirm(f"Remove {options.name} ({path}) and its secrets?"):
            say("nothing was removed")
            return NOTHING_RUN
    was_default = saved.is_default(options.name)
    with _held(options.name, SecretStore().places(options.name)):
        _forget_token(service, options.name)
        are_gone = _forget(options.name)
        saved.remove(options.name)
    say(
        f"{options.name} is removed"
        + (f"; there is no default connection{of_service(service)} now" if was_default else "")
    )
    return OK if are_gone else ROWS_FAILED


def run_checks(catalog: Catalog, service: Service, client: Client, *, as_json: bool) -> int:
    """Run a connection's health checks and print the results; return the exit code."""
    findings = []
    for finding in examine(service, catalog, client):
        findings.append(finding)
        if not as_json:
            print(_line(finding), flush=True)
    if as_json:
        print(json.dumps([{"title": f.title, "ok": f.ok, "message": f.message} for f in findings], indent=1))
    return ROWS_FAILED if any(f.ok is False for f in findings) else OK


def _line(finding: Finding) -> str:
    return f"{_MARKS[finding.ok]:<7} {finding.title:<14} {finding.message}"


def say(text: str) -> None:
    """Print a notice on standard error; results go to standard output."""
    print(f"ninjaone: {text}", file=sys.stderr)
