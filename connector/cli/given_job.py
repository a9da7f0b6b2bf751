"""The job that the options of the command line describe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from connector.cli.action_sources import open_catalog
from connector.cli.key_values import pairs, refuse_secret_arguments
from connector.cli.streams import stdin_has_data
from connector.common.clock import SystemClock
from connector.connections.saved import SavedConnections, service_in
from connector.connections.settings import is_file
from connector.errors import RunError
from connector.files.work_folder import Start
from connector.runs.columns import check_columns
from connector.runs.file_names import FileNames, check_variable
from connector.runs.job import NO_INPUT, STREAM, Job
from connector.runs.job_file import is_job, load_jobs, read_templates
from connector.runs.output_choice import choose_outputs
from connector.runs.prepared import Prepared, naming, prepare_all, with_one_state
from connector.templating.scope import is_template

_TEMPLATE = "--template INPUT=TEMPLATE"


def prepare_given(options: argparse.Namespace) -> list[Prepared]:
    """Return the prepared steps of the job that the command line describes. Raises RunError."""
    now = SystemClock().now()
    return prepare_jobs(make_jobs(options, now), options, now)


def prepare_jobs(jobs: tuple[Job, ...], options: argparse.Namespace, now: float) -> list[Prepared]:
    """Return the prepared steps of a job that starts at the time `now`. Raises RunError."""
    steps = prepare_all(jobs, open_catalog(options), now)
    steps = list(_with_standard_input(steps, jobs))
    services = list(dict.fromkeys(step.service.name for step in steps))
    connection = given_settings(options).get("connection")
    if connection and len(services) > 1:
        named = "" if _service_of(connection) else "; this connection does not name its service"
        raise RunError(
            f"--connection {connection}: the steps use several services ({', '.join(services)}); use "
            f"--connection once for each of them{named}"
        )
    for step in steps:
        refuse_secret_arguments(step.action, pairs(options.template, _TEMPLATE))
    if not getattr(options, "resume", False):  # a resumed run was checked when it started
        for step in steps:
            check_columns(step)
    return steps


def _with_standard_input(steps: Sequence[Prepared], jobs: Sequence[Job]) -> Iterator[Prepared]:
    """Yield the steps; the first one without an input gets standard input if it has rows.

    Raises RunError for a step that requires rows if standard input is a terminal and not named as the input.
    """
    is_free = all(step.job.input != STREAM for step in steps)
    for step, job in zip(steps, jobs, strict=True):
        if is_free and step.job.input == NO_INPUT:
            is_free = False
            if stdin_has_data():
                step = replace(step, job=replace(step.job, input=STREAM))
        elif step.job.input == STREAM and sys.stdin.isatty():
            if job.input == NO_INPUT:
                with naming(job):
                    raise RunError("no input; use --input FILE, or pipe rows to standard input")
            print("reading rows from the terminal; Ctrl-D ends them", file=sys.stderr)
        yield step


def make_jobs(
    options: argparse.Namespace, now: float, start: Start = "new", spare: Callable[[], Path] | None = None
) -> tuple[Job, ...]:
    """Return the job that the command line describes: one job, or one for each step.

    Options override the settings of a job file. The templates of steps can only be set in the job file.
    File names with templates are rendered for a run that starts at `now`, or are those of the unfinished run
    that is resumed.
    `spare` returns the folder for the outputs of steps if a job has none; see `load_jobs`.
    """
    given = given_settings(options)
    templates = read_templates(options.templates) if options.templates else {}
    templates |= pairs(options.template, _TEMPLATE)
    if templates:
        given["templates"] = templates

    def load(time: float) -> tuple[Job, ...]:
        jobs = load_given(time)
        if start != "resume":
            return jobs
        # The unfinished run is looked for in the database of its connection, too.
        catalog = open_catalog(options)
        return tuple(with_one_state(jobs, catalog))

    def load_given(time: float) -> tuple[Job, ...]:
        if is_job(options.action):
            return load_jobs(Path(options.action), given, time, spare)
        names = FileNames(given.get("vars", {}), time, given.get("timezone", ""))
        settings = {"input": NO_INPUT, **names.render_all(given)}
        job = Job(action=options.action, **settings)
        return (replace(job, named_at=time if names.is_used else None),)

    return choose_outputs(load, now, start)


def given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the job settings given as options, without action and templates."""
    given = {
        name: value
        for name, value in vars(options).items()
        if name in Job.__dataclass_fields__ and name not in ("action", "templates") and value is not None
    }
    if variables := pairs(getattr(options, "var", None) or [], "--var NAME=VALUE"):
        for name in variables:
            check_variable(name)
        given["vars"] = variables
    connection = given.get("connection")
    return given if connection is None else {**given, **_connections(connection)}


def _connections(given: str | list[str]) -> dict[str, Any]:
    """Return the values of the job settings `connection` and `connections`.

    Several connections are used only if their files name different services; else the last one is used.
    """
    found: dict[str, str] = {}
    for named in [given] if isinstance(given, str) else given:
        service = _service_of(named)
        found = {**found, service: named} if service and "" not in found else {service: named}
    if len(found) == 1:
        return {"connection": next(iter(found.values())), "connections": {}}
    return {"connection": None, "connections": found}


def _service_of(connection: str) -> str:
    """Return the service that a connection's file names; empty text if unknown."""
    if is_template(connection):
        return ""
    return service_in(Path(connection)) if is_file(connection) else SavedConnections().service(connection)
