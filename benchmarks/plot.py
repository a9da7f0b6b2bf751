"""Plots of measurements as SVG, and the same points as a table.

The same points always give the same text, so that a plot changes in git only if its measurements do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 44, 50
COLORS = ("#0b6e99", "#b3492d", "#3f7d20", "#7a3e9d", "#8a6d00", "#444444")
"""The colors of the series, in order, readable on white."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Plot:
    """Series of points by name. `name` is that of the file, `x` and `y` describe the axes with their units.

    Values must be above 0, because the axes are logarithmic; with `from_zero`, that of y is linear from 0.
    """

    name: str
    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[Point]]
    from_zero: bool = False

    def svg(self) -> str:
        """Return the plot as an SVG document."""
        points = [point for series in self.series.values() for point in series]
        across = _Axis.of([x for x, _ in points], LEFT, WIDTH - RIGHT)
        axis = _LinearAxis if self.from_zero else _Axis
        up = axis.of([y for _, y in points], HEIGHT - BOTTOM, TOP)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'font-family="sans-serif" font-size="12"><title>{escape(self.title)}</title>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            _text(LEFT, 22, self.title, size=15),
            _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, self.x, anchor="middle"),
            _text(LEFT, TOP - 8, self.y, color="#555"),
        ]
        for value in across.ticks:
            at = across.place(value)
            parts.append(_line([(at, TOP), (at, HEIGHT - BOTTOM)], "#ddd", 1))
            parts.append(_text(at, HEIGHT - BOTTOM + 16, f"{value:,.15g}", anchor="middle"))
        for value in up.ticks:
            at = up.place(value)
            parts.append(_line([(LEFT, at), (WIDTH - RIGHT, at)], "#ddd", 1))
            parts.append(_text(LEFT - 6, at + 4, f"{value:,.15g}", anchor="end"))
        for number, (name, series) in enumerate(self.series.items()):
            color = COLORS[number % len(COLORS)]
            placed = [(across.place(x), up.place(y)) for x, y in series]
            parts.append(_line(placed, color, 2))
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in placed]
            beside = WIDTH - RIGHT + 16
            parts.append(
                _line([(beside, TOP + 10 + 22 * number), (beside + 18, TOP + 10 + 22 * number)], color, 3)
            )
            parts.append(_text(beside + 24, TOP + 14 + 22 * number, name))
        return "\n".join([*parts, "</svg>", ""])

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Return the points as rows of a table: for each x, the value of each series, if it has one."""
        values = {name: dict(series) for name, series in self.series.items()}
        for x in sorted({x for series in values.values() for x in series}):
            yield (f"{x:,.15g}", *(_number(series[x]) if x in series else "" for series in values.values()))

    @property
    def head(self) -> tuple[str, ...]:
        """The head of the table."""
        return (self.x, *self.series)


@dataclass(frozen=True)
class _Axis:
    """A logarithmic axis from `low` to `high`, at the positions `begin` to `end` of the picture."""

    low: float
    high: float
    begin: float
    end: float

    @classmethod
    def of(cls, values: Sequence[float], begin: float, end: float) -> _Axis:
        """Return the axis on which these values have room."""
        low, high = math.log10(min(values)), math.log10(max(values))
        room = max(0.05 * (high - low), 0.05)
        return cls(low - room, high + room, begin, end)

    def place(self, value: float) -> float:
        """Return the position of a value."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    @property
    def ticks(self) -> list[float]:
        """The values with a label: powers of ten, and their doubles and fives where few powers fit."""
        steps = (1, 2, 5) if self.high - self.low < 3 else (1,)
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        values = (step * 10.0**power for power in powers for step in steps)
        return [value for value in values if self.low <= math.log10(value) <= self.high]


class _LinearAxis(_Axis):
    """A linear axis from 0 to `high`."""

    @classmethod
    def of(cls, values: Sequence[float], begin: float, end: float) -> _LinearAxis:
        """Return the axis on which these values have room."""
        return cls(0, 1.1 * max(values), begin, end)

    def place(self, value: float) -> float:
        """Return the position of a value."""
        return self.begin + value / self.high * (self.end - self.begin)

    @property
    def ticks(self) -> list[float]:
        """The values with a label: about five, at a round distance."""
        power = 10.0 ** math.floor(math.log10(self.high / 5))
        step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if self.high / step <= 6)
        return [number * step for number in range(int(self.high / step) + 1)]


def _number(value: float) -> str:
    """Return a value as text with three digits that count."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"


def _line(points: Sequence[Point], color: str, width: int) -> str:
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{through}" fill="none" stroke="{color}" stroke-width="{width}"/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, color: str = "#222"
) -> str:
    style = f'text-anchor="{anchor}" font-size="{size}" fill="{color}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
