"""A plot of a run's rate over time, as SVG paths and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 180
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 12, 24
"""Margins for the axis labels, in SVG units."""
_MAX_LISTED = 12


@dataclass(frozen=True)
class Tick:
    """A tick on an axis: its position and label."""

    at: float
    label: str


@dataclass(frozen=True)
class Plot:
    """Rows per second over time. `line` and `area` are SVG path data."""

    line: str
    area: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    described: str
    listed: Sequence[tuple[str, str, str]]


def make_plot(timeline: Sequence[tuple[float, int]]) -> Plot | None:
    """Return a plot of the rate between the points of a run's `timeline`; None for fewer than two rates."""
    rates = [
        (start, end, (rows - before) / (end - start), rows)
        for (start, before), (end, rows) in pairwise(_evenly(timeline))
        if end > start
    ]
    if len(rates) < 2:
        return None
    length = rates[-1][1]
    fastest = max(rate for _, _, rate, _ in rates)
    x_step, y_step = _step(length, 6), _step(fastest, 4)
    top = y_step * max(1, ceil(round(fastest / y_step, 6)))

    def x(seconds: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * seconds / length, 1)

    def y(rate: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / top, 1)

    corners = [(x(at), y(rate)) for start, end, rate, _ in rates for at in (start, end)]
    line = "M" + " L".join(f"{across} {down}" for across, down in corners)
    area = f"{line} L{x(length)} {y(0)} L{x(rates[0][0])} {y(0)} Z"
    mean = (timeline[-1][1] - timeline[0][1]) / length
    return Plot(
        line,
        area,
        [Tick(x(n * x_step), time_text(n * x_step)) for n in range(int(length / x_step) + 1)],
        [Tick(y(n * y_step), f"{n * y_step:g}") for n in range(round(top / y_step) + 1)],
        f"Rows per second over {time_text(length)}: {rate_text(mean)} on average, "
        f"at most {rate_text(fastest)}.",
        [
            (time_text(end), f"{rows:,}", rate_text(rate))
            for _, end, rate, rows in rates[:: -(-len(rates) // _MAX_LISTED)]
        ],
    )


def _evenly(timeline: Sequence[tuple[float, int]]) -> Sequence[tuple[float, int]]:
    """Return the points without the second last one if it is too close to the last for a meaningful rate."""
    if len(timeline) > 2 and timeline[-1][0] - timeline[-2][0] < (timeline[-2][0] - timeline[-3][0]) / 2:
        return [*timeline[:-2], timeline[-1]]
    return timeline


def _step(largest: float, steps: int) -> float:
    """Return a round distance of ticks (1, 2 or 5 times a power of ten) for at most `steps` ticks."""
    if largest <= 0:
        return 1.0
    smallest = floor(log10(largest)) - 2
    sizes = (factor * 10.0**power for power in range(smallest, smallest + 5) for factor in (1, 2, 5))
    return next(size for size in sizes if largest / size <= steps)


def rate_text(rate: float) -> str:
    """Return a rate in rows per second as text."""
    return f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.1f}/min"


def time_text(seconds: float) -> str:
    """Return a duration as text: `12 s`, `3:20 min` or `2:05 h`."""
    whole = round(seconds)
    if seconds < 100:
        return f"{round(seconds, 1):g} s"
    if whole < 6000:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"
