"""The `new` command: generate a draft declaration from the vendor's OpenAPI document."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from connector.authoring.openapi_document import read_document
from connector.authoring.scaffold import draft
from connector.authoring.scaffold_example import known_values
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.cli.action_sources import DEFAULT_SERVICE, add_own_actions, add_service_option, open_catalog
from connector.cli.main import OK
from connector.errors import DeclarationError, RunError


def add_new(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone new`."""
    parser.add_argument("operation", metavar="OPERATION_ID", help="the operationId in the document")
    parser.add_argument(
        "--from-spec", metavar="FILE", required=True, help="the OpenAPI document, a file or a URL"
    )
    parser.add_argument(
        "--name", default="", help="the action's name, such as list_devices (default: from the operation)"
    )
    parser.add_argument(
        "--area", default="", help="the declaration's folder, such as devices (default: from the operation)"
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        default=".",
        help="write AREA/NAME.yaml below this folder (default: the current folder); - for standard output",
    )
    add_service_option(parser, DEFAULT_SERVICE)
    add_own_actions(parser)
    parser.set_defaults(command=_new)


def _loadable(catalog: Catalog, service: str) -> Iterator[Action]:
    """Yield the actions of a service; skip invalid declarations."""
    for name in catalog.names_of(service):
        try:
            yield catalog.action(name)
        except DeclarationError:
            continue


def _new(options: argparse.Namespace) -> int:
    catalog = open_catalog(options)
    service = catalog.service(options.service)
    document = read_document(options.from_spec)
    actions = list(_loadable(catalog, service.name))
    made = draft(
        document,
        options.operation,
        service,
        name=options.name,
        area=options.area,
        known=known_values(actions),
    )
    for action in actions:
        if action.operation == options.operation:
            print(f"ninjaone: {action.name} already declares this operation", file=sys.stderr)
    for doubt in made.doubts:
        print(f"ninjaone: {doubt}", file=sys.stderr)
    if options.output == "-":
        print(made.text, end="")
        return OK
    path = Path(options.output) / made.area / f"{made.name}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(made.text)
    except FileExistsError:
        raise RunError(f"{path} already exists; delete it or use another --output") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error}") from error
    print(path)
    print("ninjaone: review the summary, input names, effect and time units in this file", file=sys.stderr)
    return OK
