"""Print what the tests recorded about their runs."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the properties of every passed test, when only this folder is tested (`make torture`)."""
    for report in terminalreporter.getreports("passed"):
        if report.when == "call" and report.user_properties:
            name = report.nodeid.partition("::")[2]
            met = ", ".join(f"{name} {value}" for name, value in report.user_properties)
            terminalreporter.write_line(f"{name}: {met}; {report.duration:.0f} s")
