"""The results of benchmarks: figures with targets, tables, and plots of the measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

from benchmarks.plot import Plot

PASSED, MISSED = "met", "**MISSED**"

Measured = TypeVar("Measured")


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
    """A measured figure, such as a ratio of CPU times, with its target.

    `value` is None if it was not measured. `wall` is the same of elapsed times, which depend on what else the
    machine does; it has no target.
    """

    what: str
    value: float | None
    target: Target = field(default_factory=Target)
    unit: str = "×"  # noqa: RUF001
    digits: int = 2
    wall: float | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the figure's row in the table of figures."""
        wall = "" if self.wall is None else self._shown(self.wall)
        if self.value is None:
            return self.what, "not measured", wall, self.target.words(self.unit), ""
        # Compare the rounded value, because that is the printed one.
        judged = self.target.judge(round(self.value, self.digits))
        return self.what, self._shown(self.value), wall, self.target.words(self.unit), judged

    def _shown(self, value: float) -> str:
        return f"{value:,.{self.digits}f}{self.unit}"


@dataclass(frozen=True)
class Table:
    """A table of measurements."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass
class Findings:
    """The results of one or all benchmarks.

    `skipped` says what could not be tried here, such as a program that cannot be installed; `notes` says what
    failed.
    """

    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Add the results of another benchmark."""
        self.figures += other.figures
        self.tables += other.tables
        self.notes += other.notes
        self.skipped += other.skipped
        self.plots += other.plots


def ratio(above: float | None, below: float | None) -> float | None:
    """Return the quotient `above / below`; None if one of them was not measured."""
    return None if above is None or below is None else above / below


def paired(
    above: Sequence[Measured] | None, below: Sequence[Measured] | None, of: Callable[[Measured], float]
) -> float | None:
    """Return the median of the quotients of each round; None if one of both was not measured.

    In a round, both run one after the other, so a slow minute of the machine affects both.
    """
    if not above or not below:
        return None
    return median(of(one) / of(other) for one, other in zip(above, below, strict=True))


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest of some values that is not exceeded by this percentage of them."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the minimum and maximum of values as text."""
    return f"{min(values):,.{digits}f} to {max(values):,.{digits}f}"
