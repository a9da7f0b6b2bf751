"""The records that require a decision: conflicts with candidates, unmatched records, and their pins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from connector.sync.pins import NOUNS, Noun, Pins
from connector.sync.plan_file import PlanFile
from connector.sync.plan_items import Item

SHOWN = 200
NOUN_OF: dict[str, Noun] = {"client": "organization", "site": "location", "asset": "device"}
ENTITY_OF: dict[Noun, str] = {noun: entity for entity, noun in NOUN_OF.items()}


@dataclass(frozen=True)
class Undecided:
    """One record of the source, its candidates, and its current pin.

    A candidate is an id and a name, which may be empty. `is_pin_wrong` means that the pin is the conflict.
    """

    noun: Noun
    entity: str
    source: int
    name: str
    reason: str
    candidates: Sequence[tuple[int, str]]
    pin: int | None
    is_pin_wrong: bool = False


@dataclass(frozen=True)
class Unmatched:
    """The data of the page. `skipped` has the number of other skipped records, by noun and reason."""

    conflicts: Sequence[Undecided] = ()
    more_conflicts: int = 0
    unmapped: Sequence[Undecided] = ()
    more_unmapped: int = 0
    skipped: Sequence[tuple[str, str, str, int]] = ()
    pins: Sequence[tuple[Noun, str, int, int]] = ()

    @property
    def newly_pinned(self) -> bool:
        """Return whether a record has a pin that is newer than the plan."""
        pinned = (found for found in (*self.conflicts, *self.unmapped) if found.pin is not None)
        return any(not found.is_pin_wrong for found in pinned)


def make_unmatched(plan: PlanFile | None, pins: Pins) -> Unmatched:
    """Return the records of a plan that require a decision.

    Raises RunError for a plan that cannot be read.
    """
    conflicts: list[Undecided] = []
    unmapped: list[Undecided] = []
    skipped: Counter[tuple[str, str]] = Counter()
    numbers: Counter[str] = Counter()
    for item in plan.items() if plan else ():
        if item.op == "conflict" and item.entity in NOUN_OF:
            _add(conflicts, item, pins, numbers)
        elif item.op == "skip" and item.entity == "client":
            _add(unmapped, item, pins, numbers)
        elif item.op == "skip":
            skipped[item.entity, item.reason] += 1
    return Unmatched(
        conflicts,
        numbers["conflict"] - len(conflicts),
        unmapped,
        numbers["skip"] - len(unmapped),
        [(NOUN_OF.get(entity, entity), entity, reason, n) for (entity, reason), n in skipped.most_common(50)],
        [(noun, ENTITY_OF[noun], id, to) for noun in NOUNS for id, to in sorted(pins.of(noun).items())],
    )


def _add(found: list[Undecided], item: Item, pins: Pins, numbers: Counter[str]) -> None:
    numbers[item.op] += 1
    if len(found) < SHOWN:
        noun, source = NOUN_OF[item.entity], int(item.source)
        pin, candidates = pins.of(noun).get(source), item.named_candidates
        is_wrong = item.method == "pin" and pin in item.candidates
        found.append(Undecided(noun, item.entity, source, item.name, item.reason, candidates, pin, is_wrong))
