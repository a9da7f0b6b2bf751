"""Jobs with steps, as pages show them: one run with its steps."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connector.runs.job import STREAM
from connector.runs.output_names import absolute, id_of
from connector.runs.record import Record
from connector.runs.records import find
from connector.runs.run_state import State
from connector.web.runs.run_view import RunView

_FIRST: Sequence[State] = ("running", "killed", "stopped")
"""The states of a step that are also the state of its job, the most important first."""

_BETWEEN_S = 3.0
"""The maximum time between two steps of a running job, in seconds."""


@dataclass(frozen=True)
class JobView:
    """A job: `whole` has its state and counts. `waiting` has the names of the steps without a run.

    `rerun` is the command that runs the failed rows of all steps again, if there are any; `rerunnable` is
    their number.
    """

    name: str
    whole: RunView
    steps: Sequence[RunView]
    waiting: Sequence[str] = ()
    rerun: str = ""
    rerunnable: int = 0


def step_ids(record: Record) -> list[str]:
    """Return the ids of all steps of the job of a step, in order; empty for a run without steps."""
    outputs = _outputs(record)
    return [id_of(output) for output in outputs] if record.output in outputs else []


def job_id(record: Record) -> str:
    """Return the id of the first step of a step's job, or the id of a run without steps."""
    return (step_ids(record) or [record.id])[0]


def make_job_view(record: Record, steps: Mapping[str, RunView], ended: float) -> JobView:
    """Return the job of a step as pages show it; `steps` has the runs of its steps by id.

    `ended` is when the last of them ended, or 0: the next step begins a moment later.
    """
    outputs = _outputs(record)
    begun = [steps[id_of(output)] for output in outputs if id_of(output) in steps]
    waiting = [output.stem for output in outputs if id_of(output) not in steps]
    states = {step.state for step in begun}
    state: State = next((its for its in _FIRST if its in states), "finished")
    if state == "finished" and waiting:
        state = "running" if 0 <= time.time() - ended < _BETWEEN_S else "stopped"
    folder = Path(record.job.step_outputs[0]).parent
    newest = max(begun, key=lambda step: step.began)
    failed = sum(step.failed for step in begun)
    name = str(outputs[0].parent.relative_to(folder.parent)) if record.rerun_of else folder.name
    whole = RunView(
        job_id(record),
        newest.action,
        name,
        newest.effect,
        newest.where,
        min(step.began for step in begun),
        state,
        done=sum(step.done for step in begun),
        succeeded=sum(step.succeeded for step in begun),
        failed=failed,
        can_resume=any(step.can_resume for step in begun),
        is_stopping=any(step.is_stopping for step in begun),
    )
    rerunnable = sum(step.rerunnable for step in begun) if state == "finished" else 0
    command = shlex.join(["ninjaone", "rerun", str(folder)]) if rerunnable else ""
    return JobView(name, whole, begun, waiting, command, rerunnable)


def _outputs(record: Record) -> list[Path]:
    """Return the outputs of all steps of a job, or of a rerun of a job."""
    outputs = [absolute(name) for name in record.job.step_outputs if Path(name).name != STREAM]
    if record.rerun_of is None or record.output in outputs:
        return outputs
    steps = [find(output) for output in outputs]
    return [record.output.with_name(f"{step.job.step}.jsonl") for step in steps if step]
