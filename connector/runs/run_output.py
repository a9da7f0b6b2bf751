"""The output of a run: how it can be started, and its file or stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from connector.common.redaction import Redactor
from connector.errors import RunError
from connector.files.file_output import FileOutput, OutputSettings
from connector.files.output import Output
from connector.files.work_folder import Start
from connector.invocation.exchange import NoRecorder, Recorder
from connector.runs.job import STREAM, Job
from connector.runs.run_stores import store_of


def check_start(job: Job, start: Start) -> None:
    """Raise RunError if the job cannot be started this way, such as resuming standard output."""
    if start != "new" and job.output == STREAM:
        raise RunError("a run to standard output cannot be resumed or restarted; use --output FILE")
    if start == "resume" and job.input == STREAM:
        raise RunError("a run from standard input cannot be resumed; use --input FILE")


def run_id_of(output: Output) -> int | None:
    """Return the id of a run in the database that has its state, if any."""
    return output.run_id if isinstance(output, FileOutput) else None


@contextmanager
def open_output(
    job: Job,
    fingerprint: Mapping[str, str],
    start: Start,
    redactor: Redactor,
    *,
    is_merged: bool = False,
    seen: int | None = None,
) -> Iterator[tuple[Output, Recorder]]:
    """Context that opens a run's output and its journal. Raises RunError.

    For `is_merged` and `seen`, see `OutputSettings`.
    """
    if job.output == STREAM:
        from connector.files.stream_output import StreamOutput  # imported only if it is used

        stream = StreamOutput(job.output_form, errors=job.errors, private=job.reveal_secrets)
        try:
            yield stream, NoRecorder()
        finally:
            stream.close()
        return
    settings = OutputSettings(
        *(Path(job.output), job.output_form, fingerprint, start, redactor),
        fsync=job.fsync,
        private=job.reveal_secrets,
        errors=job.errors,
        is_merged=is_merged,
        seen=seen,
    )
    output = store_of(job.state).open(settings)
    try:
        yield output, output.journal
    finally:
        output.close()
