"""Targets, and checks of every input."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from connector.errors import ConnectorError

MAX_CPU_SECONDS = 20.0
"""The maximum for one input; on an idle machine none takes four."""
MAX_CHARACTERS = 5000
"""The maximum length of an error, which quotes only the start of a wrong value."""

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=30),
        st.sampled_from(
            ["{{ a }}", "{% if x %}", "..", "%2e%2e/", "\ud800", "\0", "\r\n", "1e999", "007", "x" * 5000]
        ),
        st.sampled_from([10**9, -(10**9), 10**400, 2**53 + 1, 1e308, -0.0]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@dataclass(frozen=True)
class Target:
    """Something that reads external input. `check` raises for an input that it does not handle."""

    name: str
    inputs: st.SearchStrategy[Any] = field(repr=False)
    check: Callable[[Any], None]

    def try_one(self, value: Any) -> None:
        """Check one input and its time."""
        begun = time.process_time()
        self.check(value)
        took = time.process_time() - begun
        assert took < MAX_CPU_SECONDS, f"took {took:.0f} s"


def refused(error: ConnectorError, *said: str) -> None:
    """Check one of our errors: it is short and has this text."""
    text = str(error)
    assert 0 < len(text) < MAX_CHARACTERS
    assert all(part in text for part in said), text
    assert "MemoryError" not in text


def damaged(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return valid inputs with parts removed, repeated, moved or replaced."""
    harm = st.tuples(
        st.sampled_from(["cut", "repeat", "insert", "swap"]),
        st.integers(0, 1 << 16),
        st.integers(0, 200),
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from([b"\0", b"\r\n", b"[" * 300, b"{" * 300, b'"', b"9" * 5000]),
        ),
    )
    return st.builds(_harmed, st.sampled_from(seeds), st.lists(harm, max_size=5))


def _harmed(data: bytes, harms: list[tuple[str, int, int, bytes]]) -> bytes:
    for kind, place, length, other in harms:
        start = place % (len(data) + 1)
        part, rest = data[start : start + length], data[start + length :]
        if kind == "cut":
            data = data[:start] + rest
        elif kind == "repeat":
            data = data[:start] + part * 5 + rest
        elif kind == "insert":
            data = data[:start] + other + part + rest
        else:
            data = data[:start] + other + rest
    return data
