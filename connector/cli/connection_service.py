"""The service of a `connection` command: from the option `--service`, or from the connection's file."""

from __future__ import annotations

import argparse
from pathlib import Path

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.cli.action_sources import DEFAULT_SERVICE, add_own_actions, add_service_option, open_catalog
from connector.connections.saved import SavedConnections, service_in
from connector.connections.settings import is_file
from connector.errors import RunError


def add_service(parser: argparse.ArgumentParser, *, is_new: bool = False) -> None:
    """Declare the options for the connection's service and for custom services."""
    of_saved = "the connection's service (default: from its file)"
    add_service_option(parser, DEFAULT_SERVICE if is_new else of_saved)
    add_own_actions(parser)


def service_of(catalog: Catalog, options: argparse.Namespace, named: str | None) -> Service:
    """Return the service of the connection `named` (a saved name or a file); without it, that of `--service`.

    Raises RunError for an unknown service, and if `--service` differs from the connection's service.
    """
    its = service_in(Path(named) if is_file(named) else SavedConnections().path(named)) if named else ""
    if its and options.service and its != options.service:
        raise RunError(f"{named} is a connection of {its}, not of {options.service}")
    return catalog.service(its or options.service)


def opened(options: argparse.Namespace) -> tuple[Catalog, Service]:
    """Return the catalog and the service of the saved connection in the options. Raises RunError."""
    catalog = open_catalog(options)
    return catalog, service_of(catalog, options, options.name)


def of_service(service: Service) -> str:
    """Return ` of TITLE` for a message, or an empty string for the default service."""
    return f" of {service.title}" if service.prefix else ""
