"""The confirmation that is required before a run that changes something. The server checks it, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.web.catalog.action_page import effect_words


@dataclass(frozen=True)
class Question:
    """The confirmation dialog of a run: its effect, its number of rows, and its connection.

    If `destructive`, the user must type the number. `noun` is the noun after the number, and `yes` the label
    of the button.
    """

    title: str
    text: str
    rows: int
    destructive: bool
    noun: str = "row"
    yes: str = "Run it"

    def is_answered(self, answer: str | None) -> bool:
        """Return whether the user confirmed exactly this number of rows."""
        return (answer or "").strip() == str(self.rows)


def question(action: Action, service: Service, rows: int, where: str, *, is_real: bool) -> Question | None:
    """Return the confirmation that a run requires, or None if it requires none.

    Runs that only read, and runs of `write` actions in the sandbox (`is_real` is false), require none.
    """
    if action.effect == "read" or (action.effect == "write" and not is_real):
        return None
    return Question(
        f"{action.title}, on {where}",
        f"{effect_words(action, service)} This runs {how_many(rows)} on {where}.",
        rows,
        action.effect == "destructive",
    )


def question_of_steps(
    name: str, actions: Sequence[tuple[Action, Service]], rows: int, where: str, *, is_real: bool
) -> Question | None:
    """Return the confirmation that a rerun of a job's steps requires, or None if it requires none."""
    changes = {action.title: (action, service) for action, service in actions if action.effect != "read"}
    is_destructive = any(action.effect == "destructive" for action, _ in changes.values())
    if not changes or not (is_destructive or is_real):
        return None
    words = " ".join(f"{title}: {effect_words(*its)}" for title, its in changes.items())
    text = f"This runs {how_many(rows)} through the failed step and all that follow, on {where}. {words}"
    return Question(f"Rerun of the job {name}, on {where}", text, rows, is_destructive)


def how_many(rows: int) -> str:
    """Return a number of rows as text: `1 row`, `1,200 rows`."""
    return "1 row" if rows == 1 else f"{rows:,} rows"
