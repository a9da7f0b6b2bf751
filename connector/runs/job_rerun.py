"""Reruns of a job with steps: failed rows go through the step in which they failed, and all that follow.

Each rerun has a folder beside the output of the first step: `rerun`, `rerun-2` and so on. It has the output
of each step, NAME.jsonl, and a file `rerun.json` with what is needed to resume the rerun: digests of the
outputs of the run, the names of earlier reruns, the corrected rows, and the outputs of reruns of single steps
whose rows go on to the following steps in this rerun.

**Row numbers.** The rows of a step that reads a file have their numbers in the file. The rows of a step that
follows another are numbered over all outputs of that step: first the output of the run, then those of each
rerun, in order (the chain). A row keeps its number in all reruns, so that it is clear which rows succeeded.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from connector.common import json_text
from connector.common.file_modes import PRIVATE_FOLDER
from connector.common.json_text import Json
from connector.common.user_folders import write_whole
from connector.errors import RunError, count_of
from connector.files.output_formats import TABLES, format_of
from connector.files.readers import InputRow, RowSource
from connector.runs.job import Job
from connector.runs.output_names import absolute
from connector.runs.records import envelopes_format, find
from connector.runs.repair import FailedRow, find_failed
from connector.runs.rerun import RERUN_SETTINGS, ChainFile, Rerun, read_ends
from connector.runs.rerun_outputs import JOB_RERUN, find_relatives, later_reruns
from connector.runs.run_stores import store_of

VERSION = 1
"""The version of `rerun.json`."""
_FOLDER = re.compile(r"rerun(?:-([2-9]|[1-9]\d{1,8}))?")

Corrected = Mapping[str, Mapping[int, InputRow]]
"""Corrected rows by step and row number."""


@dataclass(frozen=True)
class RerunFolder:
    """One rerun of a job. `is_transient` or `corrected` select its rows; default: all that can be retried.

    `singles` has the outputs of reruns of single steps that are part of the chain from this rerun on.
    """

    path: Path
    is_transient: bool = False
    corrected: Corrected = field(default_factory=dict)
    singles: Mapping[str, Sequence[Path]] = field(default_factory=dict)

    def output(self, job: Job) -> Path:
        """Return the output of a step."""
        return self.path / f"{job.step}.jsonl"


class FinishedJob:
    """The outputs of a finished job and of its reruns. Raises RunError if a step is not finished.

    The steps have the setting `state` of their run.
    `folder` is the path of the folder of its outputs; default: that of the output of its first step.
    `reruns` are the finished ones, in order; `unfinished` is one that can be resumed, or None.
    """

    def __init__(self, steps: Sequence[Job], folder: Path | None = None) -> None:
        self.steps = steps
        self.folder = folder or Path(steps[0].output).parent
        self._state = steps[0].state
        self._store = store_of(self._state)
        for step in steps:
            self._check_complete(step)
        self._digests = {step.step: _digest(Path(step.output)) for step in steps}
        self.reruns: list[RerunFolder] = []
        self.unfinished: RerunFolder | None = None
        self._next = 1
        for number, path in _numbered_folders(self.folder):
            self._add(path)
            self._next = number + 1 if any(self._begun(path)) else number

    @property
    def unknown(self) -> list[str]:
        """The names of the steps whose outputs do not have envelopes, so that failed rows are not known."""
        return [step.step for step in self.steps if envelopes_file(step) is None]

    def _check_complete(self, step: Job) -> None:
        path = Path(step.output)
        if self._store.is_interrupted(path) or not path.is_file():
            raise RunError(
                f'{self.folder}: the step "{step.step}" is not finished ({path}); continue the job with '
                "`run JOB.yaml --resume` first"
            )

    def _begun(self, path: Path) -> Iterator[bool]:
        outputs = (RerunFolder(path).output(step) for step in self.steps)
        return (self._store.is_interrupted(output) or output.exists() for output in outputs)

    def _add(self, path: Path) -> None:
        """Add the rerun in a folder, unless it has not begun, or the outputs of the job were replaced."""
        head = _read_head(path)
        if head is None or head["of"] != self._digests or not any(self._begun(path)):
            return
        known = [rerun.path.name for rerun in self.reruns]
        if missing := [name for name in head["after"] if name not in known]:
            raise RunError(
                f"{self.folder / missing[0]}: the results of this rerun were removed, so it is not known "
                "which rows succeeded. Restore the folder"
            )
        rerun = _parse_head(head, path, self.folder)
        outputs = [rerun.output(step) for step in self.steps]
        if all(output.is_file() and not self._store.is_interrupted(output) for output in outputs):
            self.reruns.append(rerun)
        else:
            self.unfinished = rerun

    def new_rerun(self, corrected: Corrected, *, is_transient: bool) -> RerunFolder:
        """Return a rerun that has not begun."""
        singles = {step.step: self._new_singles(step) for step in self.steps}
        singles = {step: paths for step, paths in singles.items() if paths}
        name = f"rerun-{self._next}" if self._next > 1 else "rerun"
        return RerunFolder(self.folder / name, is_transient, corrected, singles)

    def write(self, rerun: RerunFolder) -> None:
        """Write `rerun.json`, before the rerun begins. Raises RunError."""
        rows = [
            {"step": step, "row": number, "data": row.data}
            for step, its in rerun.corrected.items()
            for number, row in its.items()
        ]
        head: dict[str, Json] = {
            "rerun": VERSION,
            "of": dict(self._digests),
            "after": [earlier.path.name for earlier in self.reruns],
            "transient": rerun.is_transient,
            "singles": {
                step: [os.path.relpath(path, self.folder) for path in paths]
                for step, paths in rerun.singles.items()
            },
            "corrected": rows,
        }
        try:
            rerun.path.mkdir(PRIVATE_FOLDER, exist_ok=True)
            write_whole(rerun.path / JOB_RERUN, json_text.dump_bytes(head) + b"\n", durable=True)
        except OSError as error:
            raise RunError(f"{rerun.path}: cannot be written: {error.strerror}") from error

    def _new_singles(self, step: Job) -> tuple[Path, ...]:
        """Return the outputs of finished reruns of a step alone that are not in the chain yet."""
        of = envelopes_file(step)
        if of is None:
            return ()
        known = {absolute(path) for its in self.reruns for path in its.singles.get(step.step, ())}
        relatives = {path for path in find_relatives(of) if not (path.parent / JOB_RERUN).is_file()} - known
        for path in relatives:
            if self._store.is_interrupted(path):
                raise RunError(f"{path}: this rerun is unfinished; wait until it ends, or continue it first")
        return tuple(later_reruns(of, relatives, self._state))

    def files(self, step: Job, rerun: RerunFolder) -> Iterator[tuple[Path, bool]]:
        """Yield the outputs of reruns of a step, in order, and whether they are new in `rerun`."""
        for its in (*self.reruns, rerun):
            for path in its.singles.get(step.step, ()):
                yield path, its is rerun
            yield its.output(step), its is rerun

    def failed(self, step: Job, rerun: RerunFolder) -> dict[int, FailedRow]:
        """Return the failed rows of a step before a rerun, by number. Raises RunError."""
        of = envelopes_file(step)
        if of is None:
            return {}
        earlier = [path for path, _ in self.files(step, rerun) if path != rerun.output(step)]
        failed = find_failed(of, envelopes_format(of, step), earlier, new_rows=True)
        if not rerun.corrected:
            _check_not_corrected(rerun.singles.get(step.step, ()), failed)
        return failed

    def corrected(self, step: Job, rerun: RerunFolder) -> dict[int, InputRow]:
        """Return the corrected rows of a step, from all reruns."""
        return {
            n: row for its in (*self.reruns, rerun) for n, row in its.corrected.get(step.step, {}).items()
        }

    def rerun_of(
        self,
        step: Job,
        rerun: RerunFolder,
        numbers: array[int],
        failed: Mapping[int, FailedRow] = MappingProxyType({}),
    ) -> Rerun:
        """Return the rerun of a step's rows with these numbers, and of the new rows of the step before it."""
        corrected = self.corrected(step, rerun)
        chain: list[ChainFile] = []
        if step.follows:
            earlier = next(other for other in self.steps if other.step == step.follows)
            files = [(Path(earlier.output), False), *self.files(earlier, rerun)]
            before = 0
            for path, fresh in files:
                format = earlier.output_form.format if path == files[0][0] else format_of(str(path), None)
                chain.append(ChainFile(path, format, before, fresh))
                if path != files[-1][0]:
                    before += RowSource(str(path), format).count() or 0
        of = absolute(envelopes_file(step) or step.output)
        done = {number: failed[number].done for number in numbers if number in failed and failed[number].done}
        checked = frozenset(n for n in numbers if n in failed and not failed[n].can_run)
        return Rerun(of, numbers, corrected or None, chain, done, checked)


