"""The results of a run on workers that go to standard output: they are in a file first.

The envelopes of all workers are merged when the run ends. Until then, the run can be resumed with this file,
unlike one that writes to standard output.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from connector.errors import RunStoppedError
from connector.files.output_formats import extension_of
from connector.files.work_folder import Start
from connector.runs.job import STREAM, Job
from connector.runs.run_output import check_start


class PrintedResults:
    """The file with the results of a job's last step, or its single run; none if they are not printed."""

    def __init__(self, jobs: Sequence[Job], start: Start, folder: Callable[[], Path]) -> None:
        """`folder` returns a folder for the file. Raises RunError."""
        self.jobs, self._file = tuple(jobs), ""
        *others, last = jobs
        if last.output != STREAM:
            return
        if start == "resume" or not others:
            check_start(last, start)
        format = last.output_form.format
        self._file = str(folder() / f"{last.step or 'results'}.{extension_of(format)}")
        last = replace(last, output=self._file, output_format=format)
        outputs = tuple(self._file if output == STREAM else output for output in last.step_outputs)
        self.jobs = tuple(replace(job, step_outputs=outputs) for job in (*others, last))

    @property
    def how_to_resume(self) -> str:
        """The options that continue the unfinished run; empty if there is none, or it cannot be resumed."""
        reads_stdin = any(job.input == STREAM for job in self.jobs)
        if not self._file or os.path.exists(self._file) or reads_stdin:
            return ""
        outputs = [Path(job.output) for job in self.jobs]
        if len({output.parent for output in outputs}) > 1:
            return ""  # The other steps have files elsewhere, so that no folder has them all.
        output = outputs[0].parent if len(outputs) > 1 else outputs[0]
        return f"--resume --output {shlex.quote(str(output))}"

    def print(self) -> None:
        """Write the results of a complete run to standard output. Raises RunStoppedError."""
        if not self._file or not os.path.exists(self._file):
            return
        try:
            with open(self._file, "rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except OSError as error:
            raise RunStoppedError(
                f"standard output cannot be written: {error.strerror}; the results are in {self._file}"
            ) from error
