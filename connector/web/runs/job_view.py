"""Jobs with steps, as pages show them: one run with its steps."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connector.runs.job import STREAM
from connector.runs.output_names import absolute, id_of
from connector.runs.records import Record
from connector.web.runs.run_view import RunView, State

_FIRST: Sequence[State] = ("running", "killed", "stopped")
"""The states of a step that are also the state of its job, the most important first."""


@dataclass(frozen=True)
class JobView:
    """A job: `whole` has its state and counts. `waiting` has the names of the steps without a run.

    `rerun` is the command that runs the failed rows of all steps again, if there are any.
    """

    name: str
    whole: RunView
    steps: Sequence[RunView]
    waiting: Sequence[str] = ()
    rerun: str = ""


def step_ids(record: Record) -> list[str]:
    """Return the ids of all steps of the job of a step, in order; empty for a run without steps."""
    outputs = _outputs(record)
    return [id_of(output) for output in outputs] if record.output in outputs else []


def job_id(record: Record) -> str:
    """Return the id of the first step of a step's job, or the id of a run without steps."""
    return (step_ids(record) or [record.id])[0]


def make_job_view(record: Record, steps: Mapping[str, RunView]) -> JobView:
    """Return the job of a step as pages show it; `steps` has the runs of its steps by id."""
    outputs = _outputs(record)
    begun = [steps[id_of(output)] for output in outputs if id_of(output) in steps]
    waiting = [output.stem for output in outputs if id_of(output) not in steps]
    states = {step.state for step in begun}
    state: State = next((its for its in _FIRST if its in states), "stopped" if waiting else "finished")
    newest = max(begun, key=lambda step: step.began)
    failed = sum(step.failed for step in begun)
    folder = outputs[0].parent
    whole = RunView(
        job_id(record),
        newest.action,
        folder.name,
        newest.effect,
        newest.where,
        min(step.began for step in begun),
        state,
        done=sum(step.done for step in begun),
        succeeded=sum(step.succeeded for step in begun),
        failed=failed,
        is_stopping=any(step.is_stopping for step in begun),
    )
    may_rerun = state == "finished" and any(step.rerunnable for step in begun)
    command = shlex.join(["ninjaone", "rerun", str(folder)]) if may_rerun else ""
    return JobView(folder.name, whole, begun, waiting, command)


def _outputs(record: Record) -> list[Path]:
    return [absolute(name) for name in record.job.step_outputs if Path(name).name != STREAM]
