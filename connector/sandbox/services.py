"""Finds the sandbox of a service: the class `Sandbox` in `connector.sandbox.SERVICE.server`.

The package of a service is imported when its sandbox is first used.
"""

from __future__ import annotations

import inspect
import pkgutil
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, cast

from connector.sandbox.server import MockServer


@cache
def sandbox_services() -> tuple[str, ...]:
    """Return the names of the services that have a sandbox."""
    folder = Path(__file__).parent
    return tuple(sorted(entry.name for entry in pkgutil.iter_modules([str(folder)]) if entry.ispkg))


def sandbox_class(service: str) -> type[MockServer]:
    """Return the class of a service's sandbox. Raises ValueError if it has none."""
    if service not in sandbox_services():
        known = ", ".join(sandbox_services())
        raise ValueError(f"the service {service!r} has no sandbox; services with a sandbox: {known}")
    return cast("type[MockServer]", import_module(f"connector.sandbox.{service}.server").Sandbox)


def demo_folder(service: str) -> AbstractContextManager[Path]:
    """Return the folder of a service's sample jobs, for a `with` statement."""
    return as_file(files(f"connector.sandbox.{service}") / "demo")


def make_sandbox(service: str, **settings: Any) -> MockServer:
    """Return a service's sandbox, which is not started yet. `settings` are arguments of its class.

    Raises ValueError if a setting is unknown or has an invalid value, and OSError if the port is in use.
    """
    kind = sandbox_class(service)
    known = inspect.signature(kind).parameters
    for name in settings:
        if name not in known:
            raise ValueError(f"the sandbox of {service} has no setting {name.replace('_', '-')!r}")
    return kind(**settings)
