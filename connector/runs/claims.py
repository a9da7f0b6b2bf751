"""Decides which series of events can be the work of which order, without guessing.

Orders of the same device can match the same series, for example if two rows run the same script. The device
starts the work in the order of the requests, if the requests were sent one after the other. A request whose
response was lost may have arrived or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Matches = Mapping[int, frozenset[int]]
"""The indexes of the series that match an order, by the order's row. A series has a lower index than those
that started after it."""


@dataclass(frozen=True)
class Claim:
    """The place that a row takes among the rows of its device.

    `is_sure` is false if the request may not have arrived. `is_alone` is true if the requests of all earlier
    rows had ended before it was sent.
    """

    row: int
    is_sure: bool = True
    is_alone: bool = True


@dataclass(frozen=True)
class Candidates:
    """The series that can be a row's, by index.

    `may_be_missing` is true if the row's series may not have started. `is_final` is true if all orders have
    started, so that later events cannot rule out a series. `rivals` are the rows that match the same series.
    """

    series: tuple[int, ...]
    may_be_missing: bool
    is_final: bool
    rivals: tuple[int, ...]


def find_candidates(claims: Sequence[Claim], matches: Matches) -> dict[int, Candidates]:
    """Return the candidates of each sure row. `claims` are those of one device, in the order of the rows.

    If there are more series than orders, some are of other users, and it is not known which.
    """
    found: dict[int, Candidates] = {}
    for group in _groups(claims, matches):
        found.update(_of_group(group, {claim.row: matches[claim.row] for claim in group}))
    return found


def _groups(claims: Sequence[Claim], matches: Matches) -> Iterator[list[Claim]]:
    """Yield the claims whose rows match common series, directly or through other rows."""
    groups: list[tuple[set[int], list[Claim]]] = []
    for claim in claims:
        own, members = set(matches[claim.row]), [claim]
        apart = []
        for series, group in groups:
            if series & own:
                own |= series
                members = group + members
            else:
                apart.append((series, group))
        groups = [*apart, (own, sorted(members, key=lambda one: one.row))]
    for _, group in groups:
        yield group


def _of_group(group: Sequence[Claim], matches: Matches) -> Iterator[tuple[int, Candidates]]:
    series = frozenset().union(*matches.values())
    rows = tuple(claim.row for claim in group)
    is_final = len(series) >= len(group)
    is_alike = all(its == series for its in matches.values())
    if len(series) > len(group) or not (is_alike and all(claim.is_alone for claim in group[1:])):
        if len(series) == len(group):
            matches = _without_taken(matches)
        possible = {its: tuple(sorted(its)) for its in matches.values()}
        for claim in group:
            if claim.is_sure:
                yield claim.row, Candidates(possible[matches[claim.row]], not is_final, is_final, rows)
        return
    ordered, unsure = sorted(series), 0
    for place, claim in enumerate(group):
        if claim.is_sure:
            first = place - min(unsure, len(group) - len(series))
            its = tuple(ordered[first : place + 1])
            yield claim.row, Candidates(its, place >= len(series), is_final, rows)
        unsure += not claim.is_sure


def _without_taken(matches: Matches) -> dict[int, frozenset[int]]:
    """Return the matches without the series that are another row's only possible one."""
    left = dict(matches)
    open_rows = set(left)
    while single := [row for row in open_rows if len(left[row]) == 1]:
        open_rows -= set(single)
        taken = frozenset().union(*(left[row] for row in single))
        left = {row: its - taken if row in open_rows else its for row, its in left.items()}
    return left
