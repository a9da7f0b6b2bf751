"""The confirmation of the changes of a job, when its reads have shown which records they are for."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from connector.cli.ask import confirm
from connector.cli.consent import where_of, why_not_ask
from connector.errors import RunStoppedError
from connector.runs.job import STREAM
from connector.runs.prepared import Prepared, naming

_NAMED = 10
"""The maximum number of names in a question."""


def asks_later(steps: Sequence[Prepared], *, yes: bool, may_ask: bool) -> bool:
    """Return whether the changes of a job are confirmed after the reads before them.

    That is so on a terminal, for a job whose first step is a read.
    """
    if yes or steps[0].action.effect != "read" or all(step.action.effect == "read" for step in steps):
        return False
    return not why_not_ask(any(step.job.input == STREAM for step in steps), may_ask)


def confirm_changes(steps: Sequence[Prepared]) -> None:
    """Ask for confirmation of the changes of the remaining steps of a job, whose first one has its rows.

    Raises RunStoppedError if it is not confirmed, and RunError for an unexpected number of rows.
    """
    from connector.runs.affected import find_affected  # imported only if there is something to confirm

    with naming(steps[0].job):
        first = find_affected(steps[0], _NAMED)
        if steps[0].expected and not steps[0].rerun:
            steps[0].expected.check(first.count)
    known = {step.job.step for step in steps}
    facts = []
    for step in steps:
        if step.action.effect == "read":
            continue
        if step.job.follows in known:
            facts.append(f'{step.job.action} on the results of the step "{step.job.follows}"')
            _describe(step)
            continue
        affected = first if step is steps[0] else find_affected(step, _NAMED)
        if affected.count:
            facts.append(f"{step.job.action} on {affected.text}")
            _describe(step)
    if facts and first.count and not _confirm(f"{', then '.join(facts)}. Continue?"):
        raise RunStoppedError("not confirmed; nothing was changed. Use --resume to continue after the reads")


def _describe(step: Prepared) -> None:
    """Print the action of a step and its connection."""
    effect: str = step.action.effect
    if effect == "write" and step.action.disruptive:
        effect = "disruptive"
    print(f"  {step.job.label}, {effect}: {step.action.title}. {step.action.summary}", file=sys.stderr)
    print(f"    connection: {where_of(step)}", file=sys.stderr)


def _confirm(question: str) -> bool:
    """Prompt for confirmation; Ctrl-C ends the command."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return confirm(question)
    finally:
        signal.signal(signal.SIGINT, before)
