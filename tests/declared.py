"""Small actions that a test declares for itself, beside the real service."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.client import Client
from connector.common.package_data import actions_folder
from connector.invocation.bindings import bind
from connector.invocation.handlers import Inputs
from connector.invocation.invoke import Invoker

SERVICE = "ninjaone"


def declare(folder: Path, name: str = "probe", handler: str = "", **declared: Any) -> Action:
    """Write an action's declaration (a GET without inputs, unless told otherwise) and load it.

    An input is a mapping as in a declaration, or only its `to`; `handler` is the text of a Python file.
    """
    area = folder / "actions" / SERVICE / "area"
    area.mkdir(parents=True, exist_ok=True)
    shutil.copy(actions_folder() / SERVICE / "service.yaml", area.parent)
    inputs = {
        name: {"title": name, **({"to": given} if isinstance(given, str) else given)}
        for name, given in declared.pop("inputs", {}).items()
    }
    declaration = {
        "name": name,
        "title": name,
        "summary": name,
        "operation": name,
        "request": "GET /v2/probe",
        "effect": "read",
        "idempotent": True,
        "inputs": inputs,
        "result": {},
        **declared,
    }
    (area / f"{name}.yaml").write_text(yaml.safe_dump(declaration, sort_keys=False), "utf-8")
    if handler:
        (area / f"{name}.py").write_text(dedent(handler), "utf-8")
    return Catalog(folder / "actions").action(name)


def given(action: Action, service: Service, uploads: Path | None = None, **values: Any) -> Inputs:
    """An action's inputs with these values."""
    return Inputs(action, service, values, uploads or Path())


def invoker(
    action: Action, client: Client, templates: Mapping[str, Any] | None = None, **options: Any
) -> Invoker:
    """What runs the action over rows; without templates, inputs take the fields of their names."""
    options.setdefault("uploads", Path())
    return Invoker(action, client.service, bind(action, templates or {}), client, **options)
