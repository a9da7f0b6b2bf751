"""The results of benchmarks: figures with targets, and tables of the measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

PASSED, MISSED = "met", "**MISSED**"


@dataclass(frozen=True)
class Target:
    """The target of a figure: at least `limit` (with `most`: at most); `stretch` is a stricter target."""

    limit: float | None = None
    stretch: float | None = None
    most: bool = False

    def judge(self, value: float) -> str:
        """Return a text that says whether a value meets the target."""
        words = []
        if self.limit is not None:
            words.append(PASSED if self._meets(value, self.limit) else MISSED)
        if self.stretch is not None:
            words.append(f"stretch {PASSED if self._meets(value, self.stretch) else 'missed'}")
        return ", ".join(words)

    def words(self, unit: str) -> str:
        """Return the target as text."""
        sign = "≤" if self.most else "≥"
        words = [f"{sign} {self.limit:g}{unit}"] if self.limit is not None else []
        words += [f"stretch {sign} {self.stretch:g}{unit}"] if self.stretch is not None else []
        return ", ".join(words)

    def _meets(self, value: float, limit: float) -> bool:
        return value <= limit if self.most else value >= limit


@dataclass(frozen=True)
class Figure:
    """A measured figure, such as a ratio, with its target. `value` is None if it was not measured."""

    what: str
    value: float | None
    target: Target = field(default_factory=Target)
    unit: str = "×"  # noqa: RUF001
    digits: int = 2

    def cells(self) -> tuple[str, str, str, str]:
        """Return the cells of the figure's row in the table of figures."""
        if self.value is None:
            return self.what, "not measured", self.target.words(self.unit), ""
        shown = f"{self.value:.{self.digits}f}{self.unit}"
        # Compare the rounded value, because that is the printed one.
        return (
            self.what,
            shown,
            self.target.words(self.unit),
            self.target.judge(round(self.value, self.digits)),
        )


@dataclass(frozen=True)
class Table:
    """A table of measurements."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass
class Findings:
    """The results of one or all benchmarks. `notes` says what could not be measured."""

    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Add the results of another benchmark."""
        self.figures += other.figures
        self.tables += other.tables
        self.notes += other.notes


def ratio(above: float | None, below: float | None) -> float | None:
    """Return the quotient `above / below`; None if one of them was not measured."""
    return None if above is None or below is None else above / below


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest of some values that is not exceeded by this percentage of them."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def spread(values: list[float], digits: int = 2) -> str:
    """Return the minimum and maximum of values as text."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"
