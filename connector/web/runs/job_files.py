"""The folder of a run that a page starts: its job file, its rows and the files that it uploads."""

from __future__ import annotations

import io
import secrets
import shutil
import time
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from connector.catalog.action import Action
from connector.common.user_folders import work_folder, write_whole
from connector.errors import RunError
from connector.runs.job import Job
from connector.runs.recorded_job import job_to_json
from connector.runs.selection import Selection
from connector.web.runs.pasted_rows import PastedRows
from connector.web.runs.processes import private_opener

JOB, OUTPUT = "job.yaml", "envelopes.jsonl"
"""The names of files in a run's folder."""


def new_folder(name: str) -> Path:
    """Return a new folder for a run that a page starts. Raises RunError."""
    now = time.strftime("%Y-%m-%d-%H%M%S")
    folder = work_folder() / f"{now}-{name}-{secrets.token_hex(2)}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise RunError(f"{folder}: the folder cannot be created: {error.strerror}") from error
    return folder


def make_job(
    action: Action,
    templates: Mapping[str, Any],
    rows: PastedRows,
    connection: str,
    delay_ms: float | None = None,
) -> dict[str, Any]:
    """Return the content of a run's job file; its paths are relative to the file."""
    job: dict[str, Any] = {"action": action.name}
    if connection:
        job["connection"] = connection
    job |= {"input": rows.path.name, "output": OUTPUT}
    if rows.format_to_read:
        job["input_format"] = rows.format_to_read
    if delay_ms is not None:
        job["delay_ms"] = delay_ms
    if any(part.file for part in action.parts.values()):
        job["uploads"] = "uploads"
    if action.returns_file:
        job["files"] = "files"
    return {**job, "templates": dict(templates)} if templates else job


def is_written_as_a_job(job: Job) -> bool:
    """Return whether a run can be resumed with a job file in another folder.

    It cannot be if it is a step, which is resumed with its complete job; if it selects a part of its input,
    which is not a setting of job files; or if its rows contain paths of connection files, which are relative.
    """
    if job.step or job.selection != Selection():
        return False
    return all(name == path for name, path in job.allow_connections.items())


def resumed_job(job: Job) -> dict[str, Any]:
    """Return the content of a job file that resumes a run, with absolute paths. Raises RunError."""
    if not is_written_as_a_job(job):
        raise RunError(
            "Resume this run on the command line: repeat the command that started it with --resume."
        )
    written = job_to_json(replace(job, named_at=None, output_exists="fail", wait_s=None))
    if job.wait_s is not None:
        minutes, seconds = divmod(int(job.wait_s), 60)
        written["wait"] = f"{int(job.wait_s)}s" if seconds else f"{minutes}m"
    if job.allow_connections:
        written["allow_connections"] = list(job.allow_connections)
    return written


def as_yaml(job: Mapping[str, Any]) -> str:
    """Return a job as the YAML text of a job file."""
    text: str = yaml.safe_dump(dict(job), sort_keys=False, allow_unicode=True, width=110)
    return text


def write_job(folder: Path, job: Mapping[str, Any]) -> None:
    """Write a job file to a folder. Raises OSError."""
    write_whole(folder / JOB, as_yaml(job).encode())


def pack_job(job: str, rows: Path, uploads: Path) -> bytes:
    """Return a ZIP archive of a job, its rows and the files that it uploads."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(JOB, job)
        archive.write(rows, rows.name)
        for path in uploads.iterdir():
            archive.write(path, f"uploads/{path.name}")
        if yaml.safe_load(job).get("files"):
            archive.writestr("files/", b"")
    return packed.getvalue()


def write_new_job(
    folder: Path,
    action: Action,
    templates: Mapping[str, Any],
    rows: PastedRows,
    connection: str,
    delay_ms: float | None,
    uploads: Path,
) -> Job:
    """Write the files of a new run to its folder; return its job. Raises RunError."""
    try:
        with (
            rows.path.open("rb") as given,
            open(folder / rows.path.name, "xb", opener=private_opener) as kept,
        ):
            shutil.copyfileobj(given, kept)
        shutil.copytree(uploads, folder / "uploads")
        (folder / "files").mkdir(mode=0o700)
        write_job(folder, make_job(action, templates, rows, connection, delay_ms))
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from error
    return Job(action.name, output=str(folder / OUTPUT))
