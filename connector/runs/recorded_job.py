"""A job's settings in the record of its run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from connector.common.json_text import Json
from connector.connections.settings import absolute_file
from connector.runs.job import NO_INPUT, STREAM, Job
from connector.state.setting import passwords_of
from connector.templating.scope import is_template

_PATHS = ("uploads", "files", "audit", "errors", "summary")


def job_to_json(job: Job) -> dict[str, Json]:
    """Return a job's settings as in a job file, with absolute paths and without defaults.

    `state` is omitted if it has a password.
    """
    defaults = Job(action="")
    given = {f.name: getattr(job, f.name) for f in fields(Job)}
    given["state"] = "" if passwords_of(job.state) else str(job.state)
    changed = {name: value for name, value in given.items() if value != getattr(defaults, name)}
    for name in (*_PATHS, "input", "output"):
        if name in ("uploads", *changed) and given[name] not in (STREAM, NO_INPUT):
            changed[name] = os.path.abspath(given[name])
    if job.step_outputs:
        changed["step_outputs"] = [os.path.abspath(output) for output in job.step_outputs]
    if job.connection is not None and not is_template(job.connection):
        changed["connection"] = absolute_file(job.connection)
    for name in ("allow_connections", "connections"):
        if name in changed:
            changed[name] = {said: absolute_file(c) for said, c in given[name].items()}
    return changed


def job_from_json(data: Mapping[str, Any]) -> Job:
    """Return the job of a record. Raises TypeError for an unknown setting."""
    settings: dict[str, Any] = {n: Path(value) if n in _PATHS else value for n, value in data.items()}
    if not all(isinstance(output, str) for output in settings.get("step_outputs", ())):
        raise TypeError("step_outputs has an item that is not text")
    return Job(**settings)
