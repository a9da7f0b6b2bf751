"""The time to wait for the end of queued work: `--wait`, and `wait` in a job."""

from __future__ import annotations

import re

from connector.errors import RunError, shorten

DEFAULT_TIMEOUT = "30m"
"""The time to wait for all rows, from the end of the last request, or from when the run is resumed."""
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def read_timeout(text: str) -> float:
    """Return a duration such as `90`, `90s`, `30m`, `2h` or `1d` in seconds. Raises RunError."""
    found = re.fullmatch(r"(\d{1,6})([smhd]?)", text.strip())
    if not found or not int(found[1]):
        raise RunError(f'"{shorten(text)}" is not a duration; write 90s, 30m, 2h or 1d')
    return float(int(found[1]) * _UNITS_S[found[2]])
