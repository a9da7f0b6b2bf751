"""Paths of the declarations, schemas, documentation and examples, in a wheel or a checkout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from connector.common import json_text


@cache
def actions_folder() -> Path:
    """Return the folder of the action declarations, which has one folder for each service."""
    return _folder("connector.actions")


@cache
def schemas_folder() -> Path:
    """Return the folder of the JSON Schemas."""
    return _folder("connector.schemas")


@cache
def docs_folder() -> Path:
    """Return the folder of the documentation's Markdown pages."""
    return _folder("connector.docs")


@cache
def examples_folder() -> Path:
    """Return the folder of the example jobs."""
    return _folder("connector.examples")


def _folder(package: str) -> Path:
    """Return a package's folder.

    `importlib.resources` would also import the modules that read zip archives, which is slow.
    """
    return Path(import_module(package).__path__[0])


@cache
def schema(name: str) -> Any:
    """Return a schema by its path below `schemas/`, such as `envelope.schema.json`."""
    return json_text.loads((schemas_folder() / name).read_text(encoding="utf-8"))


def references(value: Any) -> Iterator[str]:
    """Yield every `$ref` in a schema, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)
