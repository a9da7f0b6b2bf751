"""The `sandbox` command: run a local mock server of a service."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from connector.cli.main import OK
from connector.cli.ports import port_or_free
from connector.common.comma_separated import comma_separated
from connector.errors import RunError

if TYPE_CHECKING:
    from connector.sandbox.server import MockServer

_COMMON = ("port", "latency_ms", "seed")
_OWN = ("devices", "user_context", "old_token_path", "order_s", "assets", "clients", "tickets", "traps")
"""The settings that only the sandboxes of some services have."""


def add_sandbox(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sandbox`."""
    parser.add_argument(
        "--service", default="ninjaone", metavar="NAME", help="the service to simulate (default: %(default)s)"
    )
    parser.add_argument("--port", type=port_or_free, default=8765, help="port on 127.0.0.1; 0 for a free one")
    parser.add_argument("--devices", type=int, help="number of devices to generate (default: 25)")
    parser.add_argument(
        "--latency",
        type=float,
        default=0,
        dest="latency_ms",
        metavar="MS",
        help="delay of every response, in ms",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the generated data")
    parser.add_argument(
        "--fault",
        default="",
        metavar="NAME=RATE,...",
        help="simulate errors at these rates, such as 429=0.05,html=0.02",
    )
    parser.add_argument(
        "--user-context",
        type=comma_separated,
        metavar="OPERATION,...",
        help="operations that require a signed-in user, such as runScriptOnDevice",
    )
    parser.add_argument(
        "--old-token-path",
        action="store_true",
        default=None,
        help="also issue tokens at /oauth/token, for older clients",
    )
    parser.add_argument(
        "--order-seconds",
        type=float,
        dest="order_s",
        metavar="S",
        help="time that devices take for scripts, restarts, patches and services; the work of devices "
        "whose id ends in 7 fails, and that of devices whose id ends in 9 never ends (default: 0, and all "
        "succeed)",
    )
    parser.add_argument(
        "--assets", type=int, help="number of assets, if the service has assets (default: 25)"
    )
    parser.add_argument("--clients", type=int, help="number of clients (default: by the number of assets)")
    parser.add_argument("--tickets", type=int, help="number of tickets at the start (default: 3)")
    parser.add_argument(
        "--trap",
        action="append",
        dest="traps",
        metavar="NAME=VALUE",
        help="simulate a difference between instances, such as page_cap=ignored; can be repeated",
    )
    parser.add_argument(
        "--list-traps", action="store_true", help="list the possible values of --trap and exit"
    )
    parser.set_defaults(command=_sandbox)


def _pairs(texts: list[str]) -> dict[str, str]:
    """Return traps, keyed by name, from texts such as `closing=refused`. Raises ValueError."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise ValueError(f"{text!r} is not of the form NAME=VALUE, for example page_cap=ignored")
        if name in found:
            raise ValueError(f"trap {name!r} appears twice")
        found[name] = value
    return found


def _sandbox(options: argparse.Namespace) -> int:
    if options.list_traps:
        return _list_traps(options.service)
    sandbox = _make(options)
    _describe(sandbox, options.service)
    with contextlib.suppress(KeyboardInterrupt):
        sandbox.serve_forever()
    return OK


def _list_traps(service: str) -> int:
    from connector.sandbox.services import sandbox_class

    try:
        lines = sandbox_class(service).trap_list()
    except ValueError as error:
        raise RunError(str(error)) from error
    print("\n".join(lines) or f"The sandbox of {service} has no traps.")
    return OK


def _make(options: argparse.Namespace) -> MockServer:
    from connector.sandbox.faults import parse_faults
    from connector.sandbox.services import make_sandbox

    settings: dict[str, Any] = {name: getattr(options, name) for name in _COMMON}
    settings |= {name: value for name in _OWN if (value := getattr(options, name)) is not None}
    try:
        if options.traps is not None:
            settings["traps"] = _pairs(options.traps)
        return make_sandbox(options.service, faults=parse_faults(options.fault), **settings)
    except (ValueError, OSError) as error:
        raise RunError(f"the sandbox cannot start: {error}") from error


def _describe(sandbox: MockServer, service: str) -> None:
    """Print how to connect to the sandbox."""
    print(f"The sandbox listens on {sandbox.base_url}. As a connection file:", flush=True)
    print("\n".join(f"    {name}: {value}" for name, value in sandbox.connection.items()))
    print("or as environment variables:")
    for name, value in sandbox.connection.items():
        if name != "service":
            print(f"    export {service.upper()}_{name.upper()}={value}")
    for line in sandbox.hints:
        print(line)
    print("Press Ctrl-C to stop.", flush=True)
