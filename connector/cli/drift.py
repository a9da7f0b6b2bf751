"""The `catalog drift` command: compare the catalog with the vendor's OpenAPI document."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from connector.authoring.drift import Change, Drift, find_drift
from connector.authoring.openapi_document import instance_document, read_document
from connector.authoring.openapi_names import known_api
from connector.catalog.service import Service
from connector.cli.action_sources import DEFAULT_SERVICE, add_own_actions, add_service_option, open_catalog
from connector.cli.main import OK, ROWS_FAILED
from connector.connections.connection import load_connection
from connector.errors import RunError


def add_drift(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone catalog drift`."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--spec", metavar="FILE|URL", help="read the OpenAPI document from a file or URL")
    source.add_argument(
        "-c",
        "--connection",
        metavar="NAME|FILE",
        help="download the document from this connection's instance",
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    add_service_option(parser, DEFAULT_SERVICE)
    add_own_actions(parser)
    parser.set_defaults(command=_drift)


def _drift(options: argparse.Namespace) -> int:
    catalog = open_catalog(options)
    service = catalog.service(options.service)
    document = _document(options, service)
    found = find_drift(document, known_api(service.name), list(catalog.actions(service.name)), service)
    if options.json:
        print(json.dumps(found.described(), indent=1))
    else:
        print("\n".join(_page(found)))
    return ROWS_FAILED if found else OK


def _document(options: argparse.Namespace, service: Service) -> dict[str, Any]:
    if options.spec:
        return read_document(options.spec)
    if not service.document:
        raise RunError(f"an instance of {service.title} does not serve its OpenAPI document; use --spec")
    return instance_document(load_connection(service, options.connection), service.document)


def _page(found: Drift) -> Iterator[str]:
    lists = {
        "not in the catalog": found.missing,
        "new in the document": found.added,
        "removed from the document": found.removed,
        "actions whose declarations contradict the document": found.actions,
    }
    for title, names in lists.items():
        if names:
            yield f"{title}: {len(names)}"
            yield from (f"  {name}" for name in names)
    yield from _changes("changed operations", found.changed)
    yield from _changes("changed resources", found.resources)
    if not found:
        yield "no differences"


def _changes(title: str, changed: Mapping[str, list[Change]]) -> Iterator[str]:
    if changed:
        yield f"{title}: {len(changed)}"
    for name, changes in changed.items():
        yield f"  {name}"
        yield from (f"    {change}" for change in changes)
