"""What was found: figures with their targets, and tables of what they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

PASSED, MISSED = "met", "**MISSED**"


@dataclass(frozen=True)
class Target:
    """What a figure should be: at least (or with `most`, at most) `limit`, better still `stretch`."""

    limit: float | None = None
    stretch: float | None = None
    most: bool = False

    def judge(self, value: float) -> str:
        """Say whether a figure meets its target."""
        words = []
        if self.limit is not None:
            words.append(PASSED if self._meets(value, self.limit) else MISSED)
        if self.stretch is not None:
            words.append(f"stretch {PASSED if self._meets(value, self.stretch) else 'missed'}")
        return ", ".join(words)

    def words(self, unit: str) -> str:
        """Write the target down."""
        sign = "≤" if self.most else "≥"
        words = [f"{sign} {self.limit:g}{unit}"] if self.limit is not None else []
        words += [f"stretch {sign} {self.stretch:g}{unit}"] if self.stretch is not None else []
        return ", ".join(words)

    def _meets(self, value: float, limit: float) -> bool:
        return value <= limit if self.most else value >= limit


@dataclass(frozen=True)
class Figure:
    """A measured figure, such as a ratio, and its target if it has one. `value` None was not measured."""

    what: str
    value: float | None
    target: Target = field(default_factory=Target)
    unit: str = "×"  # noqa: RUF001
    digits: int = 2

    def cells(self) -> tuple[str, str, str, str]:
        """Give its row of the table of figures."""
        if self.value is None:
            return self.what, "not measured", self.target.words(self.unit), ""
        shown = f"{self.value:.{self.digits}f}{self.unit}"
        # What is judged is what is shown.
        return (
            self.what,
            shown,
            self.target.words(self.unit),
            self.target.judge(round(self.value, self.digits)),
        )


@dataclass(frozen=True)
class Table:
    """What the figures come from."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass
class Findings:
    """All that a part of the benchmark, or the whole of it, found. `notes` say what could not be measured."""

    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Take over what another part found."""
        self.figures += other.figures
        self.tables += other.tables
        self.notes += other.notes


def ratio(above: float | None, below: float | None) -> float | None:
    """Divide, unless one of both was not measured."""
    return None if above is None or below is None else above / below


def spread(values: list[float], digits: int = 2) -> str:
    """Write the least and the greatest of some values."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"
