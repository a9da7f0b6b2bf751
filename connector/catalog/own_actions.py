"""Reads a user's folder of custom actions, which adds actions to the catalog's services, and services."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from connector.catalog.service import Service
from connector.common import strict_yaml
from connector.errors import DeclarationError, file_errors

_SERVICE_NAME = "[a-z][a-z0-9_]*"


def own_services(folder: Path, services: Container[str]) -> dict[str, Path]:
    """Return the `service.yaml` of each service that a user's folder declares, keyed by the service's name.

    Raises DeclarationError for one of the catalog's `services`, and for one without `names: qualified`.
    """
    with file_errors(folder):
        is_folder = folder.is_dir()
    if not is_folder:
        raise DeclarationError(f"{folder}: no such folder")
    found = {}
    for path in _shown(folder, folder.rglob("service.yaml")):
        name = path.parent.name
        if len(path.relative_to(folder).parts) != 2 or not re.fullmatch(_SERVICE_NAME, name):
            raise DeclarationError(
                f"{path}: a service must be at SERVICE/service.yaml below {folder}, with a name in snake case"
            )
        if name in services:
            raise DeclarationError(
                f"{path}: a folder of custom actions cannot declare a service of the built-in catalog"
            )
        if strict_yaml.head(path).get("names") != "qualified":
            raise DeclarationError(
                f"{path}: a folder of custom actions cannot declare a service without `names: qualified`, "
                "which must be on the line after its name"
            )
        _check_inside(path, folder)
        found[name] = path
    return found


def check_own_service(service: Service, path: Path) -> None:
    """Raise DeclarationError for a service whose environment variables are those of another service."""
    expected = f"{service.name.upper()}_"
    if service.environment != expected:
        raise DeclarationError(f'{path}: environment: "{service.environment}" must be {expected}')


def own_declarations(folder: Path, services: Iterable[str]) -> list[Path]:
    """Return the declarations of actions below a user's folder.

    Raises DeclarationError for one that is not allowed there.
    """
    found = []
    # Both patterns are needed: in some versions of Python, the second one does not follow links.
    given = {*folder.glob("*/*/*.yaml"), *folder.rglob("*.yaml"), *folder.rglob("*.yml")}
    for path in _shown(folder, given):
        inside = path.relative_to(folder).parts
        if path.name == "service.yaml" and len(inside) == 2:
            continue
        if len(inside) != 3 or path.suffix != ".yaml" or inside[0] not in services:
            raise DeclarationError(
                f"{path}: a declaration must be at SERVICE/AREA/NAME.yaml below {folder}; the services are "
                f"{', '.join(services)}"
            )
        _check_inside(path, folder)
        _check_inside(path.with_suffix(".py"), folder)
        found.append(path)
    return found


def _shown(folder: Path, paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the sorted paths below a folder, without hidden files and folders such as `.git`."""
    for path in sorted(paths):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _check_inside(path: Path, folder: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DeclarationError(f"{path}: is a link to a path outside {folder}")
