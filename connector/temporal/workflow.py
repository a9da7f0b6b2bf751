"""The workflow of a run: it starts an activity for each chunk of rows.

A *chunk* is a range of rows of a *group* of connections. The chunks of a group run one after the other, so
that no connection has more rows in parallel than the job allows; groups run in parallel, on all workers.

The history of a workflow is limited and kept, so it has no row data: only the id of the run in the shared
state, and numbers of groups and chunks.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

WORKFLOW = "run"
ACTIVITY = "run_chunk"

_HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""After this time without a heartbeat, Temporal gives the chunk to another worker."""
_MAX_CHUNK_TIME = timedelta(days=30)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15))


@dataclass(frozen=True)
class RunInput:
    """A run: its id in the shared state, and the number of chunks of each group.

    `done` has the number of finished chunks of each group, if the workflow continues an earlier one.
    """

    run: str
    chunks: list[int]
    done: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class ChunkInput:
    """One chunk of a group of a run. Groups and chunks are numbered from 0."""

    run: str
    group: int
    chunk: int


@workflow.defn(name=WORKFLOW)
class RunWorkflow:
    """Runs the chunks of all groups. An activity returns whether its group continues."""

    @workflow.run
    async def run(self, given: RunInput) -> None:
        """Return when all groups have ended. A group that fails does not stop the others."""
        self._done = given.done or [0] * len(given.chunks)
        ends = await asyncio.gather(
            *(self._run_group(given, group) for group in range(len(given.chunks))), return_exceptions=True
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        if "paused" in ends:
            workflow.continue_as_new(RunInput(given.run, given.chunks, self._done))

    async def _run_group(self, given: RunInput, group: int) -> str:
        """Run the remaining chunks of a group, and return "done", "stopped", or "paused".

        A group pauses before the history of the workflow becomes too long.
        """
        while self._done[group] < given.chunks[group]:
            if workflow.info().is_continue_as_new_suggested():
                return "paused"
            continues: bool = await workflow.execute_activity(
                ACTIVITY,
                ChunkInput(given.run, group, self._done[group]),
                result_type=bool,
                start_to_close_timeout=_MAX_CHUNK_TIME,
                heartbeat_timeout=_HEARTBEAT_TIMEOUT,
                retry_policy=_RETRY,
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
            if not continues:
                return "stopped"
            self._done[group] += 1
        return "done"
