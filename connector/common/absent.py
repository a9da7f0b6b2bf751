"""ABSENT, the value of an input that was not given."""

from __future__ import annotations

from typing import Any


class _Absent:
    """The class of ABSENT, of which there is one also after copying and pickling."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()
"""The value of an input that was not given, as opposed to JSON null."""
