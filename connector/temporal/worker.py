"""The worker: runs chunks from a task queue until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

from temporalio.worker import Worker

from connector.temporal.activity import HEARTBEAT_S, Activities, Open
from connector.temporal.address import Address
from connector.temporal.client import connect, wait_for_sdk_threads
from connector.temporal.workflow import RunWorkflow

_POLL_INTERVAL_S = 0.2
_END_OF_ROWS = timedelta(days=1)
"""How long a worker that is stopped waits for the rows in progress."""


def run_worker(
    address: Address, open_chunk: Open, chunks: int, stop: Event, on_start: Callable[[], None] = lambda: None
) -> None:
    """Run chunks, at most `chunks` in parallel, until `stop` is set; rows in progress are finished.

    `on_start` is called when the worker is connected. Raises RunError.
    """
    try:
        asyncio.run(_run(address, open_chunk, chunks, stop, on_start))
    finally:
        wait_for_sdk_threads()


async def _run(
    address: Address, open_chunk: Open, chunks: int, stop: Event, on_start: Callable[[], None]
) -> None:
    client = await connect(address)
    with ThreadPoolExecutor(chunks, "chunk") as threads:
        worker = Worker(
            client,
            task_queue=address.task_queue,
            workflows=[RunWorkflow],
            activities=[Activities(open_chunk).run_chunk],
            activity_executor=threads,
            max_concurrent_activities=chunks,
            max_heartbeat_throttle_interval=timedelta(seconds=HEARTBEAT_S),
            graceful_shutdown_timeout=_END_OF_ROWS,
        )
        async with worker:
            on_start()
            while not stop.is_set():
                await asyncio.sleep(_POLL_INTERVAL_S)
