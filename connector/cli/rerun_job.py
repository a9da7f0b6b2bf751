"""The `rerun` command for a job with steps; see `connector.runs.job_rerun`."""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connector.catalog.catalog import Catalog
from connector.cli.action_sources import open_catalog
from connector.cli.remaining import Remaining, codes_text, named_by, service_title
from connector.cli.rerun_checked import ALL
from connector.cli.rerun_input import check_input, corrected_settings
from connector.common.clock import SystemClock
from connector.errors import RunError, count_of
from connector.runs.job import Job
from connector.runs.job_repair import read_corrected_rows
from connector.runs.job_rerun import FinishedJob, RerunFolder, job_of_rerun
from connector.runs.prepared import Prepared, naming, prepare, with_one_state
from connector.runs.records import find
from connector.runs.repair import FailedRow
from connector.runs.tenant_accounts import account_of


def prepare_rerun(steps: Sequence[Job], options: argparse.Namespace) -> tuple[list[Prepared], Remaining]:
    """Return the prepared steps of a rerun after printing its plan, and the failed rows that are not in it.

    There are no steps if there is nothing to do. Raises RunError.
    """
    for name in ("output", "key"):
        if getattr(options, name):
            raise RunError(f"--{name} is for a run without steps; a rerun of a job has its own folder")
    if options.restart:
        raise RunError("--restart would repeat rows of this rerun that succeeded; use --resume")
    catalog = open_catalog(options)
    steps = with_one_state(steps, catalog)
    job = FinishedJob(steps, options.of if options.of.is_dir() else None)
    rerun = _choose(job, options)
    warn_of_unknown(job)
    of_input = bool(options.corrected or rerun.corrected)
    chosen = [_choose_rows(job, step, rerun, of_input=of_input) for step in steps]
    print(_plan(job, chosen, as_json=options.json), file=sys.stderr)
    service = service_title(catalog, [step.action for step in steps])
    remaining = Remaining(named_by(options), _in_doubt(chosen), sum(its.others for its in chosen), service)
    if not any(its.numbers for its in chosen) and not rerun.singles and rerun is not job.unfinished:
        return [], remaining
    prepared = _prepare(job, rerun, chosen, options, catalog)
    if rerun is not job.unfinished:
        job.write(rerun)
    return prepared, remaining


def warn_of_unknown(job: FinishedJob) -> None:
    """Print a warning for each step whose failed rows are not known."""
    for name in job.unknown:
        print(
            f'step "{name}": which of its rows failed is not known, because its output has no envelopes; use '
            "JSON Lines or JSON, or `errors`",
            file=sys.stderr,
        )


@dataclass(frozen=True)
class _Chosen:
    """The rows of a step that failed, and the numbers of those that are run again."""

    step: Job
    failed: Mapping[int, FailedRow]
    numbers: array[int]

    @property
    def in_doubt(self) -> Counter[str]:
        """The number of failed rows that must be checked first, by `meta.code`."""
        chosen = set(self.numbers)
        return Counter(row.code for n, row in self.failed.items() if not (row.can_run or n in chosen))

    @property
    def checked(self) -> int:
        """The number of rows that are run again after a check."""
        return sum(not self.failed[number].can_run for number in self.numbers)

    @property
    def others(self) -> int:
        """The number of failed rows that could be run again, and are not."""
        chosen = set(self.numbers)
        return sum(row.can_run and n not in chosen for n, row in self.failed.items())


def _in_doubt(chosen: Sequence[_Chosen]) -> Counter[str]:
    return sum((its.in_doubt for its in chosen), Counter[str]())


