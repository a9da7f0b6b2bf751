"""The command line, for the reports' rows."""

from __future__ import annotations

from tests.cli.conftest import in_process, ninjaone, process

__all__ = ["in_process", "ninjaone", "process"]
