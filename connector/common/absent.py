"""ABSENT, the value of an input that was not given."""

from __future__ import annotations

from typing import Any

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__bool__": lambda self: False})()
"""The value of an input that was not given, as opposed to JSON null."""
