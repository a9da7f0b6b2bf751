"""Retries of failed requests: number of attempts, backoff and Retry-After."""

from __future__ import annotations

from connector.http.messages import Response

TRIES = {"throttled": 6, "unsent": 3, "lost": 3, "server": 3}
"""The maximum number of attempts for each kind of failure."""
MAX_WAIT_S = 300.0
"""The longest accepted Retry-After in seconds. With a longer one, the row fails instead of delaying the
run."""


def backoff_s(attempt: int, jitter: float) -> float:
    """Return the seconds to wait after a failed `attempt` (from 1).

    The wait grows exponentially, times a factor from 0.5 (`jitter` 0) to 1 (`jitter` 1). A random `jitter`
    spreads the load of clients that failed at the same time.
    """
    return float(2 ** (attempt - 1)) * (0.5 + jitter / 2)


def retry_after_s(response: Response, now: float) -> float | None:
    """Return the Retry-After of a response in seconds; None if absent or invalid (RFC 9110, 10.2.3).

    `now` is in epoch seconds, since the header can be a date.
    """
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    # Imported here, because it is slow to import and rarely needed.
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, IndexError):
        return None
