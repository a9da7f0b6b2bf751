"""The results of a run on workers for standard output, which are in a file until the run ends.

The envelopes of all workers are merged when the run ends. Until then, the run can be resumed with this file,
unlike one that writes to standard output. A message says so at the beginning, as the process can be killed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from connector.errors import RunError, RunStoppedError
from connector.files.output_formats import extension_of
from connector.files.work_folder import Start
from connector.runs.job import STREAM, Job
from connector.runs.run_output import check_start

Load = Callable[[str], Sequence[Job]]
"""Returns the jobs of a command line with another `--output`."""


class PrintedResults:
    """The file for the results of a job's last step or single run, if they go to standard output."""

    def __init__(self, jobs: Sequence[Job], start: Start, folder: Callable[[], Path], load: Load) -> None:
        """`folder` returns a folder for the file. Raises RunError."""
        self.jobs, self._file, self._output, self._said = tuple(jobs), "", "", ""
        self.begun: Job | None = None
        *others, last = jobs
        if last.output != STREAM:
            return
        if start == "resume" or not others:
            check_start(last, start)
        extension = extension_of(last.output_form.format)
        self._file = str(folder() / f"{last.step or 'results'}.{extension}")
        last = replace(last, output=self._file)
        outputs = tuple(self._file if output == STREAM else output for output in last.step_outputs)
        self.jobs = tuple(replace(job, step_outputs=outputs) for job in (*others, last))
        self._output = self._file if not last.step else self._folder_of_all(load)

    def _folder_of_all(self, load: Load) -> str:
        """Return the folder that is the `--output` of the same steps, or an empty text.

        There is none if other steps have their files elsewhere, or options are only for standard output.
        """
        folder = str(Path(self._file).parent)
        try:
            return folder if tuple(load(folder)) == self.jobs else ""
        except RunError:
            return ""

    def begin(self, job: Job) -> str:
        """Return what to say when a step or the run begins; an empty text if there is nothing new to say."""
        self.begun, before = job, self._said
        self._said = f"if the run is interrupted, it {self.how_to_continue}" if self._file else ""
        return self._said if self._said != before else ""

    @property
    def are_complete(self) -> bool:
        """Whether the file has all results."""
        return os.path.exists(self._file)

    @property
    def how_to_continue(self) -> str:
        """The options that continue the run after it was interrupted, or the command that removes it."""
        if self._output and all(job.input != STREAM for job in self.jobs):
            return f"can be continued with the options --resume --output {shlex.quote(self._output)}"
        output = self.begun.output if self.begun else self._file
        if os.path.exists(output):
            return "cannot be continued"  # It ended between two steps, so that nothing is left of it.
        return f"cannot be continued; `ninjaone rerun {shlex.quote(output)} --discard` removes it"

    def print(self) -> None:
        """Write the results of a complete run to standard output. Raises RunStoppedError."""
        if not self._file or not self.are_complete:
            return
        try:
            with open(self._file, "rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except OSError as error:
            raise RunStoppedError(
                f"standard output cannot be written: {error.strerror}; the results are in {self._file}"
            ) from error
