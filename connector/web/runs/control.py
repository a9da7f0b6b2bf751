"""Starts runs as separate processes of `ninjaone run job.yaml`, which continue if the server stops.

A run started from a page has a folder below `user_folders.work_folder()`, named by time and action:

    job.yaml  rows.*  uploads/     the job and its input
    envelopes.jsonl  files/        the output
    log.txt                        the command's messages

The job and the command line contain no secrets: the job has the name of a saved connection, and the settings
of the sandbox are passed in environment variables.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.common.user_folders import work_folder
from connector.errors import RunError
from connector.runs.job import Job
from connector.runs.output_names import absolute, id_of, rerun_output
from connector.runs.record import Record
from connector.runs.run_stores import store_of
from connector.sandbox.server import MockServer
from connector.sandbox.services import make_sandbox
from connector.web.runs.job_control import JobRerun
from connector.web.runs.job_files import JOB, new_folder, resumed_job, write_job, write_new_job
from connector.web.runs.pasted_rows import PastedRows
from connector.web.runs.processes import LOG, log_text, start_command
from connector.web.runs.stopping import stop_process, stoppable


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
                job = write_new_job(folder, action, templates, rows, connection, delay_ms, uploads)
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
