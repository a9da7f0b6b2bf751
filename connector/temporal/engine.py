"""The workflow of one run, for the program that starts and watches it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeVar

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import FailureError
from temporalio.service import RPCError, RPCStatusCode

from connector.errors import RunStoppedError
from connector.temporal.address import Address
from connector.temporal.client import connect, wait_for_sdk_threads
from connector.temporal.workflow import WORKFLOW, RunInput

State = Literal["running", "completed", "cancelled", "failed", "none"]
_STATES: dict[WorkflowExecutionStatus | None, State] = {
    WorkflowExecutionStatus.RUNNING: "running",
    WorkflowExecutionStatus.CONTINUED_AS_NEW: "running",
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
}
_T = TypeVar("_T")


class Engine:
    """A connection to a Temporal server. Used by one thread; close it at the end."""

    def __init__(self, address: Address) -> None:
        """Connect to the server. Raises RunError, which is transient."""
        self.address = address
        self._loop = asyncio.new_event_loop()
        try:
            self._client: Client = self._wait(connect(address))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._loop.close()
        wait_for_sdk_threads()

    def start(self, id: str, run: str, chunks: Sequence[int]) -> None:
        """Start the workflow of a run, unless it is running already.

        Raises RunStoppedError, because the workflow may have been started.
        """
        try:
            self._wait(
                self._client.start_workflow(
                    WORKFLOW,
                    RunInput(run, list(chunks)),
                    id=id,
                    task_queue=self.address.task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                )
            )
        except RPCError as error:
            raise RunStoppedError(
                f"{self.address}: the workflow cannot be started: {error}; use --resume to try again"
            ) from error

    def state(self, id: str) -> State | None:
        """Return the state of a workflow; None if the server does not respond now."""
        try:
            described = self._wait(self._client.get_workflow_handle(id).describe())
        except RPCError as error:
            return "none" if error.status == RPCStatusCode.NOT_FOUND else None
        return _STATES.get(described.status, "failed")

    def cancel(self, id: str) -> bool:
        """Request that a workflow stops after the rows in progress; return whether the server accepted it."""
        try:
            self._wait(self._client.get_workflow_handle(id).cancel())
        except RPCError as error:
            return error.status == RPCStatusCode.NOT_FOUND
        return True

    def why_failed(self, id: str) -> str:
        """Return the message of the error that a workflow ended with."""
        try:
            self._wait(self._client.get_workflow_handle(id).result())
        except WorkflowFailureError as error:
            cause: BaseException = error
            while isinstance(cause, (WorkflowFailureError, FailureError)) and cause.cause:
                cause = cause.cause
            return getattr(cause, "message", "") or str(cause)
        except RPCError as error:
            return str(error)
        return ""

    def last_failure(self, id: str) -> str:
        """Return the message with which a chunk failed that will be run again; empty if there is none."""
        with suppress(RPCError):
            described = self._wait(self._client.get_workflow_handle(id).describe())
            for pending in described.raw_description.pending_activities:
                if pending.last_failure.message:
                    return str(pending.last_failure.message)
        return ""

    def has_workers(self) -> bool:
        """Return whether a worker polls the task queue; true if the server does not respond now."""
        request = DescribeTaskQueueRequest(
            namespace=self.address.namespace,
            task_queue=TaskQueue(name=self.address.task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
        try:
            described: Any = self._wait(self._client.workflow_service.describe_task_queue(request))
        except RPCError:
            return True
        return bool(described.pollers)

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self._loop.run_until_complete(work)
