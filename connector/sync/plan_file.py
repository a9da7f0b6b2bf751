"""Save and load plans: files such as `plans/20261128-1930.json` in the sync folder.

A file is one JSON object. Its last member, `items`, has one item per line, so that a plan of any size is read
line by line.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import RunError, file_errors
from connector.sync.plan import Plan
from connector.sync.plan_items import Item, Stop, item_from_json
from connector.sync.records import Source, Target

FOLDER = "plans"
VERSION = 1
KEPT_S = 86_400.0
"""The time in seconds after which a plan can no longer be applied."""
_HEAD_ENDS, _END = ', "items": [', "]}"


@dataclass(frozen=True)
class Side:
    """One of the two services of a plan: the JSON key of its ids in items, its title, and its account."""

    key: str
    title: str
    account: str


@dataclass(frozen=True)
class PlanFile:
    """A saved plan without its items. `mapping` is the hash of the mapping file used for the plan."""

    path: Path
    made: float
    full: bool
    mapping: str
    writes: int
    source: Side
    target: Side
    sources: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    stops: tuple[Stop, ...]
    limits: tuple[Stop, ...]
    fields: Mapping[str, Mapping[str, int]]
    writers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the plan: the file's name without its extension."""
        return self.path.stem

    def is_expired(self, now: float) -> bool:
        """Return whether the plan is too old to be applied."""
        return now - self.made > KEPT_S

    def items(self) -> Iterator[Item]:
        """Yield the plan's items in the order of application. Raises RunError with file and line."""
        with file_errors(self.path), self.path.open(encoding="utf-8") as file:
            file.readline()
            for number, line in enumerate(file, 2):
                if line.strip() == _END:
                    return
                try:
                    data = json_text.loads(line.rstrip().removesuffix(","))
                    yield item_from_json(data, self.source.key, self.target.key)
                except (ValueError, KeyError, TypeError) as error:
                    raise RunError(
                        f"{self.path}, line {number}: the line is not a valid plan item"
                    ) from error
        raise RunError(f"{self.path}: the plan file is incomplete; make a new plan")


def key_of(item: Item) -> str:
    """Return the key of an item in its plan, such as `asset:4471`."""
    return f"{item.entity}:{item.source}"


def new_plan_path(folder: Path, now: float) -> Path:
    """Return an unused path for a new plan in a sync folder, named after the local time."""
    name = time.strftime("%Y%m%d-%H%M", time.localtime(now))
    path, number = folder / FOLDER / f"{name}.json", 1
    while path.exists():
        number += 1
        path = folder / FOLDER / f"{name}-{number}.json"
    return path


def plan_paths(folder: Path) -> list[Path]:
    """Return the paths of the plans in a sync folder, newest first."""
    found = [(path.stat().st_mtime_ns, path) for path in (folder / FOLDER).glob("*.json")]
    return [path for _, path in sorted(found, reverse=True)]


def save_plan(path: Path, plan: Plan, source: Source, target: Target) -> None:
    """Write a plan to a file that only this user can read. Raises RunError and leaves no file then."""
    sides = {"source": _side(source), "target": _side(target), "writes": plan.writes}
    part = path.with_name(path.name + ".part")
    with file_errors(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            with open(part, "w", encoding="utf-8", opener=_private) as file:
                _write(file, {**plan.header(), **sides}, plan)
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def load_plan(path: Path) -> PlanFile:
    """Read a plan without its items. Raises RunError for a file that is not a plan."""
    with file_errors(path), path.open(encoding="utf-8") as file:
        head = file.readline()
    try:
        data = json_text.loads(head.rstrip().removesuffix(_HEAD_ENDS) + "}")
        version = data["version"]
        if version == VERSION:
            return _plan_file(path, data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path}: the file is not a plan; make a plan with `sync plan`") from error
    raise RunError(f"{path}: version {version} of the plan format is not supported; make a new plan")


def _plan_file(path: Path, data: Mapping[str, Any]) -> PlanFile:
    return PlanFile(
        path,
        float(data["made"]),
        bool(data["full"]),
        data["mapping"],
        data["writes"],
        Side(**data["source"]),
        Side(**data["target"]),
        data["sources"],
        data["counts"],
        tuple(Stop(**stop) for stop in data["stops"]),
        tuple(Stop(**stop) for stop in data["limits"]),
        data["fields"],
        tuple(data.get("writers", ())),
    )


def _write(file: TextIO, head: Mapping[str, Json], plan: Plan) -> None:
    file.write(json_text.dumps(dict(head)).removesuffix("}") + _HEAD_ENDS + "\n")
    before = ""
    for item in plan.items():
        file.write(before + json_text.dumps(item.as_json(plan.source_key, plan.target_key)))
        before = ",\n"
    file.write(("\n" if before else "") + _END + "\n")


def _side(side: Source | Target) -> dict[str, str]:
    return {"key": side.key, "title": side.title, "account": side.account}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
