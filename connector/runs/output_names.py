"""Names of outputs, of their reruns, and of their records."""

from __future__ import annotations

import os
import re
from itertools import count
from pathlib import Path

from connector.common.user_folders import digest_name
from connector.runs.run_stores import store_of

_RERUN_NAME = re.compile(r"(.+)\.rerun(?:-\d+)?\.jsonl")


def absolute(path: str | Path) -> Path:
    """Return the canonical path of an output."""
    path = Path(path)
    return path.parent.resolve() / path.name


def family_name(output: Path) -> Path:
    """Return the path that the outputs of a run and of its reruns share, without an extension."""
    output = absolute(output)
    rerun = _RERUN_NAME.fullmatch(output.name)
    return output.with_name(rerun[1]) if rerun else output.with_suffix("")


def is_rerun_name(output: Path) -> bool:
    """Return whether an output is named as `rerun_output` names it."""
    return _RERUN_NAME.fullmatch(output.name) is not None


def rerun_output(of: Path, state: str) -> Path:
    """Return a rerun's default output: OUT.rerun.jsonl, or OUT.rerun-N.jsonl if that is finished.

    `state` is the setting of the run.
    """
    store = store_of(state)
    stem = family_name(of).name
    for number in count(1):
        path = of.with_name(f"{stem}.rerun{f'-{number}' if number > 1 else ''}.jsonl")
        if store.is_interrupted(path) or not path.exists():
            return path
    raise AssertionError


def id_of(output: Path) -> str:
    """Return the id of the record for an output, whose path must be from `absolute`."""
    return digest_name(os.path.normcase(output))
