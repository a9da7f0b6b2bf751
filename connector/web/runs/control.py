"""Starts runs as separate processes of `ninjaone run job.yaml`, which continue if the server stops.

A run started from a page has a folder below `user_folders.work_folder()`, named by time and action:

    job.yaml  rows.*  uploads/     the job and its input
    envelopes.jsonl  files/        the output
    log.txt                        the command's messages

The job and the command line contain no secrets: the job has the name of a saved connection, and the settings
of the sandbox are passed in environment variables.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.common.user_folders import work_folder, write_whole
from connector.errors import RunError
from connector.runs.job import Job
from connector.runs.output_names import absolute, id_of, rerun_output
from connector.runs.record import Record
from connector.runs.recorded_job import job_to_json
from connector.runs.run_stores import store_of
from connector.runs.selection import Selection
from connector.sandbox.server import MockServer
from connector.sandbox.services import make_sandbox
from connector.web.runs.job_control import JobRerun
from connector.web.runs.pasted_rows import PastedRows
from connector.web.runs.stopping import stop_process, stoppable

JOB, OUTPUT, LOG = "job.yaml", "envelopes.jsonl", "log.txt"
"""The names of files in a run's folder."""
_LOG_SHOWN = 4000


@dataclass(frozen=True)
class Started:
    """A run started by this server. It has no record yet when it starts, and none if it cannot start."""

    output: Path
    action: str
    where: str
    log: Path
    began: float
    process: subprocess.Popen[bytes]

    def log_text(self) -> str:
        """Return the last part of the command's messages."""
        return log_text(self.log)