def _choose(job: FinishedJob, options: argparse.Namespace) -> RerunFolder:
    """Return the rerun to start or to resume. Raises RunError."""
    command = f"ninjaone rerun {shlex.quote(str(options.of))} --resume"
    if options.resume:
        if job.unfinished is None:
            raise RunError(f"{job.folder}: there is no unfinished rerun to resume")
        if options.corrected or options.transient or options.checked is not None:
            raise RunError(
                f"{job.unfinished.path}: an unfinished rerun has the rows with which it started: {command}"
            )
        return job.unfinished
    if job.unfinished:
        raise RunError(
            f"{job.unfinished.path}: this rerun is unfinished; use --resume to continue it: {command}"
        )
    is_all = options.checked is not None and options.checked.strip().lower() == ALL
    if options.checked is not None and not (is_all and options.corrected):
        raise RunError(
            "--checked: for a job with steps, use `--checked all` with --input FILE, a file that `ninjaone "
            "failed` has written with --code, and that has only the rows you have checked"
        )
    read_settings = corrected_settings(options)
    if not read_settings:
        return job.new_rerun({}, is_transient=options.transient)
    rerun = job.new_rerun({}, is_transient=False)
    source = replace(job.steps[0], **read_settings).source()
    rows = read_corrected_rows(source, options.corrected, [step.step for step in job.steps])
    kept = {}
    for step in job.steps:
        failed = job.failed(step, rerun)
        its = rows.get(step.step, {})
        kept[step.step] = {n: row for n, row in its.items() if n in failed and (failed[n].can_run or is_all)}
    skipped = sum(map(len, rows.values())) - sum(map(len, kept.values()))
    if skipped and not options.json:
        others = count_of(skipped, "row")
        print(
            f"{options.corrected}: {others} skipped: only failed rows that can be retried are run",
            file=sys.stderr,
        )
    return replace(rerun, corrected={step: its for step, its in kept.items() if its})


def _choose_rows(job: FinishedJob, step: Job, rerun: RerunFolder, *, of_input: bool) -> _Chosen:
    failed = job.failed(step, rerun)
    numbers = [number for number, row in failed.items() if row.can_run]
    if of_input:
        numbers = sorted(rerun.corrected.get(step.step, {}))
    if rerun.is_transient:
        numbers = [number for number in numbers if failed[number].kind == "retry"]
    return _Chosen(step, failed, array("Q", numbers))


def _plan(job: FinishedJob, chosen: Sequence[_Chosen], *, as_json: bool) -> str:
    """Return a line with the number of rows of each step that are run again, and of those that are not."""
    in_doubt = _in_doubt(chosen)
    if as_json:
        rows = {its.step.step: len(its.numbers) for its in chosen}
        return json.dumps({"rerun_of": str(job.folder), "rows": rows, "in_doubt": dict(in_doubt)})
    again = [f"{count_of(len(its.numbers), 'row')} of {its.step.step}" for its in chosen if its.numbers]
    parts = [f"{job.folder}: " + (f"{', '.join(again)} to run again" if again else "no rows to rerun")]
    if checked := sum(its.checked for its in chosen):
        parts[0] += f", {checked} of them checked"
    if in_doubt:
        parts.append(f"{in_doubt.total()} to check first ({codes_text(in_doubt)}), not run")
    return "; ".join(parts)


def _prepare(
    job: FinishedJob,
    rerun: RerunFolder,
    chosen: Sequence[_Chosen],
    options: argparse.Namespace,
    catalog: Catalog,
) -> list[Prepared]:
    """Return the prepared steps of a rerun. Raises RunError."""
    now = SystemClock().now()
    prepared = []
    for its in chosen:
        step, corrected = its.step, job.corrected(its.step, rerun)
        reads_file = not step.follows and any(number not in corrected for number in its.numbers)
        with naming(step):
            if reads_file:
                check_input(step, max(its.numbers))
            ready = prepare(job_of_rerun(step, rerun, reads_file=reads_file), catalog, now=now)
        ready = replace(ready, rerun=job.rerun_of(step, rerun, its.numbers, its.failed))
        if options.connection is None and options.allow_connections is None:
            _check_account(ready, step)
        prepared.append(ready)
    services = {step.service.name for step in prepared}
    if options.connection is not None and len(services) > 1:
        raise RunError("--connection: the steps of the job use several services")
    return prepared


def _check_account(prepared: Prepared, step: Job) -> None:
    """Raise RunError if the connection uses another account than the run."""
    record = find(Path(step.output))
    now = hashlib.sha256(account_of(prepared).key.encode()).hexdigest()
    if record and record.fingerprint.get("connection", now) != now:
        raise RunError(
            f'step "{step.step}": the connection uses another account than the run; if this is intended, use '
            "--connection"
        )
