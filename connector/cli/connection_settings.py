"""The settings of `connection add` and `edit`: from options, standard input or prompts."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from connector.catalog.service import Service
from connector.cli.ask import ask, ask_secret, is_terminal
from connector.cli.ports import port
from connector.connections.connection import host, password_of
from connector.connections.secret_store import FIELDS as SECRETS
from connector.connections.settings import SETTINGS
from connector.errors import ConnectionSetupError, RunError
from connector.http.tls import SYSTEM

APP_SECRET, _, USER_SECRET = SECRETS
"""The kinds of secret of `--browser`: the client app's secret is the input, a refresh token the result."""
_SOURCES = "--secret-file FILE or --secret-stdin"


class _Refused(argparse.Action):
    """Rejects an option such as `--secret VALUE` without printing the value."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser.error(
            "secrets cannot be passed as arguments, because other processes on this machine can read them. "
            f"Treat this one as exposed, and provide a new one with {_SOURCES}, or at the prompt"
        )


def add_settings(parser: argparse.ArgumentParser, services: Iterable[Service]) -> None:
    """Declare the options for a connection's settings, including those of single services, and its secret."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--region", help="region of the instance")
    where.add_argument("--base-url", metavar="URL", help="URL of an instance with a custom host: https://...")
    parser.add_argument("--client-id", metavar="ID", help="the client app's id")
    parser.add_argument("--scope", help="scope to request at sign-in (default: all scopes of the app)")
    parser.add_argument(
        "--timeout-s",
        metavar="S",
        type=float,
        help="maximum wait for the start and for each further part of a response, in seconds (default: 60)",
    )
    parser.add_argument(
        "--total-timeout-s",
        metavar="S",
        type=float,
        help="maximum time for a complete response, in seconds (default: 10 x --timeout-s, at least 120)",
    )
    parser.add_argument(
        "--largest-body-mb",
        metavar="MIB",
        type=float,
        help="maximum size of a response body, in MiB (default: 64)",
    )
    parser.add_argument(
        "--verify-tls", action=argparse.BooleanOptionalAction, help="verify TLS certificates (default: yes)"
    )
    parser.add_argument("--ca-file", metavar="FILE", help="PEM file of CA certificates to trust, or system")
    parser.add_argument(
        "--proxy", metavar="URL", help="proxy URL; write its password as ${NAME}, an environment variable"
    )
    parser.add_argument(
        "--health-checks-off",
        metavar="NAME,...",
        type=lambda text: text.split(","),
        help="health checks to skip, such as users,scopes",
    )
    parser.add_argument(
        "--allow-short-secrets",
        action=argparse.BooleanOptionalAction,
        help="accept a secret of fewer than 8 characters",
    )
    parser.add_argument(
        "--read-only", action=argparse.BooleanOptionalAction, help="block every action that changes something"
    )
    parser.add_argument(
        "--timezone",
        metavar="ZONE",
        help="time zone of times without one, such as Europe/Berlin (default: UTC)",
    )
    parser.add_argument("--audit", metavar="FILE", help="append one line per request to FILE (audit log)")
    own = _own_settings(services)
    for name, help in own.items():
        parser.add_argument(_option(name), metavar="TEXT", help=help)
    parser.set_defaults(own_settings=tuple(own))
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--secret-file", metavar="FILE", type=Path, help="read the secret from FILE")
    secret.add_argument("--secret-stdin", action="store_true", help="read the secret from standard input")
    parser.add_argument(
        "--secret-kind",
        choices=SECRETS,
        help=f"kind of the secret (default: the kind of the saved secret, else {SECRETS[0]})",
    )
    parser.add_argument(
        "--keyring",
        action=argparse.BooleanOptionalAction,
        help="store the secret in the system keyring, or in a file only you can read; default for a new "
        "connection: the keyring if there is one",
    )
    parser.add_argument(
        "--browser",
        action="store_true",
        help="sign in as a user in the browser on this machine, for actions that require a user; the secret "
        "is the client app's, if it has one",
    )
    parser.add_argument(
        "--browser-port",
        metavar="PORT",
        type=port,
        help="the port of the client app's redirect URI, http://127.0.0.1:PORT/",
    )
    for name in ("secret", *SECRETS):
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, action=_Refused, nargs="?", help=argparse.SUPPRESS)


def _own_settings(services: Iterable[Service]) -> dict[str, str]:
    """Return the help texts of the settings that only some services have, keyed by setting name."""
    found: dict[str, str] = {}
    for service in services:
        for name, setting in service.settings.items():
            about = f"{service.title}: {setting.description or setting.title}"
            found[name] = f"{found[name]}; {about}" if name in found else about
    return found


def _option(setting: str) -> str:
    return "--" + setting.replace("_", "-")