def why_finished(steps: Sequence[Job], *, are_reads: bool) -> str:
    """Return why a finished job cannot be resumed, with the command that reruns its failed rows.

    `--restart` is named only if all steps `are_reads`: others would send their requests twice.
    """
    restart = "--restart to run all rows of all steps again"
    job = FinishedJob(steps)
    rerun = f"`rerun {shlex.quote(str(job.folder))}"
    if (job.folder / JOB_RERUN).is_file():
        return "all steps of this rerun are finished, nothing to resume"
    if job.unfinished:
        return f"all steps are finished, but not a rerun of their failed rows: {rerun} --resume` continues it"
    before = job.new_rerun({}, is_transient=False)
    failed = {step.step: len(job.failed(step, before)) for step in steps}
    counts = ", ".join(f"{count_of(count, 'row')} of {name}" for name, count in failed.items() if count)
    if not counts:
        return "all steps are finished, nothing to resume" + (f"; use {restart}" if are_reads else "")
    other = f", or {restart}" if are_reads else ""
    return f"all steps are finished, nothing to resume, but {counts} failed: use {rerun}`{other}"


def envelopes_file(step: Job) -> Path | None:
    """Return the file with the envelopes of a step's failed rows; None if there is none."""
    path = step.errors if step.results else Path(step.output)
    if path is None or not path.is_file():
        return None
    return None if envelopes_format(path, step) in TABLES else path


