"""A process that makes one run of clients, sites and assets, and that can be killed at its write points."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from connector.catalog.catalog import Catalog
from connector.sync.folder import open_folder
from connector.sync.run import Choice, Syncer
from connector.sync.sides import open_sides
from tests.sync.alert_pair import OurClock
from tests.torture.alert_process import CountedState, WritePoints

CATALOG = Catalog()


def work(path: str, now: float, kill_at: int, full: bool, answer: Any) -> None:
    """Do one run; send how many write points were passed, the number of writes, the exit code, and after
    which points an asset had been created of which the process did not know yet.
    """
    points = CountedState.points = WritePoints(kill_at)
    folder = open_folder(Path(path))
    source, target = open_sides(folder.mapping, CATALOG, delay_ms=0)
    created: list[int] = []
    save: Any = target.save

    def noted(entity: str, id: int | None, *more: Any) -> int:
        number: int = save(entity, id, *more)
        if entity == "asset" and id is None:
            created.append(points.count + 1)
        return number

    target.save = noted  # type: ignore[method-assign]
    points.around(target, "save")
    clock = OurClock(lambda: now)
    with CountedState(Path(path), write=True, now=now) as state:
        state.require_pair(source.account, target.account)
        syncer = Syncer(folder, source, target, state, clock, threading.Event())
        run = syncer.run(Choice(beyond_limits=True), full=full, believe=False)
    answer.send((points.count, run.applied.writes, run.exit_code, created))
