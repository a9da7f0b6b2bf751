"""The failed rows of a run that a rerun does not run, such as those that must be checked first."""

from __future__ import annotations

import argparse
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from connector.catalog.catalog import Catalog
from connector.errors import RunError, count_of


@dataclass(frozen=True)
class Remaining:
    """The failed rows of a run that are not in a rerun, so that its exit code is not 0.

    `in_doubt` has the number of those that must be checked first, by `meta.code`; `others` is the number of
    rows that could be retried and were not selected. `of` are the arguments that name the run, `service` is
    the service's title.
    """

    of: Sequence[str]
    in_doubt: Mapping[str, int]
    others: int
    service: str = "the service"

    def __bool__(self) -> bool:
        return bool(self.in_doubt or self.others)

    @property
    def text(self) -> str:
        """The number of rows, and what to do with them, in one line for each kind."""
        lines = []
        if self.in_doubt:
            number = count_of(sum(self.in_doubt.values()), "failed row")
            codes = ["--code", ",".join(self.in_doubt), "--output", "FILE"]
            failed = shlex.join(["ninjaone", "failed", *self.of, *codes])
            rerun = shlex.join(["ninjaone", "rerun", *self.of, "--input", "FILE", "--checked", "all"])
            lines.append(
                f"{self.of[0]}: {number} left to check first "
                f"({codes_text(self.in_doubt)}): may have taken effect, completely or in part. `{failed}` "
                f"writes them to a file; check them in {self.service}, remove those that took effect "
                f"from the file, and send the others again: {rerun}"
            )
        if self.others:
            rerun = shlex.join(["ninjaone", "rerun", *self.of])
            lines.append(
                f"{self.of[0]}: {count_of(self.others, 'failed row')} left that can be retried or corrected: "
                f"{rerun}"
            )
        return "\n".join(lines)


def named_by(options: argparse.Namespace) -> list[str]:
    """Return the arguments that select the finished run on a command line."""
    return [str(options.of)] + ([str(options.job_file)] if options.job_file else [])


def codes_text(codes: Mapping[str, int]) -> str:
    """Return numbers of rows by code as text: `2 outcome_unknown, 1 partial`."""
    return ", ".join(f"{number} {code}" for code, number in Counter(codes).most_common())


def service_title(catalog: Catalog, actions: Iterable[str]) -> str:
    """Return the title of the service of actions; "the service" if there are several, or one is unknown."""
    with suppress(RunError):
        titles = {catalog.service(catalog.action(action).service).title for action in actions}
        if len(titles) == 1:
            return titles.pop()
    return "the service"
