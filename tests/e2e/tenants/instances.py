"""Several tenants' instances: rows for them, and what they received."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connector.connections.saved import SavedConnections
from connector.connections.secret_store import SecretStore
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.test_run import envelopes
from tests.fakes import write_lines
from tests.loopback import PATIENCE_S

Tenants = dict[str, Sandbox]
Start = Callable[..., "subprocess.Popen[bytes]"]
NAMES = ("acme", "globex", "initech")
REFUSED = {"fault": "answer", "status": 409, "body": {"resultCode": "conflict"}}
ALLOWED = ("--connection", "{{ tenant }}", "--allow-connections", "acme,globex", "--delay-ms", 0)
FILES = ("-i", "rows.jsonl", "-o", "out.jsonl")
CREATE = ("run", "create_organization", "-t", "name=Client {{ n }}", *ALLOWED)
"""Writes that must not be repeated."""


def save(name: str, settings: dict[str, Any]) -> None:
    """Save a connection, as `connection add` does."""
    kept = {key: value for key, value in settings.items() if key != "client_secret"}
    SavedConnections().save(name, kept)
    SecretStore().set(name, "client_secret", settings["client_secret"])


def end(process: subprocess.Popen[bytes], seconds: float = PATIENCE_S) -> str:
    """Wait for the end, and return the text of standard error."""
    _, message = process.communicate(timeout=seconds)
    return message.decode()


def write_rows(folder: Path, count: int, *names: str) -> None:
    """Write rows whose tenants take turns."""
    of = names or ("acme", "globex")
    rows = [{"n": n, "tenant": of[(n - 1) % len(of)]} for n in range(1, count + 1)]
    write_lines(folder / "rows.jsonl", rows)


def asked(sandbox: Sandbox, *, executed: bool = False) -> list[str]:
    """The names that an instance was asked to give (or gave) to organizations, one a request."""
    posts = [r for r in sandbox.log.requests() if r["method"] == "POST" and (r["executed"] or not executed)]
    return [r["body"]["name"] for r in posts]


def is_untouched(sandbox: Sandbox) -> bool:
    return not sandbox.log.requests() and not sandbox.log.signins()


def assert_each_row_once(tenants: Tenants, path: Path, count: int) -> None:
    """Every row has one envelope, in order, and was sent once, to its own tenant."""
    found = envelopes(path)
    assert [e["row"] for e in found] == list(range(1, count + 1))
    for place, name in enumerate(("acme", "globex")):
        assert Counter(asked(tenants[name])) == {f"Client {n}": 1 for n in range(place + 1, count + 1, 2)}
        assert {e["row"] for e in found if e["meta"].get("connection") == name} == set(
            range(place + 1, count + 1, 2)
        )
