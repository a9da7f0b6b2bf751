"""The exit codes of a command that runs jobs, which are also in its summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.errors import RunError, RunInterruptedError, RunStoppedError

if TYPE_CHECKING:
    from connector.runs.summary import Summary

OK, ROWS_FAILED, NOTHING_RUN, STOPPED, OUR_FAULT, INTERRUPTED = 0, 1, 2, 3, 4, 130


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of a command that ends with an error."""
    if isinstance(error, RunError):
        return NOTHING_RUN
    if isinstance(error, (KeyboardInterrupt, RunInterruptedError)):
        return INTERRUPTED
    return STOPPED if isinstance(error, (RunStoppedError, BrokenPipeError)) else OUR_FAULT


def exit_code_of_run(summary: Summary) -> int:
    """Return the exit code of a command whose run ends without an error."""
    if summary.stopped:
        return INTERRUPTED
    failed = summary.failed or summary.left_out.get("failed")
    return ROWS_FAILED if failed else OK
