"""Checks that the finished steps of a job that is resumed have the settings with which they ran.

Otherwise, after a correction of the filter of a finished step, the wrong records would be changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from connector.connections.connection import Connection
from connector.errors import RunError
from connector.files.work_folder import Start
from connector.runs.account import Account
from connector.runs.prepared import Prepared, naming
from connector.runs.records import find
from connector.runs.run import fingerprint
from connector.runs.tenant_accounts import account_of


def check_finished(
    steps: Sequence[Prepared], begins: Sequence[Start | None], connection: Connection | None
) -> None:
    """Raise RunError if a finished step has another action, input or connection, or other settings.

    `begins` has how each step starts; None is for a finished one. A step without a record on this machine is
    not checked. The message names `--restart` only if all steps that have sent requests are reads: others
    would send them twice.
    """
    started = [step for step, begin in zip(steps, begins, strict=True) if begin != "new"]
    may_restart = all(step.action.effect == "read" and step.rerun is None for step in started)
    for step, begin in zip(steps, begins, strict=True):
        changed = changes(step, connection) if begin is None else None
        if changed:
            restart = ", or --restart to run all steps again" if may_restart else ""
            raise RunError(
                f'step "{step.job.step}" is finished, but differs from the run in its {", ".join(changed)}: '
                f"use --resume with the same settings{restart}"
            )


def changes(step: Prepared, connection: Connection | None) -> list[str] | None:
    """Return what differs between a step and the finished run that wrote its output.

    None stands for an output of which this machine has no record. Raises RunError.
    """
    record = find(Path(step.job.output))
    if record is None or not record.fingerprint:
        return None
    with naming(step.job):
        account = Account(connection.account, connection.timezone) if connection else account_of(step)
        now = fingerprint(step, account, step.job.source())
    return list(_changed(record.fingerprint, now))


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of what differs. A new version of an action's declaration is not a difference."""
    for name in dict.fromkeys((*before, *now)):
        then, today = before.get(name), now.get(name)
        if name == "action":
            then, today = (text and text.partition(" ")[0] for text in (then, today))
        if then != today:
            yield name
