"""The summary of a command's runs, as text and as JSON."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from connector.cli.progress import duration, rate_text
from connector.common.existing_files import require_kind
from connector.common.user_folders import write_whole
from connector.errors import RunError, count_of, shorten
from connector.files.output_formats import TABLES, format_of
from connector.runs.exit_codes import OK, exit_code_of
from connector.runs.job import STREAM, Job
from connector.runs.output_names import absolute
from connector.runs.summary import Summary
from connector.runs.summary_document import SummaryDocument

if TYPE_CHECKING:
    from connector.cli.notifier import Notifier

_MARK = re.compile(rb'\A\s*\{\s*"summary":')


class Report(SummaryDocument):
    """A context manager that collects the summaries of a command's runs and writes them to `path` at the end.

    While the command runs, and after a kill, the file has the state `begun`, so that a reader does not take
    the summary of an earlier command for this one. Without a path, nothing is written. The `notifier` sends
    the summary at the end. `exit_code` is the exit code of a command that ends without an error.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        self.path, self.exit_code, self._message = path, OK, ""
        self.notifier: Notifier | None = None

    def write_to(self, path: Path | None) -> None:
        """Write to this path, if the command line does not name one. Raises RunError."""
        if path and not self.path:
            require_kind(path, "a run summary", _MARK)
            self.path = path
            self.__enter__()

    def notify_by(self, notifier: Notifier | None) -> None:
        """Report the start by a notifier now, if there is one, and the end when the command ends."""
        self.notifier = notifier
        if notifier:
            notifier.start()

    def require(self, exit_code: int, message: str) -> None:
        """Set the lowest exit code of a command that ends without an error, with its reason."""
        self.exit_code, self._message = max(self.exit_code, exit_code), message

    def __enter__(self) -> Report:
        if self.path:
            require_kind(self.path, "a run summary", _MARK)
            try:
                if not _is_device(self.path):
                    _write(self.path, self.as_json(None))
            except OSError as error:
                raise RunError(f"{self.path}: the summary cannot be written: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not (self.path or self.notifier):
            return
        exit_code = self.exit_code if error is None else exit_code_of(error)
        document = self.as_json(exit_code, str(error or self._message))
        if self.path:
            try:
                _write(self.path, document)
            except OSError as fault:
                reason = f"the summary cannot be written: {fault.strerror}"
                print(f"ninjaone: {self.path}: {reason}", file=sys.stderr)
        if self.notifier:
            self.notifier.finish(document)


def _is_device(path: Path) -> bool:
    """Return whether a path is a pipe or a device, which must not be replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _write(path: Path, document: dict[str, Any]) -> None:
    content = json.dumps(document, indent=1).encode() + b"\n"
    if _is_device(path):
        path.write_bytes(content)
    else:
        write_whole(path, content, mode=0o666)


def describe(
    job: Job,
    summary: Summary | None,
    *,
    may_rerun: bool = True,
    service: str = "the service",
    hide_output: bool = False,
    rerun_of: Path | None = None,
) -> str:
    """Return the summary of a run as text: counts, error codes with examples, and the next commands.

    A `summary` of None stands for a step that was already finished. `service` is the service's title.
    With `hide_output`, the output is not named. `rerun_of` is the output of the run whose rows it reran.
    """
    if summary is None:
        return f"{job.label}: already finished\n{_content(job)}: {job.output}"
    lines = [
        _headline(job, summary, "accepted" if summary.is_accepted else "succeeded"),
        *_left_out(job, summary),
    ]
    if summary.is_accepted and summary.succeeded:
        lines.append(f"  accepted: {service} has queued the work; it may not be done yet")
    for code, count in sorted(summary.codes.items(), key=lambda item: -item[1]):
        lines.append(f"  {count} {code}, for example {summary.examples[code]}")
    for name, its in sorted(summary.connections.items()):
        if its["failed"]:
            lines.append(f"  {name}: {its['failed']} of {count_of(its['rows'], 'row')} failed")
    if summary.warned:
        lines.append(f"  {summary.warned} with a warning, for example {summary.warning}")
    if summary.existed:
        lines.append(f"  {summary.existed} existed already, so that nothing was created")
    if summary.shared:
        distinct = shorten(" ".join(job.distinct.split()))
        has = "row has" if summary.shared == 1 else "rows have"
        lines.append(f"  {summary.shared} {has} the result of an earlier row, by `distinct: {distinct}`")
    if summary.pace:
        sent = f"{summary.pace.throttled} of {count_of(summary.pace.requests, 'request')} throttled"
        lines.append(f"  pace: {summary.pace.interval_text} at the end, {sent}")
    if summary.truncated:
        lines.append(f"  {count_of(summary.truncated, 'list')} truncated at the limit")
    if summary.failed:
        output = _output_with_failed_rows(job, rerun_of)
        lines += _what_next(job, summary, service, output, may_rerun=may_rerun)
    if summary.stopped:
        how = "use --resume to continue" if STREAM not in (job.output, job.input) else "it cannot be resumed"
        lines.append(f"stopped early; {how}")
    elif job.output != STREAM and not hide_output:
        lines.append(f"{_content(job)}: {job.output}")
    if job.errors and summary.failed and not summary.stopped:
        lines.append(f"failed rows: {job.errors}")
    return "\n".join(lines)


def _content(job: Job) -> str:
    return "results" if job.results else "envelopes"


def _headline(job: Job, summary: Summary, succeeded: str) -> str:
    now = summary.rows - summary.resumed_rows
    rate = f" ({rate_text(now / summary.seconds)})" if now and summary.seconds >= 1 else ""
    before = f" ({summary.resumed_rows} of them before it was interrupted)" if summary.resumed_rows else ""
    return (
        f"{job.label}: {count_of(summary.rows, 'row')}{before}, {summary.succeeded} {succeeded}, "
        f"{summary.failed} failed, "
        f"in {duration(summary.seconds)}{rate}"
    )


def _left_out(job: Job, summary: Summary) -> Iterator[str]:
    if failed := summary.left_out.get("failed"):
        yield f'  {count_of(failed, "row")} skipped: failed in the step "{job.follows}"'
    if unselected := summary.left_out.get("only"):
        only = shorten(" ".join(job.only.split()))
        yield f"  {count_of(unselected, 'row')} skipped: not selected by `only: {only}`"


def _output_with_failed_rows(job: Job, rerun_of: Path | None) -> str:
    """Return the quoted name of the file from which failed rows can be rerun, or an empty text.

    It is the folder of the outputs if the job has steps, and the output of the first run after a rerun.
    """
    if job.step_outputs:
        return shlex.quote(str(Path(job.step_outputs[0]).parent))
    if rerun_of:
        beside = Path(job.output).with_name(rerun_of.name)
        return shlex.quote(str(beside if absolute(beside) == rerun_of else rerun_of))
    if job.errors:
        return shlex.quote(str(job.errors)) if format_of(str(job.errors), None) not in TABLES else ""
    return shlex.quote(job.output) if job.output != STREAM and job.output_form.has_envelopes else ""


def _what_next(job: Job, summary: Summary, service: str, output: str, *, may_rerun: bool) -> Iterator[str]:
    """Yield the numbers of failed rows to retry, to fix first and to check first, with the next commands."""
    retry, fix, check = (summary.kinds[kind] for kind in ("retry", "fix", "check"))
    may_rerun = may_rerun and output != "" and job.input != STREAM and not summary.stopped
    if retry:
        how = f": ninjaone rerun {output} --transient" if may_rerun else ""
        yield f"{count_of(retry, 'failed row')} to retry as is{how}"
    if fix:
        how = (
            f": ninjaone failed {output} -o FILE, then ninjaone rerun {output} --input FILE"
            if may_rerun
            else ""
        )
        yield f"{count_of(fix, 'failed row')} to fix first{how}"
    if check:
        unknown = summary.codes.get("outcome_unknown", 0)
        of_these = f" ({unknown} outcome_unknown)" if unknown else ""
        yield (
            f"{count_of(check, 'failed row')} to check first{of_these}: may have taken effect, completely "
            f"or in part; check in {service} before you send them again"
        )