def job_of_rerun(step: Job, rerun: RerunFolder, *, reads_file: bool) -> Job:
    """Return the settings of a step in a rerun. `reads_file` is true if it reads rows of its input file."""
    job = replace(step, output=str(rerun.output(step)), output_format=None, **RERUN_SETTINGS)
    if step.follows:
        folder = rerun.path
        return replace(job, input=str(folder / f"{step.follows}.jsonl"), input_format="jsonl")
    if reads_file:
        return job
    unread: dict[str, Any] = dict.fromkeys(("delimiter", "encoding", "sheet"))
    head = str(rerun.path / JOB_RERUN)
    return replace(job, input=head, input_format="json", records="corrected", **unread)


def _check_not_corrected(singles: Sequence[Path], failed: Mapping[int, FailedRow]) -> None:
    """Raise RunError if a rerun of a step alone had corrected data for rows that failed again."""
    for path in singles:
        record = find(path)
        corrected = record and "corrected" in record.fingerprint
        ends = read_ends(path, format_of(str(path), None)) if corrected else ()
        if record and any(end.has_error and end.row in failed for end in ends):
            raise RunError(
                f"{path}: an earlier rerun has corrected failed rows in {record.job.input}; correct them "
                "again: `failed OUTDIR -o FILE`, then `rerun OUTDIR --input FILE`"
            )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _numbered_folders(folder: Path) -> list[tuple[int, Path]]:
    found = [(match, path) for path in folder.iterdir() if (match := _FOLDER.fullmatch(path.name))]
    return sorted((int(match[1] or 1), path) for match, path in found if path.is_dir())


def _read_head(path: Path) -> dict[str, Json] | None:
    """Return the content of a rerun's file; None if there is none. Raises RunError if it cannot be read."""
    file = path / JOB_RERUN
    try:
        head = json_text.loads(file.read_text("utf-8"))
        if head["rerun"] != VERSION:
            raise ValueError(f"its version is {head['rerun']}, and this version reads {VERSION}")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{file}: cannot be read: {error}") from error
    found: dict[str, Json] = head
    return found


def _parse_head(head: Mapping[str, Json], path: Path, folder: Path) -> RerunFolder:
    corrected: dict[str, dict[int, InputRow]] = {}
    for row in head["corrected"]:
        corrected.setdefault(row["step"], {})[row["row"]] = InputRow(row["row"], row["data"])
    singles = {step: tuple(folder / name for name in names) for step, names in head["singles"].items()}
    return RerunFolder(path, head["transient"], corrected, singles)
