"""Prints what the runs met: the properties that their tests record."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List every passed test's properties. Called where this folder alone is tested: `make torture`."""
    for report in terminalreporter.getreports("passed"):
        if report.when == "call" and report.user_properties:
            name = report.nodeid.partition("::")[2]
            met = ", ".join(f"{name} {value}" for name, value in report.user_properties)
            terminalreporter.write_line(f"{name}: {met}; {report.duration:.0f} s")
