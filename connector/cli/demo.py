"""The `demo` command: run sample jobs against the sandbox."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import yaml

from connector.catalog.catalog import Catalog
from connector.cli.main import OK, OUR_FAULT
from connector.cli.summary import describe
from connector.connections.connection import make_connection
from connector.errors import RunError, file_errors, shorten
from connector.runs.job_file import load_job
from connector.runs.prepared import prepare
from connector.runs.run import run

STEPS = "demo.yaml"
"""The file that lists the demo's jobs in order, with their output files and numbers of failed rows."""


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone demo`."""
    parser.add_argument(
        "--service", default="ninjaone", metavar="NAME", help="the service to show (default: %(default)s)"
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path, default=Path("demo-output"), help="folder of the output files"
    )
    parser.set_defaults(command=_demo)


def _demo(options: argparse.Namespace) -> int:
    from connector.sandbox.services import demo_folder, make_sandbox

    catalog = Catalog()
    try:
        sandbox = make_sandbox(options.service)
    except ValueError as error:
        raise RunError(str(error)) from error
    with sandbox, demo_folder(options.service) as folder:
        with file_errors(options.output):
            options.output.mkdir(parents=True, exist_ok=True)
        print(f"The sandbox runs at {sandbox.base_url}. Some of the rows contain deliberate errors.\n")
        settings = {name: value for name, value in sandbox.connection.items() if name != "service"}
        as_meant = True
        for step in yaml.safe_load((folder / STEPS).read_text(encoding="utf-8")):
            failed = _run_job(catalog, folder / step["job"], options.output / step["output"], settings)
            as_meant = as_meant and failed == step["failed"]
        print(f"The output files are in {options.output.resolve()}, the jobs and their rows in {folder}.")
    if not as_meant:
        print("The demo did not give the expected results.")
    return OK if as_meant else OUR_FAULT


def _run_job(catalog: Catalog, path: Path, output: Path, settings: dict[str, str]) -> int:
    """Run one job and print its templates, envelopes and summary; return the number of failed rows."""
    job = replace(load_job(path), output=str(output))
    prepared = prepare(job, catalog)
    print(f"--- {prepared.action.title} ({job.action}) over {Path(job.input).name}")
    for name, source in job.templates.items():
        print(f"    {name}: {source}")
    connection = make_connection(prepared.service, settings, "the sandbox")
    summary = run(prepared, "restart", connection=connection)
    for line in output.read_text(encoding="utf-8").splitlines():
        print(shorten(line, 300))
    print(describe(job, summary, may_rerun=False, service=prepared.service.title) + "\n")
    return summary.failed
