"""`connection`: whether a connection works."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from connector.catalog import Catalog
from connector.cli.main import OK, ROWS_FAILED
from connector.connections import load_connection
from connector.health import Finding, examine
from connector.run import open_client

_MARKS = {True: "ok", False: "FAILED", None: "-"}


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone connection`."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    test = commands.add_parser("test", help="sign in, and try what the health checks of the service try")
    test.add_argument("-c", "--connection", metavar="FILE", type=Path, help="a connection's YAML file")
    test.add_argument("--json", action="store_true", help="the findings as a JSON array")
    test.set_defaults(command=_test)


def _test(options: argparse.Namespace) -> int:
    catalog = Catalog()
    (name,) = catalog.services
    service = catalog.service(name)
    client = open_client(service, load_connection(service, options.connection), 0)
    findings = []
    for finding in examine(service, catalog, client):
        findings.append(finding)
        if not options.json:
            print(_line(finding), flush=True)
    if options.json:
        print(json.dumps([{"title": f.title, "ok": f.ok, "message": f.message} for f in findings], indent=1))
    return ROWS_FAILED if any(f.ok is False for f in findings) else OK


def _line(finding: Finding) -> str:
    return f"{_MARKS[finding.ok]:<7} {finding.title:<14} {finding.message}"
