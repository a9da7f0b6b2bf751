"""What is asked before a run that changes something: the server asks, and the server looks at the answer."""

from __future__ import annotations

from dataclasses import dataclass

from connector.catalog.action import Action
from connector.web.catalog.action_page import EFFECTS


@dataclass(frozen=True)
class Question:
    """What a run will do, to how many rows and where. What is `destructive` wants the number typed."""

    title: str
    text: str
    rows: int
    destructive: bool

    def is_answered(self, answer: str | None) -> bool:
        """Return whether somebody agreed to just this many rows."""
        return (answer or "").strip() == str(self.rows)


def question(action: Action, rows: int, where: str, *, is_real: bool) -> Question | None:
    """Return what must be agreed to; None where nothing must.

    Reads need no consent, and writes none where nothing is real.
    """
    if action.effect == "read" or (action.effect == "write" and not is_real):
        return None
    return Question(
        f"{action.title}, on {where}",
        f"{EFFECTS[action.effect]} It is sent for {how_many(rows)}, to {where}.",
        rows,
        action.effect == "destructive",
    )


def how_many(rows: int) -> str:
    """Write a number of rows."""
    return "1 row" if rows == 1 else f"{rows:,} rows"
