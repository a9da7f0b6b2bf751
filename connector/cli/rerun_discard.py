"""`ninjaone rerun --discard`: removes an unfinished run."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from connector.cli.main import OK
from connector.cli.worker import TASK_QUEUE, require_temporal
from connector.common.json_text import Json
from connector.errors import RunError, count_of
from connector.files.unfinished import SentRequests
from connector.runs.record import Record
from connector.runs.records import find, list_records
from connector.runs.run_stores import FILES
from connector.state.setting import find_state, shown

if TYPE_CHECKING:
    from connector.state.unfinished_run import UnfinishedRun, Workflow


def discard(options: argparse.Namespace) -> int:
    """Remove an unfinished run. Raises RunError."""
    of, record = options.of, find(options.of)
    if options.export:
        raise RunError("--discard cannot be used with --export: save the results first, then discard the run")
    state = find_state(options.state, record.job.state if record else "")

    def check(sent: SentRequests) -> None:
        if (sent.count or not sent.complete) and not options.yes:
            requests = count_of(sent.count, "request") if sent.complete else "requests"
            raise RunError(
                f"{of}: the unfinished run has sent {requests} not safe to repeat, which only its journal "
                "lists; --export FILE saves its results. Use --yes to remove it"
            )

    workflow = None
    if state:
        workflow = _discard_in_database(state, of, record, check)
    else:
        if not FILES.is_interrupted(of):
            raise RunError(f"{of}: there is no unfinished run")
        FILES.check_not_running(of)
        check(FILES.sent_by_unfinished_run(of))
        FILES.discard(of, keep_output=True)
    if workflow:
        _end(of, workflow._replace(address=options.on or workflow.address), as_json=options.json)
    else:
        print(json.dumps({"discarded": str(of)}) if options.json else _removed(of), file=sys.stderr)
    return OK


def _removed(of: Path) -> str:
    return f"{of}: the unfinished run was removed"


def _end(of: Path, workflow: Workflow, *, as_json: bool) -> None:
    """Cancel the workflow of a run that was removed, and print what was done.

    Its id is printed even if this is interrupted, because nothing else has it now.
    """
    if not as_json:
        print(f"{_removed(of)}; its workflow in Temporal is {workflow.id}", file=sys.stderr, flush=True)
    ended = _Ended(why_not="the command was interrupted")
    try:
        ended = _cancel(workflow)
    finally:
        done = {"discarded": str(of), "workflow": workflow.id, **ended.as_json()}
        print(json.dumps(done) if as_json else _text_of(workflow, ended), file=sys.stderr)


class _Ended(NamedTuple):
    """Whether a workflow had ended before; if not, why it was not cancelled, or an empty text."""

    had_ended: bool = False
    why_not: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return whether the workflow was cancelled, and whether it had ended before."""
        return {"cancelled": not (self.had_ended or self.why_not), "had_ended": self.had_ended}


def _cancel(workflow: Workflow) -> _Ended:
    """Cancel the workflow of a run that was removed."""
    if not workflow.address:
        return _Ended(why_not="the address of its Temporal server is unknown")
    try:
        require_temporal()
        from connector.temporal.address import read_address  # imported only if it is used
        from connector.temporal.engine import Engine

        with closing(Engine(read_address(workflow.address, TASK_QUEUE))) as engine:
            state = engine.state(workflow.id)
            if state in ("completed", "failed"):
                return _Ended(had_ended=True)
            if state == "none":
                return _Ended(why_not=f"{engine.address.host} has no such workflow")
            if state == "cancelled" or (state == "running" and engine.cancel(workflow.id)):
                return _Ended()
            return _Ended(why_not=f"{engine.address.host}: the Temporal server does not respond")
    except RunError as error:
        return _Ended(why_not=str(error))


def _text_of(workflow: Workflow, ended: _Ended) -> str:
    """Return a sentence on the workflow of a run that was removed."""
    if ended.had_ended:
        return f"the workflow {workflow.id} had already ended"
    if not ended.why_not:
        return f"the workflow {workflow.id} is cancelled"
    return (
        f"the workflow was not cancelled ({ended.why_not}): its next chunk of rows will fail. If it is still "
        f"running, cancel it: temporal workflow cancel --workflow-id {workflow.id}"
    )


def _discard_in_database(
    state: str, of: Path, record: Record | None, check: Callable[[SentRequests], None]
) -> Workflow | None:
    """Remove the run that the record names; return its workflow, or None. Raises RunError.

    Another job can have an output of the same name, so a run without a record of this file is kept.
    """
    from connector.state.databases import open_database  # imported only if it is used
    from connector.state.unfinished_run import discard_unfinished, find_unfinished

    database = open_database(state)
    found = find_unfinished(database, of, record.run_id if record else None)
    for run in found:
        if record and run.is_recorded(record.run_id, record.fingerprint):
            return discard_unfinished(database, of, run.id, check)
    if found:
        raise _of_another_job(of, found[0], shown(state))
    raise RunError(f"{of}: there is no unfinished run in {shown(state)}")


def _of_another_job(of: Path, run: UnfinishedRun, database: str) -> RunError:
    """Return the error for an unfinished run that is not recorded as the run of an output."""
    started = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(run.started))
    owner = next((r for r in list_records() if run.is_recorded(r.run_id, r.fingerprint)), None)
    if owner:
        machine = f" on {owner.process.machine}" if owner.process else ""
        which = f"runs {owner.job.action} to {owner.output}{machine}"
        advice = f"`ninjaone rerun {shlex.quote(str(owner.output))} --discard` removes it"
    else:
        which = "has no record"
        advice = "run its job with --resume to finish it, or with --restart to replace it"
    return RunError(
        f"{of}: nothing was removed: the unfinished run of {run.output} in {database} is not recorded as the "
        f"run of this file. It was started {started} and {which}; {advice}"
    )
