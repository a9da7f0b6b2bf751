"""Saved connections by the command line: add, list and show them."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.conftest import Ninjaone

SECRET = "S3cret-value-of-the-app"
APP = ("--region", "eu", "--client-id", "an-app")


def listed(ninjaone: Ninjaone) -> list[Any]:
    done = ninjaone("connection", "list", "--json")
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def shown(ninjaone: Ninjaone, name: str) -> dict[str, Any]:
    done = ninjaone("connection", "show", name, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def add(ninjaone: Ninjaone, name: str, *options: object, secret: str = SECRET) -> None:
    done = ninjaone("connection", "add", name, *(options or APP), "--secret-stdin", "--no-test", stdin=secret)
    assert done.returncode == 0, done.stderr
