"""Runs a job whose rows belong to several tenants: the rows of each tenant run separately, in parallel.

    input -> split by tenant -> a run per tenant -> merged in the order of the rows -> output

Each tenant has a separate client (sign-in, token, delay) and separate threads; its envelopes and journal are
in a work folder beside the output. Tenants do not wait for each other. They share the limit of failed rows.
When all are finished, their envelopes are merged into the output. See `tenants.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from connector.common.durability import sync_folder
from connector.common.redaction import Redactor
from connector.common.zones import in_zone, read_zone
from connector.errors import RunError
from connector.files.file_output import FileOutput, OutputSettings
from connector.files.output import Output
from connector.files.output_formats import OutputForm
from connector.files.work_folder import Start, is_interrupted
from connector.runs.active_run import RunObserver
from connector.runs.batch import require_first
from connector.runs.job import STREAM
from connector.runs.merge import merge_files
from connector.runs.prepared import Prepared
from connector.runs.recording import recorded, where
from connector.runs.run import checked_rows, fingerprint, open_rows
from connector.runs.run_output import check_start, open_output, run_id_of
from connector.runs.summary import Listener, Summary
from connector.runs.tenant_accounts import accounts_of, secrets_of, tenant_connections
from connector.runs.tenant_split import Split
from connector.runs.tenants import Tenants


def run_tenants(
    prepared: Prepared,
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    observer: RunObserver | None = None,
) -> Summary:
    """Run a prepared job in which a template selects each row's connection; otherwise like `run.run`.

    Listeners are notified of each tenant's rows in order, interleaved with other tenants' rows. The complete
    input is read before anything is sent. Raises RunError (nothing was sent), or RunStoppedError (can be
    resumed).
    """
    job, stop = prepared.job, stop or Event()
    if prepared.choose is None:
        raise RunError(f"{job.label}: no connection template")
    check_start(job, start)
    connections = tenant_connections(prepared)
    opened = open_rows(prepared)
    with in_zone(read_zone(job.timezone)):
        rows = require_first(checked_rows(prepared, opened))
    accounts = accounts_of(job, connections)
    run_fingerprint = {} if job.output == STREAM else fingerprint(prepared, accounts, opened.source)
    redactor = Redactor(secrets_of(connections), prepared.service.secrets)
    with (
        open_output(job, run_fingerprint, start, redactor, is_merged=True, seen=prepared.seen) as (output, _),
        _folder(output) as folder,
    ):
        try:
            split = Split(folder / "rows", connections)
            with in_zone(read_zone(job.timezone)):
                split.write(rows, prepared.choose, stop)
            parts = _PartFiles(output, folder, run_fingerprint, fsync=job.fsync)
            tenants = Tenants(prepared, connections, split, parts, listeners, stop)
            tenants.summary.left_out = opened.left_out
            with tenants.opened():
                if job.fsync:
                    sync_folder(folder.parent)
                tenants.sign_in()
                running = tenants.running(opened.rows)
                if observer:
                    observer(running)
                rerun_of = prepared.rerun.of if prepared.rerun else None
                place = where(*connections.values())
                with recorded(running, run_fingerprint, tenants.clock, rerun_of, place, run_id_of(output)):
                    is_done = tenants.run()
                    if is_done or not isinstance(output, FileOutput):
                        merge_files(parts.envelopes, output)
                    tenants.raise_errors()
                    if is_done:
                        output.finish()
        except RunError:
            if isinstance(output, FileOutput):
                output.abandon()
            raise
    return tenants.summary


@contextmanager
def _folder(output: Output) -> Iterator[Path]:
    """Yield the folder for the tenants' files; it is temporary if the run cannot be resumed."""
    if isinstance(output, FileOutput):
        yield output.parts
        return
    with tempfile.TemporaryDirectory(prefix="rows-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


class _TenantOutput(FileOutput):
    """The output of one tenant's rows, in a work folder until all tenants are finished."""

    def finish(self) -> None:
        """Keep the files: a resumed run reads from them which of the tenant's rows are done."""


class _PartFiles:
    """The outputs of tenants as files in a folder. `envelopes` are the files of those that were opened."""

    def __init__(
        self, output: Output, folder: Path, run_fingerprint: Mapping[str, str], *, fsync: bool
    ) -> None:
        self._of_run = output if isinstance(output, FileOutput) else None
        self._begun = self._of_run.begun_parts() if self._of_run else None
        self._folder, self._run_fingerprint, self._fsync = folder, run_fingerprint, fsync
        self.envelopes: list[Path] = []

    def has_begun(self, number: int) -> bool:
        """Return whether an interrupted run has begun this output."""
        if self._begun is not None:
            return number in self._begun
        return is_interrupted(self._folder / str(number))

    def open(self, number: int, redactor: Redactor) -> FileOutput:
        """Return a new output, or that of an interrupted run. Raises RunError."""
        path = self._folder / str(number)
        output = self._of_run.open_part(number, path, redactor) if self._of_run else None
        if output is None:
            start: Start = "resume" if self.has_begun(number) else "new"
            settings = OutputSettings(
                path, OutputForm(), self._run_fingerprint, start, redactor, fsync=self._fsync
            )
            output = _TenantOutput(settings, is_part=True)
        self.envelopes.append(output.partial)
        return output