def secret_kind(options: argparse.Namespace, has: Collection[str] = ()) -> str:
    """Return the kind of the secret: that of `--secret-kind`, else that of the connection's only secret.

    Raises RunError if --browser is combined with another kind than the client app's secret.
    """
    if not options.browser:
        if options.browser_port:
            raise RunError("--browser-port requires --browser")
        return options.secret_kind or (next(iter(has)) if len(has) == 1 else APP_SECRET)
    if options.secret_kind not in (None, APP_SECRET):
        raise RunError(
            f"--browser obtains the {USER_SECRET} itself; it accepts only --secret-kind {APP_SECRET}"
        )
    return APP_SECRET


def given_settings(options: argparse.Namespace, service: Service) -> dict[str, Any]:
    """Return the settings given as options. Raises ConnectionSetupError if the service lacks one."""
    given = {name: getattr(options, name, None) for name in (*SETTINGS, *options.own_settings)}
    settings = {name: value for name, value in given.items() if value is not None}
    for name in options.own_settings:
        if name in settings and name not in service.settings:
            raise ConnectionSetupError(f"{_option(name)}: {service.title} has no such setting")
    for name in ("ca_file", "audit"):
        if name in settings and settings[name] != SYSTEM:
            settings[name] = str(Path(settings[name]).resolve())
    password = password_of(settings.get("proxy", ""))
    if password and not re.fullmatch(r"\$\{\w+\}", password):
        raise ConnectionSetupError(
            "--proxy: a password cannot be passed as an argument; write ${NAME} in its place, and set the "
            "environment variable NAME when the connection is used"
        )
    return settings


def given_secret(options: argparse.Namespace, kind: str) -> dict[str, str]:
    """Return `{kind: secret}` from --secret-file or --secret-stdin, else an empty dict. Raises RunError."""
    if not (options.secret_file or options.secret_stdin):
        return {}
    if options.secret_stdin and is_terminal():
        raise RunError("--secret-stdin: standard input is a terminal; omit the option to be prompted")
    source = f"--secret-file {options.secret_file}" if options.secret_file else "--secret-stdin"
    try:
        text = options.secret_file.read_text("utf-8-sig") if options.secret_file else sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise RunError(f"{source}: cannot be read: {reason}") from None
    text = text.removesuffix("\n")
    if not text:
        raise RunError(f"{source}: the secret is empty")
    return {kind: text}


def ask_for_app_secret() -> dict[str, str]:
    """Prompt for the client app's optional secret; return a dict, empty for no secret or no terminal."""
    answer = ask_secret(f"{_titled(APP_SECRET)} [none]") if is_terminal() else ""
    return {APP_SECRET: answer} if answer else {}


def ask_for_missing(
    service: Service, settings: dict[str, Any], secret: dict[str, str], kind: str, *, browser: bool = False
) -> None:
    """Prompt for required settings that were not given. Raises RunError if there is no terminal.

    With `browser`, the secret is optional.
    """
    missing = []
    if not {"region", "base_url"} & settings.keys():
        missing.append("--region or --base-url" if service.regions else "--base-url")
    if "client_id" not in settings and kind != "access_token":
        missing.append("--client-id")
    missing += [_option(name) for name in _required(service) if name not in settings]
    if not secret and not browser:
        missing.append(_SOURCES)
    if missing and not is_terminal():
        raise RunError(f"no terminal for prompts; use {', '.join(missing)}")
    for what in missing:
        if what == "--client-id":
            settings["client_id"] = ask("Client id", _some)
        elif what == _SOURCES:
            secret[kind] = _some(ask_secret(_titled(kind)))
        elif "--base-url" in what:
            settings |= _asked_host(service)
    for name in _required(service):
        if name not in settings:
            settings[name] = ask(service.settings[name].title, _some)
    if browser and not secret:
        secret |= ask_for_app_secret()


def ask_for_changes(
    service: Service, settings: Mapping[str, Any], kind: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Prompt for host, client id and secret; an empty reply keeps the current value."""
    changes = _asked_host(service, settings.get("region") or settings.get("base_url", ""))
    if client_id := ask("Client id", default=settings.get("client_id", "")):
        changes["client_id"] = client_id
    secret = ask_secret(f"{_titled(kind)} [unchanged]")
    return changes, {kind: secret} if secret else {}


def _asked_host(service: Service, default: str = "") -> dict[str, Any]:
    def settings(answer: str) -> dict[str, Any]:
        is_url = "/" in answer or not service.regions
        key, other = ("base_url", "region") if is_url else ("region", "base_url")
        host(service, place=answer or "nothing", **{key: answer, other: None})
        return {key: answer}

    regions = ", ".join(service.regions)
    question = f"Region ({regions}), or the base URL of a custom host" if regions else "Base URL"
    return settings(ask(question, settings, default))


def _required(service: Service) -> list[str]:
    return [name for name, setting in service.settings.items() if setting.required]


def _titled(kind: str) -> str:
    return f"{kind.replace('_', ' ').capitalize()} (not shown)"


def _some(answer: str) -> str:
    if not answer:
        raise RunError("a value is required")
    return answer