class RunControl:
    """The runs that a server starts, and its sandboxes, one per service. Safe for threads."""

    def __init__(self) -> None:
        self._lock, self._starting = threading.Lock(), threading.Lock()
        self._sandboxes: dict[str, MockServer] = {}
        self._started: dict[str, Started] = {}
        self._once: dict[str, str] = {}
        self._stopping: dict[str, int | None] = {}

    def sandbox_url(self, service: str) -> str:
        """Return the base URL of a service's sandbox, or an empty string if it was not started yet."""
        sandbox = self._sandboxes.get(service)
        return sandbox.base_url if sandbox else ""

    def sandbox(self, service: str) -> MockServer:
        """Return this server's sandbox of a service; the first call starts it."""
        with self._lock:
            if service not in self._sandboxes:
                self._sandboxes[service] = make_sandbox(service).start()
            return self._sandboxes[service]

    def started(self, id: str) -> Started | None:
        """Return the run with this id, or None if this server did not start it."""
        return self._started.get(id)

    def all_started(self) -> Mapping[str, Started]:
        """Return all runs started by this server, keyed by id."""
        return dict(self._started)

    def start(
        self,
        action: Action,
        service: Service,
        templates: Mapping[str, Any],
        rows: PastedRows,
        connection: str,
        delay_ms: float | None,
        uploads: Path,
        once: str,
    ) -> str:
        """Start a run with a saved connection, or in the sandbox if `connection` is empty; return its id.

        A second call with the same key `once` returns the same run. Raises RunError.
        """
        with self._starting:
            if once not in self._once:
                folder = new_folder(action.name)
                job = _write_job(folder, action, templates, rows, connection, delay_ms, uploads)
                environment = dict(os.environ) if connection else self._in_sandbox(service)
                where = connection or "the sandbox"
                self._once[once] = self._launch(folder, ["run", JOB], environment, job, where)
            return self._once[once]

    def rerun(self, record: Record, service: Service, once: str) -> str:
        """Rerun the failed rows of a finished run that can be retried; return the id of the new run.

        Raises RunError.
        """
        with self._starting:
            if once not in self._once:
                output = rerun_output(record.output, record.job.state)
                again = ["--resume"] if store_of(record.job.state).is_interrupted(output) else []
                arguments = ["rerun", str(record.output), "--output", str(output), *again]
                job = replace(record.job, output=str(output))
                folder = new_folder(f"{record.job.action}-rerun")
                environment = self._environment(record, service)
                self._once[once] = self._launch(folder, arguments, environment, job, record.where)
            return self._once[once]

    def rerun_job(self, record: Record, rerun: JobRerun, service: Service, once: str) -> str:
        """Rerun the failed rows of the job of a step, or resume this; return the id of its first step.

        Raises RunError.
        """
        with self._starting:
            if once not in self._once:
                environment = self._environment(record, service)
                folder = new_folder(f"{rerun.folder.name}-rerun")
                job = replace(rerun.steps[0], output=str(rerun.output))
                self._once[once] = self._launch(folder, rerun.arguments, environment, job, record.where)
            return self._once[once]

    def resume(self, record: Record, service: Service, once: str) -> str:
        """Resume an interrupted run; return its id. Raises RunError."""
        with self._starting:
            if once not in self._once:
                environment = self._environment(record, service)
                folder = new_folder(f"{record.job.action}-resumed")
                if record.rerun_of:
                    arguments = ["rerun", str(record.rerun_of), "--output", str(record.output), "--resume"]
                else:
                    write_job(folder, resumed_job(record.job))
                    arguments = ["run", JOB, "--resume"]
                self._once[once] = self._launch(folder, arguments, environment, record.job, record.where)
            return self._once[once]

    def may_stop(self, id: str, record: Record | None) -> bool:
        """Return whether a run can be stopped: it is running, and was not told to stop yet."""
        process = self._process(id, record)
        return process is not None and self._stopping.get(id) != process

    def is_stopping(self, id: str, record: Record | None) -> bool:
        """Return whether a run was told to stop, and is still running."""
        process = self._process(id, record)
        return process is not None and self._stopping.get(id) == process

    def stop(self, id: str, record: Record | None) -> None:
        """Signal a run to stop after the rows in progress, once: a second signal would end it at once.

        Raises RunError.
        """
        with self._starting:
            if not self.may_stop(id, record):
                return
            self._stopping[id] = self._process(id, record)
            started = self._started.get(id)
            if started and started.process.poll() is None:
                started.process.terminate()
            elif record:
                stop_process(record)

    def _process(self, id: str, record: Record | None) -> int | None:
        """Return the process id of a run that can be stopped; None if there is none."""
        started = self._started.get(id)
        if started and started.process.poll() is None:
            return started.process.pid
        process = stoppable(record) if record else None
        return process.id if process else None

    def is_in_sandbox(self, record: Record) -> bool:
        """Return whether a run's requests go to this server's sandbox."""
        hosts = [urlsplit(sandbox.base_url).netloc for sandbox in list(self._sandboxes.values())]
        return record.where in hosts

    def where(self, record: Record) -> str:
        """Return the name of the connection or sandbox that receives a run's requests."""
        if self.is_in_sandbox(record):
            return "the sandbox"
        return record.where or "its connection" if self.may_continue(record) else "a sandbox that was stopped"

    def may_continue(self, record: Record) -> bool:
        """Return whether the run's connection is still available; a sandbox that was stopped is not."""
        is_ours = record.job.connection is None and record.output.is_relative_to(work_folder())
        return not is_ours or self.is_in_sandbox(record)

    def close(self) -> None:
        """Stop the sandboxes. Runs in progress continue."""
        with self._lock:
            for sandbox in self._sandboxes.values():
                sandbox.stop()
            self._sandboxes = {}

    def _environment(self, record: Record, service: Service) -> dict[str, str]:
        if not self.may_continue(record):
            raise RunError("This run used a sandbox that was stopped: start a new run.")
        return self._in_sandbox(service) if self.is_in_sandbox(record) else dict(os.environ)

    def _in_sandbox(self, service: Service) -> dict[str, str]:
        """Return environment variables that make the sandbox the connection.

        Other environment variables with connection settings are removed.
        """
        others = {n: text for n, text in os.environ.items() if not n.startswith(service.environment)}
        settings = {n: text for n, text in self.sandbox(service.name).connection.items() if n != "service"}
        return {**others, **{service.environment + n.upper(): text for n, text in settings.items()}}

    def _launch(
        self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str], job: Job, where: str
    ) -> str:
        output, began = absolute(job.output), time.time()
        process = start_command(folder, [*arguments, "--yes"], environment)
        started = Started(output, job.action, where, folder / LOG, began, process)
        self._started[id_of(output)] = started
        return id_of(output)


def start_command(
    folder: Path, arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a command in a folder, with its messages in a log file. It continues if the server stops."""
    with open(folder / LOG, "wb", opener=_private) as log:
        process = subprocess.Popen(  # noqa: S603 - our own command; user input is in files, or is checked
            [sys.executable, "-m", "connector", *arguments],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **_detached(),
        )
    # Without `wait`, the process would become a zombie. A daemon thread does not delay the server's exit.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def log_text(path: Path) -> str:
    """Return the last part of a command's messages."""
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")[-_LOG_SHOWN:].strip()
    return ""


def _private(path: str, flags: int) -> int:
    """Open a file with mode 0600; an opener for `open`."""
    return os.open(path, flags, 0o600)


def _detached() -> dict[str, Any]:
    """Return arguments of Popen for a process with private files that Ctrl-C in the terminal does not end."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    else:
        return {"start_new_session": True, "umask": 0o077}


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


def _write_job(
    folder: Path,
    action: Action,
    templates: Mapping[str, Any],
    rows: PastedRows,
    connection: str,
    delay_ms: float | None,
    uploads: Path,
) -> Job:
    try:
        with rows.path.open("rb") as given, open(folder / rows.path.name, "xb", opener=_private) as kept:
            shutil.copyfileobj(given, kept)
        shutil.copytree(uploads, folder / "uploads")
        (folder / "files").mkdir(mode=0o700)
        write_job(folder, make_job(action, templates, rows, connection, delay_ms))
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from error
    return Job(action.name, output=str(folder / OUTPUT))
