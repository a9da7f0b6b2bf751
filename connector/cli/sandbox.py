"""`sandbox`: a NinjaOne on this machine."""

from __future__ import annotations

import argparse
import contextlib

from connector.cli.main import OK
from connector.errors import RunError


def add_sandbox(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sandbox`."""
    parser.add_argument("--port", type=int, default=8765, help="port on 127.0.0.1; 0 for a free one")
    parser.add_argument("--devices", type=int, default=25, help="number of devices")
    parser.add_argument(
        "--latency", type=float, default=0, metavar="MS", help="delay of every response, in ms"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the generated data")
    parser.add_argument("--fault", default="", metavar="NAME=RATE,...", help="such as 429=0.05,html=0.02")
    parser.add_argument(
        "--user-context",
        default="",
        metavar="OPERATION,...",
        help="operations that require a signed-in user, such as runScriptOnDevice",
    )
    parser.add_argument(
        "--old-token-path",
        action="store_true",
        help="also issue tokens at /oauth/token, for older clients",
    )
    parser.set_defaults(command=_sandbox)


def _sandbox(options: argparse.Namespace) -> int:
    from connector.sandbox.faults import parse_faults
    from connector.sandbox.ninjaone.oauth.client_apps import NATIVE, REDIRECT_URI, WEB
    from connector.sandbox.ninjaone.server import Sandbox

    try:
        faults = parse_faults(options.fault)
        sandbox = Sandbox(
            port=options.port,
            devices=options.devices,
            latency_ms=options.latency,
            seed=options.seed,
            faults=faults,
            user_context=[name for name in options.user_context.split(",") if name],
            old_token_path=options.old_token_path,
        )
    except (ValueError, OSError, OverflowError) as error:
        raise RunError(f"the sandbox cannot start: {error}") from error
    print(f"The sandbox listens on {sandbox.base_url}. As a connection file:", flush=True)
    print("\n".join(f"    {name}: {value}" for name, value in sandbox.connection.items()))
    print("or as environment variables:")
    for name, value in sandbox.connection.items():
        print(f"    export NINJAONE_{name.upper()}={value}")
    print("or as a saved connection, signed in as a user (the sandbox grants every request):")
    add = f"ninjaone connection add NAME --base-url {sandbox.base_url}"
    print(f"    {add} --client-id {NATIVE.client_id} --browser")
    print(
        f"({WEB.client_id} is an app with a secret, {WEB.secret}; the redirect URI of both is "
        f"{REDIRECT_URI}.)"
    )
    print("Press Ctrl-C to stop.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        sandbox.serve_forever()
    return OK
